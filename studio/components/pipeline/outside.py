"""Other tools around the project: what is known of them, read once for each import, and the panel of one of them.

`outside=0` in the address hides them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.declare.nodes import Graph
from packyak.engine.lineage.places import Places
from packyak.studio.components.pipeline.names import panel_title, row_of_names
from packyak.studio.views import outside, pipeline
from packyak.studio.views.outside import KIND, Beyond

if TYPE_CHECKING:
    from packyak.engine.project import Project

KNOWN = "known_outside"
MOST_NAMES = 12
PAST = "As it is known today, like what is declared: only our own assets are shown as they were."


@dataclass(frozen=True)
class Around:
    """What there is of other tools, and what of it is shown."""

    every: Beyond
    shown: Beyond

    @property
    def hint(self) -> str:
        """What the switch says of it; "" where there is nothing to switch."""
        return outside.hint(self.every)


def around(project: Project, graph: Graph) -> Around:
    """What other tools do around the project, as the address says. graph: the project's, or one of the past."""
    told, seen = project.outside(), tuple(graph.nodes)
    known = st.session_state.get(KNOWN)
    if known is None or known[0] is not told or known[1] != seen:
        found = pipeline.around(told, Places(project.home.uri), project.name, graph)
        known = (told, seen, found)
        st.session_state[KNOWN] = known
    every: Beyond = known[2]
    return Around(every, Beyond() if st.query_params.get("outside") == "0" else every)


def outside_panel(found: Beyond, name: str, graph: Graph, *, past: bool = False) -> None:
    """What is known of one thing of another tool. Its words are shown as text, never as Markdown."""
    tale = outside.tale(found, name, graph)
    panel_title(tale.title)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.badge(KIND, color="gray")
        st.badge(tale.kind, color="gray")
    for title, names in (("Feeds", tale.feeds), ("Fed by", tale.fed)):
        if names:
            row_of_names(title, {name: name for name in names}, most=MOST_NAMES)
    for row, value in tale.rows:
        with st.container(horizontal=True, wrap=False, gap="small"):
            st.caption(row, width=84)
            st.text(value, width="stretch")
    st.caption(PAST if past else "Known from an imported event; a run does not wait for it and changes nothing there.")
