"""The lineage graph as a Streamlit component: takes a `Board`, answers what the person did with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.components.bundle import script, text
from packyak.studio.views.focus import Focus
from packyak.studio.views.pipeline import Board

HERE = Path(__file__).parent / "lineage"
HTML = '<div class="board" role="group" tabindex="0"></div>\n'


@dataclass(frozen=True)
class Notice:
    """A message laid over the top of the graph until it is dismissed."""

    title: str
    line: str
    details: tuple[str, ...] = ()
    tone: str = "blue"


@dataclass(frozen=True)
class Nothing:
    """What an empty graph says. code: an example."""

    title: str
    line: str
    code: str


@dataclass(frozen=True)
class Shown:
    """What stands out on the board: the chosen card and column, what is in focus, whether columns are drawn, what to
    say over a graph of the past, whether a record's trail is drawn; what there is of other tools in words, "" for
    nothing, and whether it is drawn."""

    chosen: str = ""
    column: str = ""
    focus: Focus | None = None
    columns: bool = False
    past: str = ""
    trail: bool = False
    around: str = ""
    outside: bool = False


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_graph", html=HTML, css=text(HERE / "graph.css"), js=script(HERE / "index.js")
    )


def graph(
    board: Board,
    shown: Shown,
    *,
    title: str,
    key: str,
    on_event: Callable[[], None],
    nothing: Nothing,
    notice: Notice | None = None,
) -> None:
    """Draw the board. `on_event` runs when a person does something; `event(key)` then says what.

    nothing: what an empty graph says. title: the name of exported files.
    """
    extra = {"title": title, "nothing": asdict(nothing), "notice": asdict(notice) if notice else None}
    _mount()(key=key, data={**asdict(board), **asdict(shown), **extra}, on_event_change=on_event)


def event(key: str) -> Mapping[str, Any]:
    """What was done in this run of the script: `name` (a card chosen, "" for none), `open` (the groups to show open),
    `focus`, `outside`, `columns`, `column`, `dismissed`; empty for nothing."""
    state = st.session_state.get(key)
    found = state.get("event") if state is not None else None
    return dict(found) if found else {}
