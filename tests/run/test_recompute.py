"""Each cause of staleness makes exactly the records recomputed that it touches, and no function is called in vain."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project
from packyak.engine.run.runs import RunRecord

PIPELINE = """
import os
from dataclasses import dataclass
from typing import Iterator, Literal
from packyak import Bucket, File, learned, read_jsonl, sql, transform

inbox = Bucket("inbox")


def seen(what, value):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(f"{what} {value}\\n")


@transform(inbox.files("*.jsonl"), key="id")
def tickets(file: File) -> Iterator[dict]:
    seen("tickets", file.key)
    yield from read_jsonl(file)


@transform(tickets)
def shout(subject: str) -> str:
    seen("shout", subject)
    return loud(subject)


def loud(text):
    return text.upper()


@dataclass
class Size:
    letters: int
    big: bool


@transform(shout)
def size(shout: str) -> Size:
    seen("size", shout)
    return Size(len(shout), len(shout) > LIMIT)


LIMIT = 6


@learned(size)
def kind(big: bool, amount: int | None) -> Literal["small", "large", "dear"] | None:
    seen("kind", (big, amount))
    return "dear" if (amount or 0) > 100 else "large" if big else "small"


per_kind = sql("select kind, count(*) as n from kind group by all")
"""

RECORDS = [{"id": f"T{n}", "subject": f"word{n:03d}", "amount": n} for n in range(6)]


def lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


class World:
    """A small project whose functions write down what they are called on."""

    def __init__(self, folder: Path, calls: Path) -> None:
        self.folder = folder
        self.calls = calls

    @property
    def project(self) -> Project:
        return Project.open(self.folder)

    def run(self, **options: Any) -> tuple[RunRecord, Counter[str]]:
        """A run, and how often each function was called in it."""
        self.calls.write_text("")
        record = self.project.run(**options)
        assert record.state == "done", record
        return record, Counter(line.split()[0] for line in self.calls.read_text().splitlines())

    def called_on(self) -> set[str]:
        return set(self.calls.read_text().splitlines())

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "pipeline.py"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def put(self, name: str, records: list[dict[str, Any]]) -> None:
        path = self.folder / ".packyak/buckets/inbox" / name
        path.write_text(lines(records))

    def remove(self, name: str) -> None:
        (self.folder / ".packyak/buckets/inbox" / name).unlink()


@pytest.fixture
def world(project_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    calls = tmp_path / "calls"
    calls.write_text("")
    monkeypatch.setenv("CALLS", str(calls))
    files = {"inbox/a.jsonl": lines(RECORDS[:3]), "inbox/b.jsonl": lines(RECORDS[3:])}
    return World(project_folder(PIPELINE, files=files), calls)


def test_first_run_computes_each_record_once(world: World) -> None:
    _, calls = world.run()
    assert calls == {"tickets": 2, "shout": 6, "size": 6, "kind": 6}
    assert world.project.read("per_kind").to_pylist() == [{"kind": "large", "n": 6}]


def test_nothing_changed_calls_nothing(world: World) -> None:
    world.run()
    record, calls = world.run()
    assert not calls
    assert record.assets == ()


def test_a_new_file_is_the_only_one_read(world: World) -> None:
    world.run()
    world.put("c.jsonl", [{"id": "N", "subject": "new", "amount": 1}])
    _, calls = world.run()
    assert calls == {"tickets": 1, "shout": 1, "size": 1, "kind": 1}
    assert world.project.read("per_kind").sort_by("kind").to_pylist() == [
        {"kind": "large", "n": 6},
        {"kind": "small", "n": 1},
    ]


def test_a_changed_file_recomputes_the_records_that_differ(world: World) -> None:
    world.run()
    world.put("a.jsonl", [RECORDS[0], {**RECORDS[1], "subject": "other99"}, RECORDS[2]])
    _, calls = world.run()
    assert calls == {
        "tickets": 1,
        "shout": 1,
        "size": 1,
    }  # size answers the same for a word of seven letters, so kind is left alone
    assert "shout other99" in world.called_on()


def test_an_unread_column_recomputes_nothing_below(world: World) -> None:
    world.run()
    world.put("a.jsonl", [{**record, "note": "unread"} for record in RECORDS[:3]])
    _, calls = world.run()
    assert calls == {"tickets": 1}


def test_a_column_read_further_down_skips_what_is_between(world: World) -> None:
    world.run()
    world.put("a.jsonl", [{**RECORDS[0], "amount": 500}, *RECORDS[1:3]])
    _, calls = world.run()
    assert calls == {"tickets": 1, "kind": 1}
    assert {"kind": "dear", "n": 1} in world.project.read("per_kind").to_pylist()


def test_a_touched_file_with_equal_content_is_not_read(world: World) -> None:
    world.run()
    os.utime(world.folder / ".packyak/buckets/inbox/a.jsonl", (1, 1))
    _, calls = world.run()
    assert not calls


def test_a_deleted_file_takes_its_records_with_it(world: World) -> None:
    world.run()
    world.remove("b.jsonl")
    _, calls = world.run()
    assert not calls
    project = world.project
    for asset in ("tickets", "shout", "size", "kind"):
        assert project.read(asset, ["id"]).num_rows == 3
    assert project.read("per_kind").to_pylist() == [{"kind": "large", "n": 3}]


def test_code_of_one_function_recomputes_it_alone(world: World) -> None:
    world.run()
    world.edit("len(shout) > LIMIT", "len(shout) >= LIMIT")
    _, calls = world.run()
    assert calls == {"size": 6}  # its answers are the same: the cascade stops


def test_a_helper_is_part_of_the_code(world: World) -> None:
    world.run()
    world.edit("return text.upper()", "return text.upper() + '!'")
    _, calls = world.run()
    assert calls == {"shout": 6, "size": 6}


def test_a_constant_is_part_of_the_code(world: World) -> None:
    world.run()
    world.edit("LIMIT = 6", "LIMIT = 60")
    _, calls = world.run()
    assert calls == {"size": 6, "kind": 6}
    assert world.project.read("per_kind").to_pylist() == [{"kind": "small", "n": 6}]


def test_comments_and_docstrings_recompute_nothing(world: World) -> None:
    world.run()
    world.edit("    return loud(subject)", "    # louder\n\n    return loud(  subject  )")
    world.edit("def loud(text):\n", 'def loud(text):\n    """Loud."""\n')
    _, calls = world.run()
    assert not calls


def test_a_query_is_code(world: World) -> None:
    world.run()
    world.edit("count(*) as n", "count(*) + 1 as n")
    record, calls = world.run()
    assert not calls
    assert [each.asset for each in record.assets if each.state == "done"] == ["per_kind"]


def test_a_correction_recomputes_what_reads_it_and_nothing_else(world: World) -> None:
    world.run()
    world.project.correct("size", "T0", "big", False)
    _, calls = world.run()
    assert calls == {"kind": 1}
    assert {"kind": "small", "n": 1} in world.project.read("per_kind").to_pylist()
    _, calls = world.run()
    assert not calls


def test_a_correction_at_the_end_calls_no_function(world: World) -> None:
    world.run()
    world.project.correct("kind", "T0", "kind", "dear")
    record, calls = world.run()
    assert not calls
    assert [each.asset for each in record.assets if each.state == "done"] == ["kind", "per_kind"]
    assert {"kind": "dear", "n": 1} in world.project.read("per_kind").to_pylist()


def test_a_correction_survives_code_and_input_changes_and_undo_brings_the_computed_value_back(world: World) -> None:
    world.run()
    correction = world.project.correct("size", "T0", "letters", 1)
    world.run()
    world.edit("Size(len(shout)", "Size(10 + len(shout)")
    world.put("a.jsonl", [{**RECORDS[0], "subject": "longer than before"}, *RECORDS[1:3]])
    world.run()
    project = world.project
    assert project.read("size", ["letters"], where="id = 'T0'").to_pylist() == [{"letters": 1}]
    field = next(each for each in project.record("size", "T0").fields if each.column == "letters")
    assert (field.computed, field.decided, field.outdated) == (28, "person", True)
    project.undo(correction.id)
    assert project.read("size", ["letters"], where="id = 'T0'").to_pylist() == [{"letters": 28}]
    world.run()
    assert world.project.read("size", ["letters"], where="id = 'T0'").to_pylist() == [{"letters": 28}]


def test_a_correction_of_a_source_column_travels_down(world: World) -> None:
    world.run()
    world.project.correct("kind", "T0", "subject", "xy")  # seen on the last asset, it lands at the first
    assert world.project.corrections()[0].asset == "tickets"
    _, calls = world.run()
    assert calls == {"shout": 1, "size": 1, "kind": 1}
    assert world.project.read("kind", ["shout", "kind"], where="id = 'T0'").to_pylist() == [
        {"shout": "XY", "kind": "small"}
    ]


def test_a_correction_of_a_deleted_record_sleeps_and_wakes(world: World) -> None:
    world.run()
    world.project.correct("kind", "T4", "kind", "dear")
    world.run()
    world.remove("b.jsonl")
    world.run()
    assert world.project.read("kind", where="kind = 'dear'").num_rows == 0
    world.put("b.jsonl", RECORDS[3:])
    world.run()
    assert world.project.read("kind", ["id"], where="kind = 'dear'").to_pylist() == [{"id": "T4"}]


def test_an_aggregate_correction_holds_while_the_computed_value_is_the_one_seen(world: World) -> None:
    world.run()
    world.project.correct("per_kind", "large", "n", 7)
    world.run()
    assert world.project.read("per_kind").to_pylist() == [{"kind": "large", "n": 7}]
    world.put("c.jsonl", [{"id": "N", "subject": "another word", "amount": 1}])
    world.run()
    assert world.project.read("per_kind").to_pylist() == [
        {"kind": "large", "n": 7}
    ]  # 7 are counted now; the correction waits
    world.remove("c.jsonl")
    world.remove("b.jsonl")
    world.run()
    assert world.project.read("per_kind").to_pylist() == [{"kind": "large", "n": 3}]


def test_only_what_is_asked_for_is_brought_up_to_date(world: World) -> None:
    record, calls = world.run(assets=["size"])
    assert calls == {"tickets": 2, "shout": 6, "size": 6}
    assert [each.asset for each in record.assets] == ["tickets", "shout", "size"]


def test_the_plan_says_why_and_how_many(world: World) -> None:
    world.run()
    world.edit("LIMIT = 6", "LIMIT = 60")
    world.project.correct("tickets", "T0", "subject", "xy")
    plan = {step.asset: step for step in world.project.plan().steps}
    assert [cause.category for cause in plan["tickets"].causes] == ["correction"]
    assert plan["shout"].at_most
    code = next(cause for cause in plan["size"].causes if cause.category == "code")
    assert "-pipeline.LIMIT = 6\n+pipeline.LIMIT = 60" in code.detail
    assert plan["size"].records == 6
