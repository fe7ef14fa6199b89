"""Saving corrections: a preview of what was and what will be, why, and then all of them together or none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.correct import Said
from packyak.studio.components import grid
from packyak.studio.views import records, words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

NOTE = "saved_note"
ASKING = "asking_to_save"
PREVIEWED = 200
NOTED_SECONDS = 20.0


def ask() -> None:
    """Open the preview. It stays open over reruns of the page: the grid may still be sending what was typed."""
    st.session_state[ASKING] = True


def _answered() -> None:
    st.session_state.pop(ASKING, None)


def dialog(project: Project, asset: str) -> None:
    """Show the preview while it is asked for."""
    if st.session_state.get(ASKING) and grid.drafts(asset):
        _dialog(project, asset)
    else:
        _answered()


@st.dialog("Save corrections", width="medium", on_dismiss=_answered)
def _dialog(project: Project, asset: str) -> None:
    drafts = grid.drafts(asset)
    lines = records.previews(drafts)
    st.text(f"{words.counted(len(lines), 'value')} in {words.counted(len({line.key for line in lines}), 'record')}")
    rows = [{"record": line.key, "column": line.column, "was": line.was, "now": line.now} for line in lines[:PREVIEWED]]
    st.dataframe(rows, hide_index=True, height="content" if len(rows) < 9 else 330, alt="What will be saved")
    why = st.text_input("Why (optional)", key="why", placeholder="So that others understand, and the model learns")
    st.caption("Your values win over every computation from now on. Each can be undone in its record.")
    with st.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
        if st.button("Back", key="save_back", on_click=_answered):
            st.rerun()
        if st.button(f"Save {words.counted(len(lines), 'correction')}", type="primary", key="save_now"):
            said = [Said(asset, key, column, draft.now, why) for (key, column), draft in drafts.items()]
            save(project, said)


def save(project: Project, said: list[Said]) -> None:
    """Save and show the effect; on an error nothing is saved and the drafts stay."""
    try:
        project.correct_many(said)
    except PackyakError as error:
        st.error(literal(str(error)))
        return
    for each in said:
        grid.drafts(each.asset).pop((each.key, each.column), None)
    settled(f"{words.counted(len(said), 'correction')} saved")


def undo(project: Project, correction: str) -> None:
    """End one correction; the computed value holds again."""
    try:
        project.undo(correction)
    except PackyakError as error:
        st.error(literal(str(error)))
        return
    settled("correction undone")


def note() -> str:
    """What was done a moment ago, if anything was."""
    said, at = st.session_state.get(NOTE, ("", 0.0))
    return said if time.monotonic() - at < NOTED_SECONDS else ""


def settled(note: str) -> None:
    """Say what happened, and draw the page anew from the records."""
    _answered()
    st.session_state[NOTE] = (note, time.monotonic())
    st.session_state.pop("records_total", None)
    grid.refresh()
    st.rerun()
