"""Saving corrections, all of them together or none, what the page says about it afterwards, and the way back.

What is pressed is done before the page is drawn, so that one drawing shows its effect.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.correct.saving import Said
from packyak.studio.components.records.drafts import drafts
from packyak.studio.views import words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

NOTE = "saved_note"
REFUSED = "save_refused"
NOTED_SECONDS = 20.0


def save(project: Project, said: list[Said]) -> str:
    """Save, and have `note` tell it; on an error nothing is saved, the drafts stay, and why is answered."""
    try:
        saved = project.correct_many(said)
    except PackyakError as error:
        return str(error)
    for each in said:
        drafts(each.asset).pop((each.key, each.column), None)
    noted_saved(len(said), saved[0].group or saved[0].id)
    return ""


def noted_saved(many: int, undo: str) -> None:
    """Have `note` say that so many corrections were saved."""
    _noted(f"{words.counted(many, 'correction')} saved", undo)


def refuse(why: str) -> None:
    """For a callback: say why nothing was done."""
    st.session_state[REFUSED] = why


def refusal() -> None:
    """Why nothing was done at the last press, where that is so."""
    why = st.session_state.pop(REFUSED, "")
    if why:
        st.error(literal(why))


def undo(project: Project, correction: str) -> None:
    """End one correction; the computed value holds again."""
    try:
        project.undo(correction)
    except PackyakError as error:
        st.error(literal(str(error)))
        return
    settled("correction undone")


def _undo_last(project: Project, correction: str) -> None:
    """The same for a callback."""
    try:
        project.undo(correction)
    except PackyakError as error:
        st.toast(literal(str(error)), icon=":material/error:", duration="long")
        return
    _noted("correction undone")


def note(project: Project) -> None:
    """What was done a moment ago, if anything was, and the way back."""
    said, at, correction = st.session_state.get(NOTE, ("", 0.0, ""))
    if not said or time.monotonic() - at > NOTED_SECONDS:
        return
    st.badge(literal(said), icon=":material/check:", color="green")
    if correction:
        icon = ":material/undo:"
        st.button("Undo", key="undo_last", type="tertiary", icon=icon, on_click=_undo_last, args=(project, correction))


def settled(note: str, undo: str = "") -> None:
    """Say what happened, and draw the page anew from the records. undo: what takes it back."""
    _noted(note, undo)
    st.rerun()


def _noted(note: str, undo: str = "") -> None:
    st.session_state[NOTE] = (note, time.monotonic(), undo)
