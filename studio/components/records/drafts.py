"""What was typed and not saved, by asset; kept for a window over everything that it shows meanwhile."""

from __future__ import annotations

import streamlit as st
from packyak.studio.views.records import Cell, Draft

DRAFTS = "drafts"


def drafts(asset: str) -> dict[Cell, Draft]:
    """What was typed for an asset and not saved."""
    every: dict[str, dict[Cell, Draft]] = st.session_state.setdefault(DRAFTS, {})
    return every.setdefault(asset, {})
