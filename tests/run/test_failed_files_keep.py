"""A file that fails keeps not only its records but what was laid aside of them: beneath a correction, under a newer
file's."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.project import Project

READ = """
from typing import Iterator
from packyak import Bucket, File, read_csv, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    for row in read_csv(file):
        if row["amount"] == "bad":
            raise ValueError("bad")
        yield row
"""


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    folder = project_folder(READ, files={"inbox/a.csv": "id,amount\n1,2\n2,3\n", "inbox/b.csv": "id,amount\n2,7\n"})
    for name, at in (("a", 1_000_000_000), ("b", 1_100_000_000)):
        os.utime(folder / f".packyak/buckets/inbox/{name}.csv", (at, at))
    Project.open(folder).run()
    return folder


def spoil(folder: Path) -> None:
    path = folder / ".packyak/buckets/inbox/a.csv"
    path.write_text("id,amount\n1,bad\n2,3\n")
    os.utime(path, (1_050_000_000, 1_050_000_000))
    project = Project.open(folder)
    project.run()
    assert [each.name for each in project.failures("rows")] == ["a.csv"]


def amounts(folder: Path) -> dict[str, str]:
    return {row["id"]: row["amount"] for row in Project.open(folder).read("rows").to_pylist()}


def test_undoing_a_correction_brings_back_what_was_computed_before_the_file_failed(folder: Path) -> None:
    project = Project.open(folder)
    said = project.correct("rows", "1", "amount", "99")
    project.run()
    spoil(folder)
    assert amounts(folder)["1"] == "99"
    project = Project.open(folder)
    project.undo(said.id)
    project.run()
    assert amounts(folder) == {"1": "2", "2": "7"}


def test_a_record_lost_to_a_newer_file_comes_back_when_that_goes(folder: Path) -> None:
    spoil(folder)
    (folder / ".packyak/buckets/inbox/b.csv").unlink()
    Project.open(folder).run()
    assert amounts(folder) == {"1": "2", "2": "3"}
