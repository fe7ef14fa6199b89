"""Saving corrections: a preview of what was and what will be, why, and then all of them together or none.

What is pressed is done before the page is drawn, in the button's callback, so that one drawing shows its effect.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.correct.saving import Said
from packyak.studio.components import grid
from packyak.studio.shell.identity import refused
from packyak.studio.views import records, words
from packyak.studio.views.difference import as_markdown, difference, worth_showing
from packyak.studio.views.records import Cell, Draft
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

NOTE = "saved_note"
REFUSED = "save_refused"
PREVIEWED = 200
DIFFERENCES = 5
NOTED_SECONDS = 20.0


def save_button(project: Project, asset: str) -> None:
    """The button that opens a preview of every change.

    Opening it is the browser's own doing: a press that met the rerun of an edit just made would be lost. The reason and
    the final press travel together, as a form.
    """
    drafts = grid.drafts(asset)
    if not drafts:  # nothing to look at: a preview of nothing would cost as much as the rest of the foot
        st.button("Save corrections", icon=":material/save:", type="primary", disabled=True, key=f"none-{asset}")
        return
    lines = records.previews(drafts)
    label = f"Save {words.counted(len(lines), 'correction')}"
    key = f"save-{asset}-{st.session_state.get(grid.ROUND, 0)}"  # a new one after each save: it starts closed
    may = refused(project, "correct_many")
    with (
        st.popover(label, type="primary", icon=":material/save:", key=key, **may),
        st.container(width=560),
    ):
        touched = words.counted(len({line.key for line in lines}), "record")
        st.text(f"{words.counted(len(lines), 'value')} in {touched}")
        rows = [{"record": line.key, "column": line.column, "was": line.was, "now": line.now} for line in lines]
        short = len(rows) < 9
        st.dataframe(rows[:PREVIEWED], hide_index=True, height="content" if short else 330, alt="What will be saved")
        _differences(drafts)
        st.caption("Your values win over every computation from now on. Each can be undone in its record.")
        with st.form(f"form-{key}", border=False):
            st.text_input("Why (optional)", placeholder="So that others understand", key=f"why-{key}")
            may = refused(project, "correct_many")
            st.form_submit_button(
                "Save now",
                type="primary",
                icon=":material/check:",
                on_click=_save_drafts,
                args=(project, asset, key),
                **may,
            )
        refusal()


def _differences(drafts: Mapping[Cell, Draft]) -> None:
    """What changes within long texts."""
    long = [(key, each) for (key, _), each in drafts.items() if worth_showing(each.was, each.now)]
    for key, each in long[:DIFFERENCES]:
        st.markdown(f"**{literal(key)}**  \n{as_markdown(difference(each.was, each.now))}")


def _save_drafts(project: Project, asset: str, key: str) -> None:
    why = str(st.session_state.get(f"why-{key}") or "")
    save(project, [Said(asset, row, column, draft.now, why) for (row, column), draft in grid.drafts(asset).items()])


def save(project: Project, said: list[Said]) -> None:
    """For a callback: save; on an error nothing is saved and the drafts stay. `note` and `refusal` tell."""
    try:
        saved = project.correct_many(said)
    except PackyakError as error:
        refuse(str(error))
        return
    for each in said:
        grid.drafts(each.asset).pop((each.key, each.column), None)
    _noted(f"{words.counted(len(said), 'correction')} saved", saved[0].group or saved[0].id)


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
    grid.refresh()
