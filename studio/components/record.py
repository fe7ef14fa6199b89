"""The fields of one record as a Streamlit component: shows a `Sheet`, answers which correction to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.views.record import Sheet

HERE = Path(__file__).parent
HTML = '<div class="sheet"></div>\n'


@cache
def _mount() -> Callable[..., Any]:
    def source(name: str) -> str:
        return (HERE / name).read_text(encoding="utf-8")

    return st.components.v2.component("packyak_record", html=HTML, css=source("record.css"), js=source("record.js"))


def record_sheet(sheet: Sheet, *, key: str) -> str | None:
    """Draw the fields; answers the correction whose Undo was just pressed, or None."""
    pressed = _mount()(key=key, data=asdict(sheet), on_undo_change=lambda: None).undo
    return str(pressed["id"]) if pressed else None
