"""The pages of the studio: what each is called, where it lives, and how a press leads to another.

The browser goes to a page that a press leads to (`visit` in `components/dom.js`): Streamlit's own switch notes the new
address on the old page first, which stays as one more step back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import NoReturn

import streamlit as st
from packyak.studio.shell import identity
from streamlit.navigation.page import Page

PAGES = Path(__file__).resolve().parent.parent / "pages"

pipeline = partial(st.Page, PAGES / "pipeline.py", title="Pipeline", icon=":material/account_tree:", default=True)
records = partial(st.Page, PAGES / "records.py", title="Records", icon=":material/table_rows:", url_path="records")
review = partial(st.Page, PAGES / "review.py", title="Review", icon=":material/rate_review:", url_path="review")
models = partial(st.Page, PAGES / "models.py", title="Models", icon=":material/school:", url_path="models")
map_ = partial(st.Page, PAGES / "map.py", title="Map", icon=":material/scatter_plot:", url_path="map")
runs = partial(st.Page, PAGES / "runs.py", title="Runs", icon=":material/history:", url_path="runs")
export = partial(st.Page, PAGES / "export.py", title="Export", icon=":material/cloud_upload:", url_path="export")
home = partial(st.Page, PAGES / "home.py", title="Projects", icon=":material/folder_open:", url_path="home")
BY_NAME: Mapping[str, Callable[[], Page]] = {
    "pipeline": pipeline,
    "records": records,
    "review": review,
    "models": models,
    "map": map_,
    "runs": runs,
    "export": export,
    "home": home,
}


GOING = "going_to_page"


@dataclass(frozen=True)
class Going:
    """A page to be gone to. params: its address; id: of this one press, which is done once."""

    page: str
    params: Mapping[str, str]
    id: str = field(default_factory=lambda: token_hex(8))


def go(page: str, params: Mapping[str, str] | None = None) -> NoReturn:
    """To another page, in one step of the browser's history."""
    st.session_state[GOING] = Going(page, dict(params or {}))
    st.rerun()


def going() -> Going | None:
    """The page that a press leads to, told once."""
    found: Going | None = st.session_state.pop(GOING, None)
    return found


def every() -> list[Page]:
    """All pages, in the order of their list. Where people sign in, one project is served: no folder is opened here."""
    return [page() for name, page in BY_NAME.items() if name != "home" or not identity.signs_in()]


def named(name: str) -> Page:
    """The page of that name; the pipeline where there is none."""
    return BY_NAME.get(name, pipeline)()


def name_of(page: Page) -> str:
    """What a page is called here."""
    return page.url_path or "pipeline"


def titles() -> list[tuple[str, str]]:
    """Title and name of each page."""
    return [(page.title, name_of(page)) for page in every()]
