"""A row of names, each a button that opens the panel of what it names."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from packyak.studio.views.words import literal


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
