"""The pages of the studio: what each is called, and where it lives. Links between pages go through here."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

PAGES = Path(__file__).resolve().parent.parent / "pages"

pipeline = partial(st.Page, PAGES / "pipeline.py", title="Pipeline", icon=":material/account_tree:", default=True)
records = partial(st.Page, PAGES / "records.py", title="Records", icon=":material/table_rows:", url_path="records")
home = partial(st.Page, PAGES / "home.py", title="Projects", icon=":material/folder_open:", url_path="home")


def every() -> list[Page]:
    """All pages, in the order of the sidebar."""
    return [pipeline(), records(), home()]
