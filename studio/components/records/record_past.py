"""Below a record's fields: what people said of it, what it comes from, what hangs on it, and records like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.declare.nodes import Graph, IndexNode, TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.lineage.chain import Trace
from packyak.studio.shell import places
from packyak.studio.views import past, words
from packyak.studio.views.difference import as_markdown, difference, worth_showing
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

LIKE = 8
MOST_TRACED = 200


def record_past(project: Project, asset: str, key: str) -> None:
    """Draw the sections; each asks only once it is opened."""
    base = f"past-{asset}-{key}"
    history = st.expander("History", icon=":material/history:", key=f"{base}-history", on_change="rerun")
    with history:
        if history.open:
            _history(project, asset, key)
    for direction, title, icon in (
        ("up", "Where it comes from", ":material/north_west:"),
        ("down", "What hangs on it", ":material/south_east:"),
    ):
        trace = st.expander(title, icon=icon, key=f"{base}-{direction}", on_change="rerun")
        with trace:
            if trace.open:
                st.page_link(places.pipeline(), label="Draw it on the graph", query_params={"of": asset, "key": key})
                _trace(project.trace(asset, key, direction=direction, limit=MOST_TRACED), asset, key)  # type: ignore[arg-type]
    index = index_for(project.graph, asset)
    if index is not None:
        like = st.expander("More like this", icon=":material/join_inner:", key=f"{base}-like", on_change="rerun")
        with like:
            if like.open:
                _like(project, key, index)


def index_for(graph: Graph, asset: str) -> IndexNode | None:
    """An index over the records that this asset shows."""
    root = graph.root(asset).name
    found = (node for node in graph.nodes.values() if isinstance(node, IndexNode))
    return next((node for node in found if _root(graph, node.source) == root), None)


def _root(graph: Graph, name: str) -> str:
    return graph.root(name).name if isinstance(graph.nodes.get(name), TableNode) else ""


def _history(project: Project, asset: str, key: str) -> None:
    owners = {node.name for node in project.graph.chain(asset)}
    said = [each for each in project.corrections(key=key) if each.asset in owners]
    if not said:
        st.text("Nobody has said anything about this record.")
    for each, line in zip(said, past.history(said), strict=True):
        what = f"**{literal(line.what)}**"
        if each.kind == "correct" and worth_showing(each.computed, each.value):
            what = f"**{literal(each.column)}**  \n{as_markdown(difference(each.computed, each.value))}"
        st.markdown(f"{what}  \n{literal(line.who)}")


def _trace(found: Trace, asset: str, key: str) -> None:
    lines = past.steps(found, (asset, key))
    if not lines:
        st.text("Nothing: it stands alone.")
    for line in lines:
        with st.container(horizontal=True, wrap=False, gap="xsmall", vertical_alignment="center"):
            st.badge(literal(line.asset), color="gray")
            if line.key and st.button(literal(line.title), key=f"go-{line.asset}-{line.key}", type="tertiary"):
                st.query_params.from_dict({"asset": line.asset, "key": line.key})
                st.rerun()
            elif not line.key:
                st.text(line.title, width="stretch")
        if line.note:
            st.caption(literal(line.note))


def _like(project: Project, key: str, index: IndexNode) -> None:
    try:
        found = project.find(index.name, k=LIKE, like=key)
    except PackyakError as error:
        st.text(str(error))
        return
    lines = past.like(found, key, index.on)
    if not lines:
        st.text(f"The index {index.name} has nothing to compare it with.")
        return
    if st.button("Show them as records", icon=":material/table_rows:", key="all_like", type="tertiary"):
        st.query_params["like"] = key
        st.rerun()
    for line in lines:
        if st.button(literal(line.key), key=f"like-{line.key}", type="tertiary", help="Open this record"):
            st.query_params["key"] = line.key
            st.rerun()
        st.caption(literal(words.value(line.text, 140)))
