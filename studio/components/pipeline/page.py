"""The Pipeline page: header with the one primary action, the graph over the whole window, a panel for the chosen asset.

One fragment: a click or a tick of a run redraws it and leaves the shell alone. It ticks only while a run goes on. The
graph is drawn before the header above it: it is what people wait for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.run.answers import AssetStatus, Plan, State
from packyak.engine.run.runs import RunRecord
from packyak.studio.components.following import following
from packyak.studio.components.pipeline import look, then, trail
from packyak.studio.components.pipeline.asset_panel import asset_panel
from packyak.studio.components.pipeline.graph import Nothing, Notice, event, graph
from packyak.studio.components.pipeline.outside import around, outside_panel
from packyak.studio.shell import launch, quick
from packyak.studio.shell.identity import refused
from packyak.studio.views import pipeline, progress, words
from packyak.studio.views.then import Then
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project
    from streamlit.delta_generator import DeltaGenerator

GRAPH = "pipeline_graph"
STATUSES = "statuses_before_run"
CLICKED = "graph_clicked"
BADGES: Mapping[State, str] = {
    "fresh": "green",
    "stale": "orange",
    "failed": "red",
    "blocked": "red",
    "never": "gray",
    "running": "blue",
}
NOTHING = Nothing(
    "This project declares no assets yet",
    "Write one in its Python file, save it and reload this page. For example:",
    'from packyak import asset\n\n@asset(key="id")\ndef notes():\n    yield {"id": "n1", "text": "hello"}',
)


def pipeline_page(project: Project) -> None:
    """Draw the page; tick while a run is under way."""
    following(_page, project)


def _page(project: Project, run: RunRecord | None) -> None:
    past = then.asked(project)
    if past is not None:
        _past(project, past)
        return
    statuses = _statuses(project, run)
    traced = trail.traced(project)
    others = around(project, project.graph)
    shown = replace(look.shown(project.graph, around=others), trail=traced is not None)
    head = _head()
    seen = replace(look.look(project, project.graph, others.shown), trail=traced.trail if traced else None)
    board = pipeline.board(project.graph, statuses, progress.of_assets(run), look=seen)
    with st.container(horizontal=True, wrap=False, gap="small", key="pipeline_body"):
        with st.container(width="stretch"):
            graph(board, shown, title=project.name, key=GRAPH, on_event=_on_event, nothing=NOTHING, notice=_notice())
        quick.ahead()
        if traced is not None:
            with st.container(key="asset_panel", width=380, gap="small"):
                trail.trail_panel(project, traced, shown.chosen)
        elif shown.chosen:
            with st.container(key="asset_panel", width=380, gap="small"):
                if shown.chosen in others.shown.nodes:
                    outside_panel(others.shown, shown.chosen, project.graph)
                else:
                    asset_panel(project, shown.chosen, statuses, run, others.shown)
    with head:
        _header(project, pipeline.assets(project.graph, statuses), run)


def _head() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="center", key="page_header", gap="small")


def _past(project: Project, past: Then) -> None:
    """The graph as it was: nothing here changes anything."""
    others = around(project, past.graph)
    shown = look.shown(past.graph, past="The past: for looking only", around=others)
    with _head():
        st.header(literal(project.name), anchor=False, width="content")
        then.past_header(project, past)
    seen = replace(look.look(project, past.graph, others.shown), lines=past.lines)
    board = pipeline.board(past.graph, past.statuses, look=seen)
    with st.container(horizontal=True, wrap=False, gap="small"):
        with st.container(width="stretch"):
            graph(board, shown, title=project.name, key=GRAPH, on_event=_on_event, nothing=NOTHING)
        if shown.chosen:
            with st.container(key="asset_panel", width=380, gap="small"):
                if shown.chosen in others.shown.nodes:
                    outside_panel(others.shown, shown.chosen, past.graph, past=True)
                else:
                    then.past_panel(project, past, shown.chosen)


def _statuses(project: Project, run: RunRecord | None) -> Sequence[AssetStatus]:
    """How every node stands. Not asked again while a run goes on, as the run itself tells what changes, nor for a click
    on the graph, which changes nothing."""
    seen = (project, project.published.seq(), project.log.position())
    kept: tuple[object, Sequence[AssetStatus]] | None = st.session_state.get(STATUSES)
    clicked = st.session_state.pop(CLICKED, False)
    if kept is None or (run is None and not (clicked and kept[0] == seen)):
        kept = (seen, project.status())
        st.session_state[STATUSES] = kept
    return kept[1]


def _on_event() -> None:
    done = event(GRAPH)
    st.session_state[CLICKED] = True
    if done.get("dismissed"):
        launch.dismiss()
    look.take(done)


def _notice() -> Notice | None:
    ended = launch.summary()
    if ended is None:
        return None
    told = progress.of_run(ended)
    return Notice(told.title, told.line if ended.assets else "", progress.messages(ended), told.tone)


def _header(project: Project, statuses: Sequence[AssetStatus], run: RunRecord | None) -> None:
    st.header(literal(project.name), anchor=False, width="content")
    if run is not None:
        _under_way(project, run)
    elif statuses:
        _at_rest(project, statuses)


def _at_rest(project: Project, statuses: Sequence[AssetStatus]) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", width="stretch"):
        for state, number in pipeline.counts(statuses).states:
            st.badge(pipeline.count_words(state, number), color=BADGES[state])  # type: ignore[arg-type]
    then.time_button(project)
    _plan_button(project)
    _run_button(project, statuses)


def _under_way(project: Project, run: RunRecord) -> None:
    told = progress.of_run(run)
    with st.container(width="stretch", gap=None, key="run_progress"):
        st.progress(told.share, text=f"**{told.title}** · {literal(told.line)}")
    may = refused(project, "cancel", disabled=not run.id)
    if st.button("Cancel", icon=":material/stop_circle:", key="cancel_run", **may):
        project.cancel(run.id)


def _run_button(project: Project, statuses: Sequence[AssetStatus]) -> None:
    label = pipeline.run_label(statuses)
    waiting = any(status.state in pipeline.NEEDS_RUN for status in statuses)
    failed = any(status.state == "failed" for status in statuses)
    may = refused(project, "run", disabled=not waiting)
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key="run_all",
        on_click=partial(launch.start, project, retry_failed=failed),
        **may,
    )


def _plan_button(project: Project) -> None:
    popover = st.popover("Plan", icon=":material/checklist:", key="plan", on_change="rerun", width="content")
    with popover:
        if popover.open:
            _plan(project.plan())


def _plan(plan: Plan) -> None:
    with st.container(width=520, gap="small"):
        if not plan.steps:
            st.text("Nothing to do: everything is fresh.")
        for step in plan.steps:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{literal(step.asset)}**", width="content")
                st.caption(literal(pipeline.step_words(step)))
        total = sum(step.seconds or 0 for step in plan.steps)
        if total:
            st.caption(f"About {words.duration(total)}, judged by past runs.")
        for note in plan.notes:
            st.text(note)
