"""One asset by itself: what a role in the cloud runs, here in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.project import Project

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(rows)
def size(word: str) -> int:
    return len(word)

sizes = sql("select size, count(*) as n from size group by all")
"""


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    return project_folder(SOURCE, files={"inbox/a.csv": "id,word\n1,one\n2,three\n"})


def test_only_what_was_asked_for_runs_and_nothing_goes(folder: Path) -> None:
    with Project.open(folder) as project:
        for name in ("rows", "size", "sizes"):
            record = project.run([name], alone=True)
            assert [(each.asset, each.state) for each in record.assets] == [(name, "done")]
        assert {row["size"]: row["n"] for row in project.read("sizes").to_pylist()} == {3: 1, 5: 1}

        project.put_bytes("inbox", "b.csv", b"id,word\n3,seven\n")
        assert project.run(["size"], alone=True).assets == ()  # what it reads has not changed yet
        project.run(["rows"], alone=True)
        record = project.run(["size"], alone=True)
        assert [(each.asset, each.computed) for each in record.assets] == [("size", 1)]
        assert project.read("sizes").num_rows == 2

        assert len(project.home.names("runs/open")) == 5  # nothing was deleted, and none of them is taken for open
        assert project.running() is None


def test_it_comes_to_the_same_as_a_whole_run(folder: Path, tmp_path: Path) -> None:
    with Project.open(folder) as project, Project.open(folder, home=tmp_path / "other") as other:
        other.put_bytes("inbox", "a.csv", project.get_bytes("inbox", "a.csv"))
        other.run()
        for name in ("rows", "size", "sizes"):
            project.run([name], alone=True)
        one, two = (each.published.load().assets for each in (project, other))
        assert {name: each.version for name, each in one.items()} == {name: each.version for name, each in two.items()}
        assert project.run().assets == ()
