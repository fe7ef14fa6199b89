"""The event log: it survives a cut at any byte, writers in several processes and full disks; S3 gets whole objects."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packyak.engine.errors import HomeError, HomeFull, HomeNotWritable
from packyak.engine.lineage import log as log_module
from packyak.engine.lineage.log import EventLog
from packyak.engine.store.home import Home


def event(number: int, text: str = "", at: str = "2026-10-01T10:00:00+00:00") -> dict[str, Any]:
    return {"eventTime": at, "number": number, "text": text, "nested": {"list": [1, None, True]}}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_events_come_back_in_order(home: Home) -> None:
    log = EventLog(home)
    log.append("run-1", [event(1, "ä\n\ud800"), event(2)])
    log.append("run-2", [event(3)])
    log.append("run-1", [event(4)])
    log.append("run-1", [])
    assert [each["number"] for each in log.read()] == [1, 2, 4, 3]
    assert [each["number"] for each in log.read("run-1")] == [1, 2, 4]
    assert log.read("run-1")[0] == event(1, "ä\n\ud800")
    assert log.read("run") == []
    assert log.runs() == ["run-1", "run-2"]
    assert log.problems() == []


def test_a_new_home_has_no_events(home: Home) -> None:
    assert EventLog(home).read() == []
    assert EventLog(home).runs() == []


def test_since_reads_what_happened_then_or_later(home: Home) -> None:
    log = EventLog(home)
    log.append("a", [event(1, at="2026-10-01T10:00:00Z"), event(2, at="2026-10-01T13:00:00+02:00"), {"number": 3}])
    assert [each["number"] for each in log.read(since="2026-10-01T11:00:00")] == [2]
    os.utime(home.path("lineage", "a.jsonl"), (0, 0))
    assert log.read(since="2026-10-01T09:00:00Z") == []  # a file last written long before is not read at all


@pytest.mark.parametrize("name", ["", "..", "a/b", "../a", ".hidden", "a@b", "a b"])
def test_a_run_id_that_is_no_name_is_refused(home: Home, name: str) -> None:
    with pytest.raises(HomeError, match="cannot name a run"):
        EventLog(home).append(name, [event(1)])


texts = st.text(max_size=20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=4), data=st.data())
def test_a_file_cut_at_any_byte_loses_its_last_line_only(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]], data: st.DataObject
) -> None:
    home = Home(tmp_path_factory.mktemp("cut"))
    log = EventLog(home)
    written = [event(number, text) for number, text in enumerate(text for batch in batches for text in batch)]
    for at, each in enumerate(written):
        log.append("run", [each] if at % 2 else iter([each]))
    path = Path(home.path("lineage", "run.jsonl"))
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])

    complete = whole[:cut].count(b"\n")
    torn = whole[:cut].rsplit(b"\n", 1)[-1]
    just_the_newline_is_gone = bool(torn) and whole[cut : cut + 1] == b"\n"
    kept = written[: complete + just_the_newline_is_gone]
    assert log.read() == kept
    problems = log.problems()
    assert len(problems) == (1 if torn and not just_the_newline_is_gone else 0)
    assert all(each.last and each.line == complete + 1 for each in problems)

    log.append("run", [event(99), event(100)])
    assert log.read() == [*kept, event(99), event(100)]
    assert len(log.problems()) == len(problems)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_foreign_bytes_are_reported_and_skipped(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    home = Home(tmp_path_factory.mktemp("noise"))
    log = EventLog(home)
    log.append("run", [event(1)])
    with Path(home.path("lineage", "run.jsonl")).open("ab") as file:
        file.write(noise)
    log.append("run", [event(2)])
    numbers = [each.get("number") for each in log.read()]
    assert numbers[0] == 1
    assert numbers[-1] == 2
    if noise.strip() and len(numbers) == 2:
        assert log.problems()


def write_many(uri: str, who: int, count: int) -> None:
    log = EventLog(Home(uri))
    for number in range(count):
        log.append("run", [event(who * 1000 + number, "x" * (37 * number % 9000))])


def test_writers_in_several_processes_never_mix_their_lines(home: Home) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(home.uri, who, 60)) for who in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    numbers = [each["number"] for each in EventLog(home).read("run")]
    assert EventLog(home).problems() == []
    assert sorted(numbers) == sorted(who * 1000 + number for who in range(3) for number in range(60))
    for who in range(3):
        assert [n for n in numbers if n // 1000 == who] == [who * 1000 + number for number in range(60)]


def test_a_full_disk_leaves_what_was_there_readable(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(home)
    log.append("run", [event(1)])
    real = os.write
    monkeypatch.setattr(log_module.os, "write", lambda file, data: real(file, data[:7]))
    with pytest.raises(HomeFull, match="disk is full"):
        log.append("run", [event(2)])
    monkeypatch.undo()
    assert log.read() == [event(1)]
    log.append("run", [event(3)])
    assert log.read() == [event(1), event(3)]
    assert [each.reason for each in log.problems()] != []


def test_a_home_that_cannot_be_written_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(log_module.os, "open", refuse)
    with pytest.raises(HomeNotWritable):
        EventLog(home).append("run", [event(1)])


class Objects(Home):
    """A home without a folder, as on S3: whole objects, nothing to append to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.local = None


def test_without_a_folder_each_flush_makes_one_object(tmp_path: Path) -> None:
    home = Objects(tmp_path / "home")
    with EventLog(home) as log:
        log.append("run-1", [event(1)])
        log.append("run-1", [event(2)])
        assert log.read() == []
        log.flush()
        log.append("run-1", [event(3)])
        log.append("run-2", [event(4)])
    names = home.names("lineage", ".jsonl")
    assert len(names) == 3
    assert [each["number"] for each in EventLog(home).read()] == [1, 2, 3, 4]
    assert [each["number"] for each in EventLog(home).read("run-1")] == [1, 2, 3]
    assert EventLog(home).runs() == ["run-1", "run-2"]


def test_without_a_folder_many_events_are_stored_before_the_flush(tmp_path: Path) -> None:
    log = EventLog(Objects(tmp_path / "home"))
    for number in range(log_module.GATHERED + 1):
        log.append("run", [event(number)])
    assert len(log.read()) == log_module.GATHERED


def test_lines_are_plain_json(home: Home) -> None:
    EventLog(home).append("run", [event(1, "é")])
    data = Path(home.path("lineage", "run.jsonl")).read_bytes()
    assert data.endswith(b"\n")
    assert json.loads(data) == event(1, "é")
    with pytest.raises(ValueError, match="JSON"):
        EventLog(home).append("run", [{"nan": float("nan")}])


def test_old_runs_are_packed_and_read_as_before(home: Home) -> None:
    log = EventLog(home)
    for run in range(30):
        log.append(f"2026-{run:03d}", [event(run), event(run + 100, "ä" * 50)])
    log.append("corrections", [event(1)])
    path = Path(home.path("lineage", "2026-002.jsonl"))
    path.write_bytes(path.read_bytes() + b'{"torn')
    before, runs, problems = log.read(), log.runs(), [each.reason for each in log.problems()]
    log.tidy(loose=10)
    assert len(home.names("lineage", ".jsonl")) == 6  # five runs and the corrections
    assert log.read() == EventLog(home).read() == before
    assert log.runs() == runs
    assert [each.reason.split(":")[0] for each in log.problems()] != [] and problems
    assert log.read("2026-003") == [event(3), event(103, "ä" * 50)]
    log.append("2026-001", [event(77)])  # a crash may be told late
    assert [each["number"] for each in log.read("2026-001")] == [1, 101, 77]
    log.tidy(loose=10)
    for run in range(30, 60):
        log.append(f"2026-{run:03d}", [event(run)])
    log.tidy(loose=10)
    assert len(home.names("lineage", ".jsonl.gz")) == 2
    assert [each["number"] for each in log.read("2026-001")] == [1, 101, 77]
    assert len(log.read()) == len(before) + 31


def test_a_crash_while_packing_loses_and_doubles_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(home)
    for run in range(20):
        log.append(f"2026-{run:03d}", [event(run)])
    before = log.read()
    removed: list[str] = []

    def crash(name: str) -> None:
        removed.append(name)
        if len(removed) > 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(home, "remove", crash)
        with pytest.raises(KeyboardInterrupt):
            log.tidy(loose=6)
    assert len(home.names("lineage", ".jsonl")) == 20  # none gone, and all packed
    assert log.read() == before
    log.tidy(loose=6)  # packs them once more
    assert len(home.names("lineage", ".jsonl")) == 3
    assert log.read() == before


def test_a_damaged_segment_hides_no_other_run(home: Home) -> None:
    log = EventLog(home)
    for run in range(20):
        log.append(f"2026-{run:03d}", [event(run)])
    log.tidy(loose=6)
    (segment,) = home.names("lineage", ".jsonl.gz")
    path = Path(home.path("lineage", segment))
    path.write_bytes(path.read_bytes()[:-20])
    assert [each["number"] for each in log.read()] == [17, 18, 19]
