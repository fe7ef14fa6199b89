"""The page that opens projects: what Packyak does in three steps, the sample, any folder, the recent ones."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from packyak.studio.components.shell import tilde
from packyak.studio.shell import places, projects
from packyak.studio.views.words import literal

from packyak import sample_data

SAMPLE = "packyak-sample"
STEPS = (
    ("1", "Declare", "Write transforms as plain Python functions. Parameters name the columns they read."),
    ("2", "Run", "Only what is stale is computed, down to the single record, and every asset says why."),
    ("3", "Correct", "Set a wrong value right. Yours wins from then on, whatever is computed later."),
)


def welcome() -> None:
    """Draw the page."""
    with st.container(key="home", width=860, gap="medium"):
        st.title("Projects", anchor=False)
        st.text("A folder with Python declarations and a packyak.toml. Its data stays beside it, on this machine.")
        _steps()
        left, right = st.columns(2, gap="medium")
        with left.container(border=True, height="stretch"):
            _sample()
        with right.container(border=True, height="stretch"):
            _open()
        _recent()


def _steps() -> None:
    for column, (number, title, text) in zip(st.columns(3, gap="medium"), STEPS, strict=True):
        with column.container(gap="xsmall"):
            st.badge(number, color="primary")
            st.markdown(f"**{title}**")
            st.caption(text)


def _sample() -> None:
    st.subheader("Start with the sample", anchor=False)
    st.text("1,500 invented customer messages: cleaned, filed by topic, counted by day, searchable.")
    folder = st.text_input("Folder", value=str(Path.home() / SAMPLE), key="sample_folder")
    if st.button("Create the sample project", type="primary", icon=":material/add:", key="create_sample"):
        try:
            root = sample_data.create(Path(folder).expanduser())
        except OSError as error:
            st.error(literal(f"{folder} cannot be written: {error.strerror or error}"))
            return
        _go(root.resolve())


def _open() -> None:
    st.subheader("Open a folder", anchor=False)
    st.text("One that holds a packyak.toml, or lies within such a project.")
    folder = st.text_input("Folder", placeholder=str(Path.home() / "my-project"), key="open_folder")
    if st.button("Open", icon=":material/folder_open:", key="open_project", disabled=not folder):
        path = Path(folder).expanduser()
        root = projects.nearest(path.resolve()) if path.is_dir() else None
        if root is None:
            reason = "holds no packyak.toml" if path.is_dir() else "is no folder"
            st.error(literal(f"{folder} {reason}. `packyak init` in a terminal makes a project of a folder."))
            return
        _go(root)


def _recent() -> None:
    current = st.session_state.get(projects.CHOSEN)
    found = projects.recent()
    if not found:
        return
    st.subheader("Recent", anchor=False)
    with st.container(gap="xsmall"):
        for place in found:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                if st.button(literal(place.name), key=f"recent-{place}", icon=":material/folder:"):
                    _go(place)
                st.caption(literal(tilde(place)), width="content")
                if str(place) == current:
                    st.badge("open", color="green")


def _go(root: Path) -> None:
    projects.choose(root)
    st.switch_page(places.pipeline())
