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
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
QUIET_SECONDS: Final = 1.0  # so long at the idle pace means: done
QUIET_PACE: Final = 0.08  # CPU seconds a second above idling that still count as idling
LONGEST_AFTER: Final = 30.0
WATCH_SECONDS: Final = 0.25


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


Key = tuple[int, str]  # a pid and when it started: pids are used again


@dataclass(frozen=True)
class Reading:
    """One process: what it is, its CPU seconds so far, its parent's pid."""

    kind: str
    cpu: float
    parent: int


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
        before, before_command = self._readings(), _children()
        start = time.monotonic()
        # A file, not a pipe: a process that lives on with an inherited pipe would keep the command from seeming ended.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as told:
            with _Watch(self) as watch:
                done = subprocess.run(
                    command,
                    cwd=folder,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=told,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            wall = time.monotonic() - start
            if done.returncode:
                told.seek(0)
                raise CommandError(f"{' '.join(command)} exited {done.returncode}\n{told.read()[-6000:]}")
        own = _children() - before_command
        after = {**watch.gone(), **self._settled()}
        spent = time.monotonic() - start
        beside = {kind: -pace * spent for kind, pace in self.idle.items()}
        for key, reading in after.items():
            earlier = before[key].cpu if key in before else 0.0
            beside[reading.kind] = beside.get(reading.kind, 0.0) + reading.cpu - earlier
        return Cost(wall, own, {kind: max(0.0, seconds) for kind, seconds in beside.items()})

    def at_idle(self, seconds: float = 10.0) -> Meter:
        """The same meter, knowing what the marked processes use when nobody asks them for anything."""
        self._settled()
        before, start = self._readings(), time.monotonic()
        time.sleep(seconds)
        spent, after = time.monotonic() - start, self._readings()
        pace: dict[str, float] = {}
        for key, reading in after.items():
            earlier = before[key].cpu if key in before else 0.0
            pace[reading.kind] = pace.get(reading.kind, 0.0) + (reading.cpu - earlier) / spent
        return Meter(self.mark, pace)

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

    def _readings(self) -> dict[Key, Reading]:
        """Each marked process as it stands now."""
        found = {}
        for pid in self._pids():
            with contextlib.suppress(OSError, IndexError):
                key, reading = _read(pid)
                found[key] = reading
        return found

    def _settled(self) -> dict[Key, Reading]:
        """Wait until the marked processes do nothing beyond idling; returns them as they stand then."""
        until = time.monotonic() + LONGEST_AFTER
        last = self._readings()
        while last and time.monotonic() < until:
            time.sleep(QUIET_SECONDS)
            now = self._readings()
            busy = _total(now) - _total(last) - sum(self.idle.values()) * QUIET_SECONDS
            last = now
            if busy < QUIET_PACE * QUIET_SECONDS:
                break
        return last


class _Watch(threading.Thread):
    """Remembers marked processes that end while a command runs, such as a worker that is replaced by a new one."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(daemon=True)
        self._meter, self._over, self._seen = meter, threading.Event(), dict[Key, Reading]()

    def __enter__(self) -> _Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            self._seen.update(self._meter._readings())

    def gone(self) -> dict[Key, Reading]:
        """Those seen last as nobody's child. A child's seconds are counted by the parent that has waited for it."""
        return {key: reading for key, reading in self._seen.items() if reading.parent == 1}


def _read(pid: int) -> tuple[Key, Reading]:
    """A process from /proc/pid/stat (proc(5)): field 4 is its parent, 14 to 17 its CPU times, 22 when it started."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu = sum(int(fields[at]) for at in (11, 12, 13, 14)) / TICKS
    return (pid, fields[19]), Reading(_kind(command), cpu, int(fields[1]))


def _total(readings: Mapping[Key, Reading]) -> float:
    return sum(reading.cpu for reading in readings.values())


def _kind(command: str) -> str:
    if "engine.run.worker" in command:
        return "worker"
    return "server" if "prefect" in command else "other"


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
