"""The Pipeline page at a past moment: which one the address says, stepping through them, and one asset as it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.run.answers import AssetStatus, Diff
from packyak.engine.store.published import Vector
from packyak.studio.shell import places
from packyak.studio.views import cards, tables, then, words
from packyak.studio.views.then import Moment, Then
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

AT = "at"
SHOWN = 60


def asked(project: Project) -> Then | None:
    """The past that the address asks for; the present where it names none, or one that there was not."""
    moment = st.query_params.get(AT, "")
    if not moment:
        return None
    try:
        past = project.graph_at(moment)
    except PackyakError:
        when = f"at {moment}" if ":" in moment else f"after the run {moment}"
        st.warning(literal(f"How the project was {when} is not kept. The present is shown."), icon=":material/history:")
        return None
    run = project.run_store.get(past.run) if past.run else None
    return then.then(project.graph, past, _vectors(project), run)


def _vectors(project: Project) -> Sequence[Vector]:
    """The publications that are kept, oldest first."""
    published = project.published
    return [published.load(number) for number in published.numbers()[-SHOWN:]]


def time_button(project: Project) -> None:
    """Opens the list of past moments."""
    popover = st.popover("Time", icon=":material/history:", key="past", on_change="rerun", width="content")
    with popover:
        if popover.open:
            with st.container(width=420, gap="small"):
                _choose(then.moments(_vectors(project)))


def _choose(found: list[Moment]) -> None:
    if not found:
        st.text("Nothing was published yet: run the pipeline first.")
        return
    by_run = {each.run: each for each in found}
    run = st.selectbox(
        "The graph as it was after a run",
        list(by_run),
        index=None,
        placeholder="Choose a run",
        format_func=lambda run: f"{by_run[run].title} · {by_run[run].note}",
        key="past_run",
    )
    if run:
        go(run)
    with st.form("past_time", border=False):
        oldest, newest = (words.moment(each.at) for each in (found[-1], found[0]))
        at = st.datetime_input("Or at a time", value=None, key="past_at")
        if oldest and newest:
            st.caption(f"Kept: {words.clock(oldest.isoformat())} to {words.clock(newest.isoformat())}")
        if st.form_submit_button("Show", icon=":material/history:") and at is not None:
            go(_iso(at))


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def go(moment: str) -> None:
    """To another moment; "" is the present."""
    if moment:
        st.query_params[AT] = moment
    else:
        st.query_params.pop(AT, None)
    st.session_state.pop("past_run", None)
    st.rerun(scope="fragment")


def past_header(project: Project, past: Then) -> None:
    """In place of plan and run: when this was, steps to the runs before and after, the way back."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", width="stretch"):
        st.badge(literal(past.title), icon=":material/history:", color="violet")
        if past.past.run:
            st.page_link(places.runs(), label="The run", query_params={"run": past.past.run})
    if st.button("Earlier", icon=":material/chevron_left:", key="past_earlier", disabled=not past.earlier):
        go(past.earlier)
    if st.button("Later", icon=":material/chevron_right:", key="past_later", disabled=not past.later):
        go(past.later)
    time_button(project)
    if st.button("Back to now", type="primary", icon=":material/update:", key="past_back"):
        go("")


def past_panel(project: Project, past: Then, name: str) -> None:
    """One asset as it was."""
    status = next(each for each in past.statuses if each.name == name)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.subheader(literal(name), anchor=False, width="stretch")
        if st.button("", icon=":material/close:", type="tertiary", key="close_panel", help="Close (Esc in the graph)"):
            st.query_params.pop("asset", None)
            st.rerun(scope="fragment")
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.badge(status.kind, color="gray")
        st.badge("read only", color="violet", icon=":material/history:")
    mine = past.asset(name)
    if mine is None:
        st.text("It was not there at that time." if status.state == "never" else "Files keep no past of their own.")
        return
    if status.reason:
        st.text(words.sentence(f"{cards.STATE_WORDS[status.state]}: {status.reason}"))
    facts = tables.asset_facts(status)
    with st.container(horizontal=True, gap="medium", key="asset_facts"):
        for fact in facts:
            st.metric(fact.label, fact.value, fact.delta or None, delta_color="off", width="content")
    st.page_link(places.records(), label="Open its records of that time", query_params=_records(project, status))
    st.markdown("**Computed**")
    st.text(f"{words.clock(mine.at)}, by the run {mine.run}")
    if mine.function:
        st.code(tables.place(mine.function, project.root), language=None, wrap_lines=True)
    if mine.inputs:
        st.markdown("**From**")
        rows = [{"asset": asset, "version": version} for asset, version in mine.inputs.items()]
        st.dataframe(rows, hide_index=True, height="content", alt=f"What {name} was computed from")
    _since(project, name, mine.version)


def _records(project: Project, status: AssetStatus) -> dict[str, str]:
    """The Records page at that version; without it where it is the present one."""
    present = project.published.load().assets.get(status.name)
    same = present is not None and present.version == status.version
    return {"asset": status.name} if same else {"asset": status.name, "version": str(status.version)}


def _since(project: Project, name: str, version: str) -> None:
    """How the asset differs today; asked when opened."""
    present = project.published.load().assets.get(name)
    if present is None or present.version == version or name not in project.graph.nodes:
        return
    opened = st.expander("What changed since", icon=":material/difference:", key="past_diff", on_change="rerun")
    with opened:
        if opened.open:
            _diff(project.diff(name, version, present.version, limit=8))


def _diff(found: Diff) -> None:
    st.text(
        f"{words.count(found.added)} added, {words.count(found.removed)} removed, {words.count(found.changed)} changed"
    )
    for cause, number in found.causes.items():
        st.caption(literal(f"{words.counted(number, 'record')}: {cause}"))
    rows = [
        {
            "record": words.record(each.key),
            "column": field.column,
            "then": words.value(field.before, 40),
            "now": words.value(field.after, 40),
        }
        for each in found.examples
        for field in each.fields
    ]
    if rows:
        st.dataframe(rows, hide_index=True, height="content", alt="Examples of what changed")
