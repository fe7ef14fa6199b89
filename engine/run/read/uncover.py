"""What was computed, beneath what people said: stored records with their corrections lifted off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from packyak.engine.run.compute.memo import read_aside
from packyak.engine.run.read.view import KEY, PARENT
from packyak.engine.store.tables import among


def uncovered(
    table: Any, memo: Any, keys: Sequence[str], look: Callable[[Any, pa.Array], pa.Table] = among
) -> tuple[pa.Table, pa.Table]:
    """The records with these keys as computed, and the memo rows of their units with nothing laid beneath those keys.

    table, memo: data sets of one asset. Keys that the table lacks are left out. look: finds records by key.
    """
    rows = look(table, pa.array(keys, pa.string()))
    wanted = set(keys)
    names = wanted | {""}
    if PARENT in rows.column_names:
        names |= set(rows[PARENT].to_pylist())
    notes = look(memo, pa.array(sorted(names), pa.string()))
    types = {f.name: f.type for f in table.schema if not f.name.startswith("_")}
    beneath: dict[str, dict[str, Any]] = {}
    lifted = notes.to_pylist()
    for unit in lifted:
        aside = read_aside(unit["aside"], types)
        beneath |= {key: record for key, record in aside.beneath.items() if key in wanted}
        aside.beneath = {key: record for key, record in aside.beneath.items() if key not in wanted}
        unit["aside"] = aside.text(types)
    records = [record | beneath.get(record[KEY], {}) for record in rows.to_pylist()]
    return pa.Table.from_pylist(records, schema=rows.schema), pa.Table.from_pylist(lifted, schema=notes.schema)
