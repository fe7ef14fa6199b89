"""Runs that are cut short: killed, cancelled, two at once. The last good version stays, and the next run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.errors import RunBusy
from packyak.engine.project import Project

Write = Callable[..., Path]


SLOW = """
import os, time
from packyak import asset, sql, transform

@asset(key="id")
def rows():
    wait("rows")
    return [{"id": str(n), "n": n} for n in range(200)]

@transform(rows)
def twice(n: int) -> int:
    wait("twice")
    with open(os.environ["CALLS"], "a") as calls:
        calls.write("x")
    time.sleep(0.005)
    return 2 * n

total = sql("select 'all' as what, sum(twice) as n from twice group by all")

def wait(name):
    while os.path.exists(os.environ["HOLD"] + name):
        time.sleep(0.01)
    open(os.environ["HOLD"] + "in." + name, "w").close()
"""


CHILD = """
import sys
from packyak.engine.project import Project
from packyak.engine.run.compute import transforms
transforms.COMMIT_SECONDS = 0.02
Project.open(sys.argv[1]).run()
"""


def start(folder: Path, env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(folder)], env={**os.environ, **env})


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def test_a_killed_run_leaves_the_last_good_version_and_the_next_one_finishes(
    project_folder: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, calls, hold = project_folder(SLOW), tmp_path / "calls", tmp_path / "hold."
    calls.write_text("")
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setenv("HOLD", str(hold))
    Project.open(folder).run()
    good = Project.open(folder).read("total").to_pylist()
    path = folder / "pipeline.py"
    path.write_text(path.read_text().replace("2 * n", "3 * n"))
    calls.write_text("")
    child = start(folder, {})
    until(lambda: len(calls.read_text()) > 100)  # about half way, after some commits
    child.send_signal(signal.SIGKILL)
    child.wait()
    project = Project.open(folder)
    assert project.read("total").to_pylist() == good
    before = len(calls.read_text())
    record = project.run()
    assert record.state == "done"
    assert [each.state for each in project.runs() if each.state == "crashed"] == ["crashed"]
    assert project.read("total").to_pylist() == [{"what": "all", "n": 3 * 199 * 100}]
    assert project.read("twice").num_rows == 200
    assert len(calls.read_text()) < 200 + before  # what was committed is not computed again


@pytest.mark.parametrize("asset", ["rows", "twice"])
def test_kill_in_the_middle_of_each_asset_of_a_first_run(
    project_folder: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asset: str
) -> None:
    folder, hold = project_folder(SLOW), tmp_path / "hold."
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("HOLD", str(hold))
    child = start(folder, {})
    until(lambda: Path(f"{hold}in.{asset}").exists())
    child.send_signal(signal.SIGKILL)
    child.wait()
    project = Project.open(folder)
    assert project.run().state == "done"
    assert project.read("twice").num_rows == 200
    assert project.read("total").to_pylist() == [{"what": "all", "n": 2 * 199 * 100}]


def test_two_runs_at_once_the_second_is_refused_or_waits(
    project_folder: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, hold = project_folder(SLOW), tmp_path / "hold."
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("HOLD", str(hold))
    blocked = Path(f"{hold}rows")
    blocked.write_text("")
    child = start(folder, {})
    project = Project.open(folder)
    until(lambda: project.running() is not None)
    with pytest.raises(RunBusy, match=str(child.pid)):
        project.run()
    blocked.unlink()
    assert project.run(wait=True).state == "done"
    assert child.wait() == 0
    assert project.read("twice").num_rows == 200


def test_a_run_can_be_cancelled_and_goes_on_later(
    project_folder: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project_folder(SLOW)
    calls = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setenv("HOLD", str(tmp_path / "hold."))
    child = start(folder, {})
    until(lambda: calls.exists() and len(calls.read_text()) > 20)
    project = Project.open(folder)
    project.cancel()
    assert child.wait(timeout=20) == 0
    assert project.runs()[0].state == "cancelled"
    assert project.run().state == "done"
    assert project.read("twice").num_rows == 200
