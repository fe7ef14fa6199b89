"""The board of the Pipeline page: cards, marks, edges, counts and what the run button says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from packyak.engine.declare.nodes import Graph, Marks
from packyak.engine.project import Project
from packyak.engine.run.answers import AssetStatus, Cause, CheckResult, PlanStep
from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.studio.views import cards, code, pipeline, progress, tables
from packyak.studio.views.layout import Place

SOURCE = """
    from collections.abc import Iterator
    from packyak import Bucket, File, check, function, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def notes(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    @transform(notes)
    def text(body: str) -> str:
        return body.strip()

    lengths = sql("select length(text) as size, count(*) as n from text group by all")

    @check(lengths)
    def some(lengths):
        return True

    @function(on=inbox.created("*.pdf"))
    def keep(file: File):
        ...
"""


def graph_of(project_folder: Callable[..., Path]) -> Graph:
    return Project.open(project_folder(SOURCE)).graph


def status(name: str, **facts: object) -> AssetStatus:
    base = AssetStatus(name, "transform", "fresh", "up to date", rows=1204, delta=12, version="abc")
    return replace(base, **facts)  # type: ignore[arg-type]


def test_every_node_but_checks_and_pattern_only_buckets_is_a_card(project_folder: Callable[..., Path]) -> None:
    board = pipeline.board(graph_of(project_folder), [])
    assert {card.name for card in board.cards} == {"inbox/*.jsonl", "notes", "text", "lengths", "keep"}
    assert {(edge.source, edge.target) for edge in board.edges} == {
        ("inbox/*.jsonl", "notes"),
        ("notes", "text"),
        ("text", "lengths"),
    }


def test_edges_carry_what_flows_and_cards_what_stands(project_folder: Callable[..., Path]) -> None:
    graph = graph_of(project_folder)
    checks = (CheckResult("some", "lengths", False, True, "error", 3),)
    board = pipeline.board(
        graph,
        [
            status("notes", failed_records=3, corrections=2),
            status("text", state="stale", reason="12 records: input changed", delta=-3),
            status("lengths", checks=checks),
        ],
    )
    drawn = {card.name: card for card in board.cards}
    assert [mark.text for mark in drawn["notes"].marks] == ["3 failed", "2 corrected"]
    assert drawn["text"].line == "stale: 12 records: input changed"
    assert [(mark.text, mark.tone) for mark in drawn["lengths"].marks] == [("1 check failing", "bad")]
    assert "3 failed" in drawn["notes"].label and "1,204 rows" in drawn["notes"].label
    edges = {edge.target: (edge.rows, edge.delta) for edge in board.edges}
    assert edges["text"] == ("1,204", "+12") and edges["lengths"] == ("1,204", "\N{MINUS SIGN}3")


def test_the_shape_changes_only_with_the_graph(project_folder: Callable[..., Path]) -> None:
    graph = graph_of(project_folder)
    assert pipeline.board(graph, []).shape == pipeline.board(graph, [status("notes", rows=9)]).shape
    fewer = Graph({name: node for name, node in graph.nodes.items() if name != "lengths"})
    assert pipeline.board(fewer, []).shape != pipeline.board(graph, []).shape


def test_a_state_is_not_said_twice() -> None:
    assert cards.card_line(status("a", state="stale", reason="stale: its code changed.")) == "stale: its code changed"
    assert cards.card_line(status("a", state="never", reason="never computed")) == "never run"
    assert cards.card_line(status("a", state="failed", reason="")) == "failed"


def test_the_button_says_what_it_runs() -> None:
    stale = status("a", state="stale")
    assert pipeline.run_label([status("a")]) == "Everything is fresh"
    assert pipeline.run_label([stale, status("b")]) == "Run 1 stale asset"
    assert pipeline.run_label([stale, stale]) == "Run 2 stale assets"
    new = [status("a", state="never", version=None), status("b", state="stale", version=None)]
    assert pipeline.run_label(new) == "Run all 2 assets"
    assert pipeline.run_label([status("a", state="failed"), status("b")]) == "Run 1 failed asset again"
    assert pipeline.run_label([stale, status("b", state="failed")]) == "Run 2 assets"


def test_counts_are_worst_first() -> None:
    found = pipeline.counts([status("a"), status("b", state="failed"), status("c")])
    assert found.states == (("failed", 1), ("fresh", 2)) and found.of("fresh", "stale") == 2


def test_plan_steps_in_words() -> None:
    step = PlanStep("a", "compute", 1204, True, (), keeps=300, seconds=2.4)
    assert pipeline.step_words(step) == "compute at most 1,204 records · 300 stay · 2.4 s"
    assert pipeline.step_words(PlanStep("a", "query", None, True, ())) == "query, if its inputs change"


def test_a_cause_says_its_count_once() -> None:
    assert tables.cause_words(Cause("input", "12 records: input changed", 12)) == "12 records: input changed"
    assert tables.cause_words(Cause("code", "its code changed", 1500)) == "1,500 records: its code changed"


def test_a_run_under_way_in_words(project_folder: Callable[..., Path]) -> None:
    parts = (
        AssetRun("notes", "done", 10, 10, computed=10, changed=4),
        AssetRun("text", "running", 500, 2000, 612.4, 2.4),
        AssetRun("lengths"),
    )
    run = RunRecord("r", "running", assets=parts)
    told = progress.of_run(run)
    assert told.active and told.title == "Running"
    assert told.line == "1 of 3 assets · text: 500 of 2,000 · 612 rows/s · 2.4 s left"
    assert round(told.share, 2) == round((1 + 0.25) / 3, 2)
    statuses = [status(part.asset) for part in parts]
    board = pipeline.board(graph_of(project_folder), statuses, progress.of_assets(run))
    drawn = {card.name: card for card in board.cards}
    assert (drawn["text"].state, drawn["text"].progress) == ("running", 0.25)
    assert (drawn["notes"].state, drawn["notes"].progress) == ("fresh", None)
    assert drawn["lengths"].line == "waiting for its turn"


def test_a_run_that_ended_in_words() -> None:
    parts = (
        AssetRun("a", "done", computed=3000, changed=12, failed=2),
        AssetRun("b", "failed", message="ValueError: no"),
        AssetRun("c", "skipped"),
    )
    run = RunRecord(
        "r", "failed", started="2026-01-01T00:00:00+00:00", ended="2026-01-01T00:00:04.2+00:00", assets=parts
    )
    told = progress.of_run(run)
    assert told.line == "2 assets in 4.2 s: 3,000 records computed, 12 changed, 2 records fail · b did not finish"
    assert progress.messages(run) == ("b: ValueError: no",)
    assert progress.of_assets(run) == {}


def test_marks_and_code_of_a_declaration(project_folder: Callable[..., Path]) -> None:
    graph = graph_of(project_folder)
    shown = code.source_at(graph["notes"].origin.file, graph["notes"].origin.line)
    assert shown.startswith('@transform(inbox.files("*.jsonl"), key="id")') and shown.endswith("read_jsonl(file)")
    assert code.source_at(graph["lengths"].origin.file, graph["lengths"].origin.line).startswith("lengths = sql(")
    assert code.source_at("/nowhere.py", 3) == ""
    marks = Marks({"email": "contact"}, "customer_id", keep="3 years")
    assert tables.mark_lines(marks) == ("personal: email (contact)", "about: customer_id", "kept for: 3 years")


def test_what_a_run_noted_is_marked_on_the_card_and_told_with_its_next_step() -> None:
    noted = status(
        "notes", notes=("the column _id is left out: it begins with _. Next: give another name", "2 share a key")
    )
    assert [(mark.text, mark.tone) for mark in cards.card_marks(noted)] == [("2 notes", "quiet")]
    first, second = tables.notes(noted)
    assert first == tables.Note("The column _id is left out: it begins with _.", "Give another name.")
    assert second == tables.Note("2 share a key.")


def test_the_reason_is_said_once() -> None:
    failed = status("notes", reason="up to date; 1,204 records failed, such as n3: no", failed_records=1204)
    assert tables.state_words(failed) == tables.state_words(status("notes")) == ""
    assert tables.state_words(status("notes", state="stale", reason="12 records: input changed")) == (
        "12 records: input changed."
    )
    assert tables.failed_words("file").startswith("What was good before stays. Mend the file")


def test_sources_say_what_was_passed_over_and_functions_that_they_failed(project_folder: Callable[..., Path]) -> None:
    known = [
        status("inbox/*.jsonl", kind="files", reason="50 files; 2 passed over, such as 'a': leads out of the bucket"),
        status("keep", kind="function", state="failed", reason="waits for a.pdf; it raised"),
    ]
    drawn = {card.name: card for card in pipeline.board(graph_of(project_folder), known).cards}
    assert drawn["inbox/*.jsonl"].line == "50 files; 2 passed over" and drawn["inbox/*.jsonl"].state == "source"
    assert drawn["keep"].state == "failed" and "failed" in drawn["keep"].label


def test_a_group_tells_when_the_last_of_it_ran() -> None:
    now, spot = datetime(2026, 11, 29, 12, tzinfo=UTC), cards.Spot(Place(0, 0, 0, 0), Place(0, 0, 0, 0))
    members = [
        status("a", updated_at="2026-11-29T09:00:00+00:00"),
        status("b", updated_at="2026-11-29T11:00:00+00:00"),
        status("c"),
    ]
    assert cards.group_card("g", "g", members, 3, ["fresh"] * 3, spot, now).time == "1h ago"
    never = cards.group_card("g", "g", [status("c")], 2, ["never", "never"], spot, now)
    assert never.time == "" and never.line == "all never run"
    assert cards.group_card("g", "g", [], 2, ["running", "done"], spot, now).line == "1 running"
