"""Pages of records: by rank, in memory, and in plain SQL, they are the same, whatever is asked and was corrected."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from packyak.engine.errors import DataError, QueryError
from packyak.engine.project import Project
from packyak.engine.run.answers import Filter, Page
from packyak.engine.run.read import ranks
from packyak.engine.run.read.pages import Wanted, page_of
from packyak.engine.store.shelf import Shelf

SOURCE = """
    import datetime, random
    from typing import Literal
    import pyarrow as pa
    from packyak import asset, sql, transform

    @asset(key="id")
    def notes() -> pa.Table:
        chance = random.Random(3)
        ids = [f"n{n:03}" for n in range(300)] + ["ü", "a'b", 'q"q', "Z", "\\U0001f600"]
        chance.shuffle(ids)
        some = lambda values: [chance.choice(values) for _ in ids]
        vectors = pa.array([[float(n), 1.0] for n in range(len(ids))], pa.list_(pa.float32(), 2))
        return pa.table({
            "id": ids,
            "body": some(["an Invoice", "a parcel", "straße ΣΑΣ", "", None, "100%", "under_score", 'say "so"']),
            "amount": some([1.5, -2.0, None, float("nan"), float("inf"), 0.0, 1e300]),
            "size": some([1, 2, 3, None, -7, 2**40]),
            "open": some([True, False, None]),
            "day": some([datetime.date(2026, 1, day) for day in range(1, 9)] + [None]),
            "tags": some([["a", "b"], [], None]),
            "vector": vectors,
        })

    @transform(notes)
    def topic(body: str) -> Literal["billing", "delivery", "other"] | None:
        if "%" in body:
            raise ValueError("refused")
        return "billing" if "Invoice" in body else "delivery" if "parcel" in body else None

    @transform(topic)
    def size(size: int | None, topic: str | None) -> int: return (size or 0) + len(topic or "")

    counts = sql("select topic, count(*) as n from topic group by all")
"""
CONDITIONS = [
    None,
    "amount > 0 and size < 5",
    "Amount * 2 < 4 or body ilike '%PARCEL%'",
    "\"open\" and v.day > date '2026-01-03'",
    "len(tags) > 1",
    "cast(v as varchar) like '%parcel%'",
    "columns(*) is not null",
    "_key like 'n1%'",
    "vector[1] > 100",
]
FILTERS = [
    (),
    (Filter("amount", ">", 0.0),),
    (Filter("amount", "<=", 1.5),),
    (Filter("amount", "!=", 1.5),),
    (Filter("amount", "=", float("nan")),),
    (Filter("body", "contains", "IN"), Filter("size", ">=", 2)),
    (Filter("body", "empty"),),
    (Filter("tags", "filled"),),
    (Filter("day", "<", date(2026, 1, 4)),),
    (Filter("open", "=", True),),
    (Filter("size", "in", [1, 2, None]),),
    (Filter("topic", "=", "billing"),),
    (Filter("_none", "=", 1),),
]
COLUMNS = ["id", "body", "amount", "size", "open", "day", "tags", "topic", None]
EVERY = [f"n{n:03}" for n in range(299, -1, -1)] + ["ü", "a'b", 'q"q', "Z", "\U0001f600"]
TYPED: dict[str, Any] = {"body": "by hand", "amount": 7.25, "size": 41, "day": date(2026, 1, 5), "topic": "other"}


@pytest.fixture
def project(project_folder: Callable[..., Path]) -> Project:
    made = Project.open(project_folder(SOURCE))
    made.run()
    return made


def told(page: Page) -> tuple[Any, ...]:
    return page.total, repr(page.rows.to_pylist()), page.rows.column_names, page.corrected


def answer(project: Project, wanted: Wanted, *, plainly: bool) -> Any:
    try:
        return told(page_of(project._reader(), wanted, plainly=plainly))
    except (DataError, QueryError) as error:
        return str(error)


def asked(chance: random.Random) -> Wanted:
    asset = chance.choice(["notes", "topic", "size"])
    filters = chance.choice(FILTERS)
    sort = chance.choice(COLUMNS if asset != "notes" else [each for each in COLUMNS if each != "topic"])
    return Wanted(
        asset,
        offset=chance.choice([0, 0, 5, 290, 400]),
        limit=chance.choice([0, 3, 50, 1000]),
        sort=sort,
        descending=chance.random() < 0.5,
        filters=filters,
        text=chance.choice([None, None, "PARCEL", "straße", "n29", '"so"', "'"]),
        only=chance.choice([None, None, "corrected", "failed"]),
        where=chance.choice(CONDITIONS),
        columns=chance.choice([None, None, (), ("body", "id")]),
        keys=chance.choice([None, None, None, (), ("n200", "Z", "n003", "gone", "Z", "a'b"), tuple(EVERY)]),
    )


def correct_something(project: Project, chance: random.Random) -> None:
    column = chance.choice([*TYPED])
    asset = chance.choice(["size", "topic"]) if column in ("topic", "size") else "notes"
    key = chance.choice(["ü", 'q"q', *(f"n{n:03}" for n in range(300))])
    value = chance.choice([None, TYPED[column]])
    saved = project.correct(asset, key, column, value)
    if chance.random() < 0.3:
        project.undo(saved.id)


@pytest.mark.parametrize("seed", range(4))
def test_a_page_by_rank_is_the_page_in_plain_sql(project: Project, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over random questions, with corrections in between, saved and taken back, worked in by a run and not."""
    monkeypatch.setattr(ranks, "_DEPTHS", (8, 60))  # the first, the last and the middle pages of 300 records
    chance = random.Random(seed)
    for step in range(90):
        if step % 3 == 2:
            correct_something(project, chance)
        if step == 60:
            project.run()
        wanted = asked(chance)
        assert answer(project, wanted, plainly=False) == answer(project, wanted, plainly=True), wanted


def test_most_questions_are_answered_by_rank(project: Project) -> None:
    reader = project._reader()
    for wanted in (Wanted("size", sort="topic"), Wanted("topic", where="amount > 1"), Wanted("notes", text="parcel")):
        project.query.run = lambda sql, *rest, ask=project.query.run: _refuse_stored(ask, sql, *rest)  # type: ignore[method-assign]
        page_of(reader, wanted)


def _refuse_stored(ask: Callable[..., pa.Table], sql: str, tables: Any = None, params: Any = None) -> pa.Table:
    assert not any(hasattr(table, "uri") for table in (tables or {}).values()), sql
    return ask(sql, tables, params)


def test_a_shelf_without_room_changes_no_answer(project: Project) -> None:
    project.__dict__["shelf"] = Shelf(limit=100)
    chance = random.Random(9)
    for _ in range(30):
        wanted = asked(chance)
        assert answer(project, wanted, plainly=False) == answer(project, wanted, plainly=True), wanted
    assert project.shelf.used <= 100


def test_an_earlier_version_keeps_its_values(project: Project) -> None:
    before = project.versions("topic")[0].version
    project.correct("topic", "n007", "topic", "other")
    project.run()
    now = Wanted("topic", sort="topic", limit=400)
    then = Wanted("topic", sort="topic", limit=400, version=before)
    for wanted in (now, then, now):
        assert answer(project, wanted, plainly=False) == answer(project, wanted, plainly=True)
    assert answer(project, now, plainly=False) != answer(project, then, plainly=False)


def test_a_saved_correction_changes_the_page_at_once_and_reads_one_record(project: Project) -> None:
    project.page("size", sort="size", filters=[Filter("topic", "!=", "other")])
    key = project.page("size").rows["_key"][0].as_py()
    project.correct("size", key, "size", -1_000_000)
    page = project.page("size", sort="size", limit=1)
    assert page.rows["_key"].to_pylist() == [key]
    assert page.corrected == {(key, "size")}


def test_records_that_are_gone_and_new_ones(project_folder: Callable[..., Path]) -> None:
    """After deletions a table's rows lie elsewhere; pages still show each record with its own values."""
    source = SOURCE.replace('"vector": vectors,', "")
    Project.open(project_folder(source)).run()
    changed = Project.open(project_folder(source.replace("range(300)", "range(40, 320)")))
    changed.run()
    for wanted in (Wanted("size", limit=400), Wanted("size", sort="body", offset=20), Wanted("topic", text="parcel")):
        assert answer(changed, wanted, plainly=False) == answer(changed, wanted, plainly=True), wanted
    assert changed.record("size", "n310").fields[0].value == "n310"


def test_an_unknown_column_to_sort_by_is_named(project: Project) -> None:
    with pytest.raises(DataError, match="has no column 'nothing'"):
        project.page("notes", sort="nothing")
