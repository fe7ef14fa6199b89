"""The content hash of records: what makes two versions of an asset equal, wherever and in whatever order they were
computed.

The hash of a record is the MD5 of a head, which stands for the names and types of its columns, and of the values as
text, each with its length before it. The hash of a table is the sum of its records' hashes, so a change costs as much
as what changed. These rules never change: a different hash would make every stored version look changed. (MD5 is built
into the SQL engine and nothing here guards against forgery.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
from packyak.engine.store.shape import plain_type

_NULL = "n"


def version_name(number: int) -> str:
    """The public name of a content hash: 12 hex digits."""
    return hashlib.md5((number % 2**128).to_bytes(16, "big"), usedforsecurity=False).hexdigest()[:12]


def row_hash_sql(columns: Sequence[tuple[str, pa.DataType]], alias: str = "") -> str:
    """SQL for the 32 hex digits of a record's content hash over these columns, in whatever order they are given."""
    return f"md5({_row_text(columns, alias)})"


def hash_select(columns: Sequence[tuple[str, pa.DataType]], table: str) -> str:
    """A query for the sums `high` and `low` of both halves of the hashes of all records of a table."""
    return (
        "select sum((h >> 64)::ubigint) as high, sum((h & 18446744073709551615::uhugeint)::ubigint) as low "
        f"from (select md5_number({_row_text(columns, '')}) as h from {_quoted(table)})"
    )


def head(columns: Sequence[tuple[str, pa.DataType]]) -> str:
    """32 hex digits for names and types: each with its length before it, in the order of the names."""
    parts = [part for name, kind in sorted(columns) for part in (name, str(plain_type(kind)))]
    text = "".join(f"{len(part.encode())}:{part}" for part in parts)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _row_text(columns: Sequence[tuple[str, pa.DataType]], alias: str) -> str:
    prefix = f"{alias}." if alias else ""
    ordered = sorted(columns, key=lambda column: column[0])
    values = [_framed(f"{prefix}{_quoted(name)}", plain_type(kind), 0) for name, kind in ordered]
    return f"concat({', '.join([chr(39) + head(ordered) + chr(39), *values])})"


def _framed(value: str, kind: pa.DataType, depth: int) -> str:
    """`<length in bytes>:<text>`, or n for null: no two different rows of values have the same text."""
    text = _text(value, kind, depth)
    return f"case when {value} is null then '{_NULL}' else concat(strlen({text}), ':', {text}) end"


def _text(value: str, kind: pa.DataType, depth: int) -> str:
    """One text per value, the same on every machine. Zero has no sign, there is one NaN, times count from 1970."""
    if pa.types.is_null(kind):
        return f"'{_NULL}'"
    if pa.types.is_string(kind):
        return value
    if pa.types.is_float16(kind) or pa.types.is_floating(kind):
        return f"case when isnan({value}) then 'nan' else ({value} + 0)::varchar end"
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return f"hex({value})"
    if pa.types.is_timestamp(kind):
        return f"epoch_ns({value})::varchar" if kind.unit == "ns" and kind.tz is None else f"epoch_us({value})::varchar"
    if pa.types.is_map(kind):
        entry = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
        return _text(f"map_entries({value})", pa.list_(entry), depth)
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        one = f"x{depth}"
        framed = _framed(one, kind.value_type, depth + 1)
        return f"concat(len({value}), '[', array_to_string(list_transform({value}, lambda {one}: {framed}), ''))"
    if pa.types.is_struct(kind):
        fields = sorted(kind, key=lambda field: field.name)
        return f"concat({', '.join(_framed(f'{value}.{_quoted(f.name)}', f.type, depth) for f in fields) or repr('')})"
    return f"{value}::varchar"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
