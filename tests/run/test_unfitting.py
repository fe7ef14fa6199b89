"""Values that a column cannot hold: refused when they are said, and kept aside where they were said before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.errors import CorrectionError
from packyak.engine.project import Project
from packyak.engine.store.corrections import Correction

Write = Callable[..., Path]

SOURCE = """
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
from packyak import asset, transform

@asset(key="id")
def wide() -> pa.Table:
    return pa.table({"id": ["a", "b"], "n": pa.array([1, 2], pa.BITS()), "unsigned": pa.array([1, 2], pa.uint64()),
                     "cents": pa.array([Decimal("1.5")] * 2, pa.decimal128(5, 2)),
                     "at": pa.array([datetime(2020, 1, 1)] * 2, pa.timestamp("ns"))})

@transform(wide)
def exact(n: int) -> Decimal:
    return Decimal(n)

@asset(key="id")
def silent() -> list[dict]:
    return [{"id": "a", "word": None}]
"""


def source(bits: str) -> str:
    return SOURCE.replace("BITS", bits)


@pytest.fixture
def project(project_folder: Write) -> Project:
    found = Project.open(project_folder(source("int8")))
    assert found.run().state == "done"
    return found


@pytest.mark.parametrize(
    ("asset", "column", "value"),
    [
        ("wide", "n", 300), ("wide", "n", "300"), ("wide", "n", float("inf")), ("wide", "unsigned", -1),
        ("wide", "cents", "1234567.125"), ("wide", "at", "9999-12-31T00:00"), ("wide", "at", "0001-01-01T00:00+14:00"),
        ("wide", "at", {"a": 1}), ("exact", "exact", Decimal("1.1234567891")), ("exact", "exact", "NaN"),
        ("exact", "exact", [1]), ("wide", "at", {"$": "timestamp", "v": 5}), ("wide", "n", {"$": "decimal", "v": "x"}),
        ("wide", "n", {"$": "date"}), ("silent", "word", "hello"),
    ],
)  # fmt: skip
def test_what_a_column_cannot_hold_is_refused(project: Project, asset: str, column: str, value: Any) -> None:
    with pytest.raises(CorrectionError, match=column) as caught:
        project.correct(asset, "a", column, value)
    assert caught.value.next_step
    assert project.corrections() == ()


def test_what_a_column_can_hold_is_taken(project: Project) -> None:
    said: dict[str, Any] = {"n": 127, "unsigned": 2**62, "cents": Decimal("999.99"), "at": datetime(2261, 1, 1)}
    for column, value in said.items():
        project.correct("wide", "a", column, value)
    assert project.run().state == "done"
    row = next(each for each in project.read("wide").to_pylist() if each["id"] == "a")
    assert {**row, "at": row["at"].replace(tzinfo=None)} == {"id": "a", **said}


def test_a_value_that_a_column_no_longer_holds_waits_and_stands_in_nobodys_way(project_folder: Write) -> None:
    folder = project_folder(source("int64"))
    Project.open(folder).run()
    Project.open(folder).correct("wide", "a", "n", 300)
    Project.open(folder).run()
    (folder / "pipeline.py").write_text(source("int8"))
    project = Project.open(folder)
    assert project.run().state == "done"
    assert sorted(project.read("wide", ["n"])["n"].to_pylist()) == [1, 2]
    assert "wide.n (a) to 300 is no longer allowed by its type" in " ".join(project.plan().notes)
    (folder / "pipeline.py").write_text(source("int64"))
    assert Project.open(folder).run().state == "done"
    assert sorted(Project.open(folder).read("wide", ["n"])["n"].to_pylist()) == [2, 300]


def test_a_value_that_got_into_the_log_can_be_read_over_and_undone(project: Project) -> None:
    (saved,) = project.scope().log.append([Correction("", "wide", "a", "n", 300, "ana", "2026-01-01T00:00:00+00:00")])
    opened = Project.open(project.root)
    assert sorted(opened.read("wide", ["n"])["n"].to_pylist()) == [1, 2]
    assert opened.run().state == "done"
    assert [each.outdated for each in opened.record("wide", "a").fields if each.column == "n"] == [True]
    opened.undo(saved.id)
    assert Project.open(project.root).run().state == "done"
