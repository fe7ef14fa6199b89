"""A person's value before the function's: applies the corrections of one asset to computed rows.

On transforms a correction always wins. On aggregates and whole tables it holds while the computed value equals the
one that the person saw; otherwise it parks, to be looked at again. Nothing is ever dropped: what cannot be applied is
named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.run.read.view import KEY
from packyak.engine.run.types import value_of
from packyak.engine.store.corrections import Correction


@dataclass(frozen=True)
class Overrides:
    """The corrections in force on one asset. `conditional`: they hold only while the computed value is the one seen."""

    in_force: Mapping[tuple[str, str], Correction]
    conditional: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(key for key, _ in self.in_force))

    def apply(self, rows: pa.Table) -> tuple[pa.Table, dict[str, dict[str, Any]], list[str]]:
        """The rows with corrected values, what was computed beneath them by key, and the corrections that could not
        be applied.
        """
        if not self.in_force or not rows.num_rows:
            return rows, {}, []
        mine = pc.is_in(rows[KEY], pa.array(list(self.keys), pa.string()))
        touched = rows.filter(mine)
        if not touched.num_rows:
            return rows, {}, []
        types = {f.name: f.type for f in rows.schema}
        records = touched.to_pylist()
        beneath: dict[str, dict[str, Any]] = {}
        parked: list[str] = []
        for record in records:
            self._apply_to(record, types, beneath, parked)
        corrected = pa.Table.from_pylist(records, schema=rows.schema)
        return pa.concat_tables([rows.filter(pc.invert(mine)), corrected]), beneath, parked

    def _apply_to(
        self,
        record: dict[str, Any],
        types: Mapping[str, pa.DataType],
        beneath: dict[str, dict[str, Any]],
        parked: list[str],
    ) -> None:
        key = record[KEY]
        for column in types:
            correction = self.in_force.get((key, column))
            if correction is None:
                continue
            computed = record[column]
            value = self._value(correction, types[column], computed)
            if value is _PARKED:
                parked.append(correction.id)
                continue
            beneath.setdefault(key, {})[column] = computed
            record[column] = value

    def _value(self, correction: Correction, kind: pa.DataType, computed: Any) -> Any:
        try:
            value = value_of(correction.value, kind)
            seen = value_of(correction.computed, kind) if self.conditional else None
        except (ValueError, TypeError):
            return _PARKED
        return _PARKED if self.conditional and computed != seen else value


_PARKED = object()


def holds(correction: Correction, value: Any, kind: pa.DataType, *, conditional: bool) -> bool:
    """Whether a value is there by a correction in force, or that waits: for another type, or (conditional) for what was
    computed when it was said."""
    try:
        said = value_of(correction.value, kind)
    except (ValueError, TypeError):
        return False
    return not conditional or said == value or (said != said and value != value)
