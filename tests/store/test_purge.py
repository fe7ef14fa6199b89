"""Purging a table: one version, the same records, and not a byte of what was deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from packyak.engine.errors import DataError
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.purge import purge
from packyak.engine.store.tables import Table
from packyak.engine.store.vectors import Embedder, SearchTable

HIS = "k17"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


def rows(count: int, *, his: str = "Zebulon Quartzfeather") -> list[dict[str, Any]]:
    made = [{"_key": f"k{n}", "text": f"person {n} lives in house {n % 7}"} for n in range(count)]
    made[17]["text"] = his
    return made


def who_has(home: Home, word: bytes) -> list[str]:
    return [name for name, _, _ in home.walk(".") if word in (home.read(name) or b"")]


def test_what_was_deleted_is_gone_with_every_other_version(home: Home) -> None:
    table = Table(home, "tables", "people")
    table.create(pa.Table.from_pylist(rows(500)))
    table.upsert(pa.Table.from_pylist([{"_key": HIS, "text": "Zebulon Q."}]))
    table.dataset().tags.create("kept-1", 1)
    table.delete([HIS])
    kept = sorted(table.read().to_pylist(), key=str)
    assert who_has(home, b"Zebulon")
    done = purge(table)
    assert done is not None
    assert (done.removed, table.versions()) == (2, [done.version])
    assert who_has(home, b"Zebulon") == []
    assert sorted(table.read().to_pylist(), key=str) == kept
    with pytest.raises(DataError, match="no version 1 any more"):
        table.read(version=1)


def test_what_changed_since_is_still_known(home: Home) -> None:
    table = Table(home, "tables", "people")
    before = table.create(pa.Table.from_pylist(rows(500)))
    table.upsert(pa.Table.from_pylist([{"_key": "k3", "text": "moved"}]))
    table.delete([HIS])
    purge(table)
    assert table.changed_since(before)["_key"].to_pylist() == ["k3"]
    assert table.upsert(pa.Table.from_pylist([{"_key": "k3", "text": "again"}])).updated == 1


def test_a_table_that_is_not_there_is_no_error(home: Home) -> None:
    assert purge(Table(home, "tables", "none")) is None


def embedder() -> Embedder:
    def embed(texts: Sequence[str]) -> Any:
        return np.array([np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8) for text in texts], np.float32)

    return Embedder("by hash", embed)


def search_table(home: Home, name: str, records: Sequence[dict[str, Any]]) -> SearchTable:
    made = SearchTable(home, name)
    made.update(pa.Table.from_pylist(list(records)), embedder())
    return made


def words_of(home: Home, name: str) -> list[bytes]:
    """The pieces of the index that have its words; where they occur is written in another order each time."""
    places = sorted(place for place, _, _ in home.walk(f"indexes/{name}.lance/_indices"))
    return [home.read(place) or b"" for place in places if "tokens" in place]


def test_an_index_has_neither_words_nor_vectors_of_what_left_it(home: Home) -> None:
    index = search_table(home, "people", rows(300))
    vector = embedder().embed(["Zebulon Quartzfeather"])[0]
    his = (vector / np.linalg.norm(vector)).astype(np.float32).tobytes()
    empty = pa.table({"_key": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    index.update(empty, embedder(), gone=[HIS])
    assert who_has(home, b"Quartzfeather") and who_has(home, his)
    index.purge()
    assert who_has(home, b"Quartzfeather") == who_has(home, his) == []
    assert len(index.table.versions()) == 1
    never = search_table(home, "others", [row for row in rows(300) if row["_key"] != HIS])
    assert words_of(home, "people") == words_of(home, "others")  # as if it had never been there
    assert never.search("house 3", 5, how="text") == index.search("house 3", 5, how="text") != ()
