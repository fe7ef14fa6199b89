"""Runs, models, questions and the desk around a page, as plain data; scripts put together from their modules."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import packyak.studio
import pytest
from packyak.engine.learn.models import Card, Promotion, Score
from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project
from packyak.engine.run.lessons import Judged, Models
from packyak.engine.run.questions import Agreement, Neighbour, Question, Reach, Review, Similar
from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.studio.components.bundle import script
from packyak.studio.views import desk, failing, models, review, run_log, runs
from packyak.studio.views.records import Unfit

COMPONENTS = Path(packyak.studio.__path__[0]) / "components"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = "2026-01-01T11:00:00+00:00"
QUESTION = Question(
    1,
    "topic",
    "T-1",
    "topic",
    "string",
    "billing",
    "uncertain",
    "the two best answers are close",
    "abc",
    decided="model",
    confidence=0.62,
    choices=("billing", "delivery"),
    inputs={"text": "<b>hi</b>"},
    neighbours=(Neighbour("T-9", "delivery", inputs={"text": "parcel"}),),
    reach=Reach(1, 360, "if corrected: 1 asset, about 360 records"),
)


def entry(**facts: object) -> dict[str, object]:
    base = {"deck": "d", "number": 3, "action": "correct", "asset": "topic", "key": "T-1", "column": "topic"}
    return {**base, "seen": "abc", "value": "delivery", **facts}


def test_a_run_lies_on_a_line_of_time() -> None:
    parts = (AssetRun("a", "done", seconds=1, computed=5), AssetRun("b", "failed", seconds=3, failed=2, message="no"))
    run = RunRecord("r", "failed", started=AT, ended="2026-01-01T11:00:04+00:00", assets=parts, error="a failed: no")
    sheet = runs.run_sheet(run)
    assert [(part.start, part.length) for part in sheet.parts] == [(0.0, 0.25), (0.25, 0.75)]
    assert sheet.parts[1].failed == "2" and sheet.messages == () and runs.unfinished(run) == ("b",)
    assert ("Failing", "2 records") in [(fact.label, fact.value) for fact in sheet.facts]
    assert runs.run_line(run, NOW).when == "1 h ago"
    assert runs.run_sheet(RunRecord("r", "starting")).parts == ()


def test_a_run_is_told_in_words(project_folder: Callable[..., Path]) -> None:
    source = """
        from packyak import asset, check, transform

        @asset(key="id")
        def notes():
            for n in range(6):
                yield {"id": f"n{n}", "size": n}

        @transform(notes)
        def half(size: int) -> int:
            if size % 2:
                raise ValueError("odd")
            return size // 2

        @check(half, blocking=True)
        def never(half):
            return False

        @transform(half)
        def twice(half: int) -> int:
            return half * 2
    """
    project = Project.open(project_folder(source))
    first = project.run()
    told = run_log.log(project.graph, first, EventLog(project.home).read(first.id))
    said = [f"{line.asset} {line.text}".strip() for line in told]
    assert said[0] == "Began, to bring everything up to date." and told[0].at
    assert any(line.startswith("notes Computed 6 records, 6 changed, in") for line in said)
    assert any("check never failed" in line for line in said) and "blocked: waits for half" in " ".join(said)
    assert told[-1].text.startswith("Run ") and {line.tone for line in told} >= {"bad", ""}
    (half,) = [line for line in told if line.asset == "half" and line.failed]
    assert half.failed == "3 records"
    done = RunRecord("r", "done", assets=(AssetRun("half", "done", computed=6, failed=3),))
    assert run_log.log(project.graph, done)[1].text == "Computed 6 records, no value changed, 3 records fail."
    assert failing.fails([("file", 1), ("record", 0)]) == "1 file fails" and failing.fails([]) == ""
    found = failing.failing(project.graph, "half", project.failures("half"), 3, first.id)
    assert (found.title, found.opens, found.listed, found.since) == ("3 records of half", "half", "half", "")
    assert found.command == "packyak show half --only failed"
    (way,) = found.ways
    assert (way.count, [each.name for each in way.failed]) == (3, ["n1", "n3", "n5"])
    assert way.error.startswith("ValueError: odd (pipeline.py:")
    assert failing.failing(project.graph, "half", project.failures("half"), 3, "3000").since == "since an earlier run"


def test_a_run_is_held_against_those_before_it() -> None:
    before = RunRecord("r1", "done", assets=(AssetRun("a", "done", computed=100, seconds=2.0),))
    part = AssetRun("a", "done", total=300, computed=290, changed=4, seconds=9.0)
    run = RunRecord(
        "r2", "done", started=AT, ended="2026-01-01T11:00:09+00:00", assets=(part, AssetRun("b", "skipped"))
    )
    assert run_log.expected(part, [before]) == 6.0 and run_log.expected(part, []) is None
    sheet = runs.run_sheet(run, [before])
    assert (sheet.parts[0].expected, sheet.parts[0].read, sheet.parts[1].expected) == ("6.0 s", "300", "")
    assert ("Planned", "6.0 s") in [(fact.label, fact.value) for fact in sheet.facts]


def test_a_question_as_a_card() -> None:
    card = review.card_of(QUESTION)
    assert (card.title, card.reason, card.said, card.answer) == (
        "What is topic?",
        "unsure",
        "the model says",
        "billing",
    )
    assert [choice.value for choice in card.choices] == ["billing", "delivery"] and card.sure == 0.62
    assert card.neighbours[0].text == "parcel" and card.reach.endswith("360 records.")
    whole = Question(1, "facts", "T-1", "", "", {"plan": "x", "amount": 1.5}, "suspect", "", "s")
    assert review.card_of(whole).title == "Is this record right?" and len(review.card_of(whole).inputs) == 2


def test_an_answer_as_a_decision() -> None:
    types = review.editors_of([QUESTION])
    found = review.decision_of(entry(why="looked"), types)
    assert (found.value, found.number, found.why, found.seen) == ("delivery", "d-3", "looked", "abc")
    assert review.decision_of(entry(action="skip", value=None), types).value is None
    with pytest.raises(Unfit, match="billing, delivery"):
        review.decision_of(entry(value="elsewhere"), types)


def test_alike_is_asked_only_where_it_means_something() -> None:
    near = tuple(Neighbour(f"T-{n}", "billing", similarity=n / 10) for n in range(5, 10))
    found = Similar("topic", "T-1", "topic", "billing", "delivery", "vectors", near)
    assert [each.key for each in review.alike(found)] == ["T-7", "T-8", "T-9"]
    assert "say billing. Make them delivery too?" in review.offer_words(found, 3)
    assert review.alike(Similar("topic", "T-1", "topic", None, "x", "values", near)) == ()
    assert review.waiting_words(Review((), {"failed": 8}, 2), 3) == "waiting: 8 failed; 5 fields decided so far"


def test_models_in_words() -> None:
    old = Card("a" * 16, "topic", "classification", "s", "c", ("1",), 60, 60, at=AT, score=Score(0.8, 0.7, 0.9, 5, 5))
    better, mixed = Score(0.9, 0.8, 0.95, 9, 9), (("x", "x", 3), ("x", "y", 1))
    new = Card(
        "b" * 16, "topic", "classification", "s", "c", ("1", "2"), 200, 200, at=AT, score=better, confusion=mixed
    )
    said = Promotion("p", "topic", "promote", old.id, "gate", AT, "better")
    found = Models("topic", "classification", old.id, False, 200, 10, "", (new, old), (said,))
    assert models.candidate(found) == new and [fact.value for fact in models.facts(found)][:3] == [
        "model aaaaaaaa",
        "80%",
        "200",
    ]
    assert models.waiting_words(found) == (
        "Model bbbbbbbb is newer, taught by 200 answers: 90% right (80% to 95%); the one in force 80%."
    )
    assert models.waiting_words(replace(found, current=new.id)) == ""
    assert [fact.value for fact in models.facts(Models("topic", "", "", False, 4, 10, ""))] == [
        "the first rule",
        "4 of 10",
    ]
    assert [point["answers"] for point in models.curve(found.cards)] == [60, 200]
    assert models.confusion(new) == (["x", "y"], [[3, 1], [0, 0]])
    assert models.decisions_table(found, NOW)[0]["what"] == "model aaaaaaaa promoted"
    assert models.models_table(found, NOW)[1][""] == "in force"
    assert review.learned_words([Models("topic", "", "", False, 4, 10, "")]) == [
        "topic: 4 answers, learns after 6 more"
    ]
    assert review.learned_words([found]) == [
        "topic: 200 answers so far, 60 of them behind model aaaaaaaa, right in 80%"
    ]
    grown = replace(found, current=new.id, cards=(replace(new, parent=old.id), old))
    assert review.learned_words([grown])[0].endswith("right in 90%, 10 points better than the one before")


def test_how_a_model_fared_on_what_it_had_not_seen() -> None:
    found = [Judged(f"T-{n}", "topic", "x", 0.1 * n, n > 4, "y") for n in range(1, 10)]
    bins = models.reliability([*found, Judged("T-0", "topic", "x", 1.0, True, "x")])
    assert [each["answers"] for each in bins] == [1] * 8 + [2] and bins[0]["right"] == 0 and bins[-1]["right"] == 1
    wrong = models.mistakes(found)
    assert [each["record"] for each in wrong] == ["T-4", "T-3", "T-2", "T-1"] and wrong[0]["right is"] == "y"
    mixed = Card("b", "topic", "", "", "", (), 4, 4, confusion=(("x", "x", 3), ("x", "y", 1)))
    assert {(cell["right"], cell["answered"]): cell["share"] for cell in models.matrix(mixed)}["x", "y"] == 0.25


def test_a_second_opinion_is_blind_and_a_person_has_no_confidence() -> None:
    card = review.card_of(replace(QUESTION, reason="second", answer=None, decided="none", confidence=None))
    assert (card.blind, card.value, card.sure, card.answer) == (True, None, None, "hidden until you have answered")
    assert review.card_of(replace(QUESTION, decided="person")).sure is None and not review.card_of(QUESTION).blind


def test_who_answers_and_how_far_they_agree() -> None:
    (row,) = review.agreement_table([Agreement("ana", "bo", 40, 0.925, 0.87)])
    assert (row["who"], row["agree"], row["beyond chance"]) == ("ana and bo", "92%", "0.87")
    assert review.agreement_table([Agreement("a", "b", 1, 1.0, None)])[0]["beyond chance"] == "\N{EM DASH}"


def test_the_palette_and_the_bar(project_folder: Callable[..., Path]) -> None:
    graph = Project.open(project_folder("from packyak import asset\n@asset\ndef notes():\n    yield {'a': 1}")).graph
    items = desk.items(graph, [("Runs", "runs")], None, "packyak show notes")
    assert [item.name for item in items][:3] == ["Runs", "Run what is stale", "Retry failed records"]
    assert {"notes", "Records of notes"} <= {item.name for item in items}
    under_way = desk.items(graph, [], RunRecord("r", "running"), "")
    assert under_way[0].act == desk.CANCEL
    assert desk.command("records", {"asset": "a b", "key": "it's"}) == """packyak show 'a b' --key 'it'"'"'s'"""
    assert desk.command("home", {}) == "" and desk.command("pipeline", {}) == "packyak status"
    assert desk.command("pipeline", {"asset": "job dbt plans"}) == "packyak status"  # another tool's


@pytest.mark.parametrize(
    "entry",
    [
        file
        for file in sorted(COMPONENTS.rglob("*.js"))
        if re.search(r"^export default", file.read_text(), re.MULTILINE)
    ],
    ids=lambda entry: entry.relative_to(COMPONENTS).as_posix(),
)
def test_a_script_has_each_module_once_and_no_import_left(entry: Path) -> None:
    text = script(entry)
    assert "import {" not in text and len(re.findall(r"^export default", text, re.MULTILINE)) == 1
    assert not re.findall(r"^export (?!default)", text, re.MULTILINE) and text.count("export const make") == 0
    names = re.findall(r"^(?:class|function) (\w+)|^const (?![A-Z_]+ =)(\w+)", text, re.MULTILINE)
    names = ["".join(each) for each in names]
    for line in re.findall(r"^const .*", text, re.MULTILINE):  # one line may name several constants
        names += re.findall(r"\b([A-Z][A-Z_]+) = ", line)
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_the_status_bar_says_who_looks_where_there_are_roles() -> None:
    told = [fact.text for fact in desk.facts("notes", "~/notes", None, "topic", "vic: viewer")]
    assert told == ["notes", "~/notes", "No run under way", "vic: viewer", "topic"]
    assert len(desk.facts("notes", "~/notes", None, "")) == 3
