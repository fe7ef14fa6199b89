"""What a learned transform learns from and is asked about: records as columns by name, the first rule's answers among
them, and people's words as labels.

Where a column is repaired, the rule's answer takes the place of the value that it repairs: the model goes on from
there. Elsewhere it stands beside the record as a column of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import LearnedNode
from packyak.engine.learn.protocol import Labels
from packyak.engine.learn.tasks import tasks_of
from packyak.engine.learn.teacher import KEY, RULE_COLUMN
from packyak.engine.run.compute.apply import Answers, Tick, call_on_records
from packyak.engine.run.compute.rows import as_record
from packyak.engine.run.due.work import record_inputs
from packyak.engine.run.scope import Scope
from packyak.engine.run.types import type_name
from packyak.engine.store.corrections import decode

DRAWN = "drawn"  # how a correction came to be whose record was drawn at random


def named(node: LearnedNode, part: pa.Table) -> pa.Table:
    """A slice of work (`_key`, a0, a1, ...) as the columns that the function reads, by their own names."""
    columns: dict[str, pa.ChunkedArray] = {KEY: part[KEY]}
    for place, parameter in enumerate(node.parameters):
        column = part[f"a{place}"]
        if parameter.takes == "column":
            columns[parameter.of] = column
        elif pa.types.is_struct(column.type):
            prefix = f"{parameter.name}." if parameter.takes == "lookup" else ""
            for at in range(column.type.num_fields):
                field = column.type.field(at)
                columns.setdefault(f"{prefix}{field.name}", pc.struct_field(column, [at]))
    return pa.table({name: column for name, column in columns.items() if _readable(column.type)})


def _readable(kind: pa.DataType) -> bool:
    """Types that a learner can look at; an all-null column has none yet and is text."""
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def ask_rule(node: LearnedNode, columns: Sequence[Sequence[Any]], count: int, tick: Tick) -> Answers:
    """The first rule's answers, with `...` as None; without a rule it has no opinion on anything."""
    if not node.has_rule:
        return Answers([None] * count)
    answers = call_on_records(node, node.function, columns, count, tick)
    answers.values = [None if value is ... else value for value in answers.values]
    return answers


def by_field(node: LearnedNode, values: Sequence[Any]) -> dict[str, list[Any]]:
    """The rule's answers by the column that they are for."""
    if node.returns == "scalar":
        return {column.name: list(values) for column in node.columns or ()}
    records = [None if value is None else as_record(value) for value in values]
    names = [column.name for column in node.columns or ()]
    found: dict[str, list[Any]] = {}
    for name in names:
        told = [None if record is None else record.get(name) for record in records]
        found[name] = [None if value is ... else value for value in told]
    return found


def with_rule(node: LearnedNode, records: pa.Table, opinions: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Records with the rule's opinions where the learners look for them."""
    if not node.has_rule:
        return records
    for task, columns in tasks_of(node):
        for column in columns:
            told = opinions[column.name]
            if task == "repair":
                kind = records.schema.field(column.name).type
                records = _replaced(records, column.name, _typed(told, kind))
            elif task == "regression":
                records = records.append_column(f"{RULE_COLUMN}{column.name}", _typed(told, pa.float64()))
            else:
                words = [None if value is None else str(_plain(value)) for value in told]
                records = records.append_column(f"{RULE_COLUMN}{column.name}", pa.array(words, pa.string()))
    return records


def _replaced(records: pa.Table, name: str, opinion: pa.Array) -> pa.Table:
    filled = pc.coalesce(opinion, records[name].combine_chunks())
    return records.set_column(records.schema.get_field_index(name), name, filled)


def _typed(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values of one type; what is not of it counts as no opinion."""
    plain = [_plain(value) for value in values]
    try:
        return pa.array(plain, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([_one(value, kind) for value in plain], kind)


def _one(value: Any, kind: pa.DataType) -> Any:
    try:
        return pa.scalar(value, kind).as_py()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def _plain(value: Any) -> Any:
    """An enum's member as it is stored."""
    return getattr(value, "value", value)


def reads_of(node: LearnedNode, records: pa.Table) -> list[str]:
    """The columns that the learners may look at: no key, no opinion of the rule."""
    return [name for name in records.column_names if name != KEY and not name.startswith(RULE_COLUMN)]


def all_records(scope: Scope, node: LearnedNode, tick: Tick) -> pa.Table:
    """Every record that the transform is asked about, as the learners see it."""
    part = record_inputs(scope, node)
    columns = [part[f"a{place}"].to_pylist() for place in range(len(node.parameters))] if node.has_rule else []
    opinions = by_field(node, ask_rule(node, columns, part.num_rows, tick).values)
    return with_rule(node, named(node, part), opinions)


def labels_of(scope: Scope, node: LearnedNode) -> tuple[Labels, tuple[str, ...]]:
    """What people said of the transform's answers, with the inputs that they saw; and the ids of what they said. Values
    that the declared type no longer allows teach nothing.
    """
    kinds = {column.name: column for column in node.columns or ()}
    types = {name: type_name(kind) for name, kind in scope.snapshot.types(node.source).items()}
    rows, ids = [], []
    for (asset, key, name), said in scope.in_force.items():
        column = kinds.get(name) if asset == node.name else None
        if column is None or said.kind not in ("correct", "accept"):
            continue
        try:
            value = decode(said.value, column.type)
        except (ValueError, TypeError):
            continue
        if column.choices is not None and value is not None and value not in column.choices:
            continue
        seen = _decoded(said.seen, types) if said.seen else None
        rows.append((key, name, value, said.kind, seen))
        ids.append(said.id)
    return Labels.from_rows(_with_rule_then(node, rows)), tuple(sorted(ids))


def drawn_keys(scope: Scope, asset: str) -> frozenset[str]:
    """The records that people were asked about at random."""
    return frozenset(key for (name, key, _), said in scope.in_force.items() if name == asset and said.origin == DRAWN)


def _decoded(seen: Mapping[str, Any], types: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, value in seen.items():
        try:
            found[name] = decode(value, types.get(name, "string"))
        except (ValueError, TypeError):
            found[name] = None
    return found


def _with_rule_then(node: LearnedNode, rows: list[Any]) -> list[Any]:
    """The inputs that people saw, with what the rule says of those: it may differ from what it says of today's."""
    if not node.has_rule or any(parameter.takes == "lookup" for parameter in node.parameters):
        return rows
    shown = [place for place, row in enumerate(rows) if row[4] is not None]
    columns = [
        [rows[place][4].get(p.of) if p.takes == "column" else dict(rows[place][4]) for place in shown]
        for p in node.parameters
    ]
    opinions = by_field(node, ask_rule(node, columns, len(shown), lambda _: None).values)
    tasks = {column.name: task for task, columns in tasks_of(node) for column in columns}
    for at, place in enumerate(shown):
        key, name, value, kind, seen = rows[place]
        for column, task in tasks.items():
            opinion = _plain(opinions[column][at])
            if task == "repair":
                seen = seen | ({column: opinion} if opinion is not None else {})
            else:
                told = None if opinion is None else opinion if task == "regression" else str(opinion)
                seen = seen | {f"{RULE_COLUMN}{column}": told}
        rows[place] = (key, name, value, kind, seen)
    return rows
