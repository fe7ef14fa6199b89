"""Tables: an upsert is what it would be on a dict, equal records are not rewritten, old versions stay."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import lance
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packyak.engine.errors import DataError, KeyProblem, QueryError
from packyak.engine.store import tables
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.tables import FRAGMENTS, Change, Table
from stored import rows, stored


def test_before_the_first_write(table: Table) -> None:
    assert not table.exists()
    assert table.version() is None
    assert table.versions() == []
    assert table.delete(["a"]) == 0
    assert table.tidy() is None
    with pytest.raises(DataError, match="there is no table t"):
        table.read()


def test_create_read_count(table: Table) -> None:
    assert table.create(rows({"_key": "a", "n": 1}, {"_key": "b", "n": None})) == 1
    assert table.exists()
    assert (table.version(), table.count(), table.versions()) == (1, 2, [1])
    assert stored(table) == {"a": {"n": 1}, "b": {"n": None}}
    assert table.read(["n"], where="n = 1").to_pylist() == [{"n": 1}]
    assert sorted(table.keys().to_pylist()) == ["a", "b"]
    with pytest.raises(DataError, match="exists already"):
        table.create(rows({"_key": "a"}))


def test_both_flags_are_on_from_the_first_write(table: Table) -> None:
    for write in (table.create, table.replace, table.upsert):
        write(rows({"_key": "a", "n": 1}))
        data = table.dataset()
        assert data.has_stable_row_ids
        key = data.schema.field("_key")
        assert not key.nullable
        assert key.metadata[b"lance-schema:unenforced-primary-key"] == b"true"


def test_upsert_rewrites_only_what_differs(table: Table) -> None:
    first = table.upsert(rows({"_key": "a", "n": 1}, {"_key": "b", "n": 2}))
    assert first == Change(1, 2, 0)
    change = table.upsert(rows({"_key": "b", "n": 2}, {"_key": "a", "n": 5}, {"_key": "c", "n": None}))
    assert (change.inserted, change.updated) == (1, 1)
    assert stored(table) == {"a": {"n": 5}, "b": {"n": 2}, "c": {"n": None}}
    assert sorted(table.changed_since(1)["_key"].to_pylist()) == ["a", "c"]
    assert stored(table, 1) == {"a": {"n": 1}, "b": {"n": 2}}


def test_equal_records_make_no_version(table: Table) -> None:
    data = rows({"_key": "a", "n": 1}, {"_key": "b", "n": None})
    table.create(data)
    for again in (data, data.slice(1), data.slice(0, 0), data.select(["n", "_key"])):
        change = table.upsert(again)
        assert not change
        assert change.version == table.version() == 1


RICH = pa.schema(
    [
        ("_key", pa.string()), ("i", pa.int64()), ("f", pa.float64()), ("s", pa.string()), ("b", pa.bool_()),
        ("y", pa.binary()),
        ("d", pa.date32()), ("t", pa.time64("us")), ("ts", pa.timestamp("us", "UTC")), ("dec", pa.decimal128(38, 9)),
        ("l", pa.list_(pa.int64())), ("st", pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))])),
        ("ls", pa.list_(pa.struct([("z", pa.float64())]))), ("weird Näme", pa.int64()), ("select", pa.int64()),
        ("n", pa.null()),
    ]
)  # fmt: skip
FULL: dict[str, Any] = {
    "i": 1, "f": math.nan, "s": "ü", "b": True, "y": b"\x00", "d": date(2020, 1, 2), "t": time(1, 2, 3),
    "ts": datetime(2020, 1, 2, tzinfo=UTC), "dec": Decimal("1.500000000"), "l": [1, None],
    "st": {"x": None, "y": ["a"]},
    "ls": [{"z": 1.5}, None], "weird Näme": 3, "select": 4, "n": None,
}  # fmt: skip
OTHER: dict[str, list[Any]] = {
    "i": [2, None], "f": [0.0, None, math.inf], "s": ["", None], "b": [False, None], "y": [b"", None],
    "d": [date(2021, 1, 1)],
    "t": [None], "ts": [datetime(2020, 1, 3, tzinfo=UTC)], "dec": [Decimal("1.6")], "l": [[1], [], None, [None, 1]],
    "st": [{"x": 1, "y": ["a"]}, {"x": None, "y": []}, None], "ls": [[], [{"z": None}, None]], "weird Näme": [None],
    "select": [5],
}  # fmt: skip


def test_every_type_is_compared_by_value(table: Table) -> None:
    table.create(rows({"_key": "a", **FULL}, {"_key": "b"}, schema=RICH))
    assert not table.upsert(rows({"_key": "b"}, {"_key": "a", **FULL}, schema=RICH))
    for column, values in OTHER.items():
        for value in values:
            changed = rows({"_key": "a", **FULL, column: value}, schema=RICH)
            assert table.upsert(changed).updated == 1, (column, value)
            assert not table.upsert(changed), (column, value)
            assert table.upsert(rows({"_key": "a", **FULL}, schema=RICH)).updated == 1, (column, value)


def test_not_a_number_has_one_form(table: Table) -> None:
    negative = -pa.scalar(0.0).as_py() * math.inf
    table.create(rows({"_key": "a", "f": math.nan}))
    assert not table.upsert(rows({"_key": "a", "f": math.copysign(negative, -1.0)}))


def test_memory_layouts_that_mean_the_same_are_the_same(table: Table) -> None:
    table.create(rows({"_key": "a", "s": "x", "l": [1]}))
    layouts = pa.table(
        {
            "l": pa.array([[1]], pa.large_list(pa.int64())),
            "s": pa.array(["x"]).dictionary_encode(),
            "_key": pa.array(["a"], pa.string_view()),
        }
    )
    assert not table.upsert(layouts)
    assert table.schema().field("s").type == pa.string()


def test_bad_keys_are_named(table: Table) -> None:
    with pytest.raises(KeyProblem, match="2 keys of t occur more than once: 'a', 'b'") as caught:
        table.create(rows(*({"_key": key} for key in "aabbc")))
    assert sorted(caught.value.keys) == ["a", "b"]
    with pytest.raises(KeyProblem, match="1 records of t have no key"):
        table.upsert(rows({"_key": "a"}, {"_key": None}))
    with pytest.raises(KeyProblem, match="have no column _key"):
        table.replace(pa.table({"n": [1]}))
    with pytest.raises(KeyProblem, match="are int64, not string"):
        table.replace(pa.table({"_key": [1]}))
    assert not table.exists()


@pytest.mark.parametrize("column", ["", "a.b", "a`b", "_rowid", "_KEY", "N"])
def test_columns_that_cannot_be_stored_are_named(table: Table, column: str) -> None:
    with pytest.raises(DataError, match="rename"):
        table.create(rows({"_key": "a", "n": 1, column: 2}))


@pytest.mark.parametrize("key", ["it's", '"', "\\", "ü", "", " ", "a\nb", "x" * 5000, "';--"])
def test_any_text_is_a_key(table: Table, key: str) -> None:
    table.create(rows({"_key": key, "n": 1}, {"_key": "other", "n": 1}))
    assert table.upsert(rows({"_key": key, "n": 2})).updated == 1
    assert table.delete([key]) == 1
    assert stored(table) == {"other": {"n": 1}}


def test_delete(table: Table) -> None:
    table.create(rows(*({"_key": str(n)} for n in range(3000))))
    assert table.delete(["nobody"]) == 0
    assert table.version() == 1
    assert table.delete(["1", "1", "nobody"]) == 1
    assert table.delete(pa.array([str(n) for n in range(2000)])) == 1999
    assert table.count() == 1000
    assert table.delete(table.keys()) == 1000
    assert stored(table) == {}
    assert table.upsert(rows({"_key": "1"})).inserted == 1


def test_a_table_without_records(table: Table) -> None:
    empty = rows(schema=pa.schema([("_key", pa.string()), ("n", pa.int64())]))
    table.create(empty)
    assert table.count() == 0
    assert not table.upsert(empty)
    assert table.upsert(rows({"_key": "a", "n": 1})).inserted == 1
    table.replace(empty)
    assert stored(table) == {}


def test_new_and_missing_columns(table: Table) -> None:
    table.create(rows({"_key": "a", "n": 1, "gone": 1}, {"_key": "b", "n": 2, "gone": 2}))
    table.upsert(rows({"_key": "a", "new": "x", "n": 1, "deep": [{"z": 1}]}))
    assert stored(table) == {"a": {"n": 1, "new": "x", "deep": [{"z": 1}]}, "b": {"n": 2, "new": None, "deep": None}}
    assert stored(table, 1)["b"] == {"n": 2, "gone": 2}
    table.upsert(rows({"_key": "b", "n": 3}), widen=True)
    assert stored(table)["b"] == {"n": 3, "new": None, "deep": None}


def test_a_retyped_column_takes_the_new_type(table: Table) -> None:
    table.create(rows({"_key": "a", "n": "1"}, {"_key": "b", "n": "two"}, {"_key": "c", "n": None}))
    table.upsert(rows({"_key": "c", "n": 3}))
    assert stored(table) == {"a": {"n": 1}, "b": {"n": None}, "c": {"n": 3}}
    assert stored(table, 1)["b"] == {"n": "two"}
    table.upsert(rows({"_key": "c", "n": None}, schema=pa.schema([("_key", pa.string()), ("n", pa.null())])))
    assert table.schema().field("n").type == pa.int64()


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (1, 2.5, {"a": 1.0, "b": 2.5}), (2.5, 1, {"a": 2.5, "b": 1.0}), (1, "x", {"a": "1", "b": "x"}),
        ("x", 1, {"a": "x", "b": "1"}),
        (None, 1, {"a": None, "b": 1}), (1, None, {"a": 1, "b": None}), (True, "x", {"a": "true", "b": "x"}),
        ("007", 7, {"a": "007", "b": "7"}), ([1], [2.5], {"a": [1.0], "b": [2.5]}), ([1], "x", {"a": "[1]", "b": "x"}),
    ],
)  # fmt: skip
def test_widening_loses_nothing(table: Table, first: Any, second: Any, both: dict[str, Any]) -> None:
    table.create(rows({"_key": "a", "n": first}))
    table.upsert(rows({"_key": "b", "n": second}), widen=True)
    assert {key: row["n"] for key, row in stored(table).items()} == both
    assert not table.upsert(rows({"_key": "b", "n": second}), widen=True)


def same(value: Any) -> str:
    """By text: not a number equals itself here."""
    if isinstance(value, dict):
        return repr([(name, same(value[name])) for name in sorted(value)])
    return repr(value)


COLUMNS = {"n": st.none() | st.integers(-3, 3), "f": st.none() | st.floats(), "s": st.none() | st.text(max_size=2)}
BATCH = st.dictionaries(st.sampled_from("abcdef"), st.fixed_dictionaries(COLUMNS), max_size=5)
STEP = st.tuples(st.sampled_from(["upsert", "delete", "replace", "tidy"]), BATCH)
PLAIN = pa.schema([("_key", pa.string()), ("n", pa.int64()), ("f", pa.float64()), ("s", pa.string())])


@settings(max_examples=40)
@given(st.lists(STEP, max_size=6))
def test_a_table_is_a_dict_of_records(steps: list[tuple[str, dict[str, dict[str, Any]]]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        table, model = Table(open_home(folder), "tables", "t"), dict[str, dict[str, Any]]()
        table.create(rows(schema=PLAIN))
        for act, batch in steps:
            before, was = table.version() or 0, dict(model)
            data = rows(*({"_key": key, **record} for key, record in batch.items()), schema=PLAIN)
            if act == "upsert":
                change = table.upsert(data)
                model |= batch
                assert change.inserted == len(batch.keys() - was.keys())
                assert change.updated == sum(same(was[key]) != same(batch[key]) for key in batch if key in was)
                changed = {key for key in batch if key not in was or same(was[key]) != same(batch[key])}
                assert set(table.changed_since(before)["_key"].to_pylist()) == changed
            elif act == "delete":
                assert table.delete(list(batch)) == len(batch.keys() & model.keys())
                model = {key: record for key, record in model.items() if key not in batch}
            elif act == "replace":
                table.replace(data)
                model = dict(batch)
            else:
                assert table.tidy(grace=timedelta(0)) == table.version()
            reopened = Table(open_home(folder), "tables", "t")
            assert same(stored(reopened)) == same(model)
            if act != "tidy":
                assert same(stored(reopened, before)) == same(was)


def test_tidying_keeps_what_is_asked_for(table: Table) -> None:
    table.create(rows({"_key": "0", "n": 0}))
    for number in range(1, FRAGMENTS + 5):
        table.upsert(rows({"_key": str(number), "n": number}))
    table.upsert(rows({"_key": "0", "n": 100}))
    last = table.version() or 0
    reader = table.dataset(5)
    newest = table.tidy({3, 5}, grace=timedelta(0))
    assert newest == table.version()
    assert table.versions() == [3, 5, newest]
    assert len(table.dataset().get_fragments()) == 1
    assert len(stored(table, 3)) == 3
    assert reader.to_table().num_rows == 5
    assert stored(table)["0"] == {"n": 100}
    assert table.changed_since(last).num_rows == 0
    assert table.changed_since(last - 1)["_key"].to_pylist() == ["0"]
    with pytest.raises(DataError, match=r"no version 4 any more.*3, 5"):
        table.read(version=4)
    table.tidy({5}, grace=timedelta(0))
    assert table.versions() == [5, newest]
    table.tidy(grace=timedelta(hours=1))
    assert table.versions() == [5, newest]


def test_adding_leaves_what_is_there(table: Table) -> None:
    rows = pa.table({"_key": ["a", "b"], "n": [1, 2]})
    assert table.add(rows) == 2
    assert table.add(pa.table({"_key": ["b", "c"], "n": [9, 3]})) == 1
    assert sorted(zip(*table.read().to_pydict().values(), strict=True)) == [("a", 1), ("b", 2), ("c", 3)]


def test_a_condition_that_makes_no_sense(table: Table) -> None:
    table.create(rows({"_key": "a", "n": 1}))
    for where in ("nn = 1", "n = = 1", "n = 'x'"):
        with pytest.raises(QueryError, match="cannot be read"):
            table.read(where=where)
    with pytest.raises(QueryError, match="No field named nn"):
        table.read(["nn"])


def test_a_home_may_move(home: Home, table: Table, tmp_path: Path) -> None:
    table.create(rows({"_key": "a", "n": 1}))
    table.upsert(rows({"_key": "b", "n": 1}))
    (tmp_path / "home").rename(tmp_path / "moved to here")
    moved = Table(open_home(tmp_path / "moved to here"), "tables", "t")
    assert stored(moved) == {"a": {"n": 1}, "b": {"n": 1}}
    assert moved.upsert(rows({"_key": "c", "n": 1})).inserted == 1


def test_appended_records_are_in_the_change_feed(home: Home) -> None:
    table = Table(home, "tables", "t")
    before = table.create(pa.table({"_key": ["a", "b"], "n": [1, 2]}))
    assert table.append(pa.table({"n": [3, 4], "_key": ["c", "d"]})) == before + 1
    assert sorted(table.changed_since(before)["_key"].to_pylist()) == ["c", "d"]
    assert table.read().num_rows == 4 and table.schema().field("_key").nullable is False
    assert table.upsert(pa.table({"_key": ["c", "e"], "n": [30, 5]})).inserted == 1
    assert sorted(table.changed_since(before + 1)["_key"].to_pylist()) == ["c", "e"]
    with pytest.raises(KeyProblem):
        table.append(pa.table({"_key": ["x", "x"], "n": [1, 2]}))
    table.delete(["d"])
    table.append(pa.table({"_key": ["d"], "n": [9]}))
    assert sorted(table.read()["_key"].to_pylist()) == ["a", "b", "c", "d", "e"]


def test_the_newest_version_is_told_by_names_and_kept_open(table: Table) -> None:
    other = Table(table.home, "tables", table.name)
    table.create(rows({"_key": "a", "n": 1}))
    first = table.dataset()
    assert table.dataset() is first
    steps: list[Callable[[], Any]] = [
        lambda: other.upsert(rows({"_key": "b", "n": 2})),
        lambda: table.append(rows({"_key": "c", "n": 3})),
        lambda: table.delete(["a"]),
        lambda: other.upsert(rows({"_key": "b", "n": 2.5})),
        lambda: other.replace(rows({"_key": "z", "n": 0})),
        lambda: other.tidy(grace=timedelta(0)),
    ]
    for step in steps:
        assert first.version == 1 and first.to_table().num_rows == 1  # a version, once made, never changes
        step()
        fresh = lance.dataset(table.uri)
        assert table.version() == other.version() == table.dataset().version == fresh.version
        assert table.read().to_pylist() == fresh.to_table().to_pylist()


def test_manifests_of_both_namings() -> None:
    assert [tables._number(f"{name}.manifest") for name in ("18446744073709551614", "18446744073709551606")] == [1, 9]
    assert [tables._number(f"{name}.manifest") for name in ("1", "12", "d123")] == [1, 12, None]
