"""A learned transform in a project: it learns from corrections in a run, and what it learned can be seen, held and
taken back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.errors import DataError
from packyak.engine.project import Project
from packyak.engine.run.teach import lesson
from packyak.engine.run.teach.background import Background
from packyak.engine.store.tables import Table

from packyak.cli.following import outcome

TOWNS = """
from packyak import Bucket, File, learned, read_jsonl, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def people(file: File) -> list[dict]:
    return list(read_jsonl(file))

@learned(people, train_after=8{options})
def town(town: str, postcode: str) -> str:
    {rule}

per_town = sql("select town, count(*) as n from town group by all")
"""
SEEN = [("Berlin", "10115"), ("Hamburg", "20095"), ("Munich", "80331"), ("Cologne", "50667"), ("Dresden", "01067")]


def write(folder: Path, *, rule: str = "...", options: str = "") -> None:
    (folder / "pipeline.py").write_text(TOWNS.format(rule=rule, options=options))


@pytest.fixture
def towns(project_folder: Callable[..., Path]) -> Path:
    """People whose towns are spelled in several ways; the postcode tells which is meant."""
    folder = project_folder(TOWNS.format(rule="...", options=""))
    rows = []
    for number in range(300):
        name, code = SEEN[number % 5]
        if number % 10 in (3, 4):
            name = f"{name} (old)"
        rows.append({"id": f"p{number}", "town": name, "postcode": code})
    inbox = folder / ".packyak/buckets/inbox"
    inbox.mkdir(parents=True)
    (inbox / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def correct(project: Project, numbers: Any) -> None:
    """A person says of these people where they live; where the name is right already, they accept it."""
    for number in numbers:
        name = SEEN[number % 5][0]
        if number % 10 in (3, 4):
            project.correct("town", f"p{number}", "town", name, by="ann")
        else:
            project.accept("town", f"p{number}", "town", by="ann")


def values(project: Project) -> dict[str, str]:
    rows = project.read("town", ["id", "town"]).to_pylist()
    return {row["id"]: row["town"] for row in rows}


def test_a_run_learns_once_enough_was_said_and_downstream_follows(towns: Path) -> None:
    project = Project.open(towns)
    before = project.run()
    assert sum("(old)" in name for name in values(project).values()) == 60
    correct(project, range(7))
    assert (project.models("town")[0].due, project.models("town")[0].until_due) == ("", 1)
    run = project.run()
    assert project.models("town")[0].cards == () and "learned" not in run.asset("town").message
    correct(project, range(7, 20))
    assert project.models("town")[0].due == "20 corrections to learn from"
    step = project.plan().steps[0]
    assert (step.asset, step.records, step.at_most) == ("town", 300, True)
    assert [each.reason for each in step.causes][-1] == "it learns first: 20 corrections to learn from"
    run = project.run()
    assert "promoted" in run.asset("town").message, run.asset("town").message
    assert set(values(project).values()) == {name for name, _ in SEEN}
    assert {row["town"]: row["n"] for row in project.read("per_town").to_pylist()} == dict.fromkeys(
        [name for name, _ in SEEN], 60
    )
    one = project.record("town", "p33")
    field = next(each for each in one.fields if each.column == "town")
    assert (field.value, field.decided) == ("Cologne", "model") and field.confidence is not None
    assert project.models("town")[0].until_due == 8
    before = project.trace(f"town@{before.id}", "p33").start
    assert before.current, "another model is no other code"
    assert project.run().assets == (), "nothing is left to do"


def test_flips_are_what_a_promotion_changes_and_undoing_restores_the_bytes(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    correct(project, range(20))
    before = project.run(["people"])
    (lesson,) = project.learn(["town"], promote=False)
    assert not lesson.promoted and before.state == "done"
    project.run()
    bare = project.versions("town")[0].version
    told = project.flips("town")
    assert told.changed == 56 and told.records == 300, told
    assert sum(group.count for group in told.groups) == 56
    project.promote("town", by="ann", why="looks right")
    run = project.run()
    assert run.asset("town").changed == told.changed
    assert project.versions("town")[0].version != bare
    back = project.flips("town", "rule")
    project.roll_back("town", by="ann")
    run = project.run()
    assert run.asset("town").changed == back.changed == told.changed
    assert project.versions("town")[0].version == bare, "the same bytes as before"
    (again,) = project.learn(["town"])
    assert not again.promoted and "rolled it back" in again.promotion.why


def test_a_model_that_learned_wrong_things_is_held_back(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    correct(project, range(20))
    project.run()
    good = project.models("town")[0].current
    assert good
    for number in range(20, 60):  # somebody turns every town into its neighbour, without any system
        project.correct("town", f"p{number}", "town", SEEN[(number * number + 1) % 5][0], by="bob")
    run = project.run()
    known = project.models("town")[0]
    assert known.current == good and len(known.cards) == 2, run.asset("town").message
    assert known.promotions[0].act == "hold" and "goes on answering" in known.promotions[0].why
    assert values(project)["p200"] == "Berlin"


def test_pinned_means_pinned(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    project.pin("town", by="ann", why="under audit")
    correct(project, range(20))
    project.run()
    known = project.models("town")[0]
    assert (known.current, known.pinned) == ("", True) and "pinned" in known.promotions[0].why
    project.promote("town", by="ann")
    assert not project.models("town")[0].pinned


def test_an_unsure_answer_is_withheld_and_a_threshold_moves_it_without_a_new_model(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    correct(project, range(20))
    project.run()
    bare, model = values(project), project.models("town")[0].current
    write(towns, options=", abstain_below=0.9999")
    project = Project.open(towns)
    assert "abstain_below none -> 0.9999" in next(each.reason for each in project.status() if each.name == "town")
    project.run()
    strict = values(project)
    assert strict["p33"] == "Cologne (old)" and strict["p3"] == "Cologne", "only people are believed"
    assert project.models("town")[0].current == model
    assert project.run().assets == ()
    write(towns)
    project = Project.open(towns)
    project.run()
    assert values(project) == bare


def test_a_rule_goes_first_and_its_change_makes_the_model_learn_again(towns: Path) -> None:
    write(towns, rule="return town.upper()")
    project = Project.open(towns)
    project.run()
    assert values(project)["p0"] == "BERLIN"
    correct(project, [3, 4, 13, 14, 23, 24, 33, 34])
    for number in (0, 1, 2, 5, 6, 7, 8, 9):
        project.correct("town", f"p{number}", "town", SEEN[number % 5][0], by="ann")
    project.run()
    first = project.models("town")[0].cards[0]
    write(towns, rule="return town.lower()")
    project = Project.open(towns)
    assert project.models("town")[0].due == "its first rule changed since it learned"
    project.run()
    assert project.models("town")[0].cards[0].id != first.id


def test_what_nobody_corrected_teaches_nothing(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    with pytest.raises(DataError, match="nobody has corrected"):
        project.learn(["town"])
    with pytest.raises(DataError, match="no learned transform"):
        project.promote("people")
    with pytest.raises(DataError, match="learned nothing yet"):
        project.promote("town")
    with pytest.raises(DataError, match="nothing to go back to"):
        project.roll_back("town")
    assert project.learn() == ()


def test_a_model_of_another_signature_does_not_answer(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    correct(project, range(20))
    project.run()
    assert project.models("town")[0].current
    source = (towns / "pipeline.py").read_text().replace("town: str, postcode: str", "town: str")
    (towns / "pipeline.py").write_text(source)
    project = Project.open(towns)
    known = project.models("town")[0]
    assert known.current == "" and known.due == "its signature changed since it learned"
    project.run()
    assert project.models("town")[0].due == ""


LEARN = """
import sys
from packyak.engine.project import Project
from packyak.engine.run.teach import lesson
from packyak.engine.run.teach.background import Background
project = Project.open(sys.argv[1])
(lesson,) = project.learn(["town"], promote=False)
print(lesson.card.id)
"""


def test_the_same_corrections_give_the_same_model_in_any_process(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    correct(project, range(20))
    project.run(["people"])
    ids = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", LEARN, str(towns)],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        ids.add(done.stdout.strip())
    assert len(ids) == 1 and {card.id for card in project.models("town")[0].cards} == ids


TOPICS = """
from typing import Literal
from packyak import Bucket, File, learned, read_jsonl, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def notes(file: File) -> list[dict]:
    return list(read_jsonl(file))

@learned(notes, train_after=12, abstain_below=0.6)
def topic(body: str) -> Literal["billing", "delivery", "other"] | None:
    if "invoice" in body:
        return "billing"
    return None
"""
SAID = {
    "billing": ["I was charged twice for my order", "the payment failed on my card", "an invoice is wrong"],
    "delivery": ["where is my parcel", "the package arrived late", "the courier never came"],
    "other": ["I forgot my password", "how do I change my address", "do you have a shop in town"],
}


def test_a_classification_learns_from_texts(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(TOPICS)
    rows = [
        {"id": f"{topic}{n}", "body": f"{text} since {day}"}
        for topic, texts in SAID.items()
        for n, (text, day) in enumerate((text, day) for text in texts for day in ("monday", "may", "noon", "today"))
    ]
    inbox = folder / ".packyak/buckets/inbox"
    inbox.mkdir(parents=True)
    (inbox / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    project = Project.open(folder)
    project.run()
    for topic in SAID:
        for n in (0, 3, 5, 9, 11):
            project.correct("topic", f"{topic}{n}", "topic", topic, by="ann")
    run = project.run()
    known = project.models("topic")[0]
    assert known.current, run.asset("topic").message
    card = known.cards[0]
    assert card.score is not None and card.score.value > 0.8 and card.labels == 15
    assert sum(count for _, _, count in card.confusion) == 15
    answers = project.read("topic", ["id", "topic"]).to_pylist()
    given = [row for row in answers if row["topic"] is not None]
    assert sum(row["id"].startswith(row["topic"]) for row in given) >= 0.9 * len(given) > 15
    memo = Table(project.home, "memo", "topic").read().to_pylist()
    withheld = [row for row in memo if row["decided"] == "none"]
    assert all(row["confidence"] < 0.6 and "withheld" in row["detail"] for row in withheld)
    assert {row["model"] for row in memo} == {card.id}
    calls = Table(project.home, "vectors", "texts").version()
    project.learn(["topic"], promote=False)
    assert Table(project.home, "vectors", "texts").version() == calls, "no text is embedded twice"


def test_the_idle_worker_learns_beside_the_work(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    busy = [True]
    background = Background(project.home.uri, lambda: nullcontext(project), lambda: busy[0], nullcontext)
    background.look()
    correct(project, range(20))
    background.look()
    assert project.models("town")[0].cards == (), "a run is on"
    busy[0] = False
    background.look()
    known = project.models("town")[0]
    assert known.current and known.due == ""
    assert sum("(old)" in name for name in values(project).values()) == 56, "records change in a run only"
    background.look()
    assert len(project.models("town")[0].promotions) == 1
    project.run()
    assert set(values(project).values()) == {name for name, _ in SEEN}


def test_two_that_learn_the_same_at_once_note_one_decision(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = Project.open(towns), Project.open(towns)
    mine.run()
    correct(mine, range(20))
    judged = lesson._verdict
    asked: list[str] = []

    def meanwhile(*given: Any) -> Any:
        verdict = judged(*given)
        asked.append("mine")
        if asked == ["mine"]:
            (made,) = other.learn(["town"])
            assert made.promoted and asked == ["mine", "mine"]
        return verdict

    monkeypatch.setattr(lesson, "_verdict", meanwhile)
    (made,) = mine.learn(["town"])
    decisions = mine.models("town")[0].promotions
    assert [each.act for each in decisions] == ["promote"] and made.promotion == decisions[0]


def test_a_run_says_that_it_learns_and_what_came_of_it(towns: Path) -> None:
    project = Project.open(towns)
    project.run()
    correct(project, range(20))
    said: list[str] = []
    run = project.run(on_progress=lambda record: said.extend(each.message for each in record.assets))
    assert "learning from what people said" in said
    assert run.asset("town").message in outcome(run.asset("town"))
    assert run.asset("town").seconds > 0 and run.asset("per_town").message == ""


PARCELS = """
from dataclasses import dataclass
from datetime import date
from packyak import Bucket, File, learned, read_jsonl, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def raw(file: File) -> list[dict]:
    return list(read_jsonl(file))

@dataclass
class Parcel:
    weight: float
    day: date
    item: str

@transform(raw)
def parcels(weight: float, day: str, item: str) -> Parcel:
    return Parcel(weight, date.fromisoformat(day), item)

@learned(parcels)
def weight(weight: float, item: str) -> float: ...

@learned(parcels)
def day(day: date, item: str) -> date: ...
"""


def test_numbers_and_dates_are_repaired_too(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(PARCELS)
    true = {"tea": (1.5, "2024-01-05"), "cup": (2.25, "2024-02-06"), "pot": (10.0, "2024-03-07")}
    rows = []
    for number in range(150):
        item = ("tea", "cup", "pot")[number % 3]
        weight, day = true[item]
        row = {"id": f"r{number}", "item": item, "weight": weight * 1000 if number % 12 == 5 else weight}
        rows.append(row | {"day": f"1900{day[4:]}" if number % 12 == 7 else day})
    inbox = folder / ".packyak/buckets/inbox"
    inbox.mkdir(parents=True)
    (inbox / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    project = Project.open(folder)
    project.run()
    for row in rows[:24]:
        weight, day = true[str(row["item"])]
        project.correct("weight", str(row["id"]), "weight", weight, by="ann")
        project.correct("day", str(row["id"]), "day", day, by="ann")
    project.run()
    found = project.read("weight", ["item", "weight"]).to_pylist()
    assert [row for row in found if row["weight"] != true[row["item"]][0]] == []
    found = project.read("day", ["item", "day"]).to_pylist()
    assert [row for row in found if row["day"].isoformat() != true[row["item"]][1]] == []


def test_a_lowered_number_makes_it_learn_in_the_next_run_though_all_records_are_as_they_were(towns: Path) -> None:
    source = (towns / "pipeline.py").read_text()
    (towns / "pipeline.py").write_text(source.replace("train_after=8", "train_after=50"))
    project = Project.open(towns)
    assert project.run().state == "done"
    correct(project, range(20))
    assert project.run().state == "done"
    assert not project.models("town")[0].cards
    (towns / "pipeline.py").write_text(source)
    project = Project.open(towns)
    assert project.models("town")[0].due
    assert project.run().state == "done"
    assert len(project.models("town")[0].cards) == 1 and not project.models("town")[0].due
