"""The Map page: an index's records in two dimensions, coloured by a column, picked with a lasso, then looked at,
reviewed or corrected together.

All of it stands in the address: index, asset, colour, way, the shapes that pick, where the window stands, the record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import streamlit as st
from packyak.engine.declare.nodes import IndexNode, LearnedNode
from packyak.engine.errors import PackyakError
from packyak.engine.run import maps
from packyak.engine.run.answers import AssetStatus
from packyak.engine.run.maps import Map
from packyak.studio.components.map.picked import picked_panel
from packyak.studio.components.map.scatter import event, scatter
from packyak.studio.components.records import saving
from packyak.studio.components.shell import calm
from packyak.studio.shell import launch, layouts, places
from packyak.studio.views import map as view
from packyak.studio.views import words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

PLOT = "map_plot"
SHOWN = "map_shown"
FAILED = "map_failed"
TICK = 1.0
NO_COLOUR = "One colour"
WORDS = {"index": "Index", "asset": "Records of", "color": "Colour"}
WAYS = {"neighbours": "Neighbourhoods", "directions": "Directions"}
DECLARE = 'search = Index(text, on="text")'


def map_page(project: Project) -> None:
    """Draw the page of the index that the address names, else the first."""
    found = [node for node in project.graph.nodes.values() if isinstance(node, IndexNode)]
    if not found:
        _nothing(
            "No index to draw a map of",
            "A map lays out records by what their texts mean. Declare an index over a text column, then run it:",
            DECLARE,
        )
        return
    names = [node.name for node in found]
    index = st.query_params.get("index", "")
    node = found[names.index(index)] if index in names else found[0]
    reader = project._reader()
    assets = maps.family(reader, node)
    asset = st.query_params.get("asset", "")
    if asset not in assets:
        learned = [name for name in assets if isinstance(project.graph[name], LearnedNode)]
        asset = learned[0] if learned else node.source
    way = st.query_params.get("way", "")
    way = way if way in WAYS else "neighbours"
    columns, color = _columns(project, asset)
    status = next(each for each in project.status() if each.name == node.name)
    _header(project, names, status, assets, asset, columns, color, way)
    if status.state in ("never", "blocked") and status.rows is None:
        _nothing(f"{literal(node.name)} has never run", "Once it has, each of its records has a place here.")
        _update(project, status, "primary")
        return
    if not layouts.is_laid(project, node.name, way):
        st.fragment(calm(_laying_out), run_every=TICK)(project, node, way)
        return
    st.fragment(calm(_page))(project, node.name, asset, color, way)


def _nothing(title: str, text: str, code: str = "") -> None:
    with st.container(key="nothing", width=560, gap="small"):
        st.subheader(title, anchor=False)
        st.text(text)
        if code:
            st.code(code, language="python")


# Header


def _columns(project: Project, asset: str) -> tuple[list[str], str | None]:
    """The columns to colour by, and the one that the address names, else what the asset itself computes."""
    if not project.versions(asset):
        return [], None
    found = project.page(asset, limit=0).columns
    key = project.graph.root(asset).key or ()
    names = view.columns([(each.name, each.type) for each in found], key)
    named = st.query_params.get("color", "")
    if named == "-":
        return names, None
    own = [each.name for each in found if each.owner == asset and each.name in names]
    return names, named if named in names else own[0] if own and isinstance(project.graph[asset], LearnedNode) else None


def _header(
    project: Project, indexes: list[str], status: AssetStatus, assets: tuple[str, ...], asset: str, columns: list[str],
    color: str | None, way: str,
) -> None:  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_header"):
        st.header("Map", anchor=False, width="content")
        if len(indexes) > 1:
            _choice("Index", "index", indexes, status.name, 170)
        _choice("Records of", "asset", list(assets), asset, 200)
        _choice("Colour by", "color", [NO_COLOUR, *columns], color or NO_COLOUR, 190)
        _way(way)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="stretch"):
            saving.note(project)
        if status.state == "stale":
            _update(project, status, "secondary")


def _choice(label: str, name: str, options: list[str], chosen: str, width: int) -> None:
    """A list that changes the address; what rests on it is taken out of there."""
    key = f"map_{name}"
    if st.session_state.get(key) != chosen:
        st.session_state[key] = chosen

    def taken() -> None:
        said = st.session_state[key]
        st.query_params[name] = "-" if said == NO_COLOUR else said
        for other in {"index": ("asset", "color", "inside", "view", "key"), "asset": ("color",)}.get(name, ()):
            st.query_params.pop(other, None)

    st.selectbox(
        label, options, key=key, on_change=taken, width=width, label_visibility="collapsed",
        format_func=lambda each: f"{WORDS[name]}: {each}" if each != NO_COLOUR else each,
    )  # fmt: skip


def _way(way: str) -> None:
    if st.session_state.get("map_way") != way:
        st.session_state["map_way"] = way

    def taken() -> None:
        st.query_params["way"] = st.session_state["map_way"]
        for other in ("inside", "view"):
            st.query_params.pop(other, None)

    st.segmented_control(
        "Layout", list(WAYS), format_func=WAYS.__getitem__, key="map_way", on_change=taken, required=True,
        label_visibility="collapsed",
    )  # fmt: skip


def _update(project: Project, status: AssetStatus, kind: Literal["primary", "secondary"]) -> None:
    """Brings the index up to date."""
    busy = launch.under_way(project) is not None
    label = "A run is under way" if busy else f"Run {status.name}"
    if st.button(label, icon=":material/play_arrow:", key="map_update", type=kind, disabled=busy, help=status.reason):
        launch.start(project, (status.name,))
        places.go("pipeline", {"asset": status.name})


# Laying out


def _laying_out(project: Project, node: IndexNode, way: str) -> None:
    """While the map is made; what stands in the way where it cannot be."""
    failed = st.session_state.get(FAILED)
    if failed is not None and failed[:2] == (node.name, way):
        _failed(failed[2])
        return
    layout = layouts.lay_out(project, node.name, way)
    if layout.over.is_set():
        layouts.forget(project, layout)
        if layout.error:
            st.session_state[FAILED] = (node.name, way, layout.error)
        st.rerun()
    with st.container(key="nothing", width=560, gap="small"):
        st.subheader(f"Laying out {literal(node.name)}", anchor=False)
        st.text("Some seconds for a few thousand records, once for each version of the index.")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if st.button("Cancel", icon=":material/stop_circle:", key="map_cancel"):
                layout.cancel()
            st.caption(f"{words.duration(layout.seconds)} so far", width="content")


def _failed(reason: str) -> None:
    _nothing("This index has no map yet", reason)
    if st.button("Try again", icon=":material/refresh:", key="map_again"):
        st.session_state.pop(FAILED, None)
        st.rerun()


# The map


def _page(project: Project, index: str, asset: str, color: str | None, way: str) -> None:
    try:
        found, picture, hints = layouts.read(project, index, asset, color, way)
    except PackyakError as error:
        st.error(literal(str(error)))
        return
    inside, key = st.query_params.get("inside", ""), st.query_params.get("key", "")
    chosen = _inside(found, inside)
    rows = found.rows["_key"].index(pa.scalar(key, pa.string())).as_py() if key else -1
    st.session_state[SHOWN] = (picture.name, found.rows["_key"])
    with st.container(horizontal=True, wrap=False, gap="small"):
        with st.container(width="stretch"):
            scatter(
                picture, color=color or "", inside=inside if chosen is not None else "",
                view=st.query_params.get("view", ""), chosen=rows, hints=hints, key=PLOT, on_event=_on_event,
            )  # fmt: skip
        with st.container(key="map_panel", width=380, gap="small"):
            picked_panel(project, found, chosen, key, kept=layouts.is_kept(project, index, way))


def _inside(found: Map, inside: str) -> Map | None:
    """The records that are picked; None where nothing is."""
    if not inside:
        return None
    try:
        kept = maps.within(found.rows, maps.shapes_of(inside))
    except PackyakError:  # an address that somebody changed by hand
        return None
    return replace(found, rows=found.rows.filter(pa.array(kept)))


def _on_event() -> None:
    done = event(PLOT)
    asked = st.query_params
    if "inside" in done:
        asked.pop("key", None)
        _set("inside", str(done["inside"]))
    if "view" in done:
        _set("view", str(done["view"]))
    name, keys = st.session_state.get(SHOWN, ("", ()))
    row = done.get("row")
    if isinstance(row, int) and done.get("name") == name and 0 <= row < len(keys):
        asked["key"] = keys[row].as_py()


def _set(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
