"""The columns of stored tables: which may be stored, and how a table's columns meet those of new data.

Arrow types that differ only in memory layout (string views, dictionaries, zones called Etc/UTC) become one plain type
each.
"""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.errors import DataError, KeyProblem

KEY = "_key"
_UNCASTABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError)
_LANCE_OWN = {
    "_rowid",
    "_rowaddr",
    "_rowoffset",
    "_row_last_updated_at_version",
    "_row_created_at_version",
    "_distance",
    "_score",
}


def plain(data: pa.Table) -> pa.Table:
    """The table with each type in its one stored form."""
    wanted = pa.schema([field.with_type(plain_type(field.type)) for field in data.schema])
    columns = [_plain_values(data.column(place).cast(field.type)) for place, field in enumerate(wanted)]
    return pa.Table.from_arrays(columns, schema=pa.schema([pa.field(f.name, f.type, f.nullable) for f in wanted]))


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The one stored form of a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind) and kind.tz not in (None, "UTC"):
        return pa.timestamp(kind.unit, "UTC")
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        return pa.list_(plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, plain_type(field.type)) for field in kind])
    return kind


def _plain_values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """One NaN: processors differ in the sign that they give it, and tables compare it bit by bit."""
    if not pa.types.is_floating(column.type) or pa.types.is_float16(column.type):
        return column
    strange = pc.is_nan(column)
    if not pc.any(strange).as_py():
        return column
    return pc.if_else(strange, pa.scalar(float("nan"), column.type), column)


def checked(data: pa.Table, name: str, *, unique: bool = False) -> pa.Table:
    """Answers `data`. Raises KeyProblem or DataError, naming keys or columns, where it cannot be stored.

    unique: the keys are known to be, so they are not looked at again.
    """
    _check_columns(data, name)
    keys = data[KEY]
    if not pa.types.is_string(keys.type):
        raise KeyProblem(
            f"the keys of {name} are {keys.type}, not string", asset=name, next_step="cast the key to string"
        )
    if keys.null_count:
        raise KeyProblem(
            f"{keys.null_count} records of {name} have no key",
            asset=name,
            next_step="give every record a key that is not null",
        )
    if not unique and pc.count_distinct(keys).as_py() != len(keys):
        counts = pc.value_counts(keys.combine_chunks() if keys.num_chunks != 1 else keys.chunk(0))
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        shown = ", ".join(repr(key) for key in twice[:5].to_pylist())
        raise KeyProblem(
            f"{len(twice)} keys of {name} occur more than once: {shown}",
            asset=name,
            keys=twice[:20].to_pylist(),
            next_step="choose a key that is unique in the asset, or remove the repeated records",
        )
    return data


def _check_columns(data: pa.Table, name: str) -> None:
    if KEY not in data.column_names:
        raise KeyProblem(
            f"the records of {name} have no column {KEY}", asset=name, next_step=f"name the key column {KEY}"
        )
    check_names(data.column_names, name)


def check_names(columns: Iterable[str], name: str) -> None:
    """Raises DataError naming a column that cannot be stored under its name."""
    seen: dict[str, str] = {}
    for column in columns:
        if not column or "." in column or "`" in column or column in _LANCE_OWN or "\0" in column:
            raise DataError(
                f"a column of {name} cannot be called {column!r}",
                asset=name,
                next_step="rename it: a column's name is not empty and has no dot and no backtick",
            )
        twin = seen.setdefault(column.lower(), column)
        if twin is not column:
            raise DataError(
                f"the columns {twin!r} and {column!r} of {name} differ only in case or not at all",
                asset=name,
                next_step="rename one of them: SQL does not tell them apart",
            )


def retyped(stored: pa.Schema, fresh: pa.Schema, widen: bool) -> pa.Schema:
    """The columns that a table has once it took data with the columns `fresh`, in the stored order, new ones last."""
    fields = []
    for field in stored:
        if field.name in fresh.names:
            kind = fresh.field(field.name).type
            fields.append(field.with_type(wider(field.type, kind) if widen else _known(field.type, kind)))
        elif widen or field.name == KEY:
            fields.append(field)
    fields += [pa.field(field.name, field.type) for field in fresh if field.name not in stored.names]
    return pa.schema(fields)


def _known(stored: pa.DataType, fresh: pa.DataType) -> pa.DataType:
    """A column of nothing but nulls says nothing about its type."""
    return stored if pa.types.is_null(fresh) else fresh


def wider(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """A type that holds the values of both: the wider number, else text."""
    if one == other:
        return one
    try:
        both = (
            pa.unify_schemas([pa.schema([("x", one)]), pa.schema([("x", other)])], promote_options="permissive")
            .field("x")
            .type
        )
    except _UNCASTABLE:
        return pa.string()
    return plain_type(both)


def aligned(data: pa.Table, wanted: pa.Schema) -> pa.Table:
    """The data with exactly the wanted columns: missing ones null, others cast, null where a value cannot be."""
    columns = [_cast(data, field) for field in wanted]
    return pa.Table.from_arrays(columns, schema=wanted)


def _cast(data: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name not in data.column_names:
        return pa.chunked_array([pa.nulls(data.num_rows, field.type)])
    column = data[field.name]
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except _UNCASTABLE:
        return pa.chunked_array([[_one(value, field.type) for value in column]], field.type)


def _one(value: pa.Scalar, kind: pa.DataType) -> object:
    if not value.is_valid:
        return None
    try:
        if pa.types.is_string(kind):
            return str(value.as_py())
        return value.cast(kind).as_py()
    except (*_UNCASTABLE, OverflowError, ValueError):
        return None
