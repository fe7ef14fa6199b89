"""From Python's types to column types: what an annotation stores, or why it cannot be stored.

Scalars, `Optional`, `Literal`, `Enum`, lists, dicts (JSON) and record classes (dataclass, TypedDict, NamedTuple,
pydantic model), nested ones as structs. Pydantic is recognised by its attributes and never imported.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import operator
import types
import typing
from collections.abc import Callable, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from packyak.engine.declare.nodes import Column, Scalar

SCALARS: dict[type, str] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    bytes: "binary",
    datetime: "timestamp",
    date: "date",
    time: "time",
    Decimal: "decimal",
}
STORABLE = (
    "str",
    "int",
    "float",
    "bool",
    "bytes",
    "datetime",
    "date",
    "time",
    "Decimal",
    "Literal[...]",
    "an Enum",
    "list[T]",
    "dict",
    "T | None",
    "a dataclass, TypedDict, NamedTuple or pydantic model of these",
)  # fmt: skip
RESERVED_COLUMNS = frozenset(
    [
        "_key",
        "_rowid",
        "_rowaddr",
        "_rowoffset",
        "_distance",
        "_score",
        "_relevance_score",
        "_row_created_at_version",
        "_row_last_updated_at_version",
    ]
)
LISTS = (list, tuple, Sequence, MutableSequence)
DICTS = (dict, Mapping, MutableMapping)


class CannotStore(Exception):
    """An annotation that is no column type. Its text is a clause: "`x: complex` cannot be stored"."""


@dataclass(frozen=True)
class ColumnType:
    """What an annotation stores."""

    type: str
    nullable: bool = False
    choices: tuple[Scalar, ...] | None = None


def shown(annotation: Any) -> str:
    """An annotation as its author would write it."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")


def plain(annotation: Any) -> Any:
    """An annotation without Annotated, Required, NewType and named aliases."""
    while True:
        if get_origin(annotation) in (Annotated, Required, NotRequired):
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def without_none(annotation: Any) -> tuple[Any, bool]:
    """The annotation less None, and whether None was in it."""
    annotation = plain(annotation)
    if annotation is None or annotation is type(None):
        return None, True
    if get_origin(annotation) is Literal:
        values = get_args(annotation)
        kept = tuple(value for value in values if value is not None)
        return (Literal[kept] if kept else None), len(kept) < len(values)
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, annotation is Any
    members = [plain(member) for member in get_args(annotation)]
    kept = tuple(member for member in members if member is not type(None))
    inner = [without_none(member) for member in kept]
    nullable = len(kept) < len(members) or any(none for _, none in inner)
    return (inner[0][0] if len(inner) == 1 else _union(member for member, _ in inner)), nullable


def _union(members: Iterable[Any]) -> Any:
    return functools.reduce(operator.or_, members)


def column_type(annotation: Any, _inside: tuple[Any, ...] = ()) -> ColumnType:
    """What an annotation stores. Raises CannotStore."""
    kind, nullable = without_none(annotation)
    if kind is None:
        raise CannotStore("None alone stores nothing")
    if kind in SCALARS:
        return ColumnType(SCALARS[kind], nullable)
    if kind is Any or kind is object:
        return ColumnType("json", True)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return _of_values(arguments, nullable, shown(kind))
    if origin in (Union, types.UnionType):
        return _of_union(kind, arguments, nullable)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _of_values([member.value for member in kind], nullable, shown(kind))
    if is_record(kind):
        return ColumnType(_struct(kind, _inside), nullable)
    if (origin or kind) in DICTS:
        return ColumnType("json", nullable)
    if (origin or kind) in LISTS:
        return ColumnType(_list(kind, arguments, _inside), nullable)
    if isinstance(kind, type) and issubclass(kind, str | int | float | bytes) and kind.__mro__[1] in SCALARS:
        return ColumnType(SCALARS[kind.__mro__[1]], nullable)
    raise CannotStore(f"`{shown(annotation)}` cannot be stored")


def _of_values(values: Iterable[Any], nullable: bool, text: str) -> ColumnType:
    known = [value.value if isinstance(value, enum.Enum) else value for value in values]
    kinds = {type(value) for value in known}
    if not known:
        raise CannotStore(f"`{text}` has no values")
    if len(kinds) > 1:
        raise CannotStore(
            f"`{text}` mixes {' and '.join(sorted(kind.__name__ for kind in kinds))}; a column has one type"
        )
    kind = kinds.pop()
    if kind not in (str, int, float, bool):
        raise CannotStore(f"`{text}` has values of type {kind.__name__}; they must be str, int, float or bool")
    return ColumnType(SCALARS[kind], nullable, tuple(known))


def _of_union(kind: Any, members: Sequence[Any], nullable: bool) -> ColumnType:
    if set(members) == {int, float}:
        return ColumnType("float64", nullable)
    if all(get_origin(member) is Literal for member in members):
        return _of_values([value for member in members for value in get_args(member)], nullable, shown(kind))
    raise CannotStore(f"`{shown(kind)}` could be any of {len(members)} types; a column has one")


def _list(kind: Any, arguments: Sequence[Any], inside: tuple[Any, ...]) -> str:
    if get_origin(kind) is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        raise CannotStore(f"`{shown(kind)}` has a fixed length; write list[T] or tuple[T, ...]")
    if not arguments:
        raise CannotStore(f"`{shown(kind)}` does not say of what; write list[str]")
    return f"list<{column_type(arguments[0], inside).type}>"


def _struct(record: Any, inside: tuple[Any, ...]) -> str:
    if record in inside:
        raise CannotStore(f"`{shown(record)}` contains itself")
    fields = record_columns(record, (*inside, record))
    return f"struct<{', '.join(f'{column.name}: {column.type}' for column in fields)}>"


def is_record(kind: Any) -> bool:
    """Whether a class names fields: a dataclass, TypedDict, NamedTuple or pydantic model."""
    if not isinstance(kind, type):
        return False
    named_tuple = issubclass(kind, tuple) and hasattr(kind, "_fields")
    return dataclasses.is_dataclass(kind) or typing.is_typeddict(kind) or named_tuple or hasattr(kind, "model_fields")


def record_columns(record: Any, _inside: tuple[Any, ...] = ()) -> tuple[Column, ...]:
    """The fields of a record class as columns. Raises CannotStore, naming the field."""
    found = []
    absent = record.__optional_keys__ if typing.is_typeddict(record) else frozenset()
    for name, annotation in _fields(record).items():
        try:
            kind = column_type(annotation, _inside or (record,))
        except CannotStore as problem:
            raise CannotStore(f"field `{name}` of `{shown(record)}`: {problem}") from None
        if name in RESERVED_COLUMNS:
            raise CannotStore(f"field `{name}` of `{shown(record)}`: the name is reserved")
        nullable = kind.nullable or name in absent
        found.append(Column(name, kind.type, nullable, kind.choices, _doc(annotation)))
    if not found:
        raise CannotStore(f"`{shown(record)}` has no fields")
    _refuse_twins(record, found)
    return tuple(found)


def _fields(record: Any) -> dict[str, Any]:
    hints = get_type_hints(record, include_extras=True)
    if hasattr(record, "model_fields"):
        names: Iterable[str] = record.model_fields
    elif dataclasses.is_dataclass(record):
        names = [field.name for field in dataclasses.fields(record)]
    elif typing.is_typeddict(record):
        return hints
    else:
        names = record._fields
    return {name: hints[name] for name in names}


def defaulted_fields(record: Any) -> frozenset[str]:
    """Fields that a record can be made without."""
    if hasattr(record, "model_fields"):
        return frozenset(name for name, field in record.model_fields.items() if not field.is_required())
    if dataclasses.is_dataclass(record):
        missing = dataclasses.MISSING
        return frozenset(
            field.name
            for field in dataclasses.fields(record)
            if field.default is not missing or field.default_factory is not missing
        )
    if typing.is_typeddict(record):
        return frozenset(record.__optional_keys__)
    return frozenset(getattr(record, "_field_defaults", ()))


def _doc(annotation: Any) -> str:
    if get_origin(annotation) is not Annotated:
        return ""
    return next((note for note in get_args(annotation)[1:] if isinstance(note, str)), "")


def _refuse_twins(record: Any, columns: Sequence[Column]) -> None:
    """Names that differ by case only are one name in SQL."""
    seen: dict[str, str] = {}
    for column in columns:
        twin = seen.setdefault(column.name.casefold(), column.name)
        if twin != column.name:
            raise CannotStore(f"fields `{twin}` and `{column.name}` of `{shown(record)}` differ by case only")


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """A function's annotations, texts resolved in its module and closure. Raises NameError, or what a text raises."""
    plain_function: Any = function
    while hasattr(plain_function, "__wrapped__"):
        plain_function = plain_function.__wrapped__
    cells = zip(plain_function.__code__.co_freevars, plain_function.__closure__ or (), strict=True)
    local = {name: cell.cell_contents for name, cell in cells if _filled(cell)}
    return get_type_hints(plain_function, localns=local or None, include_extras=True)


def _filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
