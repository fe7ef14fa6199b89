"""How long a correction lives: one table of everything that can change around it, and what holds then.

A correction ends by undo or erasure only. It holds, waits (and `plan` says so), or is parked on an aggregate; whatever
it waits for, it holds again when that is back.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from packyak.engine.project import Project
from saying import PIPELINE, edit, put, run, tickets, values

SIZES = """

@learned(tickets, train_after=1000)
def size(amount: int) -> Literal["small", "large"] | None:
    return "large" if amount > 50 else "small"
"""
Change = Callable[[Path], None]


def records() -> list[dict[str, object]]:
    return [{**each, "amount": 10 * place} for place, each in enumerate(tickets())]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "demo"
    folder.mkdir()
    (folder / "pipeline.py").write_text(PIPELINE + SIZES)
    (folder / "packyak.toml").write_text(
        'name = "demo"\nmodules = ["pipeline"]\n[settings]\nprefect = "off"\nworker = "off"\nperson = "ana"\n'
    )
    put(folder, records())
    run(folder)
    return folder


def edited(old: str, new: str) -> Change:
    return lambda folder: edit(folder, old, new)


def source(*places: int, **changes: object) -> Change:
    """The file without the records at these places, and the others with changed values of T0."""

    def change(folder: Path) -> None:
        rows = records()
        rows[0] |= changes
        put(folder, [row for place, row in enumerate(rows) if place not in places])

    return change


def moved(folder: Path) -> None:
    put(folder, records()[1:])
    put(folder, records()[:1], "b.jsonl")


def promoted(folder: Path) -> None:
    """A model that learned the opposite of the rule answers."""
    project = Project.open(folder)
    for key, value in [("T1", "large"), ("T2", "large"), ("T6", "small"), ("T7", "small")]:
        project.correct("size", key, "size", value)
    (lesson,) = project.learn(["size"], promote=True)
    assert lesson.promoted


WORDS, KIND, SIZE, PER = ("words", "T0"), ("kind", "T0"), ("size", "T0"), ("per_kind", "broken")
WAS = edited("@transform(tickets)\ndef words", '@transform(tickets, was="words")\ndef count')
GONE = edited("def words", "def count")
TO_TEXT = edited('-> int:\n    """How many words."""\n    return len(text.split())', "-> str:\n    return text[:3]")
BACK = edited("-> str:\n    return text[:3]", "-> int:\n    return len(text.split())")
FEWER = edited('Literal["late", "broken", "other"]', 'Literal["late", "wrong", "other"]')


@dataclass(frozen=True)
class Case:
    """The field corrected to a value, what then changes, and what the field is after the run. says: in the plan's
    notes; outdated: marked so, as it waits or rests on other inputs; back: a further change, and the value after it."""

    name: str
    field: tuple[str, str]
    value: object
    change: Change
    then: object
    says: str = ""
    outdated: bool = False
    now: str = ""
    back: tuple[Change, object] | None = None


CASES = [
    Case("code changes", WORDS, 42, edited("len(text.split())", "len(text.split()) + 1"), 42),
    Case("a rule changes and says the same", KIND, "other", edited('"late" if', '"late" if "x" in text or'), "other"),
    Case("a rule says something else", KIND, "other", edited('if "late" in text', 'if "parcel" in text'), "other"),
    Case("a model answers", SIZE, "small", promoted, "small"),
    Case("its declaration changes", KIND, "other", edited("train_after=1000", "train_after=999"), "other"),
    Case("its input changes", WORDS, 42, source(text="one"), 42, outdated=True),
    Case("an input that it does not read changes", WORDS, 42, source(lang="de"), 42),
    Case("an input changes and is as it was again", WORDS, 42, source(text="one"), 42, outdated=True,
         back=(source(), 42)),
    Case("its record moves to another file", WORDS, 42, moved, 42),
    Case("its record goes and comes back", WORDS, 42, source(0), None, back=(source(), 42)),
    Case("its record comes back changed", WORDS, 42, source(0), None, back=(source(text="one"), 42)),
    Case("its column becomes a wider type", WORDS, 42, edited("-> int:", "-> float:"), 42.0),
    Case("its column becomes text, and a number again", WORDS, 42, TO_TEXT, "the", says="no longer allowed by its type",
         outdated=True, back=(BACK, 42)),
    Case("its value is no longer among the choices", KIND, "broken", FEWER, "broken",
         says="'broken' is no longer allowed by its type"),
    Case("its asset is renamed and says so", WORDS, 42, WAS, 42, now="count"),
    Case("its asset is renamed and does not say so", WORDS, 42, GONE, 4, now="count", says="there is no asset words",
         back=(edited("def count", "def words"), 42)),
    Case("an aggregate's computed value stays", PER, 7, source(text="late, late"), 7),
    Case("an aggregate's computed value changes, and is as it was again", PER, 7, source(text="broken"), 3,
         outdated=True, back=(source(), 7)),
    Case("an aggregate's group goes and comes back", PER, 7, source(2, 4), None, back=(source(), 7)),
    Case("the source's own field is read anew", ("tickets", "T0"), "corrected", source(text="read anew"), "corrected"),
]  # fmt: skip


def shown(project: Project, asset: str, key: str, column: str) -> object:
    named = "kind" if asset == "per_kind" else "id"
    return values(project, asset, column, named).get(key)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_correction_outlives(case: Case, prepared: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(prepared, tmp_path / "demo"))
    asset, key = case.field
    column = {"per_kind": "n", "tickets": "text"}.get(asset, asset)
    project = Project.open(folder)
    said = project.correct(asset, key, column, case.value)
    assert shown(project, asset, key, column) == case.value, "at once"
    case.change(folder)
    project = run(folder)
    now, now_column = case.now or asset, case.now or column
    assert shown(project, now, key, now_column) == case.then
    assert said.id in [each.id for each in project.corrections()]
    notes = "\n".join(project.plan().notes)
    assert case.says in notes if case.says else "waits" not in notes
    if case.then is not None:
        detail = {each.column: each for each in project.record(now, key).fields}[now_column]
        assert detail.outdated == case.outdated
        holds = case.then == case.value
        assert (detail.decided == "person") == holds
        assert ((key, now_column) in project.page(now).corrected) == holds, "a word that waits marks nothing"
    if case.back is not None:
        change, value = case.back
        change(folder)
        project = run(folder)
        assert shown(project, asset, key, column) == value
    project.undo(said.id)
    assert shown(project, *((asset, key, column) if case.back else (now, key, now_column))) != case.value
