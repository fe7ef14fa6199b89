"""A page of records as the browser's grid gets it: only what is shown travels, as text that `records.typed` reads back.

Pure. A long text comes as its beginning; its place is in `cut`, and the whole is asked for when somebody opens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from packyak.engine.run.answers import Page
from packyak.studio.views import words
from packyak.studio.views.difference import difference, worth_showing
from packyak.studio.views.records import KEY, Cell, Draft, Editor

LONGEST = 600
LONGEST_LINE = 2000
HINTS: Mapping[str, str] = {
    "text": "text",
    "integer": "integer",
    "number": "number",
    "flag": "yes/no",
    "choice": "choice",
    "moment": "time",
    "date": "date",
    "time": "clock",
    "shown": "",
}


@dataclass(frozen=True)
class Column:
    """One column. hint: its kind in a word; about: the same in a sentence, with who computes it."""

    name: str
    kind: str
    hint: str
    about: str
    editable: bool
    choices: tuple[str, ...]
    width: int
    decimals: int


@dataclass(frozen=True)
class Line:
    """One value that is not saved. parts: what changes within a long text, as kind and text."""

    key: str
    column: str
    was: str | None
    now: str | None
    parts: tuple[dict[str, str], ...] | None = None


def column(editor: Editor) -> Column:
    """A column as its head tells it."""
    hint = "date" if editor.whole_days else HINTS[editor.kind]
    choices = tuple(map(str, editor.choices)) if editor.kind == "choice" else ()
    what = f"one of {words.listed(choices, 9)}" if choices else hint
    about = ", ".join(part for part in (what, f"computed by {editor.owner}") if part)
    return Column(
        editor.column, editor.kind, hint, about, editor.editable, choices, editor.width, min(editor.decimals, 6)
    )


def text(value: Any, editor: Editor) -> str | None:
    """A value as text that `records.typed` reads back; of what no editor holds, a short form of it."""
    if value is None:
        return None
    if editor.kind == "flag":
        return "true" if value else "false"
    if editor.kind == "number":
        return repr(float(value))
    if editor.kind == "moment" and isinstance(value, datetime):
        return _moment(value)
    if editor.kind == "time" and isinstance(value, time):
        return value.isoformat("minutes" if not (value.second or value.microsecond) else "auto")
    if editor.kind == "date" and isinstance(value, date):
        return value.isoformat()
    return words.value(value, LONGEST) if editor.kind == "shown" else str(value)


def _moment(value: datetime) -> str:
    plain = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if plain.time() == time(0):
        return plain.date().isoformat()
    return plain.isoformat(" ", "auto" if plain.second or plain.microsecond else "minutes")


def rows(page: Page, shown: Sequence[Editor]) -> tuple[list[list[str | None]], list[tuple[int, int]]]:
    """The page's values by rows, and the places of those that are cut."""
    columns = [[text(value, editor) for value in page.rows[editor.column].to_pylist()] for editor in shown]
    cut = []
    for place, values in enumerate(columns):
        for row, value in enumerate(values):
            if value is not None and len(value) > LONGEST:
                values[row] = value[:LONGEST]
                cut.append((row, place))
    return [list(line) for line in zip(*columns, strict=True)] if columns else [], cut


def corrected(page: Page, shown: Sequence[Editor]) -> list[tuple[int, int]]:
    """The places of the values that hold by a person's word."""
    keys = {key: row for row, key in enumerate(page.rows[KEY].to_pylist())}
    places = {editor.column: place for place, editor in enumerate(shown)}
    return sorted((keys[key], places[name]) for key, name in page.corrected if key in keys and name in places)


def pinned(shown: Sequence[Editor], page: Page) -> int:
    """How many columns stay in sight: the key, where the first column is one."""
    fixed = {each.name for each in page.columns if not each.editable}
    return int(bool(shown) and len(fixed) < len(page.columns) and shown[0].column in fixed)


def drafted(
    drafts: Mapping[Cell, Draft], keys: Iterable[str], shown: Sequence[Editor]
) -> dict[str, dict[str, str | None]]:
    """What is typed and not saved on this page, by key and column."""
    here, by_name = set(keys), {editor.column: editor for editor in shown}
    found: dict[str, dict[str, str | None]] = {}
    for (key, name), draft in drafts.items():
        if key in here and name in by_name:
            found.setdefault(key, {})[name] = text(draft.now, by_name[name])
    return found


def lines(drafts: Mapping[Cell, Draft], shown: Sequence[Editor]) -> list[Line]:
    """Everything that saving would change, on every page."""
    by_name = {editor.column: editor for editor in shown}
    return [line(key, name, draft, by_name[name]) for (key, name), draft in drafts.items() if name in by_name]


def line(key: str, name: str, draft: Draft, editor: Editor) -> Line:
    """One of them."""
    was, now = (_short(text(value, editor)) for value in (draft.was, draft.now))
    parts = _parts(draft.was, draft.now) if worth_showing(draft.was, draft.now) else None
    return Line(key, name, was, now, parts)


def _short(said: str | None) -> str | None:
    return said if said is None or len(said) <= LONGEST_LINE else f"{said[:LONGEST_LINE]}\N{HORIZONTAL ELLIPSIS}"


@lru_cache(64)
def _parts(was: str, now: str) -> tuple[dict[str, str], ...] | None:
    """Word by word, where the texts are short enough to be compared at each drawing."""
    if max(len(was), len(now)) > LONGEST_LINE:
        return None
    return tuple({"kind": part.kind, "text": part.text} for part in difference(was, now))
