"""What a command costs: wall time, and the CPU seconds of everything that it makes work.

That is the command with the processes it waited for, and the processes that live on beside it: Packyak's worker and
the Prefect server. All of them inherit a mark in their environment, by which they are found in /proc (Linux only).
Work that they do after the command has ended counts too: the measurement goes on until they are back at the pace at
which they idle, and that idling is taken off.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
QUIET_SECONDS: Final = 1.0  # so long at the idle pace means: done
QUIET_PACE: Final = 0.08  # CPU seconds a second above idling that still count as idling
LONGEST_AFTER: Final = 30.0


class CommandError(Exception):
    """A measured command ended with an error; the message has what it printed."""


@dataclass(frozen=True)
class Cost:
    """One measured command. `beside`: CPU seconds of the processes that live on, by what they are (worker, server,
    other)."""

    wall: float
    command: float
    beside: Mapping[str, float] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        return self.command + sum(self.beside.values())

    def __add__(self, other: Cost) -> Cost:
        kinds = {*self.beside, *other.beside}
        beside = {kind: self.beside.get(kind, 0.0) + other.beside.get(kind, 0.0) for kind in kinds}
        return Cost(self.wall + other.wall, self.command + other.command, beside)

    def share(self, parts: int) -> Cost:
        """One of `parts` equal parts."""
        beside = {kind: seconds / parts for kind, seconds in self.beside.items()}
        return Cost(self.wall / parts, self.command / parts, beside)


@dataclass(frozen=True)
class Meter:
    """Runs commands that carry `mark` in their environment, and measures them."""

    mark: str
    idle: Mapping[str, float] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PACKYAK_", "PREFECT_"))}
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        return {**own, "SPINE_BENCH": self.mark}

    def run(self, command: Sequence[str], folder: Path) -> Cost:
        """Run one command to its end and measure it; raises CommandError with its output."""
        before, before_command = self._beside(), _children()
        start = time.monotonic()
        # A file, not a pipe: a process that lives on with an inherited pipe would keep the command from seeming ended.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as told:
            quiet = {"stdin": subprocess.DEVNULL, "stdout": told, "stderr": subprocess.STDOUT}
            done = subprocess.run(command, cwd=folder, env=self.environment, check=False, **quiet)
            wall = time.monotonic() - start
            if done.returncode:
                told.seek(0)
                raise CommandError(f"{' '.join(command)} exited {done.returncode}\n{told.read()[-6000:]}")
        own = _children() - before_command
        after = self._settled()
        spent = time.monotonic() - start
        kinds = {*before, *after}
        beside = {
            kind: after.get(kind, 0.0) - before.get(kind, 0.0) - self.idle.get(kind, 0.0) * spent for kind in kinds
        }
        return Cost(wall, own, {kind: max(0.0, seconds) for kind, seconds in beside.items()})

    def at_idle(self, seconds: float = 10.0) -> Meter:
        """The same meter, knowing what the marked processes use when nobody asks them for anything."""
        self._settled()
        before, start = self._beside(), time.monotonic()
        time.sleep(seconds)
        spent, after = time.monotonic() - start, self._beside()
        return Meter(self.mark, {kind: max(0.0, (after[kind] - before.get(kind, 0.0)) / spent) for kind in after})

    def end_all(self) -> None:
        """End every marked process, by its id."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            until = time.monotonic() + 15
            while self._pids() and time.monotonic() < until:
                time.sleep(0.1)

    def _pids(self) -> list[int]:
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._is_marked(entry)]

    def _is_marked(self, entry: Path) -> bool:
        try:
            return f"SPINE_BENCH={self.mark}\0".encode() in (entry / "environ").read_bytes() + b"\0"
        except OSError:  # gone, or somebody else's
            return False

    def _beside(self) -> dict[str, float]:
        """CPU seconds so far of the marked processes and of their ended children, by kind."""
        found: dict[str, float] = {}
        for pid in self._pids():
            with contextlib.suppress(OSError):
                kind = _kind(Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"))
                found[kind] = found.get(kind, 0.0) + _cpu_of(pid)
        return found

    def _settled(self) -> dict[str, float]:
        """Wait until the marked processes do nothing beyond idling; returns their CPU seconds then."""
        until = time.monotonic() + LONGEST_AFTER
        last = self._beside()
        while last and time.monotonic() < until:
            time.sleep(QUIET_SECONDS)
            now = self._beside()
            busy = sum(now.values()) - sum(last.values()) - sum(self.idle.values()) * QUIET_SECONDS
            last = now
            if busy < QUIET_PACE * QUIET_SECONDS:
                break
        return last


def _kind(command: str) -> str:
    if "engine.run.worker" in command:
        return "worker"
    return "server" if "prefect" in command else "other"


def _cpu_of(pid: int) -> float:
    """User and system time of a process and of its ended children (proc(5): fields 14 to 17 of /proc/pid/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[at]) for at in (11, 12, 13, 14)) / TICKS


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
