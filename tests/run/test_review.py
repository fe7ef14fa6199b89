"""The review queue: what is asked, why, in which order, by whom it was put off, and what an answer does."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.errors import DataError, HomeError
from packyak.engine.project import Project
from packyak.engine.run.questions import Decision, Question
from packyak.engine.store.tables import Table
from saying import PIPELINE, edit, put, run, tickets, values

CHECKED = '''

@check(kind)
def kind_is_no_guess(kind):
    return kind.filter("kind = 'broken' and text like '%mug%'")


@transform(tickets)
def third(text: str) -> str:
    """The third word, where there is one."""
    return text.split()[2]
'''


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "demo"
    folder.mkdir()
    (folder / "pipeline.py").write_text(PIPELINE + CHECKED)
    (folder / "packyak.toml").write_text(
        'name = "demo"\nmodules = ["pipeline"]\n[settings]\nprefect = "off"\nworker = "off"\nperson = "ana"\n'
    )
    put(folder, [*tickets(), {"id": "T8", "text": "too short", "lang": "en"}])
    run(folder)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "demo"))


@pytest.fixture
def project(folder: Path) -> Project:
    return Project.open(folder)


def asked(project: Project, *arguments: Any, **options: Any) -> dict[tuple[str, str], Question]:
    return {(each.asset, each.key): each for each in project.review(*arguments, **options).questions}


def decision(question: Question, action: Any = "accept", value: Any = None, **more: Any) -> Decision:
    return Decision(
        question.asset, question.key, question.column, action, value, seen=question.seen, at_random=question.at_random,
        **more,
    )  # fmt: skip


def test_questions_before_there_is_any_model(project: Project) -> None:
    found = project.review("kind", limit=10)
    assert [each.number for each in found.questions] == list(range(1, len(found.questions) + 1))
    keys = [each.key for each in found.questions]
    assert len(set(keys)) == len(keys) == 9
    random = [each for each in found.questions if each.at_random]
    assert (len(random), {each.reason for each in random}) == (2, {"random"})
    one = next(each for each in found.questions if each.reason == "typical")
    assert one.choices == ("late", "broken", "other")
    assert one.answer == values(project, "kind", "kind")[one.key]
    assert (one.decided, one.column, one.inputs) == (
        "rule",
        "kind",
        {"text": values(project, "tickets", "text")[one.key]},
    )
    assert one.reach.words == "if corrected: 1 asset, 3 records"
    assert "nobody has answered" in one.why
    assert found.waiting == {"check": 1, "uncertain": 8}


def test_who_may_not_see_the_vectors_of_texts_is_asked_nevertheless(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under a reviewer's role on S3, which the vectors refuse."""
    exists = Table.exists

    def refused(table: Table) -> bool:
        if table.uri.endswith("vectors/texts.lance"):
            raise HomeError("S3 refused to list the vectors")
        return exists(table)

    monkeypatch.setattr(Table, "exists", refused)
    found = project.review("kind", limit=10)
    assert len(found.questions) == 9 and "typical" in {each.reason for each in found.questions}


def test_the_same_state_gives_the_same_list_and_an_answer_moves_only_what_it_must(folder: Path) -> None:
    first = Project.open(folder).review("kind", limit=5)
    assert Project.open(folder).review("kind", limit=5) == first
    random = [each.key for each in first.questions if each.at_random]
    answered = next(each for each in first.questions if not each.at_random)
    Project.open(folder).decide([decision(answered)])
    after = Project.open(folder).review("kind", limit=5)
    assert [each.key for each in after.questions if each.at_random] == random
    assert answered.key not in [each.key for each in after.questions]
    assert after.decided == 1


def test_failed_checks_and_failed_records_are_asked_with_their_reason(project: Project) -> None:
    check = asked(project)["kind", "T4"]
    assert (check.reason, check.why) == ("check", "the check kind_is_no_guess fails on this record")
    (short,) = project.review("third").questions
    assert (short.key, short.reason, short.answer) == ("T8", "failed", None)
    assert short.why.startswith("third could not be computed: ")
    (done,) = project.decide([decision(short, "correct", "nothing")])
    assert done.state == "saved"
    assert project.review("third").questions == ()


def test_disagreements_are_asked_until_somebody_settles_them(project: Project) -> None:
    project.correct("kind", "T3", "kind", "late", by="bo")
    project.correct("kind", "T3", "kind", "broken", by="cy")
    question = asked(project, limit=3)["kind", "T3"]
    assert question.reason == "disagreement"
    assert question.why == "people differ: bo says 'late'; cy says 'broken'"
    assert [each.by for each in question.opinions] == ["cy", "bo"]
    project.decide([decision(question, "correct", "late")])
    assert project.disagreements() == ()
    assert ("kind", "T3") not in asked(project)


def test_a_queue_of_its_own_for_what_people_differ_on(project: Project) -> None:
    project.correct("kind", "T3", "kind", "late", by="bo")
    project.correct("kind", "T3", "kind", "broken", by="cy")
    (only,) = project.review(only="disagreement").questions
    assert (only.key, only.reason) == ("T3", "disagreement")
    assert project.review("third", only="disagreement").questions == ()


def test_a_second_opinion_is_asked_blind_and_counts_as_agreement(project: Project) -> None:
    for key, value in (("T0", "late"), ("T3", "broken")):
        project.correct("kind", key, "kind", value, by="bo")
    assert project.review(only="second", person="bo").questions == ()
    found = project.review(only="second", person="cy").questions
    assert {each.key for each in found} == {"T0", "T3"} and {each.reason for each in found} == {"second"}
    assert [(each.answer, each.opinions, each.computed) for each in found] == [(None, (), None)] * 2
    assert found[0].why == "bo decided this: what do you say, without knowing what it was?"
    by_key = {each.key: each for each in found}
    same = decision(by_key["T0"], "correct", "late")
    other = decision(by_key["T3"], "correct", "late")
    assert [each.state for each in project.decide([same, other], by="cy")] == ["saved", "saved"]
    assert project.review(only="second", person="cy").questions == ()
    (pair,) = project.agreement()
    assert (pair.fields, pair.share) == (2, 0.5)
    assert [each.key for each in project.disagreements()] == ["T3"]


def test_what_changed_under_a_correction_is_asked_again(folder: Path, project: Project) -> None:
    project.correct("kind", "T3", "kind", "late")
    project.accept("kind", "T0", "kind")
    project.accept("kind", "T4", "kind")
    project.correct("per_kind", "other", "n", 1)
    records = [*tickets(), {"id": "T8", "text": "too short", "lang": "en"}]
    records[3] = {"id": "T3", "text": "where is my late order", "lang": "en"}
    put(folder, [*records, {"id": "T9", "text": "one more thing", "lang": "en"}])
    edit(folder, '"late" if "late" in text else', '"late" if "order" in text else')
    project = run(folder)
    found = asked(project, limit=30)
    assert found["kind", "T3"].reason == "outdated"
    assert found["kind", "T3"].why == "text changed since ana said 'late'"
    assert (found["kind", "T0"].reason, found["kind", "T0"].computed) == ("contradiction", "other")
    assert found["kind", "T0"].why == "kind computes 'other' now, ana accepted 'late'"
    assert found["per_kind", "other"].reason == "parked"
    assert found["per_kind", "other"].why == "it was 5 when ana said 1, and is computed as 6 now, which holds"
    assert ("kind", "T4") not in found
    project.decide([decision(found["kind", "T0"]), decision(found["kind", "T3"]), decision(found["per_kind", "other"])])
    assert not {("kind", "T0"), ("kind", "T3"), ("per_kind", "other")} & set(asked(project, limit=30))


def test_specials_do_not_crowd_out_what_teaches(project: Project) -> None:
    for key in ("T0", "T1", "T2", "T3"):
        project.correct("kind", key, "kind", "late", by="bo")
        project.correct("kind", key, "kind", "other", by="cy")
    reasons = Counter(each.reason for each in project.review("kind", limit=5).questions)
    assert reasons["random"] == 1
    assert reasons["disagreement"] == 1
    assert reasons["check"] == 1
    assert reasons["typical"] == 2


def test_a_skip_is_the_persons_own_and_ends_when_something_changes(folder: Path, project: Project) -> None:
    question = project.review("kind", limit=5).questions[0]
    (done,) = project.decide([decision(question, "skip")])
    name = (question.asset, question.key)
    assert name not in asked(project, "kind", limit=20)
    assert name in asked(project, "kind", limit=20, person="bo")
    assert question.key not in [each.key for each in project.corrections()]
    project.undo(done.correction)
    assert name in asked(project, "kind", limit=20)
    project.redo(done.correction)
    assert name not in asked(project, "kind", limit=20)
    project.correct(*name, "kind", "late", by="bo")
    project.correct(*name, "kind", "other", by="cy")
    assert name in asked(project, "kind", limit=20)


def test_answers_are_applied_once_and_not_to_something_else(project: Project) -> None:
    first, second, third = project.review("kind", limit=9).questions[:3]
    answers = [
        decision(first, "accept", number="1"),
        decision(second, "correct", "late", number="2", why="clear"),
        decision(third, "comment", "look at the photo", number="3"),
        decision(third, "correct", "lost", number="4"),
        Decision("kind", "T99", "kind", "accept"),
        Decision("kind", third.key, "kind", "guess"),  # type: ignore[arg-type]
    ]
    states = [each.state for each in project.decide(answers)]
    assert states == ["saved", "saved", "saved", "refused", "refused", "refused"]
    said = len(project.corrections())
    again = project.decide(answers)
    assert [each.state for each in again[:3]] == ["already"] * 3
    assert len(project.corrections()) == said
    project.undo(again[1].correction)
    assert project.decide(answers)[1].state == "already", "applying a list again does not bring back what was undone"
    project.correct("kind", third.key, "kind", "late", by="bo")
    (stale,) = project.decide([decision(third, "correct", "other", number="5")])
    assert (stale.state, values(project, "kind", "kind")[third.key]) == ("changed", "late")


def test_drawn_answers_say_so_and_neighbours_are_shown(project: Project) -> None:
    questions = project.review("kind", limit=9).questions
    project.decide([decision(each) for each in questions if each.at_random])
    drawn = [each for each in project.corrections() if each.origin == "drawn"]
    assert len(drawn) == 2
    values_of = {each.key: each.value for each in drawn}
    project.comment("kind", "T7", "lost since May")
    question = next(each for each in project.review("kind", limit=9).questions if each.answer in values_of.values())
    assert {each.key for each in question.neighbours} <= set(values_of)
    assert all(each.decided == "person" for each in question.neighbours)
    later = asked(project, "kind", limit=9)
    if ("kind", "T7") in later:
        assert later["kind", "T7"].earlier == ("ana: lost since May",)


def test_unknown_assets_and_empty_projects(folder: Path, project: Project) -> None:
    with pytest.raises(DataError, match="no asset 'kinds'"):
        project.review("kinds")
    shutil.rmtree(folder / ".packyak")
    assert Project.open(folder).review().questions == ()


def test_only_records_that_somebody_picked_are_asked_about_and_none_at_random(project: Project) -> None:
    every = project.review("kind", limit=10)
    keys = sorted({each.key for each in every.questions})[2:5]
    found = project.review("kind", limit=10, keys=keys)
    assert {each.key for each in found.questions} == set(keys) and found.questions[0].number == 1
    assert not any(each.at_random for each in found.questions)
    assert sum(found.waiting.values()) < sum(every.waiting.values())
    assert project.review("kind", keys=()).questions == ()
