"""What the tests of tables store and find."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from packyak.engine.store.tables import Table


def rows(*records: dict[str, Any], schema: pa.Schema | None = None) -> pa.Table:
    return pa.Table.from_pylist(list(records), schema=schema)


def stored(table: Table, version: int | None = None) -> dict[str, dict[str, Any]]:
    return {row.pop("_key"): row for row in table.read(version=version).to_pylist()}
