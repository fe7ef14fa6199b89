"""Searches of an index from a page. The answer is kept until something is published or said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from packyak.studio.shell.asking import ask

if TYPE_CHECKING:
    from packyak.engine.project import Project

MOST = 200
FOUND = "found_keys"


def nearest(project: Project, index: str, *, text: str = "", how: str = "hybrid", like: str = "") -> tuple[str, ...]:
    """The keys of the records nearest to a text, or to another record, nearest first."""
    asked = (str(project.root), index, text, how, like, project.published.seq(), project.log.position())
    known = st.session_state.get(FOUND)
    if known is None or known[0] != asked:
        found = ask(project, "find", index, text, MOST, None, how=how, like=like or None, say="Searching")
        known = (asked, tuple(found["_key"].to_pylist()))
        st.session_state[FOUND] = known
    keys: tuple[str, ...] = known[1]
    return keys
