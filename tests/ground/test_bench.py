"""The bench's own parts: one job for both sides, calls noted one by one, costs of the whole process tree."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent.parent / "bench"
sys.path.insert(0, str(BENCH))

from cpu import CommandError, Cost, Meter  # noqa: E402
from spine_job import Job, records, script_counts  # noqa: E402

BUSY = "import time\nwhile time.process_time() < {seconds}: pass"


def script_found(job: Job) -> list[tuple[str, int, int]]:
    subprocess.run([sys.executable, "pandas_job.py", str(job.script)], cwd=job.script, check=True)
    return script_counts(job)


def test_the_script_counts_every_record_and_sees_edit_and_correction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # bytecode tells two edits within a second apart only by size
    job = Job(tmp_path, 300)
    job.write_code()
    job.write_data(0, 300)
    first = script_found(job)
    assert sum(number for _, number, _ in first) == 300
    assert {label for label, _, _ in first} == {"billing", "delivery", "account", "short", "other"}
    job.write_code(23)
    edited = script_found(job)
    job.write_fix()
    assert first != edited != script_found(job)


def test_a_record_is_the_same_in_every_file() -> None:
    assert records((0, 50)).splitlines()[1:] == records((-3, 80)).splitlines()[4:54]


def test_the_counting_pass_notes_each_call(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    job = Job(tmp_path, 1, calls)
    job.write_code()
    code = "from rules import *; to_label(to_clean('A'), to_features('a')[0])"
    subprocess.run([sys.executable, "-c", code], cwd=job.project, check=True)
    assert sorted(calls.read_text().split()) == ["to_clean", "to_features", "to_label"]
    assert "count(" not in (job.script / "rules.py").read_text()


def test_processes_that_live_on_are_counted_and_ended(tmp_path: Path) -> None:
    meter = Meter("ground-test")
    beside = f"{BUSY.format(seconds=0.4)}\nopen('spent', 'w').close()\ntime.sleep(60)"
    start = f"import os, subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {beside!r}], start_new_session=True)"
    wait = "while not os.path.exists('spent'): time.sleep(0.02)"  # a busy machine may leave it less than idling takes
    try:
        cost = meter.run([sys.executable, "-c", f"{start}\n{BUSY.format(seconds=0.3)}\n{wait}"], tmp_path)
    finally:
        before = time.monotonic()
        meter.end_all()
    assert 0.25 <= cost.command < 0.8
    assert 0.35 <= cost.beside["other"] < 0.9
    assert time.monotonic() - before < 10
    assert not meter.at_idle(0.1).idle


def test_a_failing_command_says_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no luck"):
        Meter("ground-test").run([sys.executable, "-c", "raise SystemExit('no luck')"], tmp_path)


def test_costs_add_up() -> None:
    both = Cost(1.0, 2.0, {"worker": 0.5}) + Cost(0.5, 1.0, {"server": 0.25})
    assert (both.wall, both.cpu) == (1.5, 3.75)
