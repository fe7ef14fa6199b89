"""SQL: a query sees its tables and nothing else; the content hash is what its rules say, for ever."""

from __future__ import annotations

import hashlib
import math
import random
import struct
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packyak.engine.errors import QueryError
from packyak.engine.store.contents import row_hash_sql, version_name
from packyak.engine.store.home import Home
from packyak.engine.store.query import Query, hash_sum, rows_of
from packyak.engine.store.tables import Table

T = pa.table({"_key": ["a", "b"], "n": [1, 2], "text": ["x", None]})


@pytest.fixture(scope="module")
def query() -> Query:
    return Query(threads=2)


def test_tables_of_every_kind(query: Query, home: Home) -> None:
    table = Table(home, "tables", "t")
    table.create(T)
    pandas = pytest.importorskip("pandas")
    kinds = [T, table.dataset(), T.to_reader(), pandas.DataFrame(T.to_pandas()), pa.dataset.dataset(T)]
    for data in kinds:
        assert query.run("select n from t where _key = 'b'", {"t": data}).to_pylist() == [{"n": 2}]


def test_parameters(query: Query) -> None:
    assert query.run("select n from t where n > ?", {"t": T}, [1]).to_pylist() == [{"n": 2}]
    assert query.run("select n from t where n > $least", {"t": T}, {"least": 1}).to_pylist() == [{"n": 2}]


def test_nothing_is_left_behind(query: Query) -> None:
    query.run("select * from t", {"t": T})
    with pytest.raises(QueryError, match="the table 't', which does not exist"):
        query.run("select * from t")
    with pytest.raises(QueryError):
        query.run("select * from t; select * from nowhere", {"t": T})
    with pytest.raises(QueryError):
        query.run("select * from t")


def test_variables_of_the_program_are_not_seen(query: Query) -> None:
    secret = T
    with pytest.raises(QueryError, match="'secret', which does not exist"):
        query.run("select * from secret")
    assert secret is T


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')", "select * from '/etc/passwd'", "copy (select 1) to '/tmp/out.csv'",
        "select * from read_text('/etc/passwd')", "attach '/tmp/x.db'", "install httpfs", "load httpfs",
        "select * from read_parquet('s3://bucket/x')", "set enable_external_access = true",
    ],
)  # fmt: skip
def test_files_and_downloads_are_out_of_reach(query: Query, sql: str) -> None:
    with pytest.raises(QueryError):
        query.run(sql)


def test_errors_name_the_nearest_and_the_place(query: Query) -> None:
    with pytest.raises(QueryError, match=r"column 'txet'.*Valid: _key, n, text.*did you mean 'text'\?"):
        query.run("select txet from t", {"t": T})
    with pytest.raises(QueryError, match=r"table 'topics'.*did you mean 'topic'\?"):
        query.run("select * from topics", {"topic": T})
    with pytest.raises(QueryError, match=r"syntax error.*at line 2, near 't where n'"):
        query.run("select *\nfrm t where n", {"t": T})
    with pytest.raises(QueryError, match=r"column 'nn'.*did you mean 'n'\?"):
        query.run("select t.nn from t", {"t": T})
    with pytest.raises(QueryError, match=r"(?i)function with name lowre does not exist. Next: did you mean"):
        query.run("select lowre(text) from t", {"t": T})
    with pytest.raises(QueryError, match=r'"n" must appear in the GROUP BY clause.*Next: either add it'):
        query.run("select n, count(*) from t", {"t": T})
    with pytest.raises(QueryError, match="Could not convert"):
        query.run("select 'x'::int")


def test_types_come_back_plain(query: Query) -> None:
    sql = """select 'a' as s, sum(n) as total, count(*) as many, now() as at, 'a'::enum('a', 'b') as e, [1] as l,
             {'x': 'y'} as st, 1.50::decimal(10, 2) as d, 170141183460469231731687303715884105727::hugeint as huge,
             '{}'::json as j, uuid() as u, sum(n) + 1 as more from t"""
    kinds = {field.name: str(field.type) for field in query.run(sql, {"t": T}).schema}
    assert kinds == {
        "s": "string", "total": "int64", "many": "int64", "at": "timestamp[us, tz=UTC]", "e": "string",
        "l": "list<item: int32>",
        "st": "struct<x: string>", "d": "decimal128(10, 2)", "huge": "decimal128(38, 0)", "j": "string", "u": "string",
        "more": "int64",
    }  # fmt: skip


def test_the_time_zone_is_utc(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    sql = "select date_trunc('day', timestamptz '2024-01-01 23:30:00+00') as day"
    for engine in (query, Query()):
        assert engine.run(sql)["day"][0].as_py() == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_statement_without_rows(query: Query) -> None:
    assert query.run("select * from t where false", {"t": T}).schema.names == ["_key", "n", "text"]
    assert query.run("set threads = 1").num_rows == 0


def test_a_relation_for_a_users_function(query: Query) -> None:
    import duckdb

    tickets = query.relation(T)
    assert rows_of(tickets.filter("n > 1").aggregate("sum(n) as s")).to_pylist() == [{"s": 2}]
    found = rows_of(duckdb.sql("select sum(n) as s, timestamptz '2024-01-01 00:00:00+00' as at from tickets"))
    assert found.to_pylist() == [{"s": 3, "at": datetime(2024, 1, 1, tzinfo=UTC)}]
    assert str(found.schema.field("s").type) == "int64"


def test_threads_do_not_disturb_each_other(query: Query) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        mine = pa.table({"n": [number] * 1000})
        for _ in range(20):
            try:
                if query.run("select sum(n) as s from t", {"t": mine})["s"][0].as_py() != number * 1000:
                    wrong.append(number)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_does_not_fit_in_memory_may_spill(tmp_path: Path) -> None:
    engine = Query(spill=str(tmp_path))
    engine.run("set memory_limit = '60MB'")
    found = engine.run(
        "select count(*) as n from (select distinct r::varchar || 'some more text' from range(2000000) t(r))"
    )
    assert found["n"][0].as_py() == 2_000_000


# --- the content hash

RICH = pa.schema(
    [
        ("_key", pa.string()), ("i", pa.int64()), ("f", pa.float64()), ("b", pa.bool_()), ("y", pa.binary()),
        ("d", pa.date32()), ("t", pa.time64("us")), ("ts", pa.timestamp("us", "UTC")), ("dec", pa.decimal128(10, 2)),
        ("l", pa.list_(pa.int64())), ("st", pa.struct([("y", pa.list_(pa.string())), ("x", pa.int64())])),
        ("n", pa.null()),
        ("m", pa.map_(pa.string(), pa.int64())), ("ns", pa.timestamp("ns")), ("s32", pa.float32()),
    ]
)  # fmt: skip
RECORD: dict[str, Any] = {
    "_key": "a", "i": -5, "f": 1.5, "b": True, "y": b"\x00\xab", "d": date(2020, 2, 29), "t": time(1, 2, 3, 4),
    "ts": datetime(2020, 1, 1, 1, tzinfo=UTC), "dec": Decimal("12.30"), "l": [1, None, 2],
    "st": {"x": None, "y": ["a", "bc"]},
    "n": None, "m": [("k", 1)], "ns": datetime(2020, 1, 1), "s32": 0.1,
}  # fmt: skip


def framed(text: str | None) -> str:
    return "n" if text is None else f"{len(text.encode())}:{text}"


def reference(record: Mapping[str, str | None], kinds: Mapping[str, str]) -> int:
    """The rules of the content hash, written down a second time. Values are given as their text."""
    head = "".join(framed(part) for name in sorted(record) for part in (name, kinds[name]))
    text = hashlib.md5(head.encode()).hexdigest() + "".join(framed(record[name]) for name in sorted(record))
    return int.from_bytes(hashlib.md5(text.encode()).digest(), "little")


def test_the_hash_follows_its_rules() -> None:
    texts = {
        "_key": "a", "i": "-5", "f": "1.5", "b": "true", "y": "00AB", "d": "2020-02-29", "t": "01:02:03.000004",
        "ts": "1577840400000000", "dec": "12.30", "l": "3[1:1n1:2", "st": "n" + framed("2[1:a2:bc"), "n": None,
        "m": "1[" + framed("1:k1:1"), "ns": "1577836800000000000", "s32": "0.1",
    }  # fmt: skip
    kinds = {field.name: str(field.type) for field in RICH}
    for name in RICH.names:
        one = pa.Table.from_pylist([RECORD], schema=RICH).select([name])
        assert hash_sum(one) == reference({name: texts[name]}, kinds), name
    assert hash_sum(pa.Table.from_pylist([RECORD], schema=RICH)) == reference(texts, kinds)


def test_the_hash_never_changes() -> None:
    """If this fails, every stored version would look changed: the rules or the SQL engine's text of a value became
    others."""
    data = pa.Table.from_pylist([RECORD, {"_key": "b"}], schema=RICH)
    assert version_name(hash_sum(data)) == "05b7e5b3ecd7"
    numbers = [
        0.0,
        1e20,
        1e-5,
        0.1,
        123456789012345678.0,
        1e15,
        1e16,
        5e-324,
        1.7976931348623157e308,
        math.inf,
        -math.inf,
        math.nan,
    ]
    assert version_name(hash_sum(pa.table({"f": numbers}))) == "b4b97fd08b72"
    assert version_name(hash_sum(T.slice(0, 0))) == version_name(0) == "4ae71336e44b"


def test_the_row_hash_is_the_same_hash(query: Query) -> None:
    columns = [(field.name, field.type) for field in T.schema]
    for ordered in (columns, columns[::-1]):
        found = query.run(f"select {row_hash_sql(ordered, 'x')} as h from t as x", {"t": T})["h"].to_pylist()
        total = sum(int.from_bytes(bytes.fromhex(one), "little") for one in found)
        assert total % 2**128 == hash_sum(T)


def other_nan() -> float:
    return struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([0.0]), pa.array([-0.0])),
        (pa.array([math.nan]), pa.array([other_nan()])),
        (pa.array(["x"]), pa.array(["x"]).dictionary_encode()),
        (pa.array(["x"]), pa.array(["x"], pa.large_string())),
        (pa.array(["x"]), pa.array(["x"], pa.string_view())),
        (pa.array([[1]]), pa.array([[1]], pa.large_list(pa.int64()))),
        (pa.array([b"x"]), pa.array([b"x"], pa.large_binary())),
        (pa.array([0], pa.timestamp("us", "UTC")), pa.array([0], pa.timestamp("us", "Asia/Tokyo"))),
        (pa.array([[math.nan, 0.0]]), pa.array([[other_nan(), -0.0]])),
    ],
)
def test_values_that_mean_the_same_hash_the_same(one: pa.Array, other: pa.Array) -> None:
    assert hash_sum(pa.table({"x": one})) == hash_sum(pa.table({"x": other}))


DIFFERENT = [
    {"x": "ab", "y": "c"}, {"x": "a", "y": "bc"}, {"x": "abc", "y": ""}, {"x": "abc", "y": None},
    {"x": None, "y": "abc"},
    {"x": "", "y": ""}, {"x": None, "y": None}, {"x": "n", "y": None}, {"x": "1:a", "y": None}, {"y": "ab", "z": "c"},
    {"x": "ab"},
    {"x": ["ab", "c"]}, {"x": ["a", "bc"]}, {"x": [None, "abc"]}, {"x": ["abc", None]}, {"x": ["abc"]}, {"x": []},
    {"x": [None]},
    {"x": ["n"]}, {"x": {"a": "b", "c": None}}, {"x": {"a": None, "c": "b"}}, {"x": [["a"], ["b"]]},
    {"x": [["a", "b"], []]},
    {"x": [["a", "b"]]}, {"x": 1}, {"x": 1.0}, {"x": "1"}, {"x": True}, {"x": "true"}, {"x": Decimal("1")},
    {"x": Decimal("1.0")},
    {"x": date(1970, 1, 2)}, {"x": b"1"}, {"x": "2020-01-01"}, {"x": date(2020, 1, 1)}, {"x": datetime(2020, 1, 1)},
    {"x": datetime(2020, 1, 1, tzinfo=UTC)}, {"x": math.nan}, {"x": math.inf}, {"x": "nan"}, {"x": [math.nan]},
    {"x": datetime(2020, 1, 1, 0, 0, 0, 1)}, {"x": timedelta(seconds=1)}, {"x": timedelta(seconds=2)},
    {"x": 2**53 + 1}, {"x": 2**53},
]  # fmt: skip


def test_values_that_differ_hash_differently() -> None:
    sums = [hash_sum(pa.Table.from_pylist([record])) for record in DIFFERENT]
    same = [(DIFFERENT[a], DIFFERENT[b]) for a in range(len(sums)) for b in range(a) if sums[a] == sums[b]]
    assert same == []


def test_odd_names_of_columns() -> None:
    data = pa.table({'a"b': [1], "select": [2], "Ünï": [3], "x'y": [4]})
    assert hash_sum(data) == hash_sum(data.select(data.column_names[::-1])) != hash_sum(data.drop_columns(["x'y"]))


VALUE = {
    "_key": st.text(max_size=3), "f": st.none() | st.floats(),
    "l": st.none() | st.lists(st.none() | st.text(max_size=2), max_size=3),
    "ts": st.none() | st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    "st": st.none() | st.fixed_dictionaries({"a": st.none() | st.integers(-9, 9),
    "b": st.none() | st.text(max_size=2)}),
}  # fmt: skip
SHAPE = pa.schema(
    [
        ("_key", pa.string()), ("f", pa.float64()), ("l", pa.list_(pa.string())), ("ts", pa.timestamp("us", "UTC")),
        ("st", pa.struct([("a", pa.int64()), ("b", pa.string())])),
    ]
)  # fmt: skip
MANY = st.lists(st.fixed_dictionaries(VALUE), max_size=8)


@settings(max_examples=60)
@given(MANY, MANY, st.randoms())
def test_the_sum_knows_no_order_and_adds_up(
    a: list[dict[str, Any]], b: list[dict[str, Any]], shuffle: random.Random
) -> None:
    def total(records: list[dict[str, Any]]) -> int:
        return hash_sum(pa.Table.from_pylist(records, schema=SHAPE))

    both = a + b
    shuffle.shuffle(both)
    columns = list(SHAPE.names)
    shuffle.shuffle(columns)
    whole = total(both)
    assert whole == (total(a) + total(b)) % 2**128
    assert (whole - total(b)) % 2**128 == total(a)
    assert whole == hash_sum(pa.Table.from_pylist(both, schema=SHAPE).select(columns))


def test_a_stored_table_has_the_same_hash(home: Home) -> None:
    data = pa.Table.from_pylist([RECORD, {**RECORD, "_key": "b", "f": None}], schema=RICH).drop_columns(["m"])
    table = Table(home, "tables", "t")
    table.create(data.slice(1))
    table.upsert(data.slice(0, 1))
    assert hash_sum(table.dataset(), data.column_names) == hash_sum(table.read()) == hash_sum(data)
