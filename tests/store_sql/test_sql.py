"""What queries say about themselves: tables, keys, errors; keys are checked against DuckDB on generated rows."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from packyak.engine.errors import QueryError
from packyak.engine.store.sql import AGGREGATES, names_in, tables_of
from packyak.engine.store.sql_keys import group_keys, keeps_key, query_key
from sqlglot import ErrorLevel, exp

TABLES = {
    "select date_trunc('day', received) as day, topic, count(*) as n from topic group by all": ("topic",),
    "select 1": (),
    "from t": ("t",),
    "table t": ("t",),
    "(select a from t)": ("t",),
    "select * from b join a using (x) join b as again using (x)": ("b", "a"),
    "select (select max(y) from z), x from t where x in (select x from w)": ("z", "t", "w"),
    "select a from t union all select a from u except select a from v": ("t", "u", "v"),
    "with x as (select * from t), y as (select * from x) select * from y, X": ("t",),
    "with t as (select * from t) select * from t": ("t",),
    "with a as (select * from b), b as (select 1) select * from a": ("b",),
    "with recursive r as (select 1 as n union all select n + 1 from r) select * from r": (),
    "select * from (with x as (select 1) select * from x) s, x": ("x",),
    "select * from t, range(3), generate_series(1, 2), unnest([1]), (values (1)) v(a)": ("t",),
    'select * from "Big Table" -- and not this: from nowhere': ("Big Table",),
    "select * from t, lateral (select * from u where u.a = t.a) l": ("t", "u"),
    "select * from t semi join u using (a)": ("t", "u"),
    "select * from t pivot (sum(x) for y in ('a'))": ("t",),
}


@pytest.mark.parametrize("sql", TABLES)
def test_tables(sql: str) -> None:
    assert tables_of(sql) == TABLES[sql]


REFUSED = {
    "": ("empty", 1, 1, ""),
    "-- nothing": ("empty", 1, 1, "-- nothing"),
    "drop table t": ("starts with 'drop'", 1, 1, "drop table t"),
    "vacuum": ("starts with 'vacuum'", 1, 1, "vacuum"),
    "values (1)": ("starts with 'values'", 1, 1, "values (1)"),
    "select 1; select 2": ("2 statements", 1, 1, "select 1; select 2"),
    "with x as (select 1) insert into t select * from x": ("no SELECT", 1, 1, None),
    "select a into b from t": ("no SELECT", 1, 1, None),
    "select a frm t where": ("cannot be read", 1, 14, "t"),
    "select a,\n  (b\nfrom t": ("cannot be read", 3, None, None),
    "select 'abc": ("never closed", 1, 1, "select 'abc"),
    "select *\nfrom main.t": ("qualified", 2, 11, "main.t"),
    "select * from read_csv('x.csv')": ("declared", 1, 15, "read_csv"),
    "select * from glob('*')": ("declared", 1, 15, "glob"),
    "select * from t, 'x.parquet' p": ("declared", 1, 18, "'x.parquet'"),
}


@pytest.mark.parametrize("sql", REFUSED)
def test_refusals_name_the_place(sql: str) -> None:
    words, line, column, fragment = REFUSED[sql]
    with pytest.raises(QueryError) as caught:
        tables_of(sql)
    assert words in str(caught.value)
    assert "Next: " in str(caught.value)
    assert caught.value.query_line == line
    assert column is None or caught.value.query_column == column
    assert fragment is None or caught.value.fragment == fragment


KEYS = {
    "select date_trunc('day', received) as day, topic, count(*) as n from topic group by all": ("day", "topic"),
    "select a, sum(b) as s from t group by a": ("a",),
    "select t.a, sum(b) as s from t group by a": ("a",),
    "select a as x, sum(b) as s from t group by A": ("x",),
    "select upper(a) as u, a, count(*) n from t group by 2, 1": ("a", "u"),
    "select lower(a) as l, count(*) n from t group by l": ("l",),
    "select lower(a) as l, count(*) n from t group by lower(t.a)": ("l",),
    "select a, product(b) p, entropy(b) e from t group by all": ("a",),
    "select a, sum(count(*)) over () as w from t group by all": ("a",),
    "select a, b from t group by all having count(*) > 1 order by a limit 3": ("a", "b"),
    "select * from (select a, count(*) as n from t group by a) s where n > 1": ("a",),
    "with c as (select a, count(*) as n from t group by a) select n, a from c": ("a",),
    "select distinct a, b from t": ("a", "b"),
    "select a, count(*) n from t join u using (a) group by a": ("a",),
    # None: no grouping, or the grouping columns are not all there, or they repeat.
    "select a from t": None,
    "select count(*) from t": None,
    "select count(*) as n from t group by a": None,
    "select date_trunc('day', d) as d, count(*) as n from t group by d": None,
    "select a, b, count(*) from t group by rollup (a, b)": None,
    "select a, count(*) from t group by cube (a)": None,
    "select a, count(*) from t group by grouping sets ((a), ())": None,
    "select a, a, count(*) from t group by all": None,
    "select a, max(b) as A from t group by all": None,
    "select 1 as one from t group by all": None,
    "select a, count(*) from t group by a union all select 1, 2": None,
    "select distinct * from t": None,
    "select n from (select a, count(*) as n from t group by a) s": None,
    "select lower(a) as a, n from (select a, count(*) as n from t group by a) s": None,
    "select a, unnest(l) as x from (select a, list(b) as l from t group by a) s": None,
    "select s.* from (select a, count(*) as n from t group by a) s, u": None,
}


@pytest.mark.parametrize("sql", KEYS)
def test_group_keys(sql: str) -> None:
    assert group_keys(sql) == KEYS[sql]


def test_a_name_in_group_by_is_a_column_before_it_is_an_alias() -> None:
    sql = "select abs(b) as a, count(*) as n from t group by a"
    assert group_keys(sql) == ("a",)
    assert group_keys(sql, ["A", "b"]) is None
    assert group_keys("select a, count(*) as n from t group by a", ["a", "b"]) == ("a",)


KEPT = [
    "select * from t",
    "from t",
    "select id, upper(name) as name from t where name > 'b' order by 1 limit 9",
    "select t.id, row_number() over (order by name) as place from t",
    "select x.* exclude (name) from t as x",
    'select "ID", name from T',
    "select * from t semi join u using (id)",
    "from t semi join u using (id)",
    "select * from t where id in (select id from u)",
    "with c as (select * from t where name is null) select id from c",
    "select * from (select id, name from t) s",
    "select distinct id, name from t",
    "select t.*, (select max(name) from u) as top from t",
]
LOST = [
    "select name from t",
    "select * from u",
    "select id + 1 as id from t",
    "select name as id from t",
    "select id as key from t",
    "select * exclude (id) from t",
    "select * replace (lower(id) as id) from t",
    "select * rename (id as key) from t",
    "select *, id from t",
    "select columns('i.*') from t",
    "select * from t join u using (id)",
    "select t.* from t left join u using (id)",
    "select t.* from t, u",
    "from t join u using (id)",
    "from t left join u using (id)",
    "from t, u",
    "from (from t join u using (id)) s",
    "select id, unnest(names) as name from t",
    "select id, count(*) from t group by id",
    "select max(id) as id from t",
    "select * from t union all select * from t",
    "with t as (select 1 as id) select * from t",
    "with c(id, name) as (select name, id from t) select * from c",
    "select id from (select name as id from t) s",
    "select * from t pivot (max(name) for id in (1, 2))",
    "select 1 as id",
]


@pytest.mark.parametrize("sql", KEPT)
def test_keeps_key(sql: str) -> None:
    assert keeps_key(sql, "t", ("id",))


@pytest.mark.parametrize("sql", LOST)
def test_loses_key(sql: str) -> None:
    assert not keeps_key(sql, "t", ("id",))


def test_no_key_is_never_kept() -> None:
    assert not keeps_key("select * from t", "t", ())


def test_a_query_keeps_an_inputs_key_before_it_makes_its_own() -> None:
    keys = {"t": ("id",), "u": None}
    assert query_key("select distinct id, name from t", keys) == ("id",)
    assert query_key("select distinct name from t", keys) == ("name",)
    assert query_key("select name, count(*) as n from t join u using (id) group by all", keys) == ("name",)
    assert query_key("select * from u", keys) is None


def answer(sql: str, **tables: pa.Table) -> pa.Table:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()


def repeats(table: pa.Table, names: list[str]) -> int:
    return int(table.num_rows - table.select(names).group_by(names).aggregate([]).num_rows)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.sampled_from([None, 0, 1, 2])] * 3), max_size=12),
    st.sampled_from([sql for sql, keys in KEYS.items() if keys and " u " not in sql and "received" not in sql]),
)
def test_group_keys_are_unique_in_what_duckdb_answers(rows: list[tuple[int | None, ...]], sql: str) -> None:
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    t = pa.table({name: pa.array(list(values), pa.int64()) for name, values in zip("abd", columns, strict=True)})
    runnable = sql.replace("upper(a)", "abs(a)").replace("lower(a)", "abs(a)").replace("lower(t.a)", "abs(t.a)")
    keys = group_keys(runnable)
    assert keys is not None
    assert repeats(answer(runnable, t=t), list(keys)) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=8), st.sampled_from(KEPT))
def test_a_kept_key_is_unique_and_known_in_what_duckdb_answers(names: list[str | None], sql: str) -> None:
    t = pa.table({"id": pa.array(range(len(names)), pa.int64()), "name": pa.array(names, pa.string())})
    u = pa.table({"id": pa.array([1, 1, 3], pa.int64()), "name": ["x", "y", "z"]})
    found = answer(sql, t=t, u=u)
    key = next(name for name in found.column_names if name.lower() == "id")
    assert repeats(found, [key]) == 0
    assert set(found[key].to_pylist()) <= set(t["id"].to_pylist())


def test_every_aggregate_of_duckdb_is_known_as_one() -> None:
    found = duckdb.sql("select distinct function_name from duckdb_functions() where function_type = 'aggregate'")
    for (name,) in found.fetchall():
        calls = [
            sqlglot.parse(f"select {name}({args})", dialect="duckdb", error_level=ErrorLevel.IGNORE)
            for args in ("x", "x, y")
        ]
        assert name in AGGREGATES or any(call is not None and call.find(exp.AggFunc) for (call,) in calls), name


def test_sqlglot_is_imported_late() -> None:
    code = "import sys, packyak.engine.store.sql, packyak.engine.store.sql_columns; print('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


NAMES: dict[str, frozenset[str] | None] = {
    "select a, count(*) as n from t group by all": frozenset({"a", "n", "t"}),
    'select "A b", u.c from t join u on t.k = u.k where d > 1 order by e': frozenset(
        {"a b", "c", "d", "e", "k", "t", "u"}
    ),
    "select a from t join u using (k)": frozenset({"a", "k", "t", "u"}),
    "select (select max(z) from v where v.k = t.k) as m from t": frozenset({"z", "v", "k", "t", "m"}),
    "with w as (select a from t) select b from w": frozenset({"w", "a", "t", "b"}),
    "select t.a from t": frozenset({"a", "t"}),
    "select s.f.g from t": frozenset({"s", "f", "g", "t"}),
    "select * from t": None,
    "select t.* from t": None,
    "select * exclude (a) from t": None,
    "select count(*), max(columns('a.*')) from t": None,
    "select a from t natural join u": None,
    "select a from t pivot (sum(x) for y in ('p'))": None,
    "select t from t": None,
    "select w from (select a, b from t) as w": None,
    "select struct_pack(x := u) from t as u": None,
}


@pytest.mark.parametrize("sql", NAMES)
def test_names_in_a_query(sql: str) -> None:
    assert names_in(sql, ["a", "b", "k"]) == NAMES[sql]


def test_a_column_named_like_its_table_is_a_column() -> None:
    assert names_in("select label, count(*) as n from label group by all", ["label"]) == {"label", "n"}


@pytest.mark.parametrize("sql", [sql for sql, names in NAMES.items() if names is not None])
def test_columns_that_no_name_tells_are_not_read(sql: str) -> None:
    """The same query with and without the columns that it does not name answers the same, or fails the same."""
    named = names_in(sql, ["a", "b", "k"]) or frozenset()
    columns = {"a": 1, "A b": 2, "b": 3, "c": 4, "d": 5, "e": 6, "k": 7, "z": 8, "s": {"f": {"g": 9}}, "other": 10}

    def answer(chosen: dict[str, object]) -> object:
        data = pa.Table.from_pylist([chosen])
        with duckdb.connect() as connection:
            for table in ("t", "u", "v"):
                connection.register(table, data)
            try:
                return connection.sql(sql).fetchall()
            except duckdb.Error as error:
                return str(error).split("Candidate")[0]

    assert answer({name: one for name, one in columns.items() if name.casefold() in named}) == answer(columns)
