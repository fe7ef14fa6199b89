"""The list of runs and one run's time line as a Streamlit component: takes `RunLine`s, answers what was clicked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.components.bundle import script, text
from packyak.studio.views.runs import RunLine, RunSheet

HERE = Path(__file__).parent / "timeline"
HTML = '<div class="runs"></div>\n'
NOTHING = "Nothing has run yet.\nRun the pipeline, and what it did is told here."


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_runs", html=HTML, css=text(HERE / "timeline.css"), js=script(HERE / "index.js")
    )


def timeline(lines: Sequence[RunLine], chosen: RunSheet | None, *, more: bool, key: str) -> Mapping[str, Any]:
    """Draw the runs; answers `run`, the one chosen, `more` where older ones are asked for (how many are shown), or
    nothing. more: whether there may be older ones."""
    data = {
        "runs": [asdict(line) for line in lines],
        "more": more,
        "chosen": asdict(chosen) if chosen else None,
        "nothing": NOTHING,
    }
    event = _mount()(key=key, data=data, on_event_change=lambda: None).event
    return dict(event) if event else {}
