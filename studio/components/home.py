"""The page that opens projects: recent ones, the sample, a CSV file that becomes one, any folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.shell import create, launch, places, projects
from packyak.studio.views import from_csv, words
from packyak.studio.views.words import literal

from packyak import sample_data

SAMPLE = "packyak-sample"
MOST_MEGABYTES = 200
NO_KEY = "none"
NONE_DIFFERS = "none: no column differs in every record"
HEADER, LOOKED = "csv_header", "csv_looked"
FIRST_LINE = "The first line names the columns"
STEPS = (
    ("1", "Declare", "Write transforms as plain Python functions. Parameters name the columns they read."),
    ("2", "Run", "Only what is stale is computed, down to the single record, and every asset says why."),
    ("3", "Correct", "Set a wrong value right. Yours wins from then on, whatever is computed later."),
)


def welcome() -> None:
    """Draw the page."""
    with st.container(key="home", width=980, gap="medium"):
        st.title("Projects", anchor=False)
        st.text("A folder with Python declarations and a packyak.toml. Its data stays beside it, on this machine.")
        _recent()
        left, middle, right = st.columns(3, gap="medium")
        with left.container(border=True, height="stretch"):
            _sample()
        with middle.container(border=True, height="stretch"):
            file = _drop()
        with right.container(border=True, height="stretch"):
            _open()
        if file is not None:
            _csv(file)
        else:
            _steps()


def _steps() -> None:
    for column, (number, title, text) in zip(st.columns(3, gap="medium"), STEPS, strict=True):
        with column.container(gap="xsmall"), st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            st.badge(number, color="primary")
            st.markdown(f"**{title}**")
        column.caption(text)


def _drop() -> Any:
    st.subheader("Begin with a CSV file", anchor=False)
    st.text("It becomes an asset: every record can be seen, corrected and built upon.")
    return st.file_uploader("CSV file", type=["csv", "tsv", "txt"], key="csv_file", max_upload_size=MOST_MEGABYTES)


def _csv(file: Any) -> None:
    """What the file holds, and the choices that make it a project."""
    header = st.session_state.get(HEADER) if st.session_state.get("csv_of") == file.file_id else None
    try:
        found = _looked(file, header)
    except from_csv.NoTable as error:
        st.error(literal(f"{file.name} cannot be read as a table: {error}"))
        if header is not None:
            st.checkbox(FIRST_LINE, key=HEADER)
        return
    if header is None:
        st.session_state[HEADER], st.session_state["csv_of"] = found.header, file.file_id
    with st.container(border=True, key="csv_project"):
        size = f"{words.counted(found.records, 'record')}, {words.counted(len(found.columns), 'column')}"
        st.subheader(literal(f"{file.name}: {size}"), anchor=False)
        for note in found.notes:
            st.caption(literal(note))
        _choices(found)


def _looked(file: Any, header: bool | None) -> from_csv.Looked:
    """What the file holds; a large one is read once for each choice, not at every press."""
    wanted = (file.file_id, header)
    kept = st.session_state.get(LOOKED)
    if kept is None or kept[0] != wanted:
        with st.spinner("Reading the file"):
            seen = from_csv.look(file.name, file.getvalue(), header)
        kept = ((file.file_id, seen.header), seen)  # what it looks like is what the next press asks for
        st.session_state[LOOKED] = kept
    found: from_csv.Looked = kept[1]
    return found


def _choices(found: from_csv.Looked) -> None:
    st.checkbox(FIRST_LINE, key=HEADER)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asset = from_csv.python_name(st.text_input("Name of the asset", value=found.asset, key="csv_asset"))
        key = st.selectbox(
            "Key: what names a record, and lasts",
            [*found.keys, None],
            format_func=lambda column: column or (NO_KEY if found.keys else NONE_DIFFERS),
            key="csv_key",
        )
    if key is None:
        st.caption("Without a key a record is known by its content: its corrections are lost when it changes.")
    folder = st.text_input("Folder", value=str(Path.home() / asset), key="csv_folder")
    with st.expander("The code that reads it"):
        st.code(from_csv.pipeline_text(found, asset, key), language="python")
    st.dataframe(list(found.head), hide_index=True, height=220, alt=f"The first records of {found.file}")
    if st.button("Create the project", type="primary", icon=":material/add:", key="create_csv"):
        root = Path(folder).expanduser().resolve()
        try:
            create.from_csv(root, found, asset, key)
        except OSError as error:
            st.error(literal(f"{folder} cannot be used: {error.strerror or error}"))
            return
        projects.choose(root)
        launch.start(projects.open_project(root))
        places.go("pipeline")


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
                st.caption(literal(words.tilde(place)), width="content")
                if str(place) == current:
                    st.badge("open", color="green")


def _go(root: Path) -> None:
    projects.choose(root)
    places.go("pipeline")
