"""Values as text that is equal for equal values, in every process: for hashing what code reads.

Builtin values read like their `repr`. Sets are sorted (their order differs from process to process); dicts keep their
order, because code may depend on it (first rule wins). What is neither plain data nor known is given to the caller to
name.
"""

from __future__ import annotations

import enum
import hashlib
import re
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any

PLAIN = (str, bytes, int, float, bool, complex, type(None), type(...), type(NotImplemented))
BY_REPR = {
    ("datetime", "datetime"), ("datetime", "date"), ("datetime", "time"), ("datetime", "timedelta"),
    ("datetime", "timezone"), ("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"),
    ("builtins", "range"), ("builtins", "slice"), ("pathlib", "PosixPath"), ("pathlib", "PurePosixPath"),
    ("pathlib", "WindowsPath"), ("pathlib", "PureWindowsPath"), ("zoneinfo", "ZoneInfo"),
    ("pathlib._local", "PosixPath"), ("pathlib._local", "PurePosixPath"), ("pathlib._local", "WindowsPath"),
}  # fmt: skip
Other = Callable[[Any], str]


def encode(value: Any, other: Other, _above: tuple[int, ...] = ()) -> str:
    """The value as text. `other` names what is no plain data."""
    if type(value) in PLAIN:
        return repr(value)
    if id(value) in _above:
        return f"<above {len(_above) - _above.index(id(value))}>"
    inside = (*_above, id(value))

    def each(items: Iterable[Any]) -> list[str]:
        return [encode(item, other, inside) for item in items]

    kind = type(value)
    if kind in (list, tuple):
        return f"{'[' if kind is list else '('}{', '.join(each(value))}{']' if kind is list else ',)'}"
    if kind in (set, frozenset):
        return f"{kind.__name__}({', '.join(sorted(each(value)))})"
    if kind is dict:
        return f"{{{_pairs(value, each)}}}"
    return _named(value, each, other)


def _pairs(value: dict[Any, Any], each: Callable[[Iterable[Any]], list[str]]) -> str:
    return ", ".join(f"{key}: {item}" for key, item in zip(each(value), each(value.values()), strict=True))


def _named(value: Any, each: Callable[[Iterable[Any]], list[str]], other: Other) -> str:
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if (kind.__module__, kind.__qualname__) in BY_REPR:
        return f"{name} {value!r}" if kind.__module__ != "zoneinfo" else f"{name} {value.key}"
    if isinstance(value, enum.Enum):
        return f"{other(kind)}.{value.name}"
    if isinstance(value, re.Pattern):
        return f"re.compile({value.pattern!r}, {value.flags})"
    if kind.__module__ == "typing" or isinstance(value, types.GenericAlias | types.UnionType):
        return repr(value)
    if kind in (OrderedDict, defaultdict):
        factory = each([value.default_factory]) if kind is defaultdict else []
        return f"{name}({', '.join(factory)}{{{_pairs(value, each)}}})"
    if kind is deque:
        return f"{name}({', '.join(each(value))})"
    if kind.__module__ == "collections" and kind.__qualname__ == "Counter":
        return f"{name}({_pairs(value, each)})"
    if kind.__module__ == "numpy" and hasattr(value, "tobytes") and not getattr(value.dtype, "hasobject", True):
        return f"{name} {value.dtype.str} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    return other(value)


def attributes(value: Any) -> dict[str, Any] | None:
    """What an object holds, by name; None where it cannot be told."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in fields(value)}
    held: dict[str, Any] = {}
    for kind in reversed(type(value).__mro__):
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                held[name] = getattr(value, name)
    own = getattr(value, "__dict__", None)
    if own is None and not held and type(value).__init__ is not object.__init__:
        return None
    return held | (own or {})
