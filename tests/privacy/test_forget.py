"""Forgetting somebody: nothing of the record is left in any file, and all others are as they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.errors import DataError, NotAllowed, RunBusy
from packyak.engine.learn.teacher import Taught, Teacher
from packyak.engine.privacy import forget as forgetting
from packyak.engine.privacy.ledger import Ledger
from packyak.engine.project import Project
from packyak.engine.run.launch import LOCK
from packyak.engine.store.lease import Lease
from somebody import HIS, SOURCE, WORDS, put, taught, tickets, who_has, without_him

Write = Callable[..., Path]
pytest.importorskip("sentence_transformers")


@pytest.fixture
def folder(project_folder: Write) -> Path:
    made = project_folder(SOURCE)
    put(made, tickets())
    return made


def contents(project: Project) -> dict[str, list[dict[str, object]]]:
    """What every asset has, by key."""
    names = ("tickets", "clean", "orders", "sentences", "topic", "per_city")
    return {name: sorted(project.read(name).to_pylist(), key=str) for name in names}


def test_nothing_of_a_forgotten_record_is_left(folder: Path) -> None:
    taught(folder)
    project = without_him(folder)
    everywhere = who_has(folder)
    assert set(everywhere) == set(WORDS)
    places = {name.split("/")[0] for names in everywhere.values() for name in names}
    assert {"tables", "memo", "corrections", "indexes", "runs"} <= places
    before = contents(project)

    done = project.forget("tickets", [HIS], why="asked to be erased")

    assert who_has(folder) == {}
    assert (dict(done.left), done.ended != "", done.marks > 5, len(done.before) > 5) == ({}, True, True, True)
    assert done.records == {"tickets": 1, "clean": 1, "orders": 1, "sentences": 2, "topic": 1}
    assert done.vectors > 0 and done.versions > 5
    assert contents(project) == before
    assert len(project.find("search", "parcel", 3)) == 3
    assert [len(project.versions(name)) for name in ("tickets", "sentences", "topic")] == [1, 1, 1]


def test_what_others_said_stays(folder: Path) -> None:
    taught(folder)
    project = without_him(folder)
    project.undo(project.corrections("topic", "T-104")[0].id)
    assert project.run().state == "done"
    others = [each for each in project.corrections() if each.key != HIS]
    done = project.forget("tickets", [HIS])
    assert len(done.corrections) == 3
    assert list(Project.open(folder).corrections()) == others


def test_a_model_that_learned_from_it_gives_way_to_one_that_did_not(folder: Path) -> None:
    project = taught(folder)
    (old,) = (each.current for each in project.models("topic"))
    project.pin("topic")
    project = without_him(folder)
    done = project.forget("tickets", [HIS])
    (now,) = project.models("topic")
    assert (dict(done.models), done.relearned) == ({"topic": (old,)}, ("topic",))
    assert now.current and now.current != old and now.pinned
    assert set(now.card.corrections).isdisjoint(done.corrections) if now.card else False
    assert not any(old in str(file) for file in (folder / ".packyak" / "models").rglob("*") if file.is_file())
    assert project.run().state == "done"
    assert {row["topic"] for row in project.read("topic").to_pylist()} == {"billing", "delivery"}


def test_who_is_learning_meanwhile_brings_nothing_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taught(folder)
    project = without_him(folder)
    other = Project.open(folder)
    real = Teacher.fit

    def fit(self: Teacher, *given: Any) -> Taught:
        monkeypatch.setattr(Teacher, "fit", real)
        assert project.forget("tickets", [HIS]).corrections
        return real(self, *given)

    monkeypatch.setattr(Teacher, "fit", fit)
    with pytest.raises(DataError, match=r"topic was just learning from was erased.*`packyak learn topic`"):
        other.learn(["topic"])
    said = {each.id for each in project.corrections()}
    assert all(set(each.card.corrections) <= said for each in project.models("topic") if each.card)
    assert project.models("topic")[0].current
    assert other.learn(["topic"])


def test_the_first_rule_answers_where_nothing_is_left_to_learn_from(folder: Path) -> None:
    project = taught(folder)
    keys = [f"T-{100 + n}" for n in range(3, 15)]
    put(folder, (row for row in tickets() if row["id"] not in keys))
    assert project.run().state == "done"
    done = project.forget("tickets", keys)
    assert done.relearned == ("topic",)
    assert project.models("topic")[0].current == ""
    assert project.run().state == "done"
    assert set(project.read("topic")["topic"].to_pylist()) == {"billing"}


def test_what_is_still_there_is_refused_with_its_file(folder: Path) -> None:
    project = taught(folder)
    before = who_has(folder)
    with pytest.raises(DataError, match=r"tickets still has T-107, from a\.jsonl: .* take it out of the file"):
        project.forget("topic", [HIS])
    assert who_has(folder) == before


def test_what_was_not_run_since_is_refused(folder: Path) -> None:
    project = taught(folder)
    put(folder, (row for row in tickets() if row["id"] != HIS))
    assert project.run(["tickets"]).state == "done"
    with pytest.raises(DataError, match=r"not up to date.*`packyak run`"):
        project.forget("tickets", [HIS])


def test_what_shows_an_earlier_version_is_refused(folder: Path) -> None:
    taught(folder)
    pipeline = folder / "pipeline.py"
    pipeline.write_text(pipeline.read_text().replace('return "billing"', 'return "billing" + ""', 1))
    pipeline.write_text(pipeline.read_text().replace("select city,", "select city / 0 + error('no') as city,"))
    put(folder, (row for row in tickets() if row["id"] != HIS))
    project = Project.open(folder)
    assert project.run().state == "failed"
    with pytest.raises(DataError, match=r"per_city"):
        project.forget("tickets", [HIS])


@pytest.mark.parametrize(
    ("asset", "key", "told"),
    [
        ("per_city", "Rome", "made of those of other assets. Valid: tickets"),
        ("tickets", "T-1000", "nothing is left of tickets 'T-1000'"),
        ("ticket", "T-107", "did you mean 'tickets'"),
        ("search", "T-107", "asset"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, asset: str, key: str, told: str) -> None:
    project = Project.open(folder)
    assert project.run().state == "done"
    with pytest.raises(DataError) as caught:
        project.forget(asset, [key])
    assert told in str(caught.value)


def test_a_dry_run_changes_no_file(folder: Path) -> None:
    taught(folder)
    project = without_him(folder)
    Ledger(project.home).hashes([HIS])  # what hashes are salted with is made once
    home = folder / ".packyak"
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    found = project.forget("tickets", [HIS], dry_run=True)
    assert (found.id, found.records["sentences"], len(found.corrections)) == ("", 2, 3)
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before


def test_cut_short_it_goes_on_where_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taught(folder)
    project = without_him(folder)
    real, calls = forgetting.purge, []

    def dies(table: object) -> object:
        calls.append(table)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(table)  # type: ignore[arg-type]

    monkeypatch.setattr(forgetting, "purge", dies)
    with pytest.raises(KeyboardInterrupt):
        project.forget("tickets", [HIS])
    assert who_has(folder)
    (begun,) = project.erasures()
    assert (begun.ended, len(begun.corrections)) == ("", 3)

    monkeypatch.setattr(forgetting, "purge", real)
    again = Project.open(folder)
    assert again.run().state == "done"
    done = again.forget("tickets", [HIS])
    assert who_has(folder) == {}
    assert done.corrections == begun.corrections
    assert [each.ended != "" for each in again.erasures()] == [True, True]


def test_the_ledger_says_what_and_when_but_not_of_whom(folder: Path) -> None:
    taught(folder)
    project = without_him(folder)
    done = project.forget("tickets", [HIS], why="by letter", by="ana")
    (kept,) = project.erasures()
    assert (kept, kept.by, kept.why, kept.back) == (done, "ana", "by letter", 0)
    assert HIS not in json.dumps(kept.keys)
    put(folder, tickets())
    assert project.run().state == "done"
    assert [each.back for each in project.erasures()] == [1]


def test_only_an_admin_erases(folder: Path) -> None:
    with (folder / "packyak.toml").open("a") as file:
        file.write('\n[roles]\nadmin = ["ana"]\nengineer = ["*"]\n')
    project = Project.open(folder)
    assert project.run().state == "done"
    with pytest.raises(NotAllowed, match=r"may not erase people's data"):
        project.acting("bo").forget("tickets", [HIS])


def test_it_waits_for_no_run(folder: Path) -> None:
    taught(folder)
    project = without_him(folder)
    with Lease(project.home, LOCK, {"doing": "a run"}), pytest.raises(RunBusy):
        project.forget("tickets", [HIS])
    assert who_has(folder)
