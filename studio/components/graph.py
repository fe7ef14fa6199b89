"""The lineage graph as a Streamlit component: takes a `Board`, answers what was clicked.

The script is read from its file and sent inline, so that no build step and no second server are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.views.pipeline import Board

HERE = Path(__file__).parent
HTML = '<div class="board" role="group" tabindex="0"></div>\n'


@dataclass(frozen=True)
class Notice:
    """A message laid over the top of the graph until it is dismissed."""

    title: str
    line: str
    details: tuple[str, ...] = ()
    tone: str = "blue"


@dataclass(frozen=True)
class Click:
    """A card by its name ("" for the empty ground), or the notice's cross."""

    name: str
    dismissed: bool = False


@cache
def _mount() -> Callable[..., Any]:
    def source(name: str) -> str:
        return (HERE / name).read_text(encoding="utf-8")

    return st.components.v2.component("packyak_graph", html=HTML, css=source("graph.css"), js=source("graph.js"))


def graph(
    board: Board, *, chosen: str, key: str, on_event: Callable[[], None], nothing: str, notice: Notice | None = None
) -> None:
    """Draw the board. `on_event` runs when something is clicked; `clicked(key)` then says what.

    nothing: the words for an empty graph.
    """
    data = {**asdict(board), "chosen": chosen, "nothing": nothing, "notice": asdict(notice) if notice else None}
    _mount()(key=key, data=data, on_event_change=on_event)


def clicked(key: str) -> Click | None:
    """What was clicked in this run of the script, if anything."""
    state = st.session_state.get(key)
    event = state.get("event") if state is not None else None
    return Click(str(event.get("name", "")), bool(event.get("dismissed"))) if event else None
