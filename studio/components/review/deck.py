"""The review deck as a Streamlit component: what a person decided comes in, what was taken of it goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from packyak.studio.components.bundle import script, text
from packyak.studio.views.review import Card, Near

HERE = Path(__file__).parent / "deck"
HTML = '<div class="deck"></div>\n'
KEY = "deck"


@dataclass(frozen=True)
class Offer:
    """To give records like the one just corrected the same value; all of them are shown, and each can be left out."""

    id: str
    words: str
    value: str
    examples: tuple[Near, ...]


@dataclass(frozen=True)
class Taken:
    """Up to which number the decisions of a deck were taken."""

    deck: str = ""
    number: int = 0


@dataclass(frozen=True)
class Hand:
    """What the deck holds. list: changes when cards came; scope: when they are of another choice; again: the fields,
    as asset, key and column joined by zero characters, that are to be asked again."""

    project: str
    scope: str
    list: int
    cards: Sequence[Card]
    taken: Taken
    waiting: str
    more: bool
    nothing: str
    notes: Sequence[str] = ()
    again: Sequence[str] = ()
    offer: Offer | None = None
    learned: str = ""


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_deck", html=HTML, css=text(HERE / "deck.css"), js=script(HERE / "index.js")
    )


def decided() -> list[Mapping[str, Any]]:
    """What the browser has sent of the log: entries in the order of their numbers."""
    state = st.session_state.get(KEY)
    found = (state.get("log") if state is not None else None) or []
    return sorted(found, key=lambda entry: int(entry["number"]))


def deck(hand: Hand) -> Mapping[str, Any]:
    """Draw the deck; answers `spread` (an offer taken up) with `keys`, or nothing."""
    event = _mount()(key=KEY, data=asdict(hand), on_log_change=lambda: None, on_event_change=lambda: None).event
    return dict(event) if event else {}
