"""How the graph is looked at, kept in the address: a link shows the same, Back undoes it, a refresh loses nothing.

`asset`: the chosen node; `open`: open groups; `focus`, `steps`: only what is near; `columns`, `column`: column level;
`outside`: 0 leaves out other tools; `at`: a past moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.declare.nodes import Graph
from packyak.studio.components.pipeline.graph import Shown
from packyak.studio.components.pipeline.outside import Around
from packyak.studio.views import pipeline
from packyak.studio.views.focus import Focus
from packyak.studio.views.groups import PREFIX
from packyak.studio.views.outside import Beyond
from packyak.studio.views.pipeline import Look
from packyak.studio.views.threads import ColumnLevel, column_level

if TYPE_CHECKING:
    from packyak.engine.project import Project

SEPARATOR = ","


def shown(graph: Graph, past: str = "", around: Around | None = None) -> Shown:
    """What stands out, as the address says. past: what to say of a graph that is no longer so."""
    names = frozenset(graph.nodes) | frozenset(around.shown.nodes if around else ())
    asked = st.query_params
    chosen = asked.get("asset", "")
    columns = asked.get("columns") == "1" and not past
    return Shown(
        chosen if chosen in names else "",
        asked.get("column", ""),
        _focus(names),
        columns,
        past,
        around=around.hint if around else "",
        outside=bool(around and around.shown.nodes),
    )


def look(project: Project, graph: Graph, beyond: Beyond | None = None) -> Look:
    """How to draw the graph, as the address says. graph: the project's, or one of the past."""
    asked = st.query_params
    opened = frozenset(filter(None, asked.get("open", "").split(SEPARATOR)))
    hidden = pipeline.group_of(graph, asked.get("asset", "")) if asked.get("asset") in graph.nodes else None
    level = _level(project) if asked.get("columns") == "1" and graph is project.graph else ColumnLevel()
    beyond = beyond or Beyond()
    focus = _focus(frozenset(graph.nodes) | frozenset(beyond.nodes))
    return Look(opened | ({hidden} if hidden else set()), focus, level, beyond=beyond)


def _focus(names: frozenset[str]) -> Focus | None:
    name, steps = st.query_params.get("focus", ""), st.query_params.get("steps", "0")
    return Focus(name, int(steps) if steps.isdigit() else 0) if name in names else None


def _level(project: Project) -> ColumnLevel:
    """Column lineage with the types that are stored; read again only when a version changes."""
    good = project.published.load().assets
    seen = (str(project.root), tuple((name, each.table) for name, each in good.items()))
    known = st.session_state.get("column_level")
    if known is None or known[0] != seen:
        scope = project.scope()
        schemas: dict[str, dict[str, Any]] = {}
        for name, each in good.items():
            if name in project.graph.nodes:
                schema = scope.table(name).schema(each.table)
                schemas[name] = {field.name: field.type for field in schema if not field.name.startswith("_")}
        known = (seen, column_level(project.graph, schemas))
        st.session_state["column_level"] = known
    level: ColumnLevel = known[1]
    return level


def take(event: Mapping[str, Any]) -> None:
    """Put what a person did with the graph into the address."""
    asked = st.query_params
    if "name" in event:
        name = str(event["name"])
        if name.startswith(PREFIX):
            opened = {each for each in asked.get("open", "").split(SEPARATOR) if each}
            _set("open", SEPARATOR.join(sorted(opened | {name.removeprefix(PREFIX)})))
        else:
            _set("asset", name)
            asked.pop("column", None)
    if "open" in event:
        _set("open", SEPARATOR.join(sorted(map(str, event["open"]))))
        asked.pop("asset", None)
    if "focus" in event:
        focus = event["focus"] or {}
        _set("focus", str(focus.get("name", "")))
        _set("steps", str(focus.get("hops") or "") if focus else "")
    if "outside" in event:
        _set("outside", "" if event["outside"] else "0")
    if "columns" in event:
        _set("columns", "1" if event["columns"] else "")
        asked.pop("column", None)
    if "column" in event:
        column = str(event["column"])
        _set("column", "" if column == asked.get("column") else column)


def _set(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
