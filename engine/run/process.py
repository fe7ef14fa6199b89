"""Which process is meant: to start one, find it again and end it.

A pid is reused by the system, so a process is named by its pid together with a mark of when it started. Ending a
process asks first (SIGTERM) and insists later (SIGKILL), and never touches one whose mark differs. Standard library
only; Linux and macOS.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def start_mark(pid: int) -> str | None:
    """When a process started, as an opaque text that differs between boots; None where no such process runs."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        try:
            # The command name in brackets may hold spaces and brackets; the fields wanted come after the last one.
            fields = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{_boot()}-{fields[19]}"
    return _start_mark_by_ps(pid)


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return "boot"


def _start_mark_by_ps(pid: int) -> str | None:
    import subprocess

    try:
        asked = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return "" if _signal(pid, 0) else None
    state, _, started = asked.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def is_running(pid: int, mark: str) -> bool:
    """Whether this very process still runs; an empty mark (it could not be told) trusts the pid alone."""
    found = start_mark(pid)
    return found is not None and (not mark or not found or found == mark)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Waits until the condition holds and answers whether it came to hold in time."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= ends:
            return False
        time.sleep(pause)
    return True


def end(pid: int, mark: str, patience: float = 5.0) -> bool:
    """Ends a process, by force when it has not gone after `patience` seconds; answers whether it is gone."""
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        if not is_running(pid, mark):
            return True
        _signal(pid, number)
        if wait_until(lambda: not is_running(pid, mark), seconds):
            return True
    return False


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


_children: list[subprocess.Popen[bytes]] = []


def spawn(command: list[str], *, folder: Path, log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Starts a process that outlives this one, with its output added to a log. Raises OSError."""
    import subprocess

    _children[:] = [child for child in _children if child.poll() is None]  # those that ended are collected here
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _children.append(child)
    return child
