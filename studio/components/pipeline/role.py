"""What an asset's own role may do in the cloud, asked when opened; the same as `packyak grants ASSET` says."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.studio.shell import cloud
from packyak.studio.views import grants, words
from packyak.studio.views.grants import RoleSheet
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project


def role_of(project: Project, name: str) -> None:
    """Draw the closed section; asking takes a moment, so it waits until somebody opens it."""
    opened = st.expander(
        "What it may do in the cloud", icon=":material/shield_person:", key="asset_role", on_change="rerun"
    )
    with opened:
        if not opened.open:
            return
        try:
            with st.spinner("Asking which grants it needs"):
                said = cloud.grants(project)
        except PackyakError as error:
            st.text(str(error))
            return
        sheet = grants.role_sheet(said, name)
        if sheet is None:
            st.text(f"{name} runs under no role of its own.")
        else:
            _sheet(sheet)
        st.code(f"packyak grants {shlex.quote(name)}", language=None, wrap_lines=True)


def _sheet(sheet: RoleSheet) -> None:
    st.text(
        f"{words.counted(len(sheet.own), 'grant')} because of what it declares, nothing else but what each run needs."
    )
    for line in sheet.undecided:
        said = f"{line} Nothing is granted for it, and the project cannot be exported before it is decided."
        st.warning(literal(said), icon=":material/help:")
    st.dataframe(
        grants.table(sheet.own), hide_index=True, height="content" if len(sheet.own) < 9 else 300, alt="Grants"
    )
    st.caption(
        literal(
            f"and {words.counted(len(sheet.engine), 'grant')} of every run: lock, runs, corrections, publication. "
            + (f"Tried on {words.clock(sheet.proven)}." if sheet.proven else "Not tried yet: `packyak prove` does.")
        )
    )
