"""Records, seen by a query: a box with completion, the answer below it, and the answer as a file."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.studio.components.bundle import script, text
from packyak.studio.views import share, words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

HERE = Path(__file__).parent / "sqlbox"
HTML = '<div class="sql"></div>\n'
MOST_ROWS = 1000
ANSWER = "sql_answer"


@cache
def _mount() -> Callable[..., Any]:
    return st.components.v2.component(
        "packyak_sql", html=HTML, css=text(HERE / "sqlbox.css"), js=script(HERE / "index.js")
    )


def sql_view(project: Project, asset: str) -> None:
    """Draw the box and the answer to its query; the query is part of the address."""
    asked = st.query_params.get("q", "")
    names = [{"name": name, "note": "asset"} for name in _assets(project)]
    names += [{"name": column.name, "note": ""} for column in project.page(asset, limit=0).columns]
    shown = asked or f"select *\nfrom {asset}\nlimit 100"
    event = _mount()(key="sqlbox", data={"query": shown, "names": names}, on_event_change=lambda: None).event
    if event and str(event["query"]).strip():
        st.query_params["q"] = asked = str(event["query"])
        st.session_state.pop(ANSWER, None)
    if asked:
        _answer(project, asked)
    else:
        st.caption("Any query over this project's assets. It reads what is published, corrections included.")


def _assets(project: Project) -> list[str]:
    return [node.name for node in project.graph.tables]


def _took(seconds: float) -> str:
    return "less than 0.1 s" if seconds < 0.1 else words.duration(seconds)


def _answer(project: Project, query: str) -> None:
    known = st.session_state.get(ANSWER)
    if known is None or known[0] != query:
        start = time.perf_counter()
        try:
            found: pa.Table = project.sql(query)
        except PackyakError as error:
            st.error(literal(str(error)))
            return
        known = (query, found, time.perf_counter() - start)
        st.session_state[ANSWER] = known
    _, found, took = known
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        cut = f", the first {words.count(MOST_ROWS)} shown" if found.num_rows > MOST_ROWS else ""
        st.caption(f"{words.counted(found.num_rows, 'row')} in {_took(took)}{cut}", width="stretch")
        st.code(f"packyak sql {shlex.quote(' '.join(query.split()))}", language=None, width=420)
        st.download_button("CSV", partial(share.csv_bytes, found), "answer.csv", "text/csv", icon=":material/download:")
        st.download_button("Parquet", partial(share.parquet_bytes, found), "answer.parquet", icon=":material/download:")
    shown = found.slice(0, MOST_ROWS)
    numbers = [each.name for each in shown.schema if pa.types.is_integer(each.type) or pa.types.is_floating(each.type)]
    st.dataframe(
        shown.to_pandas(),
        hide_index=True,
        height="content" if shown.num_rows < 15 else 520,
        alt="Answer of the query",
        placeholder=words.EMPTY,
        column_config={name: st.column_config.NumberColumn(format="localized") for name in numbers},
    )
