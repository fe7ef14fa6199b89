"""Single values as JSON and back into a column's type, for what is stored outside tables: corrections and bookkeeping.

JSON's own values stand for themselves; what JSON lacks is `{"$": type, "v": text}`. `decode` also takes what a person
typed, as long as it means one value of the column's type. Standard library only.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_TAG = "$"


def encode(value: Any) -> Any:
    """A value as JSON-able data that `decode` turns back. Raises TypeError for what no column can hold."""
    if isinstance(value, enum.Enum):
        return encode(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _tagged("float", repr(value))
    for kind, (word, text) in _TAGS.items():
        if isinstance(value, kind):
            return _tagged(word, text(value))
    if isinstance(value, Mapping):
        plain = {str(name): encode(one) for name, one in value.items()}
        return {_TAG: "dict", "v": plain} if _TAG in plain else plain
    if isinstance(value, Sequence | set | frozenset):
        return [encode(one) for one in value]
    if hasattr(value, "item"):  # a number of numpy's or a one-element array
        return encode(value.item())
    raise TypeError(f"a value of type {type(value).__name__} cannot be stored: {value!r:.100}")


def decode(value: Any, kind: str = "") -> Any:
    """The Python value of encoded data, as the column type `kind` has it ("": as it was encoded).

    Raises ValueError where the value is none of that type: `decode("abc", "int64")`.
    """
    try:
        plain = _untagged(value)
        if plain is None or not kind:
            return plain
        if kind.startswith(("list<", "struct<")):
            return _nested(plain, kind)
        if kind not in _READERS:
            raise ValueError(f"{kind!r} is no type of a column")
        return _READERS[kind](plain)
    except (KeyError, AttributeError, ArithmeticError) as error:  # a wrong tag's value; beyond what a number can be
        raise _refused(value, kind or "stored value") from error


def _tagged(word: str, text: str) -> dict[str, str]:
    return {_TAG: word, "v": text}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat() if moment.tzinfo else moment.isoformat()


_TAGS: dict[type, tuple[str, Callable[[Any], str]]] = {
    datetime: ("timestamp", _utc),
    date: ("date", date.isoformat),
    time: ("time", time.isoformat),
    timedelta: ("duration", lambda span: str(span // timedelta(microseconds=1))),
    Decimal: ("decimal", str),
    bytes: ("binary", lambda data: base64.b64encode(data).decode()),
    bytearray: ("binary", lambda data: base64.b64encode(data).decode()),
    uuid.UUID: ("uuid", str),
}

_UNTAG: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "timestamp": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "duration": lambda text: timedelta(microseconds=int(text)),
    "decimal": Decimal,
    "binary": lambda text: base64.b64decode(text),
    "uuid": str,
    "dict": lambda plain: {name: _untagged(one) for name, one in plain.items()},
}


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(one) for one in value]
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return {name: _untagged(one) for name, one in value.items()}
    if value[_TAG] not in _UNTAG:
        raise ValueError(f"{value[_TAG]!r} is no type of stored value")
    return _UNTAG[value[_TAG]](value["v"])


def _refused(value: Any, kind: str) -> ValueError:
    return ValueError(f"{value!r:.100} is no {kind}")


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise _refused(value, "int64")
    if isinstance(value, float | Decimal) and value == value and value == int(value):
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value):
        value = int(value)
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _refused(value, "int64")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise _refused(value, "float64")
    return float(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise _refused(value, "decimal")
    number = Decimal(str(value))
    if not number.is_finite():
        raise _refused(value, "decimal")
    return number


def _truth(value: Any) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    if not isinstance(value, bool):
        raise _refused(value, "bool")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _refused(value, "string")
    return value


def _timestamp(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime):
        raise _refused(value, "timestamp")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value.strip())
    if isinstance(value, datetime):
        return value.date()
    if not isinstance(value, date):
        raise _refused(value, "date")
    return value


def _time(value: Any) -> time:
    if isinstance(value, str):
        return time.fromisoformat(value.strip())
    if not isinstance(value, time):
        raise _refused(value, "time")
    return value


def _binary(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise _refused(value, "binary (base64)") from error
    if not isinstance(value, bytes):
        raise _refused(value, "binary")
    return value


def _json(value: Any) -> str:
    """A column of JSON holds text: text that is JSON stays, other values are written as JSON."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    json.loads(value)
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": _string,
    "json": _json,
    "int64": _integer,
    "float64": _number,
    "bool": _truth,
    "timestamp": _timestamp,
    "date": _date,
    "time": _time,
    "binary": _binary,
    "decimal": _decimal,
}


def _nested(value: Any, kind: str) -> Any:
    inner = kind[kind.index("<") + 1 : -1]
    if kind.startswith("list<"):
        if not isinstance(value, list):
            raise _refused(value, kind)
        return [decode(one, inner) for one in value]
    if not isinstance(value, dict):
        raise _refused(value, kind)
    kinds = dict(_fields(inner))
    if unknown := value.keys() - kinds.keys():
        raise ValueError(f"{', '.join(sorted(unknown))} is no field of {kind}")
    return {name: decode(value.get(name), one) for name, one in kinds.items()}


def _fields(text: str) -> list[tuple[str, str]]:
    """`a: int64, b: list<string>` at its own commas only."""
    depth, start, found = 0, 0, []
    for place, letter in enumerate(text + ","):
        depth += (letter == "<") - (letter == ">")
        if letter == "," and depth == 0:
            name, _, kind = text[start:place].partition(":")
            found.append((name.strip(), kind.strip()))
            start = place + 1
    return found
