"""Records like a given one: by the vectors of their texts where those are kept, else by equal values.

Nothing is embedded here: what no run or index has embedded yet has no vector. All work is done on whole columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import TransformNode
from packyak.engine.run.questions import Neighbour
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, Snapshot, quoted
from packyak.engine.run.review.space import inputs_of, space_of
from packyak.engine.store.corrections import encode
from packyak.engine.store.tables import among


@dataclass(frozen=True)
class Near:
    """What is looked for: records near one whose column has the value `was` and that nobody decided."""

    asset: str
    key: str
    column: str
    owner: str
    was: Any
    k: int


def nearest_records(reader: Reader, snapshot: Snapshot, near: Near) -> tuple[str, tuple[Neighbour, ...]]:
    """The k nearest, and by what they were found: "vectors" or "values"."""
    keys = _candidates(reader, snapshot, near)
    space = space_of(reader, snapshot, near.owner)
    by, found = "values", list[tuple[str, float | None]]()
    if space is not None and near.key in space.place:
        by, found = "vectors", list(space.nearest(near.key, keys[KEY].to_pylist(), near.k))
    if not found:
        by, found = "values", _by_values(reader, snapshot, near, keys)
    return by, described(reader, snapshot, near.owner, found, dict.fromkeys((key for key, _ in found), near.was))


def _candidates(reader: Reader, snapshot: Snapshot, near: Near) -> pa.Table:
    """The keys of records that have the old value and that no person decided."""
    inner = snapshot.select(near.asset, [near.column])
    decided = [key for owner, key, column in reader.scope.in_force if (owner, column) == (near.owner, near.column)]
    tables = {**inner.tables, "decided": pa.table({KEY: pa.array([*decided, near.key], pa.string())})}
    sql = f"select {KEY} from ({inner.sql}) as v where {quoted(near.column)} is not distinct from ? "
    return reader.scope.query.run(
        f"{sql} and {KEY} not in (select {KEY} from decided) order by {KEY}", tables, [near.was]
    )


def _by_values(reader: Reader, snapshot: Snapshot, near: Near, keys: pa.Table) -> list[tuple[str, float | None]]:
    """Those with most inputs equal to this record's, then with texts of the same shape (letters, digits, marks)."""
    asset, names = inputs_of(reader, snapshot, near.owner)
    names = [name for name in names if (asset, name) != (near.asset, near.column)]
    if not names:
        return [(key, None) for key in keys[KEY].to_pylist()[: near.k]]
    inner = snapshot.select(asset, names)
    score = " + ".join(
        f"2 * (v.{column} is not distinct from o.{column})::int + ({shape(f'v.{column}')} is not distinct from "
        f"{shape(f'o.{column}')})::int"
        for column in map(quoted, names)
    )
    sql = (
        f"with v as ({inner.sql}), o as (select * from v where {KEY} = ?) "
        f"select v.{KEY} from v semi join candidates as c on c.{KEY} = v.{KEY} cross join o "
        f"order by {score} desc, v.{KEY} limit {int(near.k)}"
    )
    found = reader.scope.query.run(sql, {**inner.tables, "candidates": keys}, [near.key])
    return [(key, None) for key in found[KEY].to_pylist()]


def shape(column: str) -> str:
    """SQL for the shape of a value: words of letters as a, of digits as 9."""
    text = f"cast({column} as varchar)"
    return f"regexp_replace(regexp_replace({text}, '[[:alpha:]]+', 'a', 'g'), '[0-9]+', '9', 'g')"


def described(
    reader: Reader,
    snapshot: Snapshot,
    owner: str,
    found: Sequence[tuple[str, float | None]],
    values: Mapping[str, Any],
) -> tuple[Neighbour, ...]:
    """Neighbours with what they were computed from and who decided."""
    keys = list(dict.fromkeys(key for key, _ in found))
    shown, notes = inputs_shown(reader, snapshot, owner, keys), notes_on(reader, owner, keys)
    return tuple(
        Neighbour(
            key,
            values.get(key),
            str(notes.get(key, {}).get("decided") or "function"),
            None if similarity is None else round(similarity, 4),
            shown.get(key, {}),
        )
        for key, similarity in found
    )


def inputs_shown(reader: Reader, snapshot: Snapshot, owner: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What a person sees of each record, by key."""
    asset, names = inputs_of(reader, snapshot, owner)
    inner = snapshot.select(asset, names)
    tables = {**inner.tables, "wanted_keys": pa.table({KEY: pa.array(keys, pa.string())})}
    sql = f"select v.* from ({inner.sql}) as v semi join wanted_keys using ({KEY})"
    rows = reader.scope.query.run(sql, tables).to_pylist() if keys else []
    return {row[KEY]: {name: encode(row[name]) for name in names} for row in rows}


def notes_on(reader: Reader, owner: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The memo of one-to-one transforms, by key: decided, confidence, error, inputs, model."""
    node, memo = reader.graph[owner], reader.scope.memo(owner)
    if not isinstance(node, TransformNode) or node.many or not memo.exists():
        return {}
    names = [KEY, "inputs", "decided", "model", "confidence", "error", "aside"]
    return {row[KEY]: row for row in among(memo.dataset(), pa.array(keys, pa.string()), names).to_pylist()}
