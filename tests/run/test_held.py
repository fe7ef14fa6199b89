"""What a run has just written stays in memory for what reads it next: the same values, versions and bookkeeping come of
it as of reading the tables again, whatever is new, equal, corrected, failed or gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from packyak.engine.project import Project
from packyak.engine.run.compute.memo import KEY
from packyak.engine.run.scope import Scope
from packyak.engine.store.tables import Table

Write = Callable[..., Path]

SOURCE = """
from dataclasses import dataclass
from typing import Iterator
from packyak import Bucket, File, check, read_csv, sql, transform

inbox = Bucket("inbox")


@transform(inbox.files("*.csv"), key="id")
def words(file: File) -> Iterator[dict]:
    yield from read_csv(file)


@transform(words)
def loud(word: str) -> str:
    if word == "bad":
        raise ValueError(word)
    return word.upper()


@dataclass
class Size:
    letters: int
    half: float


@transform(loud)
def size(loud: str) -> Size:
    return Size(len(loud), len(loud) / 2)


@transform(size)
def word(id: str, loud: str, letters: int, half: float) -> str:
    return f"{id} {loud} {letters} {half}"


@transform(size, key_in_parent="letter")
def letters_of(loud: str) -> Iterator[dict]:
    for letter in sorted(set(loud)):
        yield {"letter": letter, "times": loud.count(letter)}


@transform(size, lookup={"words": "id"})
def twin(id: str, words: dict | None) -> str:
    return "" if words is None else words["word"]


per_length = sql("select letters, count(*) as n, min(word) as first from word group by letters")


@check(per_length)
def all_have_a_length(per_length):
    return sql("select * from per_length where letters is null")
"""


def put(folder: Path, words: dict[str, str], name: str = "a.csv") -> None:
    path = folder / ".packyak/buckets/inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id,word\n" + "".join(f"{key},{word}\n" for key, word in words.items()))


def numbered(*spans: tuple[int, int], word: str = "word") -> dict[str, str]:
    return {f"W{n:03}": f"{word}{n % 7}" for span in spans for n in range(*span)}


def seen(project: Project) -> dict[str, Any]:
    """All that is stored of every asset, order aside."""
    found: dict[str, Any] = {}
    for node in project.graph.tables:
        settled = project.scope().candidates[node.name]
        rows = Table(project.home, "tables", node.name).read().to_pylist()
        memo = Table(project.home, "memo", node.name, packed=False).read([KEY, "inputs", "error", "aside"]).to_pylist()
        found[node.name] = (
            settled.version,
            settled.rows,
            sorted(json.dumps(row, sort_keys=True, default=str) for row in rows),
            sorted(json.dumps(row, sort_keys=True) for row in memo),
        )
    return found


def steps(folder: Path) -> list[dict[str, Any]]:
    """A project's life in some runs; what is stored after each."""
    project = Project.open(folder)

    def ran() -> dict[str, Any]:
        record = project.run()
        assert record.state == "done", record
        return seen(project)

    put(folder, numbered((0, 20)) | {"W020": "bad"})
    found = [ran()]
    put(folder, numbered((10, 200), word="other"))
    found.append(ran())
    put(folder, numbered((150, 400)), "b.csv")
    found.append(ran())
    project.correct("loud", "W160", "loud", "QUIET", by="Ada")
    put(folder, numbered((0, 900), word="third"))
    found.append(ran())
    (folder / ".packyak/buckets/inbox/b.csv").unlink()
    found.append(ran())
    return found


def test_what_is_held_is_what_would_be_read(project_folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []
    keep = Scope.hold

    def noting(self: Scope, asset: str, version: int, whole: pa.Table | None) -> None:
        held.extend([asset] if whole is not None else [])
        keep(self, asset, version, whole)

    monkeypatch.setattr(Scope, "hold", noting)
    with_it = steps(project_folder(SOURCE))
    assert {"words", "loud", "size", "word", "letters_of", "twin"} <= set(held)
    monkeypatch.setattr(Scope, "hold", lambda self, asset, version, whole: None)
    assert steps(project_folder(SOURCE, name="other")) == with_it


def test_what_is_too_large_is_read_again(project_folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = steps(project_folder(SOURCE))
    monkeypatch.setattr("packyak.engine.run.compute.commit.HELD_BYTES", 2000)
    monkeypatch.setattr("packyak.engine.run.scope.HELD_BYTES", 2000)
    assert steps(project_folder(SOURCE, name="other")) == expected
