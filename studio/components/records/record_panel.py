"""The side panel of the Records page: one record, how each value came to be, undo, and a typed editor for one field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.answers import Page, RecordDetail
from packyak.engine.run.correct.saving import Said
from packyak.studio.components.records import saving
from packyak.studio.components.records.erasing import erasing
from packyak.studio.components.records.missing import why_not
from packyak.studio.components.records.record import record_sheet
from packyak.studio.components.records.record_past import record_past
from packyak.studio.shell.identity import refused
from packyak.studio.views import records, words
from packyak.studio.views.difference import as_markdown, difference, worth_showing
from packyak.studio.views.record import sheet
from packyak.studio.views.records import Editor
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project


def record_panel(
    project: Project, asset: str, key: str, page: Page, shown: Sequence[Editor], *, editable: bool
) -> None:
    """Draw the record of that key."""
    _title(key, page)
    try:
        detail = project.record(asset, key)
    except PackyakError as error:
        st.text(why_not(project, asset, key, error))
        erasing(project, asset, key)
        return
    if editable:
        _correct(project, detail, shown)
    fields = sheet(detail, [editor.column for editor in shown])
    undone = record_sheet(fields, key=f"sheet-{asset}-{key}", refused=project.refusal("undo"))
    if undone:
        saving.undo(project, undone)
    record_past(project, asset, key)
    erasing(project, asset, key)


def _title(key: str, page: Page) -> None:
    keys = page.rows[records.KEY].to_pylist()
    here = keys.index(key) if key in keys else None
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        st.subheader(literal(words.record(key)), anchor=False, width="stretch")
        _step("record_up", ":material/keyboard_arrow_up:", "Record above", keys, here, -1)
        _step("record_down", ":material/keyboard_arrow_down:", "Record below", keys, here, 1)
        if st.button("", icon=":material/close:", type="tertiary", key="close_panel", help="Close"):
            st.query_params.pop("key", None)
            st.rerun()


def _step(name: str, icon: str, hint: str, keys: Sequence[str], here: int | None, by: int) -> None:
    there = None if here is None else here + by
    possible = there is not None and 0 <= there < len(keys)
    if st.button("", icon=icon, type="tertiary", key=name, help=hint, disabled=not possible) and there is not None:
        st.query_params["key"] = keys[there]
        st.rerun()


def _correct(project: Project, detail: RecordDetail, shown: Sequence[Editor]) -> None:
    """Correct one field here: for long text, and for values that deserve a reason of their own."""
    open_to = {editor.column: editor for editor in shown if editor.editable}
    if not open_to:
        return
    base = f"fix-{detail.asset}-{detail.key}"
    with st.expander("Correct a field", icon=":material/edit:", key=f"{base}-open"):
        column = st.selectbox("Field", list(open_to), key=f"{base}-column")
        if column is None:
            return
        was = next((field.value for field in detail.fields if field.column == column), None)
        with st.form(f"{base}-{column}-form", border=False):
            now = value_editor(open_to[column], was, f"{base}-{column}")
            st.text_input("Why (optional)", key=f"{base}-{column}-why")
            with st.container(horizontal=True, gap="small"):
                st.form_submit_button(
                    "Save correction",
                    type="primary",
                    on_click=_save,
                    args=(project, detail, open_to[column], was, f"{base}-{column}"),
                    **refused(project, "correct"),
                )
                looks = worth_showing(was, was) and st.form_submit_button("Show the change")
        if looks:
            _difference(str(was), str(now or ""))
        saving.refusal()


def _difference(was: str, now: str) -> None:
    if was == now:
        st.text("That is what it says already.")
    else:
        st.markdown(as_markdown(difference(was, now)))


def _save(project: Project, detail: RecordDetail, editor: Editor, was: Any, key: str) -> None:
    """What the form says, saved before the page is drawn."""
    now, why = edited(editor, was, st.session_state[key]), str(st.session_state.get(f"{key}-why") or "")
    if now == was:
        saving.refuse("That is what it says already.")
    else:
        saving.refuse(saving.save(project, [Said(detail.asset, detail.key, editor.column, now, why)]))


def edited(editor: Editor, was: Any, raw: Any) -> Any:
    """The value that a widget of `value_editor` stands for."""
    if editor.kind == "moment":
        return was if raw is None or raw == records.cell(was, "moment") else records.typed(raw, editor)
    return None if editor.kind == "text" and not raw and was is None else raw


def value_editor(editor: Editor, was: Any, key: str) -> Any:
    """The editor for one value of a column's type; answers the value."""
    if editor.kind == "choice":
        options = list(editor.choices)
        return st.selectbox("Value", options, index=options.index(was) if was in options else None, key=key)
    if editor.kind == "flag":
        return st.selectbox("Value", [True, False], index=None if was is None else int(not was), key=key)
    if editor.kind == "integer":
        return st.number_input("Value", value=was, step=1, key=key)
    if editor.kind == "number":
        return st.number_input("Value", value=was, key=key)
    if editor.kind == "date":
        return st.date_input("Value", value=was, key=key)
    if editor.kind == "moment":
        return edited(editor, was, st.datetime_input("Value (UTC)", value=records.cell(was, "moment"), key=key))
    if editor.kind == "time":
        return st.time_input("Value", value=was, key=key)
    return edited(editor, was, st.text_area("Value", value=was or "", key=key, height=120))
