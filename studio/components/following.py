"""A page that follows a run: drawn anew each second while one is under way, and once more when it is over."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.run.runs import RunRecord
from packyak.studio.components.shell import calm
from packyak.studio.shell import launch

if TYPE_CHECKING:
    from packyak.engine.project import Project

TICK = 1.0
Draw = Callable[["Project", RunRecord | None], None]


def following(draw: Draw, project: Project) -> None:
    """Draws a page. draw: gets the run under way, None where there is none."""
    live = launch.under_way(project) is not None or launch.follows()

    @wraps(draw)  # Streamlit tells fragments apart by the function's name
    def drawn(project: Project) -> None:
        run = launch.under_way(project)
        if run is None and launch.follows():
            launch.finish(project)
            st.rerun()
        if run is not None and not live:  # started elsewhere since the page was drawn
            st.rerun()
        draw(project, run)

    st.fragment(calm(drawn), run_every=TICK if live else None)(project)
