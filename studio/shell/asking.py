"""Questions to a project that need learners or a language model: its warm worker answers them, which has those loaded.

Loading them here would hold up every page for many seconds; they are loaded here only where no worker can be had.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import NoWorker
from packyak.engine.run.worker.client import connect, connect_or_start

if TYPE_CHECKING:
    from packyak.engine.project import Project
    from packyak.engine.run.worker.client import Client


def ask(project: Project, method: str, *given: Any, wake: bool = False, say: str = "", **named: Any) -> Any:
    """What a method of the project answers to whoever sits here.

    wake: start the worker where there is none. say: what the page says while it is asked here.
    """
    try:
        return _worker(project, wake).call(method, *given, **named)
    except NoWorker:
        with st.spinner(say) if say else nullcontext():
            return getattr(project, method)(*given, **named)


def _worker(project: Project, wake: bool) -> Client:
    if project.settings["worker"] == "off" or project.home.local is None:
        raise NoWorker("this project uses none")
    try:
        found = connect(project.home.uri)
    except NoWorker:
        if not wake:
            raise
        with st.spinner("Waking the project's worker"):
            idle = float(project.settings["worker_idle_minutes"])
            found = connect_or_start(project.home.uri, project.root, idle_minutes=idle)
    found.person = project.person
    return found
