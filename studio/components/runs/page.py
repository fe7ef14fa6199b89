"""The Runs page: every run, newest first; the chosen one asset by asset; start again from where it failed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.declare.nodes import TransformNode
from packyak.engine.lineage.log import EventLog
from packyak.engine.run.runs import RunRecord
from packyak.studio.components.following import following
from packyak.studio.components.runs.timeline import timeline
from packyak.studio.shell import launch, prefect_ui
from packyak.studio.shell.identity import refused
from packyak.studio.views import failing, run_log, runs, words
from packyak.studio.views.failing import Failing
from packyak.studio.views.runs import RunSheet
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

SHOWN = 200
EVERY = 1_000_000
MOST_EVENT = 20_000
KNOWN = "known_sheet"
LISTED = "runs_listed"


def runs_page(project: Project) -> None:
    """Draw the page; tick while a run is under way."""
    following(_page, project)


def _page(project: Project, run: RunRecord | None) -> None:
    found, chosen, note = _found(project)
    if run is not None and not run.id:  # asked for, not on disk yet
        found = (run, *found)
        chosen = run if "run" not in st.query_params else chosen
    sheet = _sheet(project, chosen, found, note)
    _header(project, chosen, run, found, sheet)
    event = timeline([runs.run_line(each) for each in found], sheet, more=len(found) == _listed(), key="timeline")
    if "run" in event:
        st.query_params["run"] = str(event["run"])
        st.rerun(scope="fragment")
    if "more" in event and event["more"] == len(found):
        st.session_state[LISTED] = _listed() + SHOWN
        st.rerun(scope="fragment")


def _listed() -> int:
    """How many runs the list shows at most: more once somebody asked for older ones."""
    return int(st.session_state.get(LISTED, SHOWN))


def _found(project: Project) -> tuple[tuple[RunRecord, ...], RunRecord | None, str]:
    """The runs of the list, the one that the address names (else the newest), and what to say of that."""
    found, named = project.runs(_listed()), st.query_params.get("run", "")
    chosen = next((run for run in found if run.id == named), None)
    if chosen is None and named:
        chosen = next(iter(project.runs(named=named)), None)
        found = project.runs(EVERY) if chosen else found  # it is older: those around it are shown too
    if chosen is None and found:
        return found, found[0], f"There is no run {named} here. This is the newest." if named else ""
    return found, chosen, ""


def _sheet(project: Project, chosen: RunRecord | None, found: tuple[RunRecord, ...], note: str) -> RunSheet | None:
    """The chosen run in full. Its events and failures are read once; while it goes on, neither is asked for."""
    if chosen is None:
        return None
    earlier = found[found.index(chosen) + 1 :] if chosen in found else ()
    if chosen.is_open:
        return runs.run_sheet(chosen, earlier, run_log.log(project.graph, chosen), note=note)
    seen = (str(project.root), chosen.id, project.published.seq(), project.log.position(), found[0].id, found[0].state)
    known = st.session_state.get(KNOWN)
    if known is None or known[0] != seen:
        log = run_log.log(project.graph, chosen, EventLog(project.home).read(chosen.id))
        known = (seen, runs.run_sheet(chosen, earlier, log, _failing(project, chosen), note))
        st.session_state[KNOWN] = known
    sheet: RunSheet = known[1]
    return sheet


def _failing(project: Project, run: RunRecord) -> tuple[Failing, ...]:
    """What fails now of the assets that a run looked at, whether it failed in this run or another."""
    settled, found = project.scope().candidates, []
    for part in run.assets:
        count = settled[part.asset].failed if part.asset in settled else 0
        mine = count and isinstance(project.graph.nodes.get(part.asset), TransformNode)
        failures = project.failures(part.asset, failing.MOST) if mine else ()
        if failures:
            found.append(failing.failing(project.graph, part.asset, failures, count, run.id))
    return tuple(found)


def _header(
    project: Project,
    chosen: RunRecord | None,
    run: RunRecord | None,
    found: tuple[RunRecord, ...],
    sheet: RunSheet | None,
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_header"):
        st.header("Runs", anchor=False, width="content")
        st.space("stretch")
        if chosen is None or sheet is None:
            _first(project)
            return
        _more(project, chosen)
        if run is not None:
            _cancel(project, run)
            return
        later = found[: found.index(chosen)] if chosen in found else ()
        again = runs.again(chosen, runs.unfinished(chosen, later), sheet.failing)
        if again is None:
            return
        may = refused(project, "run", help=f"As a command: `{again.command}`")
        if st.button(again.label, type="primary", icon=":material/play_arrow:", key="run_on", **may):
            launch.start(project, chosen.asked, retry_failed=True)
            st.query_params.pop("run", None)
            st.rerun()


def _first(project: Project) -> None:
    """Where nothing has run yet: what begins it."""
    may = refused(project, "run", help="As a command: `packyak run`")
    if project.graph.tables and st.button(
        "Run everything", type="primary", icon=":material/play_arrow:", key="run_first", **may
    ):
        launch.start(project)
        st.rerun()


def _cancel(project: Project, run: RunRecord) -> None:
    stopping = bool(run.id) and project.run_store.cancel_requested(run.id)
    label = "Stopping \N{HORIZONTAL ELLIPSIS}" if stopping else "Cancel"
    may = refused(project, "cancel", disabled=not run.id or stopping)
    if st.button(label, icon=":material/stop_circle:", key="cancel_run", **may):
        project.cancel(run.id)
        st.rerun(scope="fragment")


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
