"""The page for when there is no project yet, and for going to another one."""

from __future__ import annotations

import streamlit as st


def welcome() -> None:
    st.header("Projects")
