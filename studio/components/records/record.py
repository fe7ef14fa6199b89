"""The fields of one record as a Streamlit component: shows a `Sheet`, answers which correction to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.components.bundle import script, text
from packyak.studio.views.record import Sheet

HERE = Path(__file__).parent
HTML = '<div class="sheet"></div>\n'


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_record", html=HTML, css=text(HERE / "record.css"), js=script(HERE / "record.js")
    )


def record_sheet(sheet: Sheet, *, key: str, refused: str = "") -> str | None:
    """Draw the fields; answers the correction whose Undo was just pressed, or None. refused: why nothing may be undone
    by whoever sits here."""
    pressed = _mount()(key=key, data={**asdict(sheet), "refused": refused}, on_undo_change=lambda: None).undo
    return str(pressed["id"]) if pressed else None
