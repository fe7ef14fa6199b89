"""An asset's numbers in its side panel, over its versions; how good each version was, and the way to that moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.lineage.log import EventLog
from packyak.engine.run.answers import AssetStatus
from packyak.studio.views import quality, words
from packyak.studio.views.quality import Quality, Trend

if TYPE_CHECKING:
    from packyak.engine.project import Project

SHOWN = 8
DRAWN = 30
KNOWN = "known_qualities"
COLUMNS = {
    "rows": st.column_config.NumberColumn(format="localized"),
    "change": st.column_config.TextColumn(alignment="right"),
    "filled": st.column_config.TextColumn(alignment="right"),
}


def numbers_of(project: Project, status: AssetStatus) -> None:
    """Rows, how filled, failed, corrected."""
    found = _qualities(project, status)
    if found:
        _trends(found, status.corrections)


def versions_of(project: Project, status: AssetStatus) -> None:
    """Draw them. A version chosen leads to the graph as it was then."""
    found = _qualities(project, status)
    if not found:
        return
    st.markdown("**Versions**")
    rows, alt = quality.table(found[:SHOWN]), f"Versions of {status.name}"
    if len(found) < 2:
        st.dataframe(rows, hide_index=True, height="content", alt=alt, column_config=COLUMNS)
        return
    event = st.dataframe(
        rows, hide_index=True, height="content", alt=alt, column_config=COLUMNS, on_select="rerun",
        selection_mode="single-row", key=f"versions-{status.name}-{status.version}",
    )  # fmt: skip
    chosen = event["selection"]["rows"]
    if chosen and chosen[0] and st.button("Show the graph of that time", icon=":material/history:", key="to_past"):
        st.query_params["at"] = found[chosen[0]].run
        st.rerun(scope="fragment")
    if not chosen:
        st.caption("Choose one to see the graph as it was then.")


def _trends(found: Sequence[Quality], corrected: int) -> None:
    """The numbers side by side; a line over the versions where any of them moved."""
    trends = quality.trends(found)
    numbers = [*trends, *([Trend("Corrected", words.count(corrected), ())] if corrected else [])]
    moved = any(len(set(trend.points)) > 1 for trend in trends)
    with st.container(key="asset_facts"):
        for column, trend in zip(st.columns(max(len(numbers), 3)), numbers, strict=False):
            with column:
                st.metric(
                    trend.label,
                    trend.value,
                    trend.delta or None,
                    delta_color="off",
                    chart_data=list(trend.points) if moved and trend.points else None,
                    chart_type="area",
                    height="content",
                )


def _qualities(project: Project, status: AssetStatus) -> tuple[Quality, ...]:
    """Read from runs and events once for each publication."""
    seen = (str(project.root), status.name, project.published.seq())
    known = st.session_state.get(KNOWN)
    if known is None or known[0] != seen:
        versions = project.versions(status.name)[:DRAWN] if status.version else ()
        names = {each.run for each in versions}
        runs = {name: run for name in names if (run := project.run_store.get(name)) is not None}
        log = EventLog(project.home)
        events = {each.run: log.read(each.run) for each in versions[:SHOWN]}
        known = (seen, quality.qualities(status.name, versions, runs, events))
        st.session_state[KNOWN] = known
    found: tuple[Quality, ...] = known[1]
    return found
