"""Records: editors, typed values, drafts that outlive a page, marks, the panel of one record."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from packyak.engine.run.answers import ColumnInfo, FieldDetail, Page, RecordDetail
from packyak.studio.views import records
from packyak.studio.views.record import sheet
from packyak.studio.views.records import Draft, Editor, Unfit

NINE = datetime(2026, 1, 4, 9, tzinfo=UTC)
COLUMNS = (
    ColumnInfo("body", "string", "notes"),
    ColumnInfo("id", "string", "notes", editable=False),
    ColumnInfo("topic", "string", "topic", ("billing", "delivery")),
    ColumnInfo("n", "int64", "notes"),
    ColumnInfo("at", "timestamp", "notes"),
    ColumnInfo("tags", "list<string>", "notes"),
)


def page(corrected: frozenset[tuple[str, str]] = frozenset()) -> Page:
    rows = [
        {
            "_key": "a",
            "id": "a",
            "body": "x" * 90,
            "topic": None,
            "n": 1,
            "at": datetime(2026, 1, 4, 9, tzinfo=UTC),
            "tags": ["u"],
        },
        {"_key": "b", "id": "b", "body": "<b>y</b>", "topic": "billing", "n": None, "at": None, "tags": None},
    ]
    return Page(pa.Table.from_pylist(rows), 2, COLUMNS, corrected)


def editor(name: str) -> Editor:
    return next(each for each in records.editors(page()) if each.column == name)


def test_keys_come_first_then_what_the_asset_computes_itself() -> None:
    shown = records.editors(page(), ["topic", "notes"])
    assert [each.column for each in shown] == ["id", "topic", "body", "n", "at", "tags"]


def test_each_column_has_the_editor_of_its_type() -> None:
    kinds = {each.column: (each.kind, each.editable) for each in records.editors(page())}
    assert kinds == {
        "id": ("text", False),
        "body": ("text", True),
        "topic": ("choice", True),
        "n": ("integer", True),
        "at": ("moment", True),
        "tags": ("shown", False),
    }
    assert editor("body").width and not editor("topic").width
    assert not any(each.editable for each in records.editors(page(), editable=False))


@pytest.mark.parametrize(
    ("column", "given", "meant"),
    [
        ("topic", "billing", "billing"),
        ("n", "12", 12),
        ("n", 12.0, 12),
        ("at", "2026-02-03T10:00:00.000", datetime(2026, 2, 3, 10, tzinfo=UTC)),
        ("body", "hello", "hello"),
        ("body", "", None),
        ("n", None, None),
    ],
)
def test_typed_values_become_values_of_the_column(column: str, given: object, meant: object) -> None:
    assert records.typed(given, editor(column)) == meant


@pytest.mark.parametrize(
    ("column", "given"),
    [("topic", "nonsense"), ("n", "many"), ("n", "99999999999999999999"), ("at", "yesterday"), ("tags", "[")],
)
def test_what_does_not_fit_is_refused_with_the_reason(column: str, given: str) -> None:
    with pytest.raises(Unfit, match=column):
        records.typed(given, editor(column))


def test_dates_are_read_from_what_the_grid_sends() -> None:
    day = Editor("day", "date", True, "notes")
    assert records.typed("2026-01-04", day) == date(2026, 1, 4)


def test_an_edit_becomes_a_draft_and_a_value_set_back_is_none() -> None:
    drafts = {("b", "n"): Draft(None, 4)}
    records.put(drafts, ("a", "topic"), None, "billing")
    assert drafts == {("b", "n"): Draft(None, 4), ("a", "topic"): Draft(None, "billing")}
    records.put(drafts, ("a", "topic"), None, None)
    assert drafts == {("b", "n"): Draft(None, 4)}


def test_comparisons_fit_the_column() -> None:
    assert "contains" in records.comparisons(editor("body")) and "<" not in records.comparisons(editor("body"))
    assert "<=" in records.comparisons(editor("n"))
    assert records.filter_words("n", ">", 20) == "n more than 20"
    assert records.filter_words("topic", "empty", None) == "topic is empty"


def test_span_words() -> None:
    assert records.span_words(50, 50, 1506) == "51 to 100 of 1,506 records"
    assert records.span_words(0, 3, 3) == "3 records" and records.span_words(0, 0, 0) == "No records"
    assert records.span_words(50, 50, 200, ranked=True) == "51 to 100 of the 200 nearest"
    assert records.span_words(0, 14, 14, ranked=True) == "The 14 nearest"


def test_the_sheet_says_who_and_what_lies_beneath() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    corrected = FieldDetail(
        "topic",
        "billing",
        "topic",
        computed="delivery",
        decided="person",
        corrected_by="ana",
        corrected_at="2026-01-01T11:00:00",
        why="they said so",
        correction="c1",
        outdated=True,
    )
    failed = FieldDetail("n", None, "notes", error="ValueError: no")
    detail = RecordDetail("topic", "a", (FieldDetail("body", "x", "notes", "x"), corrected, failed))
    found = sheet(detail, ["topic"], now)
    topic, body, n = found.fields
    assert (topic.name, body.name, n.name) == ("topic", "body", "n")
    assert topic.corrected == "ana, 1 h ago" and topic.computed == "delivery" and topic.correction == "c1"
    assert topic.outdated and topic.why == "they said so"
    assert body.note == "from notes" and not body.corrected
    assert n.empty and n.error == "ValueError: no"
