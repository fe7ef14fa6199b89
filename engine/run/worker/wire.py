"""What the engine answers, as lines of JSON between worker and client, and back as the same types.

Plain values travel as they are; everything else is an object with one `$` field that names its kind. Only frozen
records of the engine, errors of its tree and a few standard types are ever made from what arrives. Heavy libraries are
imported only when a table arrives.
"""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any
from uuid import UUID

from packyak.engine import errors

ENGINE = "packyak.engine."
KIND = "$"


def pack(value: Any) -> Any:
    """A value as plain JSON values. A type that cannot travel becomes its text."""
    if value is None or (isinstance(value, (str, bool, int)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else {KIND: "float", "text": repr(value)}
    if isinstance(value, list):
        return [pack(each) for each in value]
    if isinstance(value, Mapping):
        return _pack_mapping(value)
    if isinstance(value, (tuple, set, frozenset)):
        return {KIND: type(value).__name__, "items": [pack(each) for each in value]}
    if is_dataclass(value) and not isinstance(value, type):
        named = {each.name: pack(getattr(value, each.name)) for each in fields(value)}
        return {KIND: "record", "type": _type_name(type(value)), "fields": named}
    return _pack_special(value)


def _pack_mapping(value: Mapping[Any, Any]) -> Any:
    if all(isinstance(name, str) for name in value) and KIND not in value:
        return {name: pack(each) for name, each in value.items()}
    return {KIND: "dict", "items": [[pack(name), pack(each)] for name, each in value.items()]}


def _pack_special(value: Any) -> Any:
    if isinstance(value, Enum):
        return pack(value.value)
    if isinstance(value, (bytes, bytearray)):
        return {KIND: "bytes", "text": base64.b64encode(value).decode()}
    if isinstance(value, timedelta):
        return {KIND: "timedelta", "text": [value.days, value.seconds, value.microseconds]}
    if isinstance(value, (datetime, date, time)):
        return {KIND: type(value).__name__, "text": value.isoformat()}
    if isinstance(value, (Decimal, UUID)):
        return {KIND: type(value).__name__, "text": str(value)}
    if type(value).__module__ == "pyarrow.lib" and type(value).__name__ == "Table":
        return {KIND: "table", "text": _pack_table(value)}
    return str(value)


def _pack_table(table: Any) -> str:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return base64.b64encode(sink.getvalue()).decode()


def _unpack_table(text: str) -> Any:
    import pyarrow as pa

    with pa.ipc.open_stream(base64.b64decode(text)) as reader:
        return reader.read_all()


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "float": float,
    "bytes": base64.b64decode,
    "timedelta": lambda parts: timedelta(*parts),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "Decimal": Decimal,
    "UUID": UUID,
    "table": _unpack_table,
}
_GROUPS: Mapping[str, Callable[[Any], Any]] = {"tuple": tuple, "set": set, "frozenset": frozenset, "dict": dict}


def unpack(plain: Any) -> Any:
    """The value that `pack` was given."""
    if isinstance(plain, list):
        return [unpack(each) for each in plain]
    if not isinstance(plain, dict):
        return plain
    kind = plain.get(KIND)
    if kind is None:
        return {name: unpack(each) for name, each in plain.items()}
    if kind == "record":
        return _record(plain["type"], plain["fields"])
    if kind in _GROUPS:
        return _GROUPS[kind](unpack(each) for each in plain["items"])
    return _READERS[kind](plain["text"])


def _type_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _record(name: str, values: dict[str, Any]) -> Any:
    """A frozen record of the engine; one of a user's own type arrives as its values."""
    module, _, qualname = name.partition(":")
    unpacked = {field: unpack(each) for field, each in values.items()}
    if not module.startswith(ENGINE) or "." in qualname:
        return unpacked
    kind = getattr(import_module(module), qualname)
    if not (isinstance(kind, type) and is_dataclass(kind)):
        raise TypeError(f"{name} is no record")
    made = object.__new__(kind)
    for field, value in unpacked.items():  # as it was: derived fields and checks of the constructor have had their turn
        object.__setattr__(made, field, value)
    return made


def pack_error(error: BaseException) -> dict[str, Any]:
    """An error with what a person needs to see of it."""
    lines = "".join(traceback.format_exception(error))
    if isinstance(error, errors.PackyakError):
        named = {
            "message": error.message,
            "next_step": error.next_step,
            "choices": error.choices,
            "fields": error.fields,
        }
        return {"error": type(error).__name__, "values": pack(named), "traceback": lines}
    return {"error": type(error).__name__, "text": str(error), "traceback": lines}


def unpack_error(plain: dict[str, Any]) -> BaseException:
    """The error of the engine's tree; another one becomes a PackyakError that names it and carries its traceback."""
    kind = getattr(errors, plain["error"], None)
    if "values" in plain and isinstance(kind, type) and issubclass(kind, errors.PackyakError):
        values = unpack(plain["values"])
        named = {"next_step": values["next_step"], "choices": values["choices"]}
        found: BaseException = kind(values["message"], **named, **values["fields"])
    else:
        found = errors.PackyakError(f"{plain['error']}: {plain.get('text', '')}", original=plain["error"])
    found.__cause__ = RemoteTraceback(plain.get("traceback", ""))
    return found


class RemoteTraceback(Exception):
    """The traceback in the worker, for the traceback in the client."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


def line(message: Mapping[str, Any]) -> bytes:
    """One message as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
