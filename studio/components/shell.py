"""What every page shows beside its own content: the project's corner, and the page for one that cannot be opened."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.studio.components.desk import desk
from packyak.studio.shell import identity, places, projects
from packyak.studio.views import words
from packyak.studio.views.problem import Problem, problem_of
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project


def around(page: str, tone: str) -> bool:
    """The list of pages, palette, keys and status bar; of a project that cannot be opened only what needs none. Answers
    whether the browser was told to go to another page."""
    root = projects.current_root()
    assert root is not None, "the shell shows Home when there is no project"
    project: Project | None = None
    with suppress(Exception):  # whatever the user's own code raises; the page tells
        project = projects.open_project(root)
    there = places.going()
    desk(project, page, tone, there)
    return there is not None


def opened() -> Project:
    """The open project; a page that says what is wrong, and stops the script, where it cannot be opened."""
    root = projects.current_root()
    assert root is not None, "the shell shows Home when there is no project"
    try:
        return projects.open_project(root)
    except Exception as error:  # whatever the user's own code raises on import must not take the studio down
        show_problem(problem_of(error, root), root)
        st.stop()


def calm(draw: Callable[..., None]) -> Callable[..., None]:
    """The same, with any error told as a page tells it: in a fragment Streamlit would show its own."""

    @wraps(draw)
    def drawn(*given: Any) -> None:
        try:
            draw(*given)
        except Exception as error:  # whatever it is; the log has all of it
            tell_problem(error)

    return drawn


def tell_problem(error: Exception) -> None:
    """Instead of the rest of a page: what went wrong that nobody foresaw."""
    root = projects.current_root()
    assert root is not None, "the shell shows Home when there is no project"
    logging.getLogger("packyak.studio").error("a page failed", exc_info=error)
    show_problem(problem_of(error, root), root)


def show_problem(problem: Problem, root: Path) -> None:
    """Instead of a page: what is wrong, at which line, what to do. Looks again by itself once a file changes."""
    with st.container(width=820, key="problem"):
        st.header(literal(problem.title), anchor=False)
        if problem.where:
            st.badge(literal(problem.where), icon=":material/code:", color="red")
        st.text(problem.message)
        if problem.excerpt:
            st.code(problem.excerpt, language=None)
        if problem.next_step:
            st.text(words.sentence(problem.next_step))
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Try again", icon=":material/refresh:", type="primary"):
                st.rerun()
            if not identity.signs_in():
                st.page_link(places.home(), label="Open another project")
        _watch(projects.stamp(root), root)


@st.fragment(run_every=1.5)
def _watch(seen: projects.Stamp, root: Path) -> None:
    st.caption("Save the file and this page looks again.")
    if projects.stamp(root) != seen:
        st.rerun()
