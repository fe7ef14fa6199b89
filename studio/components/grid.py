"""The grid of records: typed editors, a button that opens a record, marks, and drafts that outlive their page.

The grid keeps its own edits while it is shown; each is copied into the drafts at once. `discard` gives the grid a new
identity, which is how it forgets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from packyak.engine.run.answers import Page
from packyak.studio.views import records
from packyak.studio.views.records import Cell, Draft, Editor
from packyak.studio.views.words import literal

DRAFTS = "drafts"
ROUND = "grid_round"
REFUSED = "refused"
OPENED = "opened_row"
MARKED = "marks_shown"
LOCALIZED = 3  # the decimals that the browser's own way of writing numbers keeps
DTYPES = {"integer": "Int64", "number": "Float64", "flag": "boolean", "moment": "datetime64[us]"}


def drafts(asset: str) -> dict[Cell, Draft]:
    """What was typed for an asset and not saved."""
    every: dict[str, dict[Cell, Draft]] = st.session_state.setdefault(DRAFTS, {})
    return every.setdefault(asset, {})


def discard(asset: str) -> None:
    """Forget what was typed."""
    drafts(asset).clear()
    refresh()


def refresh() -> None:
    """Draw the grid anew from the records: its own edits are forgotten."""
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def records_grid(asset: str, page: Page, shown: Sequence[Editor], digest: str) -> None:
    """One page of records."""
    key = f"grid-{asset}-{digest}-{hash(tuple(page.rows[records.KEY].to_pylist()))}-{st.session_state.get(ROUND, 0)}"
    rows = records.grid_rows(page, drafts(asset), shown, open_label=":material/chevron_right:")
    marked = _has_marks(key, rows)
    for message in st.session_state.pop(REFUSED, ()):
        st.toast(literal(message), icon=":material/error:", duration="long")
    st.data_editor(
        _frame(rows, shown),
        key=key,
        height="stretch",
        hide_index=True,
        num_rows="fixed",
        column_config=_columns(page, shown),
        column_order=["open", *(["marks"] if marked else []), *(f"={editor.column}" for editor in shown)],
        placeholder="\N{EM DASH}",
        on_change=_take,
        args=(key, asset, page, shown),
        alt=f"Records of {asset}",
    )


def _has_marks(key: str, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether the column of marks is shown. Decided when a grid appears: one that came later would push the cells away
    under the hands of somebody who types."""
    known, marked = st.session_state.get(MARKED, ("", False))
    if known != key:
        marked = any(row["marks"] for row in rows)
        st.session_state[MARKED] = (key, marked)
    return bool(marked)


def _take(key: str, asset: str, page: Page, shown: Sequence[Editor]) -> None:
    changed = st.session_state[key]["edited_rows"]
    edited = {row: {name.removeprefix("="): value for name, value in cells.items()} for row, cells in changed.items()}
    after, refused = records.merged(drafts(asset), page, shown, edited)
    drafts(asset).clear()
    drafts(asset).update(after)
    if refused:
        st.session_state[REFUSED] = refused
        refresh()


def _frame(rows: Sequence[dict[str, Any]], shown: Sequence[Editor]) -> pd.DataFrame:
    columns: dict[str, pd.Series[Any]] = {
        name: pd.Series([row[name] for row in rows], dtype="object") for name in ("open", "marks")
    }
    for editor in shown:
        values = [row[editor.column] for row in rows]
        columns[f"={editor.column}"] = pd.Series(values, dtype=DTYPES.get(editor.kind, "object"))
    return pd.DataFrame(columns)


def _open(page: Page) -> None:
    click = st.session_state.get(OPENED)
    if click is not None and click["row"] < page.rows.num_rows:
        st.query_params["key"] = page.rows[records.KEY][click["row"]].as_py()


def _columns(page: Page, shown: Sequence[Editor]) -> dict[str, Any]:
    config = st.column_config
    columns: dict[str, Any] = {
        "open": config.ButtonColumn(
            "", width=40, pinned=True, type="tertiary", key=OPENED, on_click=_open, args=(page,)
        ),
        "marks": config.TextColumn(
            "marked", width=110, disabled=True, help=f"{records.CORRECTED} corrected, {records.UNSAVED} not saved yet"
        ),
    }
    for editor in shown:
        columns[f"={editor.column}"] = _column(editor)
    return columns


def _column(editor: Editor) -> Any:
    config = st.column_config
    common: dict[str, Any] = {
        "label": editor.column,
        "disabled": not editor.editable,
        "width": editor.width or None,
        "help": literal(f"computed by {editor.owner}"),
    }
    if editor.kind == "choice":
        return config.SelectboxColumn(options=list(editor.choices), **common)
    if editor.kind == "integer":
        return config.NumberColumn(step=1, format="localized", **common)
    if editor.kind == "number":
        shape = "localized" if editor.decimals <= LOCALIZED else f"%.{editor.decimals}f"
        return config.NumberColumn(format=shape, **common)
    if editor.kind == "flag":
        return config.CheckboxColumn(**common)
    if editor.kind == "moment":
        shape = "YYYY-MM-DD" if editor.whole_days else "YYYY-MM-DD HH:mm"
        return config.DatetimeColumn(format=shape, **common)
    if editor.kind == "date":
        return config.DateColumn(format="YYYY-MM-DD", **common)
    if editor.kind == "time":
        return config.TimeColumn(**common)
    return config.TextColumn(**common)
