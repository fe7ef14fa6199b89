"""Views of records to take along, what columns hold, and the past of one record, as plain data."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from packyak.engine.project import Project
from packyak.engine.run.answers import Filter
from packyak.studio.views import share
from packyak.studio.views.share import Wanted
from packyak.studio.views.statistics import column_facts

SOURCE = """
    from packyak import asset, transform

    @asset(key="id", personal={"mail": "contact"})
    def people():
        for n in range(40):
            yield {"id": f"p{n}", "mail": f"p{n}@example.org", "age": n, "note": "it's fine" if n % 2 else None}
"""
WANTED = Wanted(
    "people",
    filters=(Filter("age", ">", 10), Filter("note", "contains", "It's")),
    where="age < 30",
    sort="age",
    descending=True,
)


@pytest.fixture
def project(project_folder: Callable[..., Path]) -> Project:
    opened = Project.open(project_folder(SOURCE))
    opened.run()
    return opened


def test_a_view_as_sql_gives_the_records_of_the_view(project: Project) -> None:
    page = project.page("people", filters=WANTED.filters, where=WANTED.where, sort="age", descending=True)
    assert page.total == 10
    assert project.sql(share.as_sql(WANTED))["id"].to_pylist() == page.rows["id"].to_pylist()
    found = project.sql(share.as_sql(Wanted("people", text="P3"), ["mail"]))
    assert found.num_rows == project.page("people", text="P3").total


def test_a_view_as_python_runs(project: Project) -> None:
    names: dict[str, object] = {}
    exec(share.as_python(WANTED, str(project.root)), names)
    assert names["page"].total == 10  # type: ignore[attr-defined]


def test_a_view_as_a_command_is_quoted() -> None:
    said = share.as_command(Wanted("a b", where="x = 'y'", sort="x", descending=True))
    assert said == """packyak show 'a b' --where '(x = '"'"'y'"'"')' --sort x --descending"""


def test_files_leave_out_what_they_are_told_to(project: Project) -> None:
    table = share.kept(project.page("people").rows, {"mail"})
    assert "_key" not in table.column_names and "mail" not in table.column_names
    table = table.append_column("tags", pa.array([["a", "b"]] * table.num_rows))
    read = pyarrow.csv.read_csv(io.BytesIO(share.csv_bytes(table)))
    assert read.num_rows == 40 and read["tags"][0].as_py() == '["a", "b"]'
    assert pyarrow.parquet.read_table(io.BytesIO(share.parquet_bytes(table))).equals(table)


def test_columns_say_how_filled_different_and_spread_they_are() -> None:
    table = pa.table(
        {
            "n": [1, 2, 3, None],
            "word": ["a", "a", "b", None],
            "when": [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)],
            "flag": [True, True, None, False],
            "list": [[1], [2], None, []],
            "none": pa.array([None] * 4, pa.string()),
            "same": [1.5] * 4,
        }
    )
    facts = {each.name: each for each in column_facts(table)}
    assert (facts["n"].filled, facts["n"].distinct, facts["n"].mean) == (0.75, 3, "2")
    assert facts["word"].frequent == "a 67%"  # a value that occurs once is not frequent
    assert facts["word"].spread == (2, 1) and sum(facts["when"].spread) == 4
    assert facts["flag"].spread == (2, 1) and facts["list"].spread == () and facts["none"].filled == 0
    assert facts["same"].spread == (4,) and facts["when"].type == "timestamp"


def test_no_records_are_no_error() -> None:
    assert column_facts(pa.table({"a": pa.array([], pa.int64())}))[0].filled == 0.0
