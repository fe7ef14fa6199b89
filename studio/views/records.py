"""Records as a grid shows them: which editor each column gets, what a person changed, and what that would save.

Pure: takes the engine's page, answers plain values. A draft is what a person typed and has not saved yet, by key and
column.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from packyak.engine.run.answers import ColumnInfo, Page
from packyak.studio.views import words

Kind = Literal["text", "integer", "number", "flag", "choice", "moment", "date", "time", "shown"]
KEY = "_key"
KINDS: Mapping[str, Kind] = {
    "string": "text",
    "int64": "integer",
    "float64": "number",
    "bool": "flag",
    "timestamp": "moment",
    "date": "date",
    "time": "time",
}
COMPARISONS: Mapping[str, tuple[str, ...]] = {
    "text": ("contains", "=", "!=", "empty", "filled"),
    "choice": ("=", "!=", "empty", "filled"),
    "flag": ("=", "empty", "filled"),
    "shown": ("contains", "empty", "filled"),
}
ORDERED = ("=", "!=", "<", "<=", ">", ">=", "empty", "filled")
COMPARISON_WORDS: Mapping[str, str] = {
    "=": "is",
    "!=": "is not",
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
    "contains": "contains",
    "empty": "is empty",
    "filled": "is filled",
}
LONG_TEXT = 48
BEYOND = 2**63  # one more than an integer column holds

Cell = tuple[str, str]


@dataclass(frozen=True)
class Editor:
    """How one column is shown and edited. `width`: pixels, 0 for as wide as its content. `whole_days`: moments of which
    only the day tells anything. `decimals`: how many of a number tell something, up to 6."""

    column: str
    kind: Kind
    editable: bool
    owner: str
    choices: tuple[Any, ...] = ()
    width: int = 0
    whole_days: bool = False
    decimals: int = 0


@dataclass(frozen=True)
class Draft:
    """One value that a person typed and has not saved."""

    was: Any
    now: Any


class Unfit(ValueError):
    """A typed value that the column cannot hold."""


def editors(page: Page, chain: Sequence[str] = (), *, editable: bool = True) -> tuple[Editor, ...]:
    """One editor per column: keys first, then what the asset itself computes, then its sources', nearest first.

    chain: the assets that the view joins, nearest first.
    """
    rank = {owner: place for place, owner in enumerate(chain)}
    last = len(rank)
    ordered = sorted(page.columns, key=lambda column: (column.editable, rank.get(column.owner, last)))
    if not any(column.editable for column in page.columns):
        ordered = list(page.columns)
    samples = {name: page.rows[name].to_pylist()[:50] for name in page.rows.column_names}
    return tuple(_editor(column, samples.get(column.name, []), editable) for column in ordered)


def _editor(column: ColumnInfo, sample: Sequence[Any], editable: bool) -> Editor:
    kind: Kind = "choice" if column.choices else KINDS.get(column.type, "shown")
    if kind == "choice" and not all(isinstance(choice, (str, int, float, bool)) for choice in column.choices or ()):
        kind = "shown"
    longest = max((len(value) for value in sample if isinstance(value, str)), default=0)
    width = 380 if kind == "text" and longest > LONG_TEXT else 0
    open_to = editable and column.editable and kind != "shown"
    days = kind == "moment" and _whole_days(sample)
    decimals = max((_decimals(value) for value in sample if isinstance(value, float)), default=0)
    return Editor(column.name, kind, open_to, column.owner, column.choices or (), width, days, decimals)


def _decimals(number: float) -> int:
    return len(f"{number:.6f}".rstrip("0").partition(".")[2])


def _whole_days(sample: Sequence[Any]) -> bool:
    moments = [value for value in sample if isinstance(value, datetime)]
    return bool(moments) and all(value.time() == time(0) for value in moments)


def cell(value: Any, kind: Kind) -> Any:
    """A value as a widget takes it."""
    if value is None or kind in ("text", "integer", "number", "flag", "choice", "date", "time"):
        return value
    if kind == "moment":
        return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value
    return words.value(value)


def typed(value: Any, editor: Editor) -> Any:
    """What a person typed, as a value of the column. Raises Unfit with the reason."""
    if value is None or value == "":
        return None
    try:
        return _TYPED[editor.kind](value, editor)
    except (ValueError, TypeError) as error:
        raise Unfit(f"{words.value(value, 60)} is no value of {editor.column}: {error}") from error


def _choice(value: Any, editor: Editor) -> Any:
    found = next((choice for choice in editor.choices if choice == value or str(choice) == str(value)), None)
    if found is None:
        raise ValueError(f"choose one of {', '.join(map(str, editor.choices))}")
    return found


def _moment(value: Any, _: Editor) -> datetime:
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _flag(value: Any, _: Editor) -> bool:
    said = str(value).strip().lower()
    if said not in ("true", "1", "yes", "false", "0", "no"):
        raise ValueError("say true or false")
    return said in ("true", "1", "yes")


def _integer(value: Any, _: Editor) -> int:
    found = int(value)
    if not -BEYOND <= found < BEYOND:
        raise ValueError("it is too large")
    return found


def _number(value: Any, _: Editor) -> float:
    found = float(value)
    if not math.isfinite(found):
        raise ValueError("it is no number")
    return found


_TYPED: Mapping[str, Any] = {
    "text": lambda value, _: str(value),
    "integer": _integer,
    "number": _number,
    "flag": _flag,
    "choice": _choice,
    "moment": _moment,
    "date": lambda value, _: value if isinstance(value, date) else date.fromisoformat(str(value)[:10]),
    "time": lambda value, _: value if isinstance(value, time) else time.fromisoformat(str(value)),
    "shown": lambda value, _: json.loads(value) if isinstance(value, str) else value,
}


def put(drafts: dict[Cell, Draft], where: Cell, was: Any, now: Any) -> None:
    """Keep one typed value; forget it where it is what the record says anyway."""
    if now == was:
        drafts.pop(where, None)
    else:
        drafts[where] = Draft(was, now)


def comparisons(editor: Editor) -> tuple[str, ...]:
    """The comparisons that make sense for a column."""
    return COMPARISONS.get(editor.kind, ORDERED)


def filter_words(column: str, op: str, value: Any) -> str:
    """ "topic is billing", "amount more than 20", "city is empty"."""
    word = COMPARISON_WORDS.get(op, op)
    return f"{column} {word}" if op in ("empty", "filled") else f"{column} {word} {words.value(value, 40)}"


def span_words(offset: int, shown: int, total: int, *, ranked: bool = False) -> str:
    """ "51 to 100 of 1,506 records"; of a search that ranks, "51 to 100 of the 200 nearest"."""
    if not total:
        return "No records"
    if ranked and shown == total:
        return f"The {words.count(total)} nearest"
    if ranked:
        return f"{words.count(offset + 1)} to {words.count(offset + shown)} of the {words.count(total)} nearest"
    if shown == total:
        return words.counted(total, "record")
    return f"{words.count(offset + 1)} to {words.count(offset + shown)} of {words.counted(total, 'record')}"
