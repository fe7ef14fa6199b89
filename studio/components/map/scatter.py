"""A map of records as a Streamlit component: draws a `Cloud`, answers what the person did with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.components.bundle import script, text
from packyak.studio.views.map import Cloud

HERE = Path(__file__).parent / "scatter"
HTML = '<div class="scatter" role="group" tabindex="0"></div>\n'


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_map", html=HTML, css=text(HERE / "scatter.css"), js=script(HERE / "index.js")
    )


def scatter(
    cloud: Cloud, *, color: str, inside: str, view: str, chosen: int, hints: str, key: str, on_event: Callable[[], None]
) -> None:
    """Draw the map. `on_event` runs when a person does something; `event(key)` then says what.

    inside: the shapes that pick records, as text. view: where the window stands. chosen: the row to mark, -1 for none.
    hints: the path at which the words of a row are told.
    """
    more = {"color": color, "inside": inside, "view": view, "chosen": chosen, "hints": hints}
    _mount()(key=key, data={**asdict(cloud), **more}, on_event_change=on_event)


def event(key: str) -> Mapping[str, Any]:
    """What was done in this run of the script: `inside` (shapes, "" for none), `view`, or `row` of the cloud `name`."""
    state = st.session_state.get(key)
    found = state.get("event") if state is not None else None
    return dict(found) if found else {}
