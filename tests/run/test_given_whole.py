"""What a function fails on and a person gives counts as failed no more, while all that it owes is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.project import Project

Write = Callable[..., Path]

SOURCE = """
from typing import TypedDict
from packyak import asset, transform

@asset(key="id")
def words() -> list[dict]:
    return [{"id": "a", "word": "3"}, {"id": "b", "word": "three"}, {"id": "c", "word": "four"}]

class Number(TypedDict):
    number: int
    sign: str

@transform(words, failures_allowed=2)
def number(word: str) -> Number:
    return Number(number=int(word), sign="+")

@transform(number)
def twice(number: int) -> int:
    return 2 * number
"""


@pytest.fixture
def project(project_folder: Write) -> Project:
    found = Project.open(project_folder(SOURCE))
    found.run()
    return found


def failing(project: Project) -> tuple[int, list[str], list[str]]:
    """As status, failures and the page have it, anew."""
    opened = Project.open(project.root)
    status = next(each for each in opened.status() if each.name == "number")
    page = opened.page("twice", only="failed").rows["_key"].to_pylist()
    return status.failed_records, [each.name for each in opened.failures("number")], page


def test_a_record_given_whole_fails_no_more_until_that_is_undone(project: Project) -> None:
    assert failing(project) == (2, ["b", "c"], ["b", "c"])
    project.correct("number", "b", "number", 3)
    assert failing(project) == (2, ["b", "c"], ["b", "c"])
    assert [each.column for each in project.review("number").questions if each.key == "b"] == ["sign"]
    sign = project.correct("number", "b", "sign", "+")
    assert failing(project) == (1, ["c"], ["c"])
    project.run()
    assert failing(project) == (1, ["c"], ["c"])
    assert project.read("twice", ["twice"]).to_pydict()["twice"].count(6) == 2
    assert project.run(retry_failed=True).state == "done"
    assert failing(project) == (1, ["c"], ["c"])
    assert "ValueError" in next(each for each in project.record("number", "b").fields if each.column == "sign").error
    project.undo(sign.id)
    assert failing(project) == (2, ["b", "c"], ["b", "c"])
    project.run()
    assert failing(project) == (2, ["b", "c"], ["b", "c"])


def test_an_asset_that_failed_for_its_failures_is_mended_by_a_person(project_folder: Write) -> None:
    source = SOURCE.replace("failures_allowed=2", "failures_allowed=1")
    project = Project.open(project_folder(source))
    assert project.run().state == "failed"
    for column, value in (("number", 3), ("sign", "+")):
        project.correct("number", "b", column, value)
    assert project.run().state == "done"
    status = next(each for each in project.status() if each.name == "number")
    assert (status.state, status.failed_records) == ("fresh", 1) and "c: ValueError" in status.reason
