"""A view of records to take along: as Python, SQL or a command, and as a file without what is personal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.declare.nodes import TableNode
from packyak.studio.views import share, words
from packyak.studio.views.share import Wanted
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project


def share_button(project: Project, wanted: Wanted, arguments: dict[str, Any], text_columns: list[str]) -> None:
    """The button with everything that can be taken along."""
    popover = st.popover("Share", icon=":material/ios_share:", key="share", on_change="rerun")
    with popover:
        if popover.open:
            with st.container(width=560, gap="small"):
                _ways(project, wanted, text_columns)
                _files(project, wanted, arguments)


def _ways(project: Project, wanted: Wanted, text_columns: list[str]) -> None:
    way = st.segmented_control("As", ["Command", "SQL", "Python"], default="Command", required=True, key="share_as")
    if way == "SQL":
        st.code(share.as_sql(wanted, text_columns), language="sql", wrap_lines=True)
        if wanted.how:
            st.caption("What the index finds has no form in SQL: Python and the command say it.")
        if wanted.only:
            st.caption(f"Only {wanted.only} records: that part has no form in SQL.")
    elif way == "Python":
        st.code(share.as_python(wanted, str(project.root)), language="python", wrap_lines=True)
    else:
        st.code(share.as_command(wanted), language=None, wrap_lines=True)


def _files(project: Project, wanted: Wanted, arguments: dict[str, Any]) -> None:
    personal = _personal(project, wanted.asset)
    left_out: frozenset[str] = personal
    if personal:
        names = literal(words.listed(sorted(personal)))
        if st.checkbox(f"Include personal data: {names}", key="share_personal"):
            left_out = frozenset()

    def make(kind: str) -> bytes:
        found = share.kept(project.page(wanted.asset, limit=10**9, **arguments).rows, left_out)
        return share.csv_bytes(found) if kind == "csv" else share.parquet_bytes(found)

    with st.container(horizontal=True, gap="small"):
        for kind, label in (("csv", "Save as CSV"), ("parquet", "Save as Parquet")):
            st.download_button(
                label, partial(make, kind), f"{wanted.asset}.{kind}", icon=":material/download:", key=f"share_{kind}"
            )


def _personal(project: Project, asset: str) -> frozenset[str]:
    """The columns marked personal in the view's assets."""
    chain = [node for node in project.graph.chain(asset) if isinstance(node, TableNode)]
    return frozenset(column for node in chain for column in node.marks.personal)
