"""Correcting many records at once: what, to what, how many, a look at some of them, then save; undone by one press."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.questions import Bulk
from packyak.studio.components.records import saving
from packyak.studio.components.records.record_panel import value_editor
from packyak.studio.shell.identity import refused
from packyak.studio.views import words
from packyak.studio.views.records import Editor
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

MOST = 100_000
PREVIEW = "bulk_preview"


def bulk_button(
    project: Project, asset: str, keys: Callable[[], tuple[str, ...] | None], total: int, shown: Sequence[Editor]
) -> None:
    """The button for all records of the view. keys: asked when needed; None for every record of the asset."""
    open_to = {editor.column: editor for editor in shown if editor.editable}
    if not open_to or not total:
        return
    may = refused(project, "correct_where")
    if total > MOST and not may.get("disabled"):
        may = {"disabled": True, "help": f"Narrow the view first: to {words.count(MOST)} records at most"}
    popover = st.popover("Change many", icon=":material/edit_note:", key="bulk", on_change="rerun", **may)
    with popover:
        if popover.open:
            with st.container(width=460, gap="small"):
                _form(project, asset, keys(), total, open_to)


def _form(project: Project, asset: str, keys: tuple[str, ...] | None, total: int, open_to: dict[str, Editor]) -> None:
    st.text(f"Give all {words.counted(total, 'record')} of this view one value.")
    column = st.selectbox("Column", list(open_to), key="bulk_column")
    if column is None:
        return
    value = value_editor(open_to[column], None, f"bulk-{asset}-{column}")
    why = st.text_input("Why (optional)", key="bulk_why")
    meant = (asset, column, value, keys)
    if st.button("Look first", key="bulk_look", icon=":material/visibility:"):
        found = _call(project, meant, why, preview=True)
        if found is not None:
            st.session_state[PREVIEW] = (meant, found)
    known = st.session_state.get(PREVIEW)
    if known is None or known[0] != meant:
        return
    st.text(_facts(known[1]))
    label = f"Change {words.counted(known[1].count, 'record')}"
    if known[1].count and st.button(label, type="primary", key="bulk_save", icon=":material/check:"):
        done = _call(project, meant, why, preview=False)
        if done is not None:
            st.session_state.pop(PREVIEW)
            saving.settled(f"{words.counted(done.count, 'record')} changed", undo=done.id)
    _examples(known[1])


def _facts(found: Bulk) -> str:
    facts = [f"{words.counted(found.count, 'record')} would change"]
    facts += [f"{words.count(found.same)} have that value already"] if found.same else []
    facts += [f"{words.count(found.decided)} were decided by a person before"] if found.decided else []
    return ", ".join(facts) + "."


def _examples(found: Bulk) -> None:
    rows = [
        {"record": words.record(each.key), "was": words.value(each.before, 80), "will be": words.value(each.after, 80)}
        for each in found.examples
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height="content" if len(rows) < 8 else 260, alt="Some of the changes")


def _call(
    project: Project, meant: tuple[str, str, Any, tuple[str, ...] | None], why: str, *, preview: bool
) -> Bulk | None:
    asset, column, value, keys = meant
    every = "true" if keys is None else None
    try:
        return project.correct_where(asset, column, value, where=every, keys=keys, preview=preview, why=why)
    except PackyakError as error:
        st.error(literal(str(error)))
        return None
