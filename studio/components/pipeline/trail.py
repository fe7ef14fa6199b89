"""A record's trace on the Pipeline page: what the address asks for, and the panel that tells it.

`of`, `key`, `field` in the address: the asset, the record and, where only one is meant, its field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.lineage.chain import Trace
from packyak.studio.components.bundle import script, text
from packyak.studio.components.records.missing import why_not
from packyak.studio.shell import places
from packyak.studio.views import trail as view
from packyak.studio.views import words
from packyak.studio.views.trail import Trail
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

HERE = Path(__file__).parent / "trail"
HTML = '<div class="trail"></div>\n'
KNOWN = "known_trace"
LIMIT = 200
WHOLE = "the whole record"


@dataclass(frozen=True)
class Traced:
    """A trace in both directions."""

    asset: str
    key: str
    field: str
    up: Trace
    down: Trace
    trail: Trail


def traced(project: Project) -> Traced | None:
    """The trace that the address asks for; a record that is not there is told, and nothing is traced."""
    asset, key, field = (st.query_params.get(name, "") for name in ("of", "key", "field"))
    if not asset or not key:
        return None
    seen = (str(project.root), asset, key, field, project.published.seq(), project.log.position())
    known = st.session_state.get(KNOWN)
    if known is None or known[0] != seen:
        try:
            up = project.trace(asset, key, field or None, limit=LIMIT)
            down = project.trace(asset, key, field or None, direction="down", limit=LIMIT)
        except PackyakError as error:
            st.warning(literal(why_not(project, asset, key, error)), icon=":material/conversion_path:")
            leave()
            return None
        found = Traced(asset, key, field, up, down, view.trail_of(project.graph, (up, down)))
        known = (seen, found)
        st.session_state[KNOWN] = known
    answer: Traced = known[1]
    return answer


def leave() -> None:
    """The address without the trace."""
    for name in ("of", "key", "field"):
        st.query_params.pop(name, None)


def trail_panel(project: Project, found: Traced, chosen: str) -> None:
    """Which record, which field of it, and everything that its value comes from and that hangs on it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        st.subheader(literal(f"{found.asset} \N{RIGHTWARDS ARROW} {found.key}"), anchor=False, width="stretch")
        if st.button("", icon=":material/close:", type="tertiary", key="leave_trace", help="Leave the trace"):
            leave()
            st.rerun(scope="fragment")
    _field(project, found)
    told = view.told(project.graph, found.trail, found.up, found.down, project.root)
    if found.up.cut or found.down.cut:
        left = words.counted(found.up.cut + found.down.cut, "record")
        st.caption(f"{left} more are not followed here.")
    _mount()(key="trail", data={"told": asdict(told), "chosen": chosen})


def _field(project: Project, found: Traced) -> None:
    """Which field of the record is traced; the record as a whole unless one is chosen."""
    known = list(dict.fromkeys([*found.up.start.values, *([found.field] if found.field else [])]))
    names = st.session_state.get("trace_fields")
    if names is None or names[0] != (found.asset, found.key) or not found.field:
        names = ((found.asset, found.key), known)
        st.session_state["trace_fields"] = names
    options = [WHOLE, *dict.fromkeys([*names[1], *known])]
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        wanted = st.selectbox(
            "Traced",
            options,
            index=options.index(found.field) if found.field in options else 0,
            label_visibility="collapsed",
            key=f"trace_field-{found.asset}-{found.key}-{found.field}",
            width=190,
        )
        st.page_link(places.records(), label="Open record", query_params={"asset": found.asset, "key": found.key})
    field = "" if wanted == WHOLE else str(wanted)
    if field != found.field:
        if field:
            st.query_params["field"] = field
        else:
            st.query_params.pop("field", None)
        st.rerun(scope="fragment")


def trace_box(name: str) -> None:
    """For a chosen asset: name one of its records to see its trace."""
    with (
        st.form(f"trace-{name}", border=False),
        st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom", wrap=False),
    ):
        key = st.text_input("Trace a record", placeholder="Key of a record", key=f"trace_key-{name}")
        pressed = st.form_submit_button("Trace", icon=":material/conversion_path:")
    if pressed and key.strip():
        st.query_params.update({"of": name, "key": key.strip()})
        st.query_params.pop("field", None)
        st.rerun(scope="fragment")


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_trail", html=HTML, css=text(HERE / "trail.css"), js=script(HERE / "index.js")
    )
