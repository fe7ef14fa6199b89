"""What a function's return annotation says is written: one record or several, and which columns.

`-> str` one column, `-> Row` its fields, `-> Iterator[Row]` several records, `-> Iterator[dict]` columns known only at
run, `-> pa.Table` (from a file) a whole table.
"""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from packyak.engine.declare.columns import (
    DICTS,
    LISTS,
    CannotStore,
    column_type,
    is_record,
    plain,
    record_columns,
    shown,
    without_none,
)
from packyak.engine.declare.nodes import Column

STREAMS = (Iterator, Iterable, Generator, AsyncIterator, AsyncIterable, AsyncGenerator)
TABLES = {
    "Table": "table",
    "RecordBatch": "table",
    "RecordBatchReader": "reader",
    "DataFrame": "frame",
    "Records": "table",
}
TABLE_HOMES = ("pyarrow", "pandas", "polars", "packyak")
RELATION = "DuckDBPyRelation"


class WrongReturn(Exception):
    """A return annotation that says nothing storable. text: a clause; next_step: what to write."""

    def __init__(self, text: str, next_step: str) -> None:
        super().__init__(text)
        self.next_step = next_step


@dataclass(frozen=True)
class Returned:
    """How a function answers. columns: None where only a run shows them."""

    many: bool
    returns: Literal["scalar", "record", "dicts", "table"]
    columns: tuple[Column, ...] | None
    return_class: Any = None


def table_form(annotation: Any) -> str | None:
    """table | reader | frame | relation for a library's table class, recognised by name so that none is imported."""
    name, home = getattr(annotation, "__name__", ""), str(getattr(annotation, "__module__", ""))
    if name == RELATION:
        return "relation"
    return TABLES.get(name) if home.split(".")[0] in TABLE_HOMES else None


def several_of(annotation: Any) -> tuple[bool, Any]:
    """Whether an annotation is several of something, and of what (None: not said)."""
    kind = plain(annotation)
    origin, arguments = get_origin(kind) or kind, get_args(kind)
    if origin in STREAMS or (origin in LISTS and (origin is not tuple or arguments[1:] == (Ellipsis,))):
        return True, arguments[0] if arguments else None
    return False, None


def answered(annotation: Any) -> Any:
    """What an async function gives when awaited."""
    kind = plain(annotation)
    if get_origin(kind) is Awaitable:
        return get_args(kind)[0]
    return get_args(kind)[2] if get_origin(kind) is Coroutine else kind


def of_transform(name: str, function: Callable[..., Any], hints: dict[str, Any], from_file: bool) -> Returned:
    """Reads a transform's return annotation. Raises WrongReturn."""
    if "return" not in hints:
        raise WrongReturn(
            f"`{name}` does not say what it returns",
            "annotate it: `-> str`, `-> Row` or, for several, `-> Iterator[Row]`",
        )
    annotation = answered(hints["return"])
    if without_none(annotation)[0] is None:
        raise WrongReturn(f"`{name}` returns None, which stores nothing", "annotate what it returns")
    if table_form(annotation) is not None:
        if not from_file:
            raise WrongReturn(
                f"`{name}` returns `{shown(annotation)}`, but a transform sees one record at a time",
                "annotate one record (a scalar or class) or several (`Iterator[Row]`), or declare it with @asset",
            )
        return Returned(True, "table", None, annotation)
    several, item = several_of(annotation)
    if not several:
        if _yields(function):
            raise WrongReturn(
                f"`{name}` yields, but says it returns `{shown(annotation)}`",
                f"annotate `-> Iterator[{shown(annotation)}]`",
            )
        return _one(name, annotation, annotation, False)
    if item is None:
        raise WrongReturn(
            f"`{name}` returns `{shown(annotation)}` without saying of what", "write `-> Iterator[dict]` or a class"
        )
    return _one(name, item, annotation, True)


def _one(name: str, item: Any, annotation: Any, many: bool) -> Returned:
    kind, _ = without_none(item)
    if kind is Any or (get_origin(kind) or kind) in DICTS:
        return Returned(many, "dicts", None, kind)
    try:
        if is_record(kind):
            return Returned(many, "record", record_columns(kind), kind)
        stored = column_type(item)
    except CannotStore as problem:
        raise WrongReturn(
            f"`{name}` returns `{shown(annotation)}`: {problem}", "return one of the types listed"
        ) from None
    return Returned(many, "scalar", (Column(name, stored.type, stored.nullable, stored.choices),), kind)


def of_asset(name: str, hints: dict[str, Any]) -> tuple[Column, ...] | None:
    """The columns of an asset, where its return annotation names a record class."""
    if "return" not in hints:
        return None
    several, item = several_of(answered(hints["return"]))
    kind = without_none(item)[0] if several else None
    if not is_record(kind):
        return None
    try:
        return record_columns(kind)
    except CannotStore as problem:
        raise WrongReturn(f"`{name}` yields `{shown(kind)}`: {problem}", "yield one of the types listed") from None


def _yields(function: Callable[..., Any]) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def says_nothing(function: Callable[..., Any]) -> bool:
    """Whether a body is only `...`, `pass`, `return None` or a docstring: a learned transform without a first rule."""
    import dis

    code = function.__code__
    names = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP", "RETURN_GENERATOR"}
    names |= {"CALL_INTRINSIC_1", "RERAISE", "CACHE"}
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("CACHE",)]
    constants = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(step.opname in names for step in steps) and all(value is None for value in constants)
