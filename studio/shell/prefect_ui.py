"""Where Prefect's own page of a run is, when a Prefect with pages is there. Prefect itself is never imported here."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.run.runs import RunRecord

if TYPE_CHECKING:
    from packyak.engine.project import Project

SECONDS = 0.5


def address(project: Project, run: RunRecord) -> str | None:
    """The page of a run; None where Prefect is off or serves no pages."""
    api = str(project.settings["prefect"])
    if run.flow_run_id is None or "://" not in api:
        return None
    site = api.rstrip("/").removesuffix("/api")
    return f"{site}/runs/flow-run/{run.flow_run_id}" if _has_pages(site) else None


@st.cache_data(ttl=60, show_spinner=False)
def _has_pages(site: str) -> bool:
    try:
        with urllib.request.urlopen(site, timeout=SECONDS) as answer:
            return "text/html" in answer.headers.get("content-type", "")
    except (OSError, urllib.error.URLError, ValueError):
        return False
