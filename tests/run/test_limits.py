"""Settings of computing: batches of a bounded size, calls made again, and how many failures fail an asset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.project import Project

Write = Callable[..., Path]

SOURCE = """
from collections import Counter
from packyak import Bucket, File, asset, read_csv, transform

inbox = Bucket("inbox")
called = Counter()

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> list[dict]:
    called[file.key] += 1
    if "late" in file.key and called[file.key] < 3:
        raise TimeoutError("not there yet")
    return list(read_csv(file))

@transform(rows{options})
def upper(id: str, word: str) -> str:
    called[id] += 1
    if word.startswith("never") or (word == "later" and called[id] < 3):
        raise ConnectionError(word)
    return word.upper()
"""
WHOLE = """
from packyak import asset

called = []

@asset(key="id", retries=2)
def answers() -> list[dict]:
    called.append(1)
    if len(called) < 3:
        raise ConnectionError("away")
    return [{"id": "1", "n": len(called)}]
"""


def project(write: Write, words: list[str], name: str = "a.csv", options: str = "", **settings: object) -> Project:
    lines = "".join(f"{place},{word}\n" for place, word in enumerate(words))
    source, files = SOURCE.replace("{options}", options), {f"inbox/{name}": "id,word\n" + lines}
    return Project.open(write(source, files=files, settings={"retry_wait_seconds": 0, **settings}))


def errors(of: Project) -> int:
    return sum(each.failed_records for each in of.status())


def test_a_batch_has_at_most_so_many_records(project_folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from packyak.engine.run.compute import transforms

    sizes: list[int] = []
    decide = transforms.decide
    monkeypatch.setattr(
        transforms, "decide", lambda s, n, part, *more: (sizes.append(part.num_rows), decide(s, n, part, *more))[1]
    )
    assert project(project_folder, ["x"] * 100, batch_rows=7).run().state == "done"
    assert max(sizes) == 7 and sum(sizes) == 100


def test_nothing_is_called_again_unless_asked(project_folder: Write) -> None:
    found = project(project_folder, ["a", "later"])
    found.run()
    assert errors(found) == 1


def test_what_raised_is_called_again_and_nothing_else(project_folder: Write) -> None:
    found = project(project_folder, ["a", "later", "never", "b"], retries=2)
    assert found.run().state == "done"
    assert dict(zip(*found.read("upper", ["id", "upper"]).to_pydict().values(), strict=True)) == {
        "0": "A", "1": "LATER", "2": None, "3": "B"
    }  # fmt: skip
    called = found.graph["upper"].function.__globals__["called"]  # type: ignore[attr-defined]
    assert called == {"a.csv": 1, "0": 1, "1": 3, "2": 3, "3": 1} and errors(found) == 1


def test_files_and_whole_assets_are_read_again(project_folder: Write) -> None:
    found = project(project_folder, ["a"], name="late.csv", retries=2)
    found.run()
    assert found.read("rows").num_rows == 1


def test_an_assets_own_retries_come_first(project_folder: Write) -> None:
    found = Project.open(project_folder(WHOLE, settings={"retry_wait_seconds": 0}))
    assert found.run().state == "done"
    assert found.read("answers").to_pylist() == [{"id": "1", "n": 3}]


@pytest.mark.parametrize(
    ("options", "limit", "state"),
    [
        ("", 1.0, "done"),
        ("", 0.5, "done"),
        ("", 0.49, "failed"),
        ("", 0, "failed"),
        ("", 2, "done"),
        (", failures_allowed=1", 1.0, "failed"),
        (", failures_allowed=2", 0, "done"),
    ],
)
def test_too_many_failures_fail_the_asset(project_folder: Write, options: str, limit: float, state: str) -> None:
    found = project(project_folder, ["a", "never", "never", "b"], options=options, failed_records_limit=limit)
    record = found.run()
    assert record.state == state
    assert ("2 of 4 failed" in record.error) == (state == "failed")
