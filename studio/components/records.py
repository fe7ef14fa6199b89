"""The Records page."""

from __future__ import annotations

import streamlit as st


def records_page(project) -> None:
    st.header("Records")
