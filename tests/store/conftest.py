"""A home of its own for each test, and Python processes beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.tables import Table


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def table(home: Home) -> Table:
    return Table(home, "tables", "t")


@pytest.fixture
def python() -> Callable[..., subprocess.Popen[str]]:
    """Starts a Python program with arguments; what is still running at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
