"""The window of `packyak studio`: which browser is asked for one, what its closing means, what happens without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
SECONDS = 90
Launch = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def launch(folder: Path, tmp_path: Path) -> Iterator[Launch]:
    """Starts `packyak studio` where `chromium` is a script that notes its arguments and then does as told; any other
    browser notes the address that it was given."""
    started: list[subprocess.Popen[bytes]] = []

    def call(then: str) -> subprocess.Popen[bytes]:
        programs = tmp_path / "programs"
        programs.mkdir()
        for name, text in (
            ("chromium", f'echo "$@" > {tmp_path}/window\n{then}'),
            ("other", f'echo "$1" > {tmp_path}/tab'),
        ):
            (programs / name).write_text(f"#!/bin/sh\n{text}\n")
            (programs / name).chmod(0o755)
        environment = {**os.environ, "DISPLAY": ":99", "BROWSER": f"{programs / 'other'} %s",
                       "PATH": f"{programs}:{os.environ['PATH']}"}  # fmt: skip
        command = [sys.executable, "-m", "packyak", "studio"]
        started.append(subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL))
        return started[-1]

    yield call
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def note(file: Path) -> str:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if file.is_file() and (text := file.read_text().strip()):
            return text
        time.sleep(0.2)
    pytest.fail(f"nothing in {file.name}")


def test_a_window_without_tabs_and_closing_it_ends_the_studio(launch: Launch, tmp_path: Path) -> None:
    studio = launch("sleep 7")
    said = note(tmp_path / "window")
    assert "--app=http://127.0.0.1:" in said and "token=" in said and "--user-data-dir=" in said
    assert studio.wait(SECONDS) == 0 and not (tmp_path / "tab").exists()


def test_a_browser_that_cannot_open_a_window_leaves_it_to_the_usual_one(launch: Launch, tmp_path: Path) -> None:
    studio = launch("exit 1")
    assert note(tmp_path / "tab").startswith("http://127.0.0.1:") and studio.poll() is None


def test_a_browser_that_hands_the_address_on_is_no_closing(launch: Launch, tmp_path: Path) -> None:
    studio = launch("exit 0")
    note(tmp_path / "window")
    time.sleep(2)
    assert studio.poll() is None and not (tmp_path / "tab").exists()
