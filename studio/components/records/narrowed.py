"""Records picked on the map, on other pages: which they are stands in the address as the shapes that were drawn, so
that a link, a reload and a second window show the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run import maps
from packyak.engine.run.indexes import index_of
from packyak.studio.shell import layouts
from packyak.studio.views import words

if TYPE_CHECKING:
    from packyak.engine.project import Project

NAMES = ("map", "way", "inside")


def address(found: maps.Map, inside: str) -> dict[str, str]:
    """The part of another page's address that narrows it to what is picked."""
    return {"asset": found.asset, "map": found.index, "way": found.way, "inside": inside}


def picked_keys(project: Project) -> tuple[str, ...] | None:
    """The keys of the records that the address picks; None where it picks none, or they can no longer be told."""
    index, way, inside = (st.query_params.get(name, "") for name in NAMES)
    if not index or not inside:
        return None
    try:
        if not layouts.is_laid(project, index, way or "neighbours"):
            return None
        node = index_of(project._reader(), index)
        found, _, _ = layouts.read(project, node.name, node.source, None, way or "neighbours")
        kept = maps.within(found.rows, maps.shapes_of(inside))
    except PackyakError:  # an address that somebody changed by hand
        return None
    return tuple(found.rows["_key"].filter(pa.array(kept)).to_pylist())


def chip(number: int) -> None:
    """Says that the page is narrowed, and takes it back."""
    label = f"{words.count(number)} from the map"
    if st.button(
        label, icon=":material/close:", key="unpick", help="Only what was picked there; press to see all again"
    ):
        for name in NAMES:
            st.query_params.pop(name, None)
        st.rerun()


def condition(keys: tuple[str, ...]) -> str:
    """The keys as an SQL condition."""
    quoted = ", ".join("'" + key.replace("'", "''") + "'" for key in keys)
    return f"_key in ({quoted or 'null'})"
