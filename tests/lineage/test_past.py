"""Looking back: assets at a version, run or time, and why two versions differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from packyak.engine.errors import DataError
from packyak.engine.project import Project
from packyak.engine.run.answers import Change, Diff

SOURCE = """
    from typing import Iterator
    from packyak import Bucket, File, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def rows(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    @transform(rows)
    def double(x: int) -> int:
        return x * 2

    @transform(double)
    def big(double: int) -> bool:
        return double > 9

    per = sql("select big, count(*) as n from big group by all")
"""


def lines(*records: dict[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    return project_folder(
        SOURCE,
        files={"inbox/a.jsonl": lines({"id": "1", "x": 1, "y": "p"}, {"id": "2", "x": 5, "y": "q"}),
               "inbox/b.jsonl": lines({"id": "3", "x": 7, "y": "r"})},
    )  # fmt: skip


def run(folder: Path) -> str:
    record = Project.open(folder).run()
    assert record.state == "done", record
    return record.id


def bucket(folder: Path, name: str, text: str | None) -> None:
    path = folder / ".packyak/buckets/inbox" / name
    path.unlink() if text is None else path.write_text(text)


def changes(diff: Diff) -> dict[str, Change]:
    return {change.key: change for change in diff.examples}


def causes(change: Change) -> list[tuple[str, str]]:
    every = [*change.causes, *(cause for each in change.fields for cause in each.causes)]
    return [(cause.category, cause.reason) for cause in every]


def test_each_cause_is_told_for_each_field(folder: Path) -> None:
    first = run(folder)
    project = Project.open(folder)
    project.correct("double", "1", "double", 100, by="ana", why="seen it")
    bucket(folder, "b.jsonl", lines({"id": "3", "x": 8, "y": "r"}, {"id": "4", "x": 0, "y": "s"}))
    second = run(folder)
    project = Project.open(folder)

    diff = project.diff("double", first, second)
    assert (diff.added, diff.removed, diff.changed) == (1, 0, 2)
    found = changes(diff)
    assert causes(found["1"]) == [("correction", "ana corrected it: seen it")]
    assert [(each.column, each.before, each.after) for each in found["1"].fields] == [("double", 2, 100)]
    assert causes(found["3"]) == [("input", "x changed")]
    assert causes(found["4"]) == [("input", "new in rows")]
    assert diff.causes == {"input": 2, "correction": 1}

    rows = changes(project.diff("rows", first, second))
    assert causes(rows["3"]) == [("input", "the file b.jsonl changed")]
    assert causes(changes(project.diff("big", first, second))["1"]) == [("input", "double changed")]
    per = changes(project.diff("per", first, second))
    assert causes(per["true"]) == [("input", "big, rows changed")]

    source = (folder / "pipeline.py").read_text()
    (folder / "pipeline.py").write_text(source.replace("x * 2", "x * 3"))
    bucket(folder, "a.jsonl", None)
    third = run(folder)
    project = Project.open(folder)
    found = changes(project.diff("double", second, third))
    ((category, reason),) = causes(found["3"])
    assert category == "code"
    assert "pipeline.py:" in reason
    assert causes(found["1"]) == [("deleted", "gone from rows")]
    assert causes(changes(project.diff("rows", second, third))["2"]) == [
        ("deleted", "a.jsonl is gone from inbox/*.jsonl")
    ]

    back = project.diff("double", third, first)
    assert (back.added, back.removed, back.changed) == (2, 1, 1)


def test_an_undone_correction_is_a_cause(folder: Path) -> None:
    project = Project.open(folder)
    project.run()
    said = project.correct("double", "1", "double", 100, by="ana")
    first = run(folder)
    project.undo(said.id)
    second = run(folder)
    ((category, reason),) = causes(changes(Project.open(folder).diff("double", first, second))["1"])
    assert (category, reason) == ("correction", "the correction by ana no longer holds")


def test_an_asset_is_read_at_a_version_a_run_or_a_time(folder: Path) -> None:
    first = run(folder)
    before = Project.open(folder)
    version = before.versions("big")[0].version
    moment = before.published.load().at
    bucket(folder, "b.jsonl", lines({"id": "3", "x": 0, "y": "changed"}))
    run(folder)
    project = Project.open(folder)
    now = {row["id"]: row for row in project.read("big").to_pylist()}
    assert now["3"] == {"id": "3", "x": 0, "y": "changed", "double": 0, "big": False}
    for said in (version, version[:6], first, moment):
        then = {row["id"]: row for row in project.read("big", version=said).to_pylist()}
        assert then["3"] == {"id": "3", "x": 7, "y": "r", "double": 14, "big": True}  # the whole view as it was
        assert project.read(f"big@{said}").num_rows == 3
        assert project.page("big", version=said, text="changed").total == 0
    counted = project.sql(f'select count(*) as n from "big@{first}" a join big b using (id) where a.big and not b.big')
    assert counted.to_pylist() == [{"n": 1}]
    earlier = (datetime.fromisoformat(moment) - timedelta(seconds=1)).isoformat()
    with pytest.raises(DataError, match=r"has no version as old as .*Next: `packyak history"):
        project.read("big", version=earlier)
    assert {each.column: each.value for each in project.record(f"big@{first}", "3").fields}["double"] == 14
    with pytest.raises(DataError, match="has no version 'nothing'"):
        project.read("big", version="nothing")


def test_corrections_made_since_are_not_in_an_earlier_version(folder: Path) -> None:
    first = run(folder)
    project = Project.open(folder)
    project.correct("double", "1", "double", 100)
    assert project.read("double@" + first, where="id = '1'")["double"].to_pylist() == [2]
    assert project.read("double", where="id = '1'")["double"].to_pylist() == [100]


def test_a_version_stays_readable_after_its_table_was_tidied(folder: Path) -> None:
    first = run(folder)
    for n in range(4):
        bucket(folder, "b.jsonl", lines({"id": "3", "x": n, "y": "r"}))
        run(folder)
    project = Project.open(folder)
    assert project.read("rows", version=first, where="id = '3'")["x"].to_pylist() == [7]


def test_restoring_makes_a_new_version_that_says_so(folder: Path) -> None:
    first = run(folder)
    version = Project.open(folder).versions("double")[0].version
    (folder / "pipeline.py").write_text((folder / "pipeline.py").read_text().replace("x * 2", "x * 30"))
    second = run(folder)
    project = Project.open(folder)
    record = project.restore("double", version, by="ana", why="thirty is wrong")
    assert record.state == "done"
    assert record.notes == (f"ana restored double to version {version}: thirty is wrong",)
    assert sorted(project.read("double")["double"].to_pylist()) == [2, 10, 14]
    assert next(each.version for each in project.versions("double")) == version
    assert next(each.run for each in project.versions("double")) == record.id
    ((category, reason), *_) = causes(changes(project.diff("double", second, record.id))["1"])
    assert (category, reason) == ("restored", f"ana restored version {version}: thirty is wrong")
    step = project.trace("double", "1").start
    assert (step.values, step.run, step.current) == ({"double": 2}, first, False)
    with pytest.raises(DataError, match="already"):
        project.restore("double", version)

    # Its code is another one now: it is stale, says why, and the next run computes it again.
    status = {each.name: each for each in project.status()}
    assert status["double"].state == "stale"
    assert {cause.category for cause in status["double"].causes} == {"code"}
    run(folder)
    assert sorted(Project.open(folder).read("double")["double"].to_pylist()) == [30, 150, 210]

    # With the code of then it stays.
    (folder / "pipeline.py").write_text((folder / "pipeline.py").read_text().replace("x * 30", "x * 2"))
    project = Project.open(folder)
    project.restore("double", version)
    again = project.run()
    assert again.state == "done"
    assert all(each.computed == 0 for each in again.assets if each.asset == "double")
    assert sorted(project.read("big")["double"].to_pylist()) == [2, 10, 14]


def test_corrections_hold_over_a_restore(folder: Path) -> None:
    first = run(folder)
    project = Project.open(folder)
    project.correct("double", "1", "double", 77)
    bucket(folder, "b.jsonl", lines({"id": "3", "x": 1, "y": "r"}))
    run(folder)
    project = Project.open(folder)
    project.restore("double", first)
    values = {row["id"]: row["double"] for row in project.read("double").to_pylist()}
    assert values == {"1": 77, "2": 10, "3": 14}
    (stale,) = [each for each in project.status() if each.name == "double"]
    assert {cause.category: cause.count for cause in stale.causes} == {"correction": 1, "input": 1}
    run(folder)
    values = {row["id"]: row["double"] for row in Project.open(folder).read("double").to_pylist()}
    assert values == {"1": 77, "2": 10, "3": 2}


def test_a_restored_table_may_have_had_other_columns(folder: Path) -> None:
    first = run(folder)
    bucket(folder, "a.jsonl", lines({"id": "1", "x": 1, "y": "p", "z": True}))
    run(folder)
    project = Project.open(folder)
    project.restore("rows", first)
    assert project.read("rows").column_names == ["id", "x", "y"]
    assert project.read("rows").num_rows == 3
    run(folder)
    assert Project.open(folder).read("rows").num_rows == 2


def test_the_graph_of_a_past_moment(folder: Path) -> None:
    first = run(folder)
    source = (folder / "pipeline.py").read_text()
    (folder / "pipeline.py").write_text(source[: source.index("per = sql")] + "\n")
    bucket(folder, "b.jsonl", None)
    run(folder)
    project = Project.open(folder)
    then = {each.name: each for each in project.graph_at(first).assets}
    assert {name: each.rows for name, each in then.items()} == {"rows": 3, "double": 3, "big": 3, "per": 2}
    assert then["double"].inputs == {"rows": then["rows"].version}
    assert then["double"].function.endswith("pipeline.py:11")
    assert "per" not in {each.name for each in project.graph_at(project.runs()[0].id).assets}
