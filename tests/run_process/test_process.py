"""Processes by pid and start, ended only when they are the ones meant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packyak.engine.run import process

SLEEPER = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-S", "-c", SLEEPER]) as started:
        yield started
        started.kill()


def test_a_process_is_told_by_when_it_started(sleeper: subprocess.Popen[bytes]) -> None:
    mark = process.start_mark(sleeper.pid)
    assert mark
    assert mark == process.start_mark(sleeper.pid)
    assert process.is_running(sleeper.pid, mark)
    assert not process.is_running(sleeper.pid, "another start"), "a reused pid is another process"
    assert process.is_running(os.getpid(), ""), "where the start could not be told, the pid is trusted"


def test_a_dead_child_that_nobody_collected_is_not_running(sleeper: subprocess.Popen[bytes]) -> None:
    mark = process.start_mark(sleeper.pid) or ""
    sleeper.kill()
    assert process.wait_until(lambda: not process.is_running(sleeper.pid, mark), 5)
    assert process.start_mark(sleeper.pid) is None


def test_end_asks_then_insists() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", DEAF], stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        assert process.end(deaf.pid, process.start_mark(deaf.pid) or "", patience=0.2)
        assert deaf.wait() == -9


def test_end_leaves_another_process_alone(sleeper: subprocess.Popen[bytes]) -> None:
    assert process.end(sleeper.pid, "the start of one that is gone")
    assert sleeper.poll() is None


def test_the_ps_of_other_systems_tells_the_same(sleeper: subprocess.Popen[bytes]) -> None:
    mark = process._start_mark_by_ps(sleeper.pid)
    assert mark and mark == process._start_mark_by_ps(sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert process._start_mark_by_ps(sleeper.pid) is None


def test_a_lock_is_held_by_one_and_freed_by_death(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = f"""
from pathlib import Path
import sys, time
from packyak.engine.run.process import only_one
with only_one(Path({str(lock)!r}), wait=False) as mine:
    print(mine, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with process.only_one(lock, wait=False) as mine:
            assert not mine
        holder.kill()
    with process.only_one(lock, wait=False) as mine:
        assert mine


def test_private_files_are_private(tmp_path: Path) -> None:
    process.write_private(tmp_path / "token", b"1")
    process.write_private(tmp_path / "token", b"2")
    assert (tmp_path / "token").read_bytes() == b"2"
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_a_cloud_home_keeps_its_processes_papers_on_the_machine() -> None:
    one, other = process.machine_folder("s3://bucket/one"), process.machine_folder("s3://bucket/other")
    assert one != other
    assert one == process.machine_folder("s3://bucket/one/")
    assert str(one).startswith(os.environ["XDG_CACHE_HOME"])
