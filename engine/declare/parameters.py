"""What each parameter of a function is bound to, by name: columns for transforms, declared things for assets.

The binding needs the columns that a transform's source shows; where only a run shows them (`None`), any name may be a
column and the run decides.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from packyak.engine.declare.bucket import FILE_COLUMNS, Bucket, File
from packyak.engine.declare.columns import (
    DICTS,
    CannotStore,
    column_type,
    defaulted_fields,
    is_record,
    record_columns,
    shown,
    without_none,
)
from packyak.engine.declare.found import a_kind
from packyak.engine.declare.nodes import Column, Origin, Parameter
from packyak.engine.declare.options import refuse
from packyak.engine.declare.returns import several_of, table_form
from packyak.engine.errors import nearest

FORMS = ("pa.Table", "pa.RecordBatchReader", "pd.DataFrame", "Iterator[dict]", "Bucket", "nothing (a DuckDB relation)")
NUMBERS = ("int64", "float64", "decimal")


@dataclass(frozen=True)
class Owned:
    """A column of a view and the asset that computes it."""

    column: Column
    owner: str


View = Mapping[str, Owned]


@dataclass(frozen=True)
class Reader:
    """The function whose parameters are bound."""

    kind: str
    name: str
    origin: Origin
    function: Callable[..., Any]
    hints: Mapping[str, Any]


@dataclass(frozen=True)
class Records:
    """The records that a transform reads: whose, with which columns. bucket: finds a bucket by a user's word."""

    source: str
    view: View | None
    bucket: Callable[[str], str | None]


def signature(reader: Reader) -> list[inspect.Parameter]:
    """The parameters in order. Raises DeclarationError for *args and **kwargs."""
    found = list(inspect.signature(reader.function).parameters.values())
    for parameter in found:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            what = f"{reader.kind} `{reader.name}` takes `{stars}{parameter.name}`, but parameters are bound by name"
            raise refuse(reader.origin, what, "name each parameter")
    return found


def of_file_transform(reader: Reader, bucket: Callable[[str], str | None]) -> tuple[Parameter, ...]:
    """Binds the parameters of a transform over files: a `File`, what is known of the file, buckets."""
    bound = (_of_file(reader, parameter, bucket) for parameter in signature(reader))
    return tuple(parameter for parameter in bound if parameter is not None)


def _of_file(reader: Reader, parameter: inspect.Parameter, bucket: Callable[[str], str | None]) -> Parameter | None:
    name = parameter.name
    kind, _ = _kind(reader, parameter)
    if kind is File or (kind is None and name == "file"):
        return _plain(reader, parameter, "file")
    if kind is Bucket:
        return _plain(reader, parameter, "bucket", _the_bucket(reader, name, bucket))
    if name in FILE_COLUMNS:
        return _plain(reader, parameter, "column", name)
    if parameter.default is not parameter.empty:
        return None
    what = f"{reader.kind} `{reader.name}` reads `{name}`, but its records are files"
    raise refuse(reader.origin, what, f"write `{name}: File`, or name what a file has", FILE_COLUMNS)


def of_transform(reader: Reader, records: Records, lookup: Mapping[str, str]) -> tuple[Parameter, ...]:
    """Binds the parameters of a transform over records."""
    parameters = signature(reader)
    names = [parameter.name for parameter in parameters]
    for name in lookup:
        if name not in names:
            what = f"{reader.kind} `{reader.name}` looks up `{name}`, but has no parameter of that name"
            raise refuse(reader.origin, what, f"add a parameter `{name}`, or leave the lookup out", names)
    bound = (_of_record(reader, parameter, records, lookup.get(parameter.name)) for parameter in parameters)
    return tuple(parameter for parameter in bound if parameter is not None)


def _of_record(reader: Reader, parameter: inspect.Parameter, records: Records, by: str | None) -> Parameter | None:
    name, view = parameter.name, records.view
    kind, _ = _kind(reader, parameter)
    if by is not None:
        must_have(reader, f"looks `{name}` up by `{by}`", by, records.source, view)
        fields = tuple(column.name for column in _fields(reader, kind)) if is_record(kind) else ()
        return replace(_plain(reader, parameter, "lookup", name), fields=fields, by=by)
    if kind is Bucket:
        return _plain(reader, parameter, "bucket", _the_bucket(reader, name, records.bucket))
    if kind is File:
        what = f"{reader.kind} `{reader.name}` takes `{name}: File`, but `{records.source}` has records, not files"
        raise refuse(reader.origin, what, "read columns of the record, or make a bucket's files its source")
    if is_record(kind) and (view is None or name not in view):
        return replace(_plain(reader, parameter, "record"), fields=_whole_record(reader, kind, records))
    if view is not None and name in view:
        _fits(reader, name, reader.hints.get(name), view[name].column)
    elif view is not None and parameter.default is not parameter.empty and nearest(name, view) is None:
        return None  # its default stands; the default is part of the function's code
    else:
        must_have(reader, f"reads `{name}`", name, records.source, view)
    return _plain(reader, parameter, "column", name)


def _plain(reader: Reader, parameter: inspect.Parameter, takes: Any, of: str = "") -> Parameter:
    _, optional = _kind(reader, parameter)
    return Parameter(
        parameter.name,
        takes,
        of,
        optional=optional,
        required=parameter.default is parameter.empty,
        annotation=reader.hints.get(parameter.name),
    )


def _whole_record(reader: Reader, kind: Any, records: Records) -> tuple[str, ...]:
    """The fields of a record class that the source has; only those with a default may be missing."""
    view, left_out = records.view, defaulted_fields(kind)
    names = [column.name for column in _fields(reader, kind)]
    fields = [name for name in names if view is None or name in view or name not in left_out]
    for name in fields:
        must_have(reader, f"reads `{name}` (a field of `{shown(kind)}`)", name, records.source, view)
    return tuple(fields)


def _fields(reader: Reader, kind: Any) -> tuple[Column, ...]:
    try:
        return record_columns(kind)
    except CannotStore as problem:
        what = f"{reader.kind} `{reader.name}`: {problem}"
        raise refuse(reader.origin, what, "read fields that can be stored") from None


def must_have(reader: Reader, does: str, column: str, source: str, view: View | None) -> None:
    """Refuses what names no column of the source, where its columns are known."""
    if view is None or column in view:
        return
    meant = nearest(column, view)
    raise refuse(
        reader.origin,
        f"{reader.kind} `{reader.name}` {does}, which is no column of `{source}`",
        f"did you mean `{meant}`?" if meant else f"read one of these, or add the column to `{source}`",
        [f"{name} ({owned.owner})" for name, owned in view.items()],
    )


def _fits(reader: Reader, name: str, annotation: Any, column: Column) -> None:
    """Refuses a parameter whose scalar type is plainly another than its column's."""
    if annotation is None:
        return
    try:
        wanted = column_type(annotation)
    except CannotStore:
        return  # an annotation that cannot be stored may still be read
    kinds = (wanted.type, column.type)
    loose = "json" in kinds or any("<" in kind for kind in kinds) or all(kind in NUMBERS for kind in kinds)
    if not loose and wanted.type != column.type:
        raise refuse(
            reader.origin,
            f"{reader.kind} `{reader.name}` reads `{name}` as `{shown(annotation)}`, but that column is {column.type}",
            f"annotate `{name}` with the column's type",
        )


def _kind(reader: Reader, parameter: inspect.Parameter) -> tuple[Any, bool]:
    annotation = reader.hints.get(parameter.name, parameter.empty)
    if annotation is parameter.empty:
        return None, False
    return without_none(annotation)


def _the_bucket(reader: Reader, name: str, is_bucket: Callable[[str], str | None]) -> str:
    found = is_bucket(name)
    if found is None:
        what = f"{reader.kind} `{reader.name}` takes the bucket `{name}`, which is not declared"
        raise refuse(reader.origin, what, f'declare it: `{name} = Bucket("{name}")`')
    return found


def asset_form(reader: Reader, name: str) -> str:
    """How an asset is handed over, by its parameter's annotation."""
    annotation = reader.hints.get(name)
    if annotation is None or annotation is Any:
        return "relation"
    form = table_form(annotation)
    if form is not None:
        return form
    several, item = several_of(annotation)
    kind = without_none(item)[0] if several and item is not None else None
    if kind is Any or is_record(kind) or (getattr(kind, "__origin__", None) or kind) in DICTS:
        return "dicts"
    raise refuse(
        reader.origin,
        f"{reader.kind} `{reader.name}` takes `{name}` as `{shown(annotation)}`, and an asset cannot be handed over so",
        "annotate it with one of these",
        FORMS,
    )


def to_thing(reader: Reader, parameter: inspect.Parameter, name: str, thing: object) -> Parameter:
    """Binds a parameter to a declared asset or bucket; its annotation says how it is handed over."""
    annotation = reader.hints.get(parameter.name)
    kind = without_none(annotation)[0] if annotation is not None else Any
    is_bucket = isinstance(thing, Bucket)
    if is_bucket != (kind is Bucket) and kind is not Any:
        what = f"{reader.kind} `{reader.name}` takes `{parameter.name}` as `{shown(kind)}`, but it is {a_kind(thing)}"
        next_step = f"annotate `{parameter.name}: Bucket`" if is_bucket else "annotate it with one of these"
        raise refuse(reader.origin, what, next_step, FORMS)
    bound = _plain(reader, parameter, "bucket" if is_bucket else "asset", name)
    return bound if is_bucket else replace(bound, form=asset_form(reader, parameter.name))
