"""Keys of several values: text that goes there and back, in Python and in SQL alike."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine.store.keys import decode_key, encode_key, key_sql
from packyak.engine.store.query import Query

VALUES = st.lists(st.none() | st.text(st.characters(codec="utf-8")), min_size=2, max_size=4)


@given(VALUES)
def test_values_go_there_and_back(values: list[str | None]) -> None:
    assert decode_key(encode_key(values)) == tuple(values)


@pytest.mark.parametrize("key", ["", "T-10042", "-", "3:abc", "3:ab|1:c", "2:ab|1:cd", "2:ab1:c", "2:ab|", "x:ab|1:c"])
def test_what_is_no_key_of_several_is_a_key_of_its_own(key: str) -> None:
    assert decode_key(key) is None


def test_sql_writes_what_python_reads() -> None:
    told = pa.table({"day": ["2026-06-01", None, "|:"], "topic": ["billing", "grün", "-"]})
    found = Query().run(f"select {key_sql(['day', 'topic'])} as key from told", {"told": told})["key"].to_pylist()
    rows = [tuple(row.values()) for row in told.to_pylist()]
    assert found == [encode_key(row) for row in rows] and [decode_key(key) for key in found] == rows
