"""What a page shows, kept in its address: a link opens the same, Back undoes, a refresh loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

TAKEN = "taken_from_address"


def given(name: str, key: str, read: Callable[[str], Any] = str) -> None:
    """Before a widget: its state from the address, once for each new address."""
    said = st.query_params.get(name)
    taken: dict[str, str | None] = st.session_state.setdefault(TAKEN, {})
    if taken.get(key) == said:
        return
    taken[key] = said
    if said is not None:
        try:
            st.session_state[key] = read(said)
        except (ValueError, KeyError):
            return


def again() -> None:
    """All from the address once more: what was taken before did not reach its widgets."""
    st.session_state.pop(TAKEN, None)


def note(name: str, key: str, value: str | None) -> None:
    """After a widget: what it says, into the address."""
    taken: dict[str, str | None] = st.session_state.setdefault(TAKEN, {})
    taken[key] = value or None
    if value:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
