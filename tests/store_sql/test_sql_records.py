"""Queries asked again with their records' keys: the same rows as before, and the keys that brute force finds."""

from __future__ import annotations

import contextlib
from typing import Any

import duckdb
import pytest
from packyak.engine.errors import QueryError
from packyak.engine.store.sql_records import record_query

A = [("a1", "x", 1), ("a2", "x", 2), ("a3", "y", 3), ("a4", None, 4)]
B = [("b1", "x", "one"), ("b2", "y", "two"), ("b3", "y", "three")]


@pytest.fixture(scope="module")
def tables() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create table a (_key varchar, g varchar, n int)")
    connection.executemany("insert into a values (?, ?, ?)", A)
    connection.execute("create table b (_key varchar, g varchar, w varchar)")
    connection.executemany("insert into b values (?, ?, ?)", B)
    return connection


QUERIES = [
    "select g, count(*) as n from a group by all",
    "select g, sum(n) as s from a where n > 1 group by g having sum(n) > 2",
    "select a.g, w, n from a join b on a.g = b.g",
    "select a.g, sum(n) as s, max(w) as m from a left join b using (g) group by a.g",
    "with c as (select g, sum(n) as s from a group by g) select c.g, d.s from c join c as d on c.s <= d.s",
    "select g from a union all select g from b",
    "select g from a union select g from b",
    "select distinct g from a",
    "select g, n, row_number() over (partition by g order by n) as r from a",
    "select g, n from a qualify row_number() over (partition by g order by n desc) = 1",
    "select *, count(*) over (partition by g) as c from a",
    "select * exclude (n) from a join (select g, list(w order by w) as ws from b group by g) using (g)",
    "select g, sum(count(*)) over () as t from a group by g",
    "select count(*) as n from a",
    "select n, count(*) as c from (select n % 2 as n from a union all select length(w) % 2 from b) group by n",
    "select g as h, max(n) as top from a group by 1 order by 2 desc limit 2",
    "from a where n > 2",
    "select case when n > 1 then 'big' else 'small' end as size, avg(n) as m from a group by size",
]


def plain(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("query", QUERIES)
def test_the_rows_stay_the_same(tables: duckdb.DuckDBPyConnection, query: str) -> None:
    asked = record_query(query)
    assert asked is not None
    rows = [{k: v for k, v in row.items() if not k.startswith("__")} for row in plain(tables, asked.sql)]
    assert sorted(map(repr, rows)) == sorted(map(repr, plain(tables, query)))


@pytest.mark.parametrize("query", QUERIES)
def test_a_record_that_changes_or_removes_a_row_is_among_its_records(
    tables: duckdb.DuckDBPyConnection, query: str
) -> None:
    """By brute force: take each record away and see which rows go or change; each such row must have named it."""
    asked = record_query(query)
    assert asked is not None
    rows = plain(tables, asked.sql)
    for table, records in (("a", A), ("b", B)):
        for key, *_ in records:
            without = query.replace("from ", "from /**/ ")
            tables.execute(f"create temp table kept as select * from {table} where _key = '{key}'")
            tables.execute(f"delete from {table} where _key = '{key}'")
            left = [repr(row) for row in plain(tables, without)]
            tables.execute(f"insert into {table} select * from kept")
            tables.execute("drop table kept")
            for row in rows:
                bare = {k: v for k, v in row.items() if not k.startswith("__")}
                named = {each for mark, of in asked.sources.items() if of == table for each in row[mark] or ()}
                if repr(bare) not in left and "limit" not in query:
                    assert key in named, (key, bare)


def test_keys_are_those_of_the_group(tables: duckdb.DuckDBPyConnection) -> None:
    asked = record_query("select g, count(*) as n from a group by all")
    assert asked is not None
    (mark,) = asked.sources
    assert {row["g"]: sorted(row[mark]) for row in plain(tables, asked.sql)} == {
        "x": ["a1", "a2"], "y": ["a3"], None: ["a4"],
    }  # fmt: skip


def test_what_cannot_be_followed_is_named_as_a_whole(tables: duckdb.DuckDBPyConnection) -> None:
    asked = record_query("select g, (select max(n) from a) as m from a where g in (select g from b where w = 'one')")
    assert asked is not None
    assert (asked.wholes, list(asked.sources.values())) == (("a", "b"), ["a"])
    semi = record_query("select g, count(*) as n from a semi join b using (g) group by 1")
    assert semi is not None
    assert (semi.wholes, list(semi.sources.values())) == (("b",), ["a"])


@pytest.mark.parametrize(
    "query",
    [
        "select * from a union all by name select * from b",
        "select g from a except select g from b",
        "with recursive c as (select 1 as n union all select n + 1 from c where n < 3) select * from c, a",
        "select *, count(*) as n from a group by all",
        "pivot a on g using sum(n)",
    ],
)
def test_what_is_not_followed_at_all_says_so(query: str) -> None:
    with contextlib.suppress(QueryError):
        assert record_query(query) is None


def test_no_query_is_an_error() -> None:
    with pytest.raises(QueryError):
        record_query("delete from a")
