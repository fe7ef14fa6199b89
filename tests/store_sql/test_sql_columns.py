"""Column lineage of queries, case by case, and against DuckDB: a column that an output does not
name cannot change it."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packyak.engine.errors import QueryError
from packyak.engine.store.sql_columns import column_lineage

SCHEMAS = {"topic": ["id", "received", "topic", "Amount"], "z": ["id", "y"]}


def lines(sql: str) -> dict[str, str]:
    """The lineage as readable lines; `*` holds what influences every column."""
    found = column_lineage(sql, SCHEMAS)
    told = dict((*found.columns, ("*", found.influences)))
    return {name: " ".join(f"{s.table}.{s.column}:{s.how}" for s in sources) for name, sources in told.items()}


CASES = {
    "select date_trunc('day', received) as day, topic, count(*) as n from topic group by all": {
        "day": "topic.received:transformation",
        "topic": "topic.topic:identity",
        "n": "",
        "*": "topic.received:group_by topic.topic:group_by",
    },
    "select * exclude (id, received) from topic where id > 3": {
        "topic": "topic.topic:identity",
        "Amount": "topic.Amount:identity",
        "*": "topic.id:filter",
    },
    "select x.AMOUNT * 2 as Twice, twice + 1 as more from topic x": {
        "Twice": "topic.Amount:transformation",
        "more": "topic.Amount:transformation",
        "*": "",
    },
    "with c as (select id, sum(amount) s from topic group by id) select c.s, z.y from z left join c using (id)": {
        "s": "topic.Amount:aggregation",
        "y": "z.y:identity",
        "*": "topic.id:group_by topic.id:join z.id:join",
    },
    "select case when id > 1 then topic else 'none' end as t from topic": {
        "t": "topic.id:conditional topic.topic:transformation",
        "*": "",
    },
    "select row_number() over (partition by topic order by received) as place from topic qualify place = 1": {
        "place": "topic.received:window topic.topic:window",
        "*": "topic.received:filter topic.topic:filter",
    },
    "select max(amount) filter (where topic = 'x') as m from topic": {
        "m": "topic.Amount:aggregation topic.topic:filter",
        "*": "",
    },
    "select y, (select max(amount) from topic where topic.id = z.id) as most from z": {
        "y": "z.y:identity",
        "most": "topic.Amount:aggregation",
        "*": "topic.id:filter z.id:filter",
    },
    "select y from z where exists (select 1 from topic t where t.id = z.id)": {
        "y": "z.y:identity",
        "*": "topic.id:filter z.id:filter",
    },
    "select id from topic union all select y from z where id > 2": {
        "id": "topic.id:identity z.y:identity",
        "*": "z.id:filter",
    },
    "select id from z union all by name select y, id from z": {"id": "z.id:identity", "y": "z.y:identity", "*": ""},
    "select id from z union select y from z": {"id": "z.id:identity z.y:identity", "*": "z.id:group_by z.y:group_by"},
    "select id from z except select id from topic": {
        "id": "topic.id:identity z.id:identity",
        "*": "topic.id:filter z.id:filter",
    },
    "select distinct y from z": {"y": "z.y:identity", "*": "z.y:group_by"},
    "with recursive r as (select id, 0 as y from z union all select y, id from r where y < 3) select id from r": {
        "id": "z.id:identity",
        "*": "z.id:filter",
    },
    "select a.id, b.id from z a, topic b order by a.y": {
        "id": "z.id:identity",
        "id_1": "topic.id:identity",
        "*": "z.y:sort",
    },
    "with recursive r as (select id from topic union all select y from z join r using (id)) select * from r": {
        "id": "topic.id:identity z.y:identity",
        "*": "topic.id:join z.id:join z.y:join",
    },
    "select l.y from topic, lateral (select y from z where z.id = topic.id) l": {
        "y": "z.y:identity",
        "*": "topic.id:filter z.id:filter",
    },
    "select * from (select id, topic, amount from topic) pivot (sum(amount) for topic in ('a'))": {
        "id": "topic.id:identity",
        "a": "topic.Amount:aggregation topic.topic:aggregation",
        "*": "topic.Amount:group_by topic.id:group_by topic.topic:group_by",
    },
    "select c.b from (select id, y from z) c(a, b), range(3)": {"b": "z.y:identity", "*": ""},
    "from z join topic t on z.id = t.id": {
        "id": "z.id:identity",
        "y": "z.y:identity",
        "id_1": "topic.id:identity",
        "received": "topic.received:identity",
        "topic": "topic.topic:identity",
        "Amount": "topic.Amount:identity",
        "*": "topic.id:join z.id:join",
    },
    "select l.whole from z, lateral (select z as whole) l": {
        "whole": "z.id:transformation z.y:transformation",
        "*": "",
    },
    "select z from z": {"z": "z.id:transformation z.y:transformation", "*": ""},
    "select distinct on (y) y as best from z order by y, id": {
        "best": "z.y:identity",
        "*": "z.id:sort z.y:group_by z.y:sort",
    },
    "select list_transform([id], lambda x: x + y) as l from z": {
        "l": "z.id:transformation z.y:transformation",
        "*": "",
    },
}


@pytest.mark.parametrize("sql", CASES)
def test_lineage(sql: str) -> None:
    assert lines(sql) == CASES[sql]


def test_schemas_may_carry_types() -> None:
    typed = {"z": {"id": "int64", "y": "string"}}
    assert [name for name, _ in column_lineage("select * from z", typed).columns] == ["id", "y"]


FAULTS = {
    "select ammount from topic": ("'ammount'", "write 'Amount'", 8),
    "select 1,\n topic.nope from topic": ("'nope'", "Valid: id", 8),
    "select id from topic, z": ("several tables", "topic.id or z.id", 8),
    "select * from (pivot topic on topic using sum(amount))": ("cannot be followed", "plainer", 31),
    "select columns('i.*') from topic": ("COLUMNS", "name the columns", None),
    "select * replace (1 as id) from z join topic using (id)": ("star", "name the columns", 1),
    "select count(*) from z group by *": ("star", "name the columns", 1),
    "select * from (select * exclude (z.y) from z, topic) s": ("star", "name the columns", 1),
    "select * from elsewhere": ("'elsewhere'", "Valid: topic, z", 1),
}


@pytest.mark.parametrize("sql", FAULTS)
def test_faults_name_the_place_and_the_valid_names(sql: str) -> None:
    first, second, column = FAULTS[sql]
    with pytest.raises(QueryError) as caught:
        column_lineage(sql, SCHEMAS)
    assert first in str(caught.value)
    assert second in str(caught.value)
    assert column is None or caught.value.query_column == column


def rows_of(sql: str, tables: dict[str, pa.Table]) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return sorted(connection.sql(sql).fetchall(), key=repr)


QUERIES = [
    sql
    for sql in CASES
    if not any(word in sql for word in ("received", "group by", "range", "qualify", "pivot", "recursive", "distinct"))
]
COLUMNS = [(table, column) for table, columns in SCHEMAS.items() for column in columns]


@settings(max_examples=120, deadline=None)
@given(
    sql=st.sampled_from(QUERIES),
    rows=st.lists(st.tuples(*[st.integers(0, 3)] * 6), min_size=1, max_size=6),
    changed=st.sampled_from(COLUMNS),
    to=st.integers(4, 6),
)
def test_a_column_outside_the_lineage_changes_nothing(
    sql: str, rows: list[tuple[int, ...]], changed: tuple[str, str], to: int
) -> None:
    values = {place: [row[at] for row in rows] for at, place in enumerate(COLUMNS)}
    before, after = (
        {
            table: pa.table({c: column_values(c, source[table, c]) for c in columns})
            for table, columns in SCHEMAS.items()
        }
        for source in (values, values | {changed: [to] * len(rows)})
    )
    found = column_lineage(sql, SCHEMAS)
    if changed in {(source.table, source.column) for source in found.influences}:
        return
    untouched = [
        at
        for at, (_, sources) in enumerate(found.columns)
        if changed not in {(source.table, source.column) for source in sources}
    ]
    first, second = rows_of(sql, before), rows_of(sql, after)
    assert len(first) == len(second)
    for at in untouched:
        assert sorted(map(repr, (row[at] for row in first))) == sorted(map(repr, (row[at] for row in second)))


def column_values(name: str, numbers: list[int]) -> pa.Array:
    return pa.array([str(n) for n in numbers] if name == "topic" else numbers)
