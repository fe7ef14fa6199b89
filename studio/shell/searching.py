"""Searches of an index from a page: asked of the project's worker where one runs, which has the language model loaded;
else here. The answer is kept until something is published or said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import NoWorker
from packyak.engine.run.worker.client import connect

if TYPE_CHECKING:
    from packyak.engine.project import Project

MOST = 200
FOUND = "found_keys"


def nearest(project: Project, index: str, *, text: str = "", how: str = "hybrid", like: str = "") -> tuple[str, ...]:
    """The keys of the records nearest to a text, or to another record, nearest first."""
    asked = (str(project.root), index, text, how, like, project.published.seq(), project.log.position())
    known = st.session_state.get(FOUND)
    if known is None or known[0] != asked:
        found = _ask(project, index, text, MOST, None, how=how, like=like or None)
        known = (asked, tuple(found["_key"].to_pylist()))
        st.session_state[FOUND] = known
    keys: tuple[str, ...] = known[1]
    return keys


def _ask(project: Project, *given: Any, **named: Any) -> Any:
    try:
        if project.settings["worker"] == "off" or project.home.local is None:
            raise NoWorker("this project uses none")
        worker = connect(project.home.uri)
        worker.person = project.person
        return worker.call("find", *given, **named)
    except NoWorker:
        with st.spinner("Searching"):
            return project.find(*given, **named)
