"""The grid of records as a Streamlit component: what people typed comes in as a numbered list, drafts go out.

Each entry of the list names a record and a column, never a row, and is taken once, in order; what was typed is a draft
until it is saved or discarded, over pages, sorting and filters. Nothing is drawn between taking an entry and writing
down that it was taken: a newer one may end this script at any drawing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.answers import Page
from packyak.engine.run.correct.saving import Said
from packyak.studio.components.bundle import script, text
from packyak.studio.components.records import saving
from packyak.studio.components.records.drafts import drafts
from packyak.studio.views import grid as view
from packyak.studio.views import records
from packyak.studio.views.records import Editor, Unfit

if TYPE_CHECKING:
    from packyak.engine.project import Project

HERE = Path(__file__).parent / "cells"
HTML = '<div class="cells"></div>\n'
KEY = "grid"
HAND = "grid_hand"
MOST_REFUSED = 50
OLD = "An earlier version, as it was: corrections go to the current one."
NO_KEY = "This asset has no key that lasts, so its values cannot be corrected."


@dataclass(frozen=True)
class Shown:
    """A page of records as the grid shows it. number: which page, of `pages`; view: what its number is kept by;
    failed: keys of records on which a function failed."""

    asset: str
    page: Page
    editors: Sequence[Editor]
    view: str
    number: int
    pages: int
    said: str
    sort: str | None = None
    descending: bool = False
    old: bool = False
    failed: Sequence[str] = ()


@dataclass
class Hand:
    """What this window's grid has sent and been told. session: another one after each reload; numbers: the page of each
    view; whole: a long text asked for; saved: how many corrections were, and what takes them back, until the page says
    so; shown: the page in hand, first: the one that came with the rest of the page."""

    session: str = field(default_factory=lambda: secrets.token_hex(8))
    deck: str = ""
    taken: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    whole: dict[str, str] | None = None
    problem: str = ""
    saved: tuple[int, str] | None = None
    shown: Shown | None = None
    first: Shown | None = None


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_grid", html=HTML, css=text(HERE / "cells.css"), js=script(HERE / "index.js")
    )


def hand() -> Hand:
    """What this window's grid has sent and been told."""
    found: Hand = st.session_state.setdefault(HAND, Hand())
    return found


def records_grid(project: Project, shown: Shown) -> None:
    """Draw a page of records."""
    own = hand()
    own.shown = shown
    kept = drafts(shown.asset)
    rows, cut = view.rows(shown.page, shown.editors)
    keys = shown.page.rows[records.KEY].to_pylist()
    data = {
        "project": str(project.root),
        "asset": shown.asset,
        "title": f"Records of {shown.asset}",
        "list": f"{shown.view} {shown.number}",
        "view": shown.view,
        "columns": [asdict(view.column(editor)) for editor in shown.editors],
        "pinned": view.pinned(shown.editors, shown.page),
        "keys": keys,
        "rows": rows,
        "cut": cut,
        "corrected": view.corrected(shown.page, shown.editors),
        "failed": [key for key in keys if key in set(shown.failed)],
        "drafts": view.drafted(kept, keys, shown.editors),
        "lines": [asdict(line) for line in view.lines(kept, shown.editors)],
        "opened": st.query_params.get("key", ""),
        "sort": {"column": shown.sort, "down": shown.descending} if shown.sort else None,
        "said": shown.said,
        "page": shown.number,
        "pages": shown.pages,
        "editable": any(editor.editable for editor in shown.editors),
        "note": _note(project, shown),
        "refusal": project.refusal("correct_many"),
        "problem": own.problem,
        "refused": own.refused,
        "whole": own.whole,
        "session": own.session,
        "taken": {"deck": own.deck, "number": own.taken.get(own.deck, 0)},
    }
    _mount()(key=KEY, data=data, on_log_change=lambda: None)


def _note(project: Project, shown: Shown) -> str:
    """Why nothing can be typed here, where that is so."""
    if shown.old:
        return OLD
    if why := project.refusal("correct"):
        return f"{why}."
    return "" if any(editor.editable for editor in shown.editors) else NO_KEY


# ---- what comes in


def take(project: Project) -> Hand:
    """Take what was not taken yet, in order."""
    own = hand()
    state = st.session_state.get(KEY)
    entries = (state.get("log") if state is not None else None) or []
    for entry in sorted(entries, key=lambda each: int(each["number"])):
        deck, number = str(entry["deck"]), int(entry["number"])
        if number > own.taken.get(deck, 0):
            TAKE[str(entry["do"])](project, own, entry)
            own.deck, own.taken[deck] = deck, number
    return own


def tell(own: Hand) -> bool:
    """Have the page say what was saved; whether anything was."""
    saved, own.saved = own.saved, None
    if saved is not None:
        saving.noted_saved(*saved)
    return saved is not None


def _put(project: Project, own: Hand, entry: Mapping[str, Any]) -> None:
    asset, key, column = (str(entry[name]) for name in ("asset", "key", "column"))
    own.problem = ""
    try:
        was, editor = _field(project, own, asset, key, column)
        now = records.typed(entry["text"], editor)
        same = view.text(now, editor) == view.text(was, editor)
        records.put(drafts(asset), (key, column), was, was if same else now)
    except (Unfit, PackyakError) as error:
        told = {name: entry[name] for name in ("number", "key", "column", "text")}
        own.refused = [*own.refused, {**told, "why": str(error)}][-MOST_REFUSED:]


def _field(project: Project, own: Hand, asset: str, key: str, column: str) -> tuple[Any, Editor]:
    """What a field says now and how it is edited: from the page in hand, else asked for."""
    page, editors = (own.shown.page, own.shown.editors) if own.shown and own.shown.asset == asset else (None, ())
    if page is None or own.shown is None or own.shown.old or key not in page.rows[records.KEY].to_pylist():
        page = project.page(asset, keys=(key,), limit=1)
        editors = records.editors(page, editable=project.may("correct"))
    keys = page.rows[records.KEY].to_pylist()
    editor = next((each for each in editors if each.column == column), None)
    if key not in keys or editor is None:
        raise Unfit(f"{key} is no longer there")
    if not editor.editable:
        raise Unfit(project.refusal("correct") or f"{column} is not to be typed")
    return page.rows[column][keys.index(key)].as_py(), editor


def _turn(_: Project, own: Hand, entry: Mapping[str, Any]) -> None:
    own.numbers[str(entry["view"])] = int(entry["page"])


def _read(project: Project, own: Hand, entry: Mapping[str, Any]) -> None:
    asset, key, column = (str(entry[name]) for name in ("asset", "key", "column"))
    if own.shown is None or own.shown.asset != asset or key not in own.shown.page.rows[records.KEY].to_pylist():
        return
    row = own.shown.page.rows[records.KEY].to_pylist().index(key)
    own.whole = {"key": key, "column": column, "text": str(own.shown.page.rows[column][row].as_py() or "")}


def _discard(_: Project, own: Hand, entry: Mapping[str, Any]) -> None:
    drafts(str(entry["asset"])).clear()
    own.problem = ""


def _save(project: Project, own: Hand, entry: Mapping[str, Any]) -> None:
    asset, why = str(entry["asset"]), str(entry.get("why") or "")
    kept = drafts(asset)
    said = [Said(asset, key, column, draft.now, why) for (key, column), draft in kept.items()]
    own.problem = ""
    try:
        saved = project.correct_many(said) if said else ()
    except PackyakError as error:  # nothing is saved, and all of it stays a draft
        own.problem = str(error)
        return
    kept.clear()
    if saved:
        own.saved = (len(said), saved[0].group or saved[0].id)


TAKE: Mapping[str, Callable[[Project, Hand, Mapping[str, Any]], None]] = {
    "put": _put, "page": _turn, "read": _read, "discard": _discard, "save": _save,
}  # fmt: skip
