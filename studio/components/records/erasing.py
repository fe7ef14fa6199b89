"""Below a record, for who may: how it is erased for good. A command to copy, and what comes before it; no button, as it
cannot be undone and begins outside the studio, in the file that has the record.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.declare.nodes import SqlNode

if TYPE_CHECKING:
    from packyak.engine.project import Project

FIRST = "First take it out of the file that it comes from, then run: what a file still gives would be back."
THEN = "Then this erases what is left of it in earlier versions, corrections, models, indexes. It asks before it does."


def erasing(project: Project, asset: str, key: str) -> None:
    """Draw the section. The command names the asset that has the record: what was computed from it goes along."""
    root = project.graph.root(asset)
    if not project.may("forget") or isinstance(root, SqlNode):
        return
    label = "Erase\N{HORIZONTAL ELLIPSIS}"
    with st.expander(label, icon=":material/delete_forever:", key=f"past-{asset}-{key}-erase"):
        st.text(FIRST)
        st.text(THEN)
        st.code(f"packyak forget {shlex.quote(root.name)} {shlex.quote(key)}", language="shell", wrap_lines=True)
