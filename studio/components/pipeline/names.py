"""What panels of the graph have in common: a title with a way to close, and rows of names that open others."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from packyak.studio.views.words import literal


def panel_title(name: str) -> None:
    """Draw what the panel is of, and the button that closes it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader(literal(name), anchor=False, width="stretch")
        if st.button("", icon=":material/close:", type="tertiary", key="close_panel", help="Close (Esc in the graph)"):
            st.query_params.pop("asset", None)
            st.rerun(scope="fragment")


def row_of_names(title: str, labels: Mapping[str, str], *, most: int) -> None:
    """Draw a row. labels: what each name is called there; beyond `most` they are counted."""
    names = list(labels)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.text(title, width=64)
        for name in names[:most]:
            if st.button(f":blue[{literal(labels[name])}]", key=f"to-{title}-{name}", type="tertiary"):
                st.query_params["asset"] = name
                st.rerun(scope="fragment")
        if len(names) > most:
            st.text(f"and {len(names) - most} more", width="content")
