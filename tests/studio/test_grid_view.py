"""The grid: values as text that reads back, what travels of long ones, drafts, and the list of what people typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as some
from packyak.engine.project import Project
from packyak.engine.run.answers import ColumnInfo, Page
from packyak.studio.components.records import grid
from packyak.studio.views import grid as view
from packyak.studio.views import records
from packyak.studio.views.records import Draft, Editor, Kind

VALUES: dict[Kind, some.SearchStrategy[Any]] = {
    "text": some.text(min_size=1),
    "integer": some.integers(-(2**63), 2**63 - 1),
    "number": some.floats(allow_nan=False, allow_infinity=False),
    "flag": some.booleans(),
    "moment": some.datetimes(min_value=datetime(1000, 1, 1), timezones=some.just(UTC)),
    "date": some.dates(min_value=date(1000, 1, 1)),
    "time": some.times(),
}
ROWS = pa.Table.from_pylist(
    [
        {"_key": "a", "id": "a", "body": "x" * 9000, "n": 1204, "at": datetime(2026, 1, 4, tzinfo=UTC)},
        {"_key": "b", "id": "b", "body": "<b>y</b>", "n": None, "at": datetime(2026, 1, 5, 9, tzinfo=UTC)},
    ]
)
COLUMNS = (
    ColumnInfo("id", "string", "notes", editable=False),
    ColumnInfo("body", "string", "notes"),
    ColumnInfo("n", "int64", "notes"),
    ColumnInfo("at", "timestamp", "notes"),
)
PAGE = Page(ROWS, 2, COLUMNS, frozenset({("b", "n"), ("gone", "n")}))
SHOWN = records.editors(PAGE)


@given(some.sampled_from(list(VALUES)).flatmap(lambda kind: some.tuples(some.just(kind), VALUES[kind])))
def test_a_value_travels_as_text_that_reads_back(case: tuple[Kind, Any]) -> None:
    kind, value = case
    editor = Editor("x", kind, True, "notes")
    assert records.typed(view.text(value, editor), editor) == value


def test_values_are_plain_and_short() -> None:
    def told(kind: Kind, value: Any) -> str | None:
        return view.text(value, Editor("x", kind, True, "notes", (1, 2)))

    assert told("moment", datetime(2026, 1, 4, 9, tzinfo=UTC)) == "2026-01-04 09:00"
    assert told("moment", datetime(2026, 1, 4, tzinfo=UTC)) == "2026-01-04"
    assert told("time", time(9, 30)) == "09:30" and told("choice", 2) == "2" and told("text", None) is None
    assert told("shown", [0.5] * 384) == "[0.5, 0.5, 0.5, 0.5, \N{HORIZONTAL ELLIPSIS}] 384 numbers"
    assert told("shown", {"a": [1]}) == '{"a": [1]}'


def test_of_a_long_text_the_beginning_travels() -> None:
    rows, cut = view.rows(PAGE, SHOWN)
    assert [len(rows[0][1] or ""), rows[1][1], cut] == [view.LONGEST, "<b>y</b>", [(0, 1)]]
    assert rows[0][2:] == ["1204", "2026-01-04"] and rows[1][2:] == [None, "2026-01-05 09:00"]


def test_marks_are_places_on_the_page() -> None:
    assert view.corrected(PAGE, SHOWN) == [(1, 2)]
    assert view.pinned(SHOWN, PAGE) == 1 and view.pinned((), PAGE) == 0
    drafts = {("b", "n"): Draft(None, 7), ("elsewhere", "n"): Draft(1, 2)}
    assert view.drafted(drafts, ["a", "b"], SHOWN) == {"b": {"n": "7"}}
    assert [(line.key, line.was, line.now) for line in view.lines(drafts, SHOWN)] == [
        ("b", None, "7"), ("elsewhere", "1", "2"),
    ]  # fmt: skip


def test_long_texts_are_compared_word_by_word() -> None:
    old = "the parcel came late, and the box that held it was open when it came"
    line = view.line("a", "body", Draft(old, old.replace("late", "early")), SHOWN[1])
    assert line.parts and [part["text"] for part in line.parts if part["kind"] != "same"] == ["late", "early"]


def test_a_head_says_what_the_column_is() -> None:
    told = view.column(Editor("topic", "choice", True, "topic", ("billing", "other")))
    assert (told.hint, told.about, told.choices) == (
        "choice", "one of billing and other, computed by topic", ("billing", "other"),
    )  # fmt: skip


# ---- what comes in

SOURCE = """
    from typing import Literal
    from packyak import asset

    @asset(key="id")
    def notes():
        for n in range(3):
            yield {"id": f"n{n}", "size": n, "body": "z" * 900}
"""


@pytest.fixture
def project(project_folder: Callable[..., Path]) -> Iterator[Project]:
    found = Project.open(project_folder(SOURCE))
    found.run()
    st.session_state.clear()
    yield found
    st.session_state.clear()


def send(project: Project, monkeypatch: pytest.MonkeyPatch, *entries: dict[str, Any]) -> grid.Hand:
    """What the browser sends: numbered entries of one window."""
    log = [{"deck": "w", "number": number, **entry} for number, entry in enumerate(entries, 1)]
    monkeypatch.setitem(st.session_state, grid.KEY, {"log": log})
    return grid.take(project)


def put(key: str, column: str, text: str | None) -> dict[str, Any]:
    return {"do": "put", "asset": "notes", "key": key, "column": column, "text": text}


def test_each_entry_is_taken_once_and_in_order(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [put("n1", "size", "41"), put("n1", "size", "42"), put("n0", "body", None)]
    own = send(project, monkeypatch, *sent)
    wanted = {("n1", "size"): Draft(1, 42), ("n0", "body"): Draft("z" * 900, None)}
    assert own.taken == {"w": 3} and grid.drafts("notes") == wanted
    grid.drafts("notes").clear()
    send(project, monkeypatch, *sent)  # as a reload or a second try sends it again
    assert grid.drafts("notes") == {}
    send(project, monkeypatch, *sent, put("n1", "size", "1"))  # back to what it says
    assert grid.drafts("notes") == {}


def test_what_does_not_fit_is_refused_and_the_rest_is_taken(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    own = send(
        project, monkeypatch,
        put("n1", "size", "many"), put("gone", "size", "1"), put("n1", "id", "x"), put("n2", "size", "5"),
    )  # fmt: skip
    assert [each["number"] for each in own.refused] == [1, 2, 3] and "size" in own.refused[0]["why"]
    assert grid.drafts("notes") == {("n2", "size"): Draft(2, 5)}


def test_what_is_saved_holds_and_is_told_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    edits = [put("n1", "size", "42"), put("n2", "body", "short")]
    own = send(project, monkeypatch, *edits, {"do": "save", "asset": "notes", "why": "counted"})
    assert own.problem == "" and grid.drafts("notes") == {}
    assert grid.tell(own) and not grid.tell(own)
    found = {(each.key, each.column, each.value, each.why) for each in Project.open(project.root).corrections("notes")}
    assert found == {("n1", "size", 42, "counted"), ("n2", "body", "short", "counted")}


def test_a_discard_forgets_and_a_page_is_kept_for_its_view(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = {"do": "page", "view": "page-notes-1", "page": 3}
    own = send(project, monkeypatch, put("n1", "size", "42"), turn, {"do": "discard", "asset": "notes"})
    assert grid.drafts("notes") == {} and own.numbers == {"page-notes-1": 3}
