"""The bookkeeping beside each asset table: what each unit was computed from, and what the table does not show.

A unit is what a function is called on: a record for one-to-one transforms, a parent record or file for one-to-many,
and the single unit "" for whole assets. `aside` holds computed records that the table does not show as they are, as
JSON: {"beneath": {key: {column: value}}, "lost": {key: {column: value}}}: under a person's correction, or lost to a
newer file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from packyak.engine.run.read.view import KEY
from packyak.engine.run.types import as_texts, value_of
from packyak.engine.store.corrections import encode

SCHEMA = pa.schema(
    [
        pa.field(KEY, pa.string(), nullable=False),
        pa.field("inputs", pa.string()),
        pa.field("code", pa.string()),
        pa.field("decided", pa.string()),
        pa.field("model", pa.string()),
        pa.field("confidence", pa.float32()),
        pa.field("error", pa.string()),
        pa.field("aside", pa.string()),
        pa.field("detail", pa.string()),
        pa.field("run", pa.string()),
    ]
)

Record = dict[str, Any]


@dataclass
class Aside:
    """Computed records of one unit that the table does not show, by record key."""

    beneath: dict[str, Record] = field(default_factory=dict)
    lost: dict[str, Record] = field(default_factory=dict)

    def text(self, types: Mapping[str, pa.DataType]) -> str | None:
        """As stored; None when there is nothing."""
        parts = {
            name: _encoded(records, types)
            for name, records in (("beneath", self.beneath), ("lost", self.lost))
            if records
        }
        return json.dumps(parts, sort_keys=True) if parts else None


def read_aside(text: str | None, types: Mapping[str, pa.DataType]) -> Aside:
    """The inverse of `Aside.text`."""
    parts = json.loads(text) if text else {}
    return Aside(_decoded(parts.get("beneath", {}), types), _decoded(parts.get("lost", {}), types))


def _encoded(records: Mapping[str, Record], types: Mapping[str, pa.DataType]) -> dict[str, Record]:
    return {key: {name: encode(value) for name, value in record.items()} for key, record in records.items()}


def _decoded(records: Mapping[str, Record], types: Mapping[str, pa.DataType]) -> dict[str, Record]:
    return {
        key: {name: _value(value, types[name]) for name, value in record.items() if name in types}
        for key, record in records.items()
    }


def _value(value: Any, kind: pa.DataType) -> Any:
    """None where the column has another type by now, which has no such value."""
    try:
        return value_of(value, kind)
    except (TypeError, ValueError):
        return None


def memo_rows(
    units: Sequence[str] | pa.Array,
    *,
    inputs: Sequence[str | None] | pa.Array,
    code: str,
    decided: Sequence[str] | str = "function",
    model: str | None = None,
    confidence: Sequence[float | None] | None = None,
    errors: Mapping[int, str] | None = None,
    asides: Mapping[int, str | None] | None = None,
    details: Sequence[str | None] | None = None,
    run: str = "",
) -> pa.Table:
    """Memo rows of units that were just computed, by a run; `errors` and `asides` by place in `units`."""
    count = len(units)

    def sparse(values: Mapping[int, str | None] | Mapping[int, str] | None) -> pa.Array:
        if not values:
            return pa.nulls(count, pa.string())
        return pa.array([values.get(place) for place in range(count)], pa.string())

    def same(value: str | None) -> pa.Array:
        return pa.nulls(count, pa.string()) if value is None else pa.repeat(pa.scalar(value, pa.string()), count)

    return pa.Table.from_arrays(
        [
            as_texts(units),
            as_texts(inputs),
            same(code),
            same(decided) if isinstance(decided, str) else pa.array(decided, pa.string()),
            same(model),
            pa.nulls(count, pa.float32()) if confidence is None else pa.array(confidence, pa.float32()),
            sparse(errors),
            sparse(asides),
            pa.nulls(count, pa.string()) if details is None else pa.array(details, pa.string()),
            same(run or None),
        ],
        schema=SCHEMA,
    )
