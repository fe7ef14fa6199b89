"""The Runs page: every run, newest first; the chosen one asset by asset; start again from where it failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.declare.nodes import FilesNode, TransformNode
from packyak.engine.lineage.log import EventLog
from packyak.engine.run.runs import RunRecord
from packyak.studio.components.runs.timeline import timeline
from packyak.studio.components.shell import calm
from packyak.studio.shell import launch, prefect_ui
from packyak.studio.shell.identity import refused
from packyak.studio.views import run_log, runs, words
from packyak.studio.views.run_log import Failed
from packyak.studio.views.runs import RunSheet
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

SHOWN = 200
TICK = 1.0
MOST_FAILED = 1000
MOST_EVENT = 20_000
KNOWN = "known_sheet"


def runs_page(project: Project) -> None:
    """Draw the page; tick while a run is under way."""
    live = launch.under_way(project) is not None or launch.follows()
    st.fragment(calm(_page), run_every=TICK if live else None)(project, live)


def _page(project: Project, live: bool) -> None:
    run = launch.under_way(project)
    if run is None and launch.follows():
        launch.finish(project)
        st.rerun()
    if run is not None and not live:
        st.rerun()
    found = project.runs(SHOWN)
    if run is not None and not run.id:  # asked for, not on disk yet
        found = (run, *found)
    chosen = _chosen(found)
    _header(project, chosen, run)
    event = timeline([runs.run_line(each) for each in found], _sheet(project, chosen, found), key="timeline")
    if "run" in event:
        st.query_params["run"] = str(event["run"])
        st.rerun(scope="fragment")


def _sheet(project: Project, chosen: RunRecord | None, found: tuple[RunRecord, ...]) -> RunSheet | None:
    """The chosen run in full. Its events and failed records are read once; while it goes on, neither is asked for."""
    if chosen is None:
        return None
    earlier = found[found.index(chosen) + 1 :] if chosen in found else ()
    if chosen.is_open:
        return runs.run_sheet(chosen, earlier, run_log.log(project.graph, chosen))
    seen = (str(project.root), chosen.id, project.published.seq(), project.log.position())
    known = st.session_state.get(KNOWN)
    if known is None or known[0] != seen:
        log = run_log.log(project.graph, chosen, EventLog(project.home).read(chosen.id))
        failed = [each for part in chosen.assets if part.failed for each in _failures(project, part.asset)]
        known = (seen, runs.run_sheet(chosen, earlier, log, tuple(failed)))
        st.session_state[KNOWN] = known
    sheet: RunSheet = known[1]
    return sheet


def _failures(project: Project, asset: str) -> tuple[Failed, ...]:
    """The records of an asset that fail now, by the way they do."""
    node = project.graph.nodes.get(asset)
    if not isinstance(node, TransformNode):
        return ()
    memo = project.scope().memo(asset)
    if not memo.exists():
        return ()
    rows = project.query.run(
        f"select _key, error from m where error is not null and error <> '' limit {MOST_FAILED}", {"m": memo.dataset()}
    ).to_pylist()
    return run_log.failures(asset, rows, files=isinstance(project.graph.nodes.get(node.source), FilesNode))


def _chosen(found: tuple[RunRecord, ...]) -> RunRecord | None:
    named = st.query_params.get("run", "")
    return next((run for run in found if named and run.id == named), found[0] if found else None)


def _header(project: Project, chosen: RunRecord | None, run: RunRecord | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_header"):
        st.header("Runs", anchor=False, width="content")
        st.space("stretch")
        if chosen is None:
            return
        _more(project, chosen)
        if run is not None:
            may = refused(project, "cancel", disabled=not run.id)
            if st.button("Cancel", icon=":material/stop_circle:", key="cancel_run", **may):
                project.cancel(run.id)
            return
        left, failed = runs.unfinished(chosen), runs.failing(chosen.assets)
        label = f"Retry {words.count(failed)} failed" if failed and not left else "Run on from failure"
        may = refused(project, "run")
        if (left or failed) and st.button(label, type="primary", icon=":material/play_arrow:", key="run_on", **may):
            launch.start(project, chosen.asked, retry_failed=True)
            st.query_params.pop("run", None)
            st.rerun()


def _more(project: Project, chosen: RunRecord) -> None:
    """What is not needed at a glance: tracebacks, lineage events, Prefect's own page."""
    link = prefect_ui.address(project, chosen)
    if link:
        st.link_button("Open in Prefect", link, icon=":material/open_in_new:")
    traces = runs.trace_of(chosen)
    if traces:
        with st.popover("Tracebacks", icon=":material/bug_report:"), st.container(width=760):
            for asset, trace in traces:
                st.markdown(f"**{literal(asset)}**")
                st.code(trace, language="python")
    popover = st.popover("Lineage events", icon=":material/share:", key="events", on_change="rerun")
    with popover:
        if popover.open:
            _events(project, chosen)


def _events(project: Project, chosen: RunRecord) -> None:
    """The run as OpenLineage events."""
    with st.container(width=640):
        found = EventLog(project.home).read(chosen.id)
        if not found:
            st.text("This run left no lineage events.")
            return
        lines = "\n".join(json.dumps(event) for event in found)
        names = [f"{place + 1}. {each['eventType']} {each['job']['name']}" for place, each in enumerate(found)]
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            chosen_event = st.selectbox(
                words.counted(len(found), "OpenLineage event"), range(len(found)), format_func=names.__getitem__
            )
            st.download_button(
                "Save all", lines, f"{chosen.id}.jsonl", "application/x-ndjson", icon=":material/download:"
            )
        st.code(json.dumps(found[chosen_event or 0], indent=1)[:MOST_EVENT], language="json", height=360)
