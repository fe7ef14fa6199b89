"""Records, seen by column: how filled, how different, how spread each one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import streamlit as st
from packyak.studio.views import words
from packyak.studio.views.statistics import ColumnFacts, column_facts

if TYPE_CHECKING:
    from packyak.engine.project import Project

SAMPLE = 100_000
KNOWN = "column_facts"


def column_view(project: Project, asset: str) -> None:
    """Draw one line for each column."""
    facts, seen, total = _facts(project, asset)
    part = "" if seen == total else f", judged by {words.count(seen)} of them"
    st.caption(f"{words.counted(len(facts), 'column')} of {words.counted(total, 'record')}{part}")
    config = st.column_config
    st.dataframe(
        pd.DataFrame(
            {
                "column": [each.name for each in facts],
                "type": [each.type for each in facts],
                "filled": [each.filled for each in facts],
                "different": pd.Series([each.distinct for each in facts], dtype="Int64"),
                "spread": [list(each.spread) for each in facts],
                "most frequent": [each.frequent for each in facts],
                "smallest": [each.smallest for each in facts],
                "largest": [each.largest for each in facts],
                "mean": [each.mean for each in facts],
            }
        ),
        hide_index=True,
        height="content",
        row_height=44,
        alt=f"Columns of {asset}",
        placeholder=words.EMPTY,
        column_config={
            "column": config.TextColumn(pinned=True),
            "filled": config.ProgressColumn(format="percent", min_value=0, max_value=1, width=130),
            "different": config.NumberColumn(format="localized"),
            "spread": config.BarChartColumn(
                width=180, y_min=0, help="equal parts of the range, or the most frequent values"
            ),
            "most frequent": config.TextColumn(width=280),
            "mean": config.TextColumn(alignment="right"),
        },
    )


def _facts(project: Project, asset: str) -> tuple[tuple[ColumnFacts, ...], int, int]:
    """The facts, how many records they were judged by, and how many there are. Kept until something changes."""
    seen = (asset, project.published.seq(), project.log.position())
    known = st.session_state.get(KNOWN)
    if known is None or known[0] != seen:
        total = project.page(asset, limit=0).total
        name = '"' + asset.replace('"', '""') + '"'
        sample = f" using sample reservoir({SAMPLE} rows) repeatable (7)" if total > SAMPLE else ""
        table: pa.Table = project.sql(f"select * from {name}{sample}")
        known = (seen, (column_facts(table), table.num_rows, total))
        st.session_state[KNOWN] = known
    found: tuple[tuple[ColumnFacts, ...], int, int] = known[1]
    return found
