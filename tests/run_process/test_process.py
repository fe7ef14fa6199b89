"""Processes by pid and start, ended only when they are the ones meant."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

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
