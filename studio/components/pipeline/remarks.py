"""What an asset's panel tells beside its state: what failed and why, and what else a run noted of its records.

The same as `packyak status ASSET`, which the bar at the foot names, and `packyak show ASSET --only failed` say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.run.answers import AssetStatus
from packyak.studio.shell import places
from packyak.studio.views import failing, tables, words
from packyak.studio.views.failing import Failing

if TYPE_CHECKING:
    from packyak.engine.project import Project

MOST_WAYS = 3
MOST_NAMES = 4
KNOWN = "known_failures"


def failures_of(project: Project, status: AssetStatus) -> None:
    """What of it failed, one block for each reason, and the way to it. Whatever went wrong is shown as text."""
    found = _failures(project, status)
    if found is None:
        return
    with st.container(gap="xsmall", key="asset_failures"):
        st.markdown(f"**{words.counted(found.count, found.unit)} failed**")
        for way in found.ways[:MOST_WAYS]:
            with st.container(horizontal=True, wrap=False, gap="xsmall"):
                st.badge(words.count(way.count), color="red")
                with st.container(gap=None, width="stretch"):
                    st.text(way.error)
                    st.caption(words.literal(words.listed([each.name for each in way.failed], MOST_NAMES)))
        if len(found.ways) > MOST_WAYS:
            st.caption(f"and {words.counted(len(found.ways) - MOST_WAYS, 'other reason')}")
        with st.container(horizontal=True, gap="small", vertical_alignment="center", wrap=False):
            st.caption(tables.failed_words(found.unit), width="stretch")
            if found.listed:
                where = {"asset": found.listed, "only": "failed"}
                st.page_link(places.records(), label="Open it" if found.count == 1 else "Open them", query_params=where)
        st.code(found.command, language=None, wrap_lines=True)


def _failures(project: Project, status: AssetStatus) -> Failing | None:
    """Read once for each publication."""
    if not status.failed_records:
        return None
    seen = (str(project.root), status.name, project.published.seq())
    known = st.session_state.get(KNOWN)
    if known is None or known[0] != seen:
        read = project.failures(status.name, limit=failing.MOST)
        told = failing.failing(project.graph, status.name, read, status.failed_records, "") if read else None
        known = (seen, told)
        st.session_state[KNOWN] = known
    found: Failing | None = known[1]
    return found


def notes_of(status: AssetStatus) -> None:
    """What a run noted: columns left out, files passed over, records that share a key, corrections that wait."""
    told = tables.notes(status)
    if not told:
        return
    with st.container(gap="xsmall", key="asset_notes"):
        st.markdown("**Noted by the last run**")
        for note in told:
            st.text(note.text)
            if note.step:
                st.caption(words.literal(f"Next: {note.step}"))
