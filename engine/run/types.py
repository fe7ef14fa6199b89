"""Types by name: from a declaration's words to Arrow and to SQL, and values to and from text.

The declared names are those of `Column.type`; Arrow is the type system of everything stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import Column
from packyak.engine.store.values import decode

_SIMPLE: dict[str, pa.DataType] = {
    "string": pa.string(),
    "json": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "binary": pa.binary(),
    "decimal": pa.decimal128(38, 9),
}

_WORDS = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_integer, "int64"),
    (pa.types.is_floating, "float64"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_large_binary, "binary"),
)


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a declared one. Raises ValueError for a name that is none."""
    if name in _SIMPLE:
        return _SIMPLE[name]
    inner = re.fullmatch(r"(list|struct)<(.*)>", name, flags=re.DOTALL)
    if inner is None:
        raise ValueError(f"{name!r} is no column type")
    if inner[1] == "list":
        return pa.list_(arrow_type(inner[2]))
    return pa.struct([pa.field(field.strip(), arrow_type(kind.strip())) for field, kind in _fields(inner[2])])


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Splits `a: int64, b: list<struct<c: string>>` at its own commas only."""
    depth, start = 0, 0
    for place, letter in enumerate(text + ","):
        depth += (letter == "<") - (letter == ">")
        if letter == "," and depth == 0:
            name, _, kind = text[start:place].partition(":")
            yield name, kind
            start = place + 1


def type_name(kind: pa.DataType) -> str:
    """The declared name nearest to an Arrow type."""
    if _is_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{field.name}: {type_name(field.type)}' for field in kind)}>"
    return next((word for test, word in _WORDS if test(kind)), "string")


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def value_of(kept: Any, kind: pa.DataType) -> Any:
    """A value that is kept beside tables, as a column of this type has it. Raises ValueError or TypeError as `held`."""
    return held(decode(kept, type_name(kind)), kind)


def held(value: Any, kind: pa.DataType) -> Any:
    """A value as a column of this type gives it back. Raises ValueError or TypeError where the column cannot hold it:
    300 where it has 8 bits.
    """
    try:
        return pa.array([value], kind)[0].as_py()
    except OverflowError as error:
        raise ValueError(str(error)) from error


def duckdb_type(kind: pa.DataType) -> str:
    """The SQL type that a column of this Arrow type is cast to."""
    words = {
        "string": "varchar", "int64": "bigint", "float64": "double", "bool": "boolean", "date": "date", "time": "time",
        "timestamp": "timestamptz", "binary": "blob", "decimal": "decimal(38, 9)",
    }  # fmt: skip
    if _is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"struct({', '.join(f'{field.name} {duckdb_type(field.type)}' for field in kind)})"
    return words[type_name(kind)]


def as_texts(values: Sequence[str | None] | pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Texts as a column; what is one already stays as it is."""
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())


def schema_of(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of declared columns."""
    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in columns])
