"""The Records page: any asset, a page of its records at a time, every value open to correction.

What is typed in the grid becomes a draft at once and stays one over pages, sorting and filters until it is saved or
discarded. The address names asset and record, so that a view can be sent to somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.declare.nodes import TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.run.answers import AssetStatus
from packyak.studio.components import address
from packyak.studio.components.records import grid, saving
from packyak.studio.components.records.bulk import bulk_button
from packyak.studio.components.records.column_view import column_view
from packyak.studio.components.records.grid import Shown
from packyak.studio.components.records.record_panel import record_panel
from packyak.studio.components.records.sharing import share_button
from packyak.studio.components.records.sql_view import sql_view
from packyak.studio.components.records.toolbar import NOT_KEPT, Query, asked, toolbar, widen
from packyak.studio.components.shell import calm
from packyak.studio.shell import launch, places, quick, searching
from packyak.studio.shell.identity import refused
from packyak.studio.views import pipeline, records, words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project
    from streamlit.delta_generator import DeltaGenerator

PAGE = 50
MOST_CHANGED = 5000
CHANGED = "changed_since"
FAILED = "failed_keys"
MOST_FAILED = 5000
VIEW, WHOLE = "records_view", "records_whole"
VIEWS = ["Records", "Columns", "SQL"]


def records_page(project: Project) -> None:
    """Draw the page for the asset that the address names, else the last one with records. The records are drawn before
    what stands above them: they are what people wait for."""
    grid.tell(grid.take(project))
    statuses = pipeline.assets(project.graph, project.status())
    names = [status.name for status in statuses if isinstance(project.graph[status.name], TableNode)]
    ready = [status.name for status in statuses if status.rows is not None and status.name in names]
    if not names:
        _nothing("This project declares no assets yet.", "Add a function with @transform, @asset or sql(...) to it.")
        return
    asset = _asset(names, ready)
    view = _view()
    head = st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_header")
    if asset not in ready or view != VIEWS[0]:
        with head:
            _header(project, asset, names, statuses)
    if asset not in ready:
        _never_ran(project, asset, statuses)
    elif view == VIEWS[0]:
        _records(project, asset, names, statuses, head)
    else:
        with _told(lambda: None):
            (column_view if view == "Columns" else sql_view)(project, asset)


def _records(
    project: Project, asset: str, names: Sequence[str], statuses: Sequence[AssetStatus], head: DeltaGenerator
) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="records_toolbar")
    if WHOLE not in st.session_state:  # a run before may have been cut short before its controls were drawn
        address.again()
    query, found = asked(project, asset), None
    with _told(lambda: _show_all(asset)):
        arguments = _arguments(project, asset, query)
        found = _page(project, asset, query, arguments, _failed(project, asset, statuses))
        _body(project, asset, query, arguments, found)
        quick.ahead()
    with head:
        _header(project, asset, names, statuses)
    with bar:
        toolbar(project, query)
        if found is not None:
            share_button(
                project, query.wanted, arguments, [each.column for each in found.editors if each.kind == "text"]
            )
            if query.version is None:
                total = found.page.total
                bulk_button(project, asset, lambda: _keys(project, asset, total, query), total, found.editors)
    st.session_state[WHOLE] = True
    if asked(project, asset) != query:  # what a widget remembered of another visit
        st.rerun()


@contextmanager
def _told(way_back: Callable[[], None]) -> Iterator[None]:
    """An error of the engine in its words, with a way back."""
    try:
        yield
    except PackyakError as error:
        st.error(literal(words.sentence(str(error))))
        way_back()


def _show_all(asset: str) -> None:
    """The way back from a view that shows nothing."""
    st.button("Show all records", icon=":material/restart_alt:", key="show_all", on_click=widen, args=(asset,))


def _asset(names: Sequence[str], ready: Sequence[str]) -> str:
    """The asset to show. The address wins; a choice in the list changes the address."""
    named = st.query_params.get("asset", "")
    if named not in names:
        named = ready[-1] if ready else names[-1]
        st.query_params["asset"] = named
    st.session_state["records_asset"] = named  # at each run: one cut short before the list was drawn would leave it out
    return named


def _choose_asset() -> None:
    st.query_params.from_dict({"asset": st.session_state["records_asset"]})


def _view() -> str:
    address.given("view", VIEW, lambda said: {"columns": "Columns", "sql": "SQL"}[said])
    view = str(st.session_state.get(VIEW) or VIEWS[0])
    address.note("view", VIEW, view.lower() if view != VIEWS[0] else None)
    return view


def _header(project: Project, asset: str, names: Sequence[str], statuses: Sequence[AssetStatus]) -> None:
    st.selectbox("Asset", names, key="records_asset", on_change=_choose_asset, label_visibility="collapsed", width=210)
    view, default = _view(), None if VIEW in st.session_state else VIEWS[0]
    chosen = st.segmented_control(
        "View", VIEWS, default=default, key=VIEW, label_visibility="collapsed", persist_state="session"
    )
    if (chosen or VIEWS[0]) != view:  # what it remembered of another visit
        st.rerun()
    _stale_words(project, statuses)


def _stale_words(project: Project, statuses: Sequence[AssetStatus]) -> None:
    """What saved corrections, or anything else, have made stale; one press runs it."""
    waiting = [status.name for status in statuses if status.state in pipeline.NEEDS_RUN]
    stale = [status.name for status in statuses if status.name in waiting and status.state != "never"]
    run = launch.under_way(project)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="stretch"):
        saving.note(project)
        if st.session_state.get(NOT_KEPT) == st.query_params.get("asset"):
            st.badge("that version is not kept any more: this is now", icon=":material/history:", color="orange")
        if run is not None:
            st.badge("a run is under way", icon=":material/sync:", color="blue")
        elif stale:
            st.badge(f"now stale: {literal(words.listed(stale))}", color="orange")
    if waiting and run is None:
        may = refused(project, "run")
        if st.button(pipeline.run_label(statuses), icon=":material/play_arrow:", key="run_stale", **may):
            launch.start(project, (), retry_failed=False)
            places.go("pipeline")
    elif st.button("See the pipeline", icon=":material/account_tree:", key="to_pipeline", type="tertiary"):
        places.go("pipeline", {"asset": st.query_params["asset"]})


def _nothing(title: str, text: str) -> None:
    with st.container(key="nothing", width=520):
        st.subheader(title, anchor=False)
        st.text(text)


def _never_ran(project: Project, asset: str, statuses: Sequence[AssetStatus]) -> None:
    status = next(status for status in statuses if status.name == asset)
    _nothing(f"{literal(asset)} has no records yet", f"{words.sentence(status.reason)} Run it to see its records.")
    busy = launch.under_way(project) is not None
    may = refused(project, "run", disabled=busy)
    if st.button("Run this", type="primary", icon=":material/play_arrow:", key="run_this", **may):
        launch.start(project, (asset,))
        places.go("pipeline", {"asset": asset})


def _body(project: Project, asset: str, query: Query, arguments: dict[str, Any], shown: Shown) -> None:
    key = st.query_params.get("key", "")
    with st.container(horizontal=True, wrap=False, gap="small", key="records_body"):
        with st.container(width="stretch", key="records_grid", gap="small"):
            if shown.page.total:
                st.fragment(calm(_grid))(project, asset, query, arguments, shown)
            else:
                grid.hand().shown = None
                _no_match(asset, query)
        if key:
            with st.container(key="record_panel", width=390, gap="small"):
                record_panel(project, asset, key, shown.page, shown.editors, editable=query.version is None)


def _grid(project: Project, asset: str, query: Query, arguments: dict[str, Any], shown: Shown) -> None:
    """Drawn anew by itself at each edit and each turn of a page; what is saved concerns the whole page."""
    own = grid.take(project)
    if grid.tell(own):
        st.rerun()
    number, now = own.numbers.get(query.page_key, 1), shown
    if number != shown.number and own.first is shown and own.shown is not None and own.shown.number == number:
        now = own.shown  # an edit on a page that was turned to: it has not changed
    elif number != shown.number:
        now = _page(project, asset, query, arguments, shown.failed)
    own.first = shown
    grid.records_grid(project, now)


def _page(project: Project, asset: str, query: Query, arguments: dict[str, Any], failed: Sequence[str]) -> Shown:
    """The page in hand of what is asked for."""
    numbers = grid.hand().numbers
    number = numbers.get(query.page_key, 1)
    page = project.page(asset, offset=(number - 1) * PAGE, limit=PAGE, **arguments)
    pages = max(-(-page.total // PAGE), 1)
    if number > pages:  # fewer match than when that page was asked for
        numbers[query.page_key] = number = pages
        page = project.page(asset, offset=(number - 1) * PAGE, limit=PAGE, **arguments)
    chain = [node.name for node in project.graph.chain(asset)]
    editors = records.editors(page, chain, editable=query.version is None and project.may("correct"))
    ranked = query.searched and query.sort is None
    said = records.span_words((number - 1) * PAGE, page.rows.num_rows, page.total, ranked=ranked)
    old = query.version is not None
    return Shown(asset, page, editors, query.page_key, number, pages, said, query.sort, query.descending, old, failed)


def _failed(project: Project, asset: str, statuses: Sequence[AssetStatus]) -> tuple[str, ...]:
    """The keys of records on which a function failed; asked again only when something was published."""
    chain = {node.name for node in project.graph.chain(asset)}
    if not any(status.failed_records for status in statuses if status.name in chain):
        return ()
    seen = (asset, project.published.seq())
    known = st.session_state.get(FAILED)
    if known is None or known[0] != seen:
        found = project.page(asset, only="failed", limit=MOST_FAILED, columns=()).rows[records.KEY]
        known = (seen, tuple(found.to_pylist()))
        st.session_state[FAILED] = known
    keys: tuple[str, ...] = known[1]
    return keys


def _arguments(project: Project, asset: str, query: Query) -> dict[str, Any]:
    """The query as `Project.page` takes it. What an index finds, and what changed since a version, is asked for by
    key."""
    arguments = query.arguments()
    keys = None
    if query.searched:
        keys = searching.nearest(project, query.index, text=query.text, how=query.how, like=query.like)
    if query.since is not None:
        changed = _changed(project, asset, query.since)
        keys = tuple(changed) if keys is None else tuple(key for key in keys if key in changed)
    return arguments if keys is None else {**arguments, "keys": keys}


def _changed(project: Project, asset: str, since: str) -> dict[str, None]:
    """The keys of the records that are not as they were in a version; a version never changes, so once is enough."""
    now = project.versions(asset)[0].version
    known = st.session_state.get(CHANGED)
    if known is None or known[0] != (asset, since, now):
        found = project.diff(asset, since, now, limit=MOST_CHANGED).examples
        known = ((asset, since, now), dict.fromkeys(each.key for each in found if each.after is not None))
        st.session_state[CHANGED] = known
    keys: dict[str, None] = known[1]
    return keys


def _no_match(asset: str, query: Query) -> None:
    if not query.narrowed:
        _nothing("No records", f"{asset} is empty.")
        return
    _nothing("No record matches", "Loosen the search or a filter to see more.")
    _show_all(asset)


def _keys(project: Project, asset: str, total: int, query: Query) -> tuple[str, ...] | None:
    """The keys of the whole view; None where it is the whole asset."""
    if not query.narrowed:
        return None
    found = project.page(asset, limit=total, columns=(), **_arguments(project, asset, query)).rows[records.KEY]
    return tuple(found.to_pylist())
