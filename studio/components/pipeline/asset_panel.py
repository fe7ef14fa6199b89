"""The side panel of the Pipeline page: one asset, why it stands as it does, what failed, what a run would do, its
checks, what the last run noted, versions with their quality, code, marks, and what its role may do in the cloud.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.declare.nodes import CheckNode, FunctionNode, IndexNode, Node, TableNode
from packyak.engine.run.answers import AssetStatus, Cause, CheckResult
from packyak.engine.run.runs import RunRecord
from packyak.studio.components.pipeline.names import panel_title, row_of_names
from packyak.studio.components.pipeline.remarks import failures_of, notes_of
from packyak.studio.components.pipeline.role import role_of
from packyak.studio.components.pipeline.trail import trace_box
from packyak.studio.components.pipeline.versions import numbers_of, versions_of
from packyak.studio.shell import launch, places
from packyak.studio.shell.identity import refused
from packyak.studio.views import cards, code, outside, pipeline, tables, words
from packyak.studio.views.outside import Beyond
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

MOST_NEIGHBOURS = 8
TONES = {"fresh": "green", "stale": "orange", "failed": "red", "blocked": "red", "never": "gray", "running": "blue"}


def asset_panel(
    project: Project, name: str, statuses: Sequence[AssetStatus], run: RunRecord | None, others: Beyond
) -> None:
    """Everything about one node. Text of the project is shown as text, never as Markdown. others: other tools' part."""
    node = project.graph[name]
    status = next((status for status in statuses if status.name == name), None)
    _title(node, status)
    if node.doc:
        st.caption(literal(node.doc))
    if status is not None and isinstance(node, (TableNode, IndexNode)):
        if said := tables.state_words(status):
            st.text(said)
        if isinstance(node, TableNode):
            _actions(project, status, run)
        numbers_of(project, status)
        failures_of(project, status)
        _causes(status.causes)
        _plan(project, status, run)
        _checks(project, status)
        notes_of(status)
        versions_of(project, status)
    elif status is not None and not node.doc.startswith(status.reason):
        st.text(words.sentence(status.reason))  # how many files, when it is called, why it failed
    _neighbours(project, node, others)
    if status is not None and status.version and isinstance(node, TableNode) and node.key is not None:
        trace_box(node.name)
    _marks(node)
    _code(project, node)
    if isinstance(node, (TableNode, IndexNode, FunctionNode)):
        role_of(project, node.name)


def _title(node: Node, status: AssetStatus | None) -> None:
    panel_title(node.name)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if status is not None:
            st.badge(status.kind, color="gray")
        if status is not None and (isinstance(node, (TableNode, IndexNode)) or status.state == "failed"):
            st.badge(cards.STATE_WORDS[status.state], color=TONES[status.state])  # type: ignore[arg-type]
            if status.updated_at:
                st.caption(f"last run {words.age(status.updated_at)}", width="content")


def _heading(text: str) -> None:
    st.markdown(f"**{text}**")


def _actions(project: Project, status: AssetStatus, run: RunRecord | None) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if status.rows is not None:
            st.page_link(places.records(), label="Open records", query_params={"asset": status.name})
        needs = status.state in pipeline.NEEDS_RUN or bool(status.failed_records)
        if st.button(
            tables.run_words(status),
            icon=":material/play_arrow:",
            key="run_this",
            **refused(project, "run", disabled=run is not None or not needs),
        ):
            launch.start(project, (status.name,), retry_failed=bool(status.failed_records) or status.state == "failed")
            st.rerun()


def _causes(causes: Sequence[Cause]) -> None:
    for cause in causes:
        if len(causes) > 1 or tables.cause_words(cause) != cause.reason:  # else the sentence above says it all
            with st.container(horizontal=True, wrap=False, gap="xsmall"):
                st.badge(cause.category, color="orange")
                st.text(tables.cause_words(cause), width="stretch")
        if cause.detail:
            with st.expander("What changed since the last run", icon=":material/difference:", expanded=True):
                st.code(cause.detail, language="diff")


def _plan(project: Project, status: AssetStatus, run: RunRecord | None) -> None:
    """What a run of this asset would do, asked when opened."""
    if run is not None or status.state not in pipeline.NEEDS_RUN:
        return
    plan = st.expander("What a run would do", icon=":material/checklist:", key="asset_plan", on_change="rerun")
    with plan:
        if not plan.open:
            return
        found = project.plan((status.name,))
        for step in found.steps:
            st.markdown(f"**{literal(step.asset)}**: {literal(pipeline.step_words(step))}")
        for note in found.notes:
            st.text(note)


def _neighbours(project: Project, node: Node, others: Beyond) -> None:
    """What it reads and what reads it, each one press away; what other tools do last."""
    shown = project.graph.nodes
    readers = [name for name in project.graph.children(node.name) if not isinstance(shown[name], CheckNode)]
    above, below = outside.beside(others, node.name)
    with st.container(gap=None):
        for title, names in (
            ("Reads", [*(name for name in node.inputs if name in shown), *above]),
            ("Read by", [*readers, *below]),
        ):
            if names:
                labels = {name: outside.label(others.nodes.get(name)) or name for name in names}
                row_of_names(title, labels, most=MOST_NEIGHBOURS)


def _marks(node: Node) -> None:
    """What the declaration says about its data."""
    lines = tables.mark_lines(node.marks) if isinstance(node, TableNode) else ()
    if lines:
        _heading("Marks")
        with st.container(gap="xsmall"):
            for line in lines:
                st.text(line)


def _code(project: Project, node: Node) -> None:
    """Where it is declared, and the code itself."""
    _heading("Code")
    place = tables.place(str(node.origin), project.root)
    source = code.source_at(node.origin.file, node.origin.line)
    if not source:
        st.code(place, language=None, wrap_lines=True)
        return
    with st.expander(literal(place), icon=":material/code:", key="asset_code"):
        st.code(source, language="python", height=360 if source.count("\n") > 18 else "content")


def _checks(project: Project, status: AssetStatus) -> None:
    declared = [node for node in project.graph.nodes.values() if isinstance(node, CheckNode)]
    waiting = [node for node in declared if node.target == status.name]
    if not status.checks and not waiting:
        return
    _heading("Checks")
    for check in status.checks:
        _check(check)
    told = {check.name for check in status.checks}
    for node in waiting:
        if node.name not in told:
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
                st.badge("not run yet", color="gray")
                st.text(node.name)


def _check(check: CheckResult) -> None:
    with st.container(horizontal=True, wrap=False, gap="xsmall"):
        st.badge("passed" if check.passed else "failed", color="green" if check.passed else "red")
        st.text(check.name, width="stretch")
    if check.passed:
        return
    st.text(tables.check_words(check))
    if check.rows:
        st.dataframe(
            tables.plain_rows(check.rows), hide_index=True, height="content", alt=f"Rows that fail {check.name}"
        )
