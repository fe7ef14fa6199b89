"""What each parameter of a function is bound to, by name: columns for transforms, declared things for assets.

The binding needs the columns that a transform's source shows; where only a run shows them (`None`), any name may be a column
and the run decides.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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


def signature(reader: Reader) -> list[inspect.Parameter]:
    """The parameters in order. Raises DeclarationError for *args and **kwargs."""
    found = list(inspect.signature(reader.function).parameters.values())
    for parameter in found:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise refuse(
                reader.origin,
                f"{reader.kind} `{reader.name}` takes `{stars}{parameter.name}`, but what it reads is known by its parameters' names",
                "name each parameter",
            )
    return found


def of_file_transform(reader: Reader, is_bucket: Callable[[str], str | None]) -> tuple[Parameter, ...]:
    """Binds the parameters of a transform over files: a `File`, columns of the file, buckets."""
    bound = []
    for parameter in signature(reader):
        kind, optional = _kind(reader, parameter)
        required = parameter.default is parameter.empty
        facts = {"optional": optional, "required": required, "annotation": reader.hints.get(parameter.name)}
        if kind is File or (kind is None and parameter.name == "file"):
            bound.append(Parameter(parameter.name, "file", **facts))
        elif kind is Bucket:
            bound.append(Parameter(parameter.name, "bucket", _the_bucket(reader, parameter.name, is_bucket), **facts))
        elif parameter.name in FILE_COLUMNS:
            bound.append(Parameter(parameter.name, "column", parameter.name, **facts))
        elif required:
            raise refuse(
                reader.origin,
                f"{reader.kind} `{reader.name}` reads `{parameter.name}`, but its records are files",
                f"write `{parameter.name}: File`, or name what a file has: {', '.join(FILE_COLUMNS)}",
            )
    return tuple(bound)


def of_transform(
    reader: Reader, source: str, view: View | None, lookup: Mapping[str, str], is_bucket: Callable[[str], str | None]
) -> tuple[Parameter, ...]:
    """Binds the parameters of a transform over records."""
    bound = []
    names = signature(reader)
    for name in lookup:
        if name not in {parameter.name for parameter in names}:
            raise refuse(
                reader.origin, f"{reader.kind} `{reader.name}` looks up `{name}`, but has no parameter of that name",
                f"add a parameter `{name}`, or leave the lookup out",
            )  # fmt: skip
    for parameter in names:
        found = _bind(reader, parameter, source, view, lookup, is_bucket)
        if found is not None:
            bound.append(found)
    return tuple(bound)


def _bind(
    reader: Reader,
    parameter: inspect.Parameter,
    source: str,
    view: View | None,
    lookup: Mapping[str, str],
    is_bucket: Callable[[str], str | None],
) -> Parameter | None:
    name, required = parameter.name, parameter.default is parameter.empty
    kind, optional = _kind(reader, parameter)
    annotation = reader.hints.get(name)
    if name in lookup:
        by = lookup[name]
        must_have(reader, f"looks `{name}` up by `{by}`", by, source, view)
        fields = tuple(column.name for column in _record(reader, kind)) if is_record(kind) else ()
        return Parameter(name, "lookup", name, "", fields, by, optional, required, annotation)
    if kind is Bucket:
        return Parameter(name, "bucket", _the_bucket(reader, name, is_bucket), "", (), "", optional, required, annotation)
    if kind is File:
        raise refuse(
            reader.origin, f"{reader.kind} `{reader.name}` takes `{name}: File`, but `{source}` has records, not files",
            "read columns of the record, or make a bucket's files its source",
        )  # fmt: skip
    if is_record(kind) and (view is None or name not in view):
        return _whole_record(reader, name, kind, source, view, optional, required, annotation)
    if view is None or name in view:
        if view is not None:
            _fits(reader, name, annotation, view[name].column)
        return Parameter(name, "column", name, "", (), "", optional, required, annotation)
    if not required and nearest(name, view) is None:
        return None  # its default stands; the default is part of the function's code
    must_have(reader, f"reads `{name}`", name, source, view)
    return None


def _whole_record(
    reader: Reader, name: str, kind: Any, source: str, view: View | None, optional: bool, required: bool, annotation: Any
) -> Parameter:
    left_out = defaulted_fields(kind)
    fields = []
    for column in _record(reader, kind):
        if view is not None and column.name not in view and column.name in left_out:
            continue
        must_have(reader, f"reads `{column.name}` (a field of `{shown(kind)}`)", column.name, source, view)
        fields.append(column.name)
    return Parameter(name, "record", "", "", tuple(fields), "", optional, required, annotation)


def _record(reader: Reader, kind: Any) -> tuple[Column, ...]:
    try:
        return record_columns(kind)
    except CannotStore as problem:
        raise refuse(reader.origin, f"{reader.kind} `{reader.name}`: {problem}", "read fields that can be stored") from None


def must_have(reader: Reader, does: str, column: str, source: str, view: View | None) -> None:
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
        raise refuse(
            reader.origin, f"{reader.kind} `{reader.name}` takes the bucket `{name}`, which is not declared",
            f'declare it: `{name} = Bucket("{name}")`',
        )  # fmt: skip
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


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
