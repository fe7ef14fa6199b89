"""The Runs page: every run, newest first; the chosen one asset by asset; start again from where it failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.lineage.log import EventLog
from packyak.engine.run.runs import RunRecord
from packyak.studio.components.shell import calm
from packyak.studio.components.timeline import timeline
from packyak.studio.shell import launch, prefect_ui
from packyak.studio.shell.identity import refused
from packyak.studio.views import runs, words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

SHOWN = 200
TICK = 1.0


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
    event = timeline(
        [runs.run_line(each) for each in found], runs.run_sheet(chosen) if chosen else None, key="timeline"
    )
    if "run" in event:
        st.query_params["run"] = str(event["run"])
        st.rerun(scope="fragment")


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
        st.text(f"{words.counted(len(found), 'OpenLineage event')} of this run")
        lines = "\n".join(json.dumps(event) for event in found)
        st.download_button("Save as JSON lines", lines, f"{chosen.id}.jsonl", "application/x-ndjson")
        st.code(json.dumps(found[-1], indent=1)[:6000], language="json", height=360)
