"""Around every page: the list of pages, command palette, keys, status bar. It notices within seconds what happens
elsewhere, less often where the data is far away.

A run started in a terminal, or a correction saved in another tab, draws the page anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.run.runs import RunRecord
from packyak.studio.components.bundle import script, text
from packyak.studio.shell import below, identity, launch, places, pulse
from packyak.studio.views import desk as view
from packyak.studio.views import words

if TYPE_CHECKING:
    from packyak.engine.project import Project

HERE = Path(__file__).parent / "desk"
HTML = '<div class="desk"></div>\n'
LOOK_EVERY = 2.0
LOOK_FAR_EVERY = 20.0


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_desk", html=HTML, css=text(HERE / "desk.css"), js=script(HERE / "index.js")
    )


def desk(project: Project | None, page: str, tone: str, there: places.Going | None = None) -> None:
    """Draw what surrounds a page; `page` is its name in `places`. project: None where it cannot be opened. tone: light
    or dark. there: a page to go to."""
    st.fragment(_desk)(project, page, tone, there)


def _desk(project: Project | None, page: str, tone: str, there: places.Going | None) -> None:
    run = None if project is None else launch.under_way(project)
    pages = [
        {"name": places.name_of(each), "title": each.title, "icon": _picture(each.icon)} for each in places.every()
    ]
    data: dict[str, Any] = {
        "side": {"tone": tone, "pages": pages, "page": page, "person": identity.person()},
        "base": below.front_path(),
        "there": None if there is None else asdict(there),
        "keys": [asdict(group) for group in view.keys(page)],
        "items": [asdict(item) for item in view.pages(places.titles())],
        "facts": [],
        "command": "",
        "pulse": None,
    }
    if project is not None:
        data |= _of_project(project, page, run)
    event = _mount()(key="desk", data=data, on_event_change=lambda: None).event
    if event:
        _act(project, run, event)


def _of_project(project: Project, page: str, run: RunRecord | None) -> dict[str, Any]:
    params, place = dict(st.query_params), words.tilde(project.home.uri)
    command = view.command(page, params)
    items = view.items(project.graph, places.titles(), run, command, project.may("run"))
    return {
        "items": [asdict(item) for item in items],
        "facts": [asdict(fact) for fact in view.facts(project.name, place, run, view.selection(params), _who(project))],
        "command": command,
        "pulse": {
            "page": page,
            "path": pulse.watch(project),
            "beat": pulse.beat(project),
            "every": LOOK_EVERY if project.home.local is not None else LOOK_FAR_EVERY,  # each look lists a few folders
        },
    }


def _picture(icon: str | None) -> str:
    """The name of a picture as its font has it."""
    return (icon or "").removeprefix(":material/").rstrip(":")


def _who(project: Project) -> str:
    """The person and their role, where the project gives roles."""
    return f"{project.person}: {project.role}" if project.roles else ""


def _act(project: Project | None, run: RunRecord | None, event: Mapping[str, Any]) -> None:
    act = event.get("act")
    if act == "sign out":
        st.logout()
    if project is None:
        return
    if act == "look":  # something happened elsewhere: a run began or ended, something was published or said
        st.rerun()
    if act == view.CANCEL and run is not None and run.id:
        project.cancel(run.id)
    elif act in (view.RUN, view.RETRY) and run is None:
        launch.start(project, retry_failed=act == view.RETRY)
    places.go("pipeline")
