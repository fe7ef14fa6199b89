"""The graph as of a past moment, a record's trail over it, versions with their quality, what a role may do: as plain
data, from a real project.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project
from packyak.studio.views import grants, pipeline, quality, then, trail
from packyak.studio.views.pipeline import Look

SOURCE = """
    from packyak import asset, check, sql, transform

    @asset(key="id")
    def notes():
        for n in range(NUMBER):
            yield {"id": f"n{n}", "body": "an invoice" if n % 2 else None, "size": n}

    @transform(notes)
    def kind(size: int) -> str | None:
        if size == 3:
            raise ValueError("three is refused")
        return "even" if size % 2 == 0 else None

    @transform(kind)
    def shout(kind: str | None, body: str | None) -> str:
        return f"{kind} {body}".upper()

    counts = sql("select kind, count(*) as n from kind group by all")

    @check(counts)
    def some(counts):
        return True
"""


@pytest.fixture
def twice(project_folder: Callable[..., Path]) -> Project:
    """A project that ran on four notes, then on six."""
    folder = project_folder(SOURCE.replace("NUMBER", "4"))
    Project.open(folder).run()
    file = folder / "pipeline.py"
    file.write_text(file.read_text().replace("range(4)", "range(6)"))
    project = Project.open(folder)
    project.run()
    return project


def then_of(project: Project, moment: str) -> then.Then:
    past = project.graph_at(moment)
    vectors = [project.published.load(number) for number in project.published.numbers()]
    return then.then(project.graph, past, vectors, project.run_store.get(past.run))


def test_a_past_moment_stands_as_it_did(twice: Project) -> None:
    new, old = project_runs(twice)
    found = then_of(twice, old)
    stood = {each.name: each for each in found.statuses}
    assert (stood["notes"].rows, stood["kind"].state, found.earlier, found.later) == (4, "fresh", "", new)
    assert found.lines["notes"] == "changed since"
    board = pipeline.board(found.graph, found.statuses, look=Look(lines=found.lines))
    assert {card.name: card.line for card in board.cards}["notes"] == "changed since"
    now = then_of(twice, new)
    assert now.lines["counts"] == "the same today" and now.earlier == old
    assert next(each for each in now.statuses if each.name == "notes").delta == 2


def project_runs(project: Project) -> list[str]:
    return [run.id for run in project.runs()]


def test_moments_say_what_changed(twice: Project) -> None:
    vectors = [twice.published.load(number) for number in twice.published.numbers()]
    newest, *_, first = then.moments(vectors)
    assert newest.run == project_runs(twice)[0] and newest.note == "counts, kind and 2 more"
    assert first.note == newest.note


def test_what_is_declared_no_longer_is_still_in_the_past(twice: Project) -> None:
    old = project_runs(twice)[1]
    file = twice.root / "pipeline.py"
    file.write_text(file.read_text().partition("@transform(kind)")[0])
    found = then_of(Project.open(twice.root), old)
    assert "shout" in found.graph.nodes and set(found.graph["shout"].inputs) == {"kind", "notes"}
    assert found.lines["notes"] == "changed since"


def test_a_trail_counts_records_and_runs_along_the_graph(twice: Project) -> None:
    twice.correct("kind", "n1", "kind", "odd", by="ana", why="looked")
    twice.run()
    up = twice.trace("shout", "n1")
    found = trail.trail_of(twice.graph, (up, twice.trace("shout", "n1", direction="down")))
    assert found.words(["shout"]) == "this record" and found.words(["notes"]) == "1 record"
    assert found.passes == {("notes", "kind"): 1, ("kind", "shout"): 1}
    board = pipeline.board(twice.graph, twice.status(), look=Look(trail=found))
    assert {card.name for card in board.cards if card.trail} == {"notes", "kind", "shout"}
    assert {edge.target: edge.trail for edge in board.edges} == {"kind": "1", "shout": "1", "counts": ""}
    told = trail.told(twice.graph, found, up, twice.trace("shout", "n1", direction="down"), twice.root)
    assert [part.asset for part in told.above] == ["notes", "kind"] and told.below == ()
    line = told.above[1].lines[0]
    assert line.tone == "person" and line.made[0].startswith("ana said odd instead of") and "(looked)" in line.made[0]
    assert line.place.startswith("pipeline.py:") and line.run


def test_a_trail_down_reaches_groups(twice: Project) -> None:
    traces = twice.trace("notes", "n2"), twice.trace("notes", "n2", direction="down")
    found = trail.trail_of(twice.graph, traces)
    assert set(found.assets) == {"notes", "kind", "shout", "counts"}
    assert found.words(["counts", "shout"]) == "2 records" and found.words(["nothing"]) == ""
    told = trail.told(twice.graph, found, *traces, twice.root)
    assert told.below[-1].lines[0].values == (("kind", "even"), ("n", "3"))


def test_versions_tell_how_good_they_were(twice: Project) -> None:
    versions = twice.versions("kind")
    runs = {run.id: run for run in twice.runs()}
    log = EventLog(twice.home)
    found = quality.qualities("kind", versions, runs, {name: log.read(name) for name in runs})
    assert [each.rows for each in found] == [5, 3] and found[0].delta == 2
    assert (found[0].filled, found[1].filled) == (pytest.approx(3 / 5), pytest.approx(2 / 3))
    assert [each.failed for each in found] == [1, 1]
    assert [trend.label for trend in quality.trends(found)] == ["Rows", "Filled", "Failed"]
    checked = quality.qualities("counts", twice.versions("counts"), runs, {name: log.read(name) for name in runs})
    assert checked[0].checks == 1 and quality.table(checked)[0]["checks"] == "1 passed"
    assert quality.qualities("kind", versions, {}, {})[0].filled is None


def test_grants_are_told_with_the_line_that_needs_them() -> None:
    evidence = [{"why": "it reads notes", "source": "graph", "place": "pipeline.py:4"}]
    role = {
        "name": "kind",
        "grants": [
            {"action": "s3:GetObject", "resource": "arn:a", "evidence": evidence},
            {"action": "s3:PutObject", "resource": "arn:b", "evidence": [{"why": "the lock", "source": "engine"}]},
        ],
    }
    undecided = [{"role": "kind", "what": "what it does", "place": "pipeline.py:9"}]
    said = {
        "plan": {"roles": [role], "undecided": undecided},
        "seen": {"kind": [{"on": "tables/notes.lance/*", "seen": "proven"}, {"on": "leases/*", "seen": ""}]},
    }
    sheet = grants.role_sheet(said, "kind")
    assert sheet is not None and grants.role_sheet(said, "other") is None
    assert [(line.may, line.on, line.where) for line in sheet.own] == [
        ("read", "tables/notes.lance/*", "pipeline.py:4")
    ]
    assert [line.may for line in sheet.engine] == ["write"] and sheet.undecided == ("pipeline.py:9: what it does",)
