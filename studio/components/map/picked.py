"""Beside the map: what was picked, as a list with what can be done with it; or the one record that was clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.maps import Map
from packyak.studio.components.records import narrowed, saving
from packyak.studio.components.records.bulk import bulk_button
from packyak.studio.components.records.missing import why_not
from packyak.studio.components.records.record import record_sheet
from packyak.studio.shell import places
from packyak.studio.views import map as view
from packyak.studio.views import records, words
from packyak.studio.views.record import sheet
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

HOW = (
    "Every dot is a record; those whose texts mean alike lie near one another. Point at one to read it, "
    "click it to open it here."
)
NOT_KEPT = "Laid out for this studio alone: the home keeps no map from you. The next one lays it out anew."
PICK = "Draw around some with the lasso (L) or a box (B): then look at them, review them or correct them together."


def picked_panel(project: Project, found: Map, chosen: Map | None, key: str, *, kept: bool = True) -> None:
    """Draw the panel. chosen: the records that are picked, None where nothing is; key: the record to show. kept: in
    the home, for the next studio too."""
    if key:
        _record(project, found, key)
    elif chosen is None:
        _help(found, kept)
    else:
        _picked(project, chosen)


def _help(found: Map, kept: bool) -> None:
    st.subheader(literal(view.facts(found)), anchor=False)
    st.text(HOW)
    st.text(PICK)
    if found.laid < found.total:
        st.caption("The sample is the same each time: laying out all of them would take too long to wait for.")
    if not kept:
        st.caption(NOT_KEPT)


def _record(project: Project, found: Map, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
        st.subheader(literal(words.record(key)), anchor=False, width="stretch")
        if st.button("", icon=":material/close:", type="tertiary", key="map_close", help="Close"):
            st.query_params.pop("key", None)
            st.rerun()
    try:
        detail = project.record(found.asset, key)
    except PackyakError as error:
        st.text(why_not(project, found.asset, key, error))
        return
    if st.button("Open in Records", icon=":material/table_rows:", key="map_open"):
        places.go("records", {"asset": found.asset, "key": key})
    order = [field.column for field in detail.fields]
    own = [field.column for field in detail.fields if field.owner == found.asset or field.column == found.column]
    fields = sheet(detail, [*own, *(name for name in order if name not in own)])
    undone = record_sheet(fields, key=f"map-sheet-{key}", refused=project.refusal("undo"))
    if undone:
        saving.undo(project, undone)


def _picked(project: Project, chosen: Map) -> None:
    keys = tuple(chosen.rows["_key"].to_pylist())
    inside = st.query_params.get("inside", "")
    st.subheader(f"{words.counted(len(keys), 'record')} picked", anchor=False)
    if not keys:
        st.text("No record lies within. Draw around some dots, or clear with Esc.")
        return
    there = narrowed.address(chosen, inside)
    with st.container(horizontal=True, gap="xsmall"):
        if st.button("Review these", icon=":material/rate_review:", key="map_review"):
            places.go("review", there)
        if st.button("Open in Records", icon=":material/table_rows:", key="map_records"):
            places.go("records", there)
        chain = [node.name for node in project.graph.chain(chosen.asset)]
        shown = records.editors(project.page(chosen.asset, limit=0), chain)
        shown = tuple(sorted(shown, key=lambda each: each.column != chosen.color))  # what is looked at comes first
        bulk_button(project, chosen.asset, lambda: keys, len(keys), shown)
    if chosen.color:
        st.caption(literal(view.shares(chosen)))
    rows = view.listed(chosen)
    state = st.dataframe(
        rows,
        hide_index=True,
        height="stretch",
        on_select="rerun",
        selection_mode="single-cell",
        key=f"picked-{hash(keys)}",
        alt="The records that are picked",
    )
    if state.selection.cells:
        st.query_params["key"] = rows[state.selection.cells[0][0]]["record"]
        st.rerun()
    if len(keys) > len(rows):
        st.caption(f"The first {words.count(len(rows))}; Records shows all of them.")
