"""The home's event log: what happened to data, as OpenLineage events, one file of JSON lines for each run.

Locally an append is one write at the file's end, so that writers of several processes never mix their lines; on S3,
where nothing can be appended to, events are gathered and each flush makes one object of its own. A file cut anywhere (a
crash, a full disk) loses its last line only: readers skip it and say so, and the next append starts a new line. Old
runs are packed into segments, a twentieth of the size; reading knows both, also while they are packed. Standard library
only.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import secrets
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from packyak.engine.errors import HomeError, HomeFull
from packyak.engine.store.home import Home
from packyak.engine.store.local import unwritable

FOLDER = "lineage"
SUFFIX = ".jsonl"
PART = "@"  # between a run's id and the name of one of its objects on S3
SEGMENT = "segment-"
PACKED = ".jsonl.gz"
SEGMENT_RUNS = 1000
LOOSE_FILES = 500  # runs that are not packed; the newest half of them stays loose
GATHERED = 200  # events kept in memory on S3 before an object is made of them
GATHERED_SECONDS = 5.0
_SEGMENT_NAME = re.compile(r"segment-(.+)\.\.(.+)-[0-9a-f]{8}\.jsonl\.gz")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Event = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """A line of the log that is no event. `last`: it is a file's torn end, left by a write that was cut off."""

    file: str
    line: int
    reason: str
    text: str
    last: bool


class EventLog:
    """The events of one home. Use it as a context, or call `flush` when a run ends: on S3 that is what stores them."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._gathered: dict[str, list[bytes]] = {}
        self._since = 0.0

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.flush()

    def append(self, run_id: str, events: Iterable[Mapping[str, Any]]) -> None:
        """Adds events to a run's file, in one write.

        Raises HomeError when the home cannot be written (HomeFull, HomeNotWritable).
        """
        lines = [json.dumps(event, separators=(",", ":"), allow_nan=False).encode() + b"\n" for event in events]
        name = _file_of(run_id)
        if not lines:
            return
        if self._home.local is not None:
            _append(self._home.local / FOLDER / name, b"".join(lines))
        else:
            self._gather(run_id, lines)

    def flush(self) -> None:
        """Stores what an S3 home has gathered; locally everything is stored already."""
        for run_id in list(self._gathered):
            # The time leads the name, so that a run's objects sort in the order in which they were made.
            part = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
            lines = self._gathered[run_id]
            self._home.create(f"{FOLDER}/{run_id}{PART}{part}{SUFFIX}", b"".join(lines))
            del self._gathered[run_id]

    def read(self, run_id: str | None = None, since: datetime | str | None = None) -> list[Event]:
        """The stored events in the order of runs, and in each run as they were appended.

        Args:
            run_id: only this run's.
            since: only those that happened then or later (ISO 8601, UTC where no zone is named).

        Lines that are no events are skipped; `problems` lists them.
        """
        return list(self.each(run_id, since))

    def each(self, run_id: str | None = None, since: datetime | str | None = None) -> Iterator[Event]:
        """`read`, one event at a time: a long log need not be in memory whole."""
        first = _moment(since) if since is not None else None
        for name, data in self._contents(run_id, first):
            for event in _parsed(name, data):
                if isinstance(event, dict) and (first is None or _happened(event) >= first):
                    yield event

    def problems(self, run_id: str | None = None) -> list[Problem]:
        """The lines that are no events, with their place: torn ends, and anything that was not written here."""
        contents = self._contents(run_id, None)
        return [each for name, data in contents for each in _parsed(name, data) if isinstance(each, Problem)]

    def runs(self) -> list[str]:
        """The runs that have events, oldest first."""
        packed = [run for name in self._segments() for run in self._packed_runs(name)]
        return sorted({*packed, *(_run_of(name) for name in self._names(None))})

    def tidy(self, loose: int = LOOSE_FILES) -> None:
        """Packs old runs into a segment when many are loose. It is there before they go."""
        names = self._names(None)
        runs = [run for run in dict.fromkeys(_run_of(name) for name in names) if run[:1].isdigit()]
        if len(runs) <= loose:
            return
        old = runs[: len(runs) - loose // 2]
        for start in range(0, len(old), SEGMENT_RUNS):
            self._pack(old[start : start + SEGMENT_RUNS], names)

    def _pack(self, runs: Sequence[str], names: Sequence[str]) -> None:
        """Writes a segment of some runs, their names in its first line, and removes their files."""
        moved = [name for name in names if _run_of(name) in set(runs)]
        packed = dict.fromkeys(runs, b"")
        for name in moved:
            packed[_run_of(name)] += _whole_lines(self._bytes(name))
        lines = [
            json.dumps(list(runs)),
            *(json.dumps([run, data.decode(errors="replace")]) for run, data in packed.items()),
        ]
        data = gzip.compress("".join(f"{line}\n" for line in lines).encode(), compresslevel=6, mtime=0)
        self._home.create(f"{FOLDER}/{SEGMENT}{runs[0]}..{runs[-1]}-{secrets.token_hex(4)}{PACKED}", data)
        for name in moved:
            self._home.remove(f"{FOLDER}/{name}")

    def _gather(self, run_id: str, lines: Sequence[bytes]) -> None:
        if not self._gathered:
            self._since = time.monotonic()
        self._gathered.setdefault(run_id, []).extend(lines)
        count = sum(len(each) for each in self._gathered.values())
        if count >= GATHERED or time.monotonic() - self._since >= GATHERED_SECONDS:
            self.flush()

    def _contents(self, run_id: str | None, first: datetime | None) -> Iterator[tuple[str, bytes]]:
        """Names and lines of files, in the order of runs. What is both packed and loose is told once."""
        packed: dict[str, tuple[str, bytes]] = {}
        for name in self._segments(run_id):
            for run, data in self._unpacked(name).items():
                if run_id in (None, run):
                    packed[run] = (name, packed[run][1] + _others(data, packed[run][1]) if run in packed else data)
        names = self._names(run_id) if first is None else self._touched_since(run_id, first)
        loose: dict[str, list[str]] = {}
        for name in names:
            loose.setdefault(_run_of(name), []).append(name)
        for run in sorted({*packed, *loose}):
            there = packed.get(run, ("", b""))[1]
            if there:
                yield packed[run][0], there
            for name in loose.get(run, ()):
                yield name, _others(self._bytes(name), there) if there else self._bytes(name)

    def _segments(self, run_id: str | None = None) -> list[str]:
        """The packed files, or those that may hold a run."""
        names = self._home.names(FOLDER, PACKED)
        return [name for name in names if run_id is None or _may_hold(name, run_id)]

    def _packed_runs(self, name: str) -> list[str]:
        try:
            with gzip.open(io.BytesIO(self._home.read(f"{FOLDER}/{name}") or b"")) as lines:
                return [str(run) for run in json.loads(lines.readline())]
        except (OSError, EOFError, ValueError, TypeError, zlib.error):
            return []

    def _unpacked(self, name: str) -> dict[str, bytes]:
        """The lines of each run in a segment; a damaged one has none, and must not hide the others."""
        try:
            data = gzip.decompress(self._home.read(f"{FOLDER}/{name}") or b"")
            return {run: text.encode() for run, text in (json.loads(line) for line in data.splitlines()[1:])}
        except (OSError, EOFError, ValueError, zlib.error):
            return {}

    def _names(self, run_id: str | None) -> list[str]:
        names = self._home.names(FOLDER, SUFFIX)
        return [name for name in names if _run_of(name) == run_id] if run_id is not None else names

    def _touched_since(self, run_id: str | None, first: datetime) -> list[str]:
        """Files that were last written before that moment hold nothing newer, so they need not be read."""
        touched = {name.rsplit("/", 1)[-1]: nanoseconds for name, _, nanoseconds in self._home.walk(FOLDER)}
        limit = (first.timestamp() - 60) * 1e9  # the clocks of event and file system may differ a little
        return [name for name in self._names(run_id) if touched.get(name, limit) >= limit]

    def _bytes(self, name: str) -> bytes:
        return self._home.read(f"{FOLDER}/{name}") or b""


def _may_hold(name: str, run_id: str) -> bool:
    """By the first and the last run that a segment's name tells."""
    told = _SEGMENT_NAME.fullmatch(name)
    return told is None or told[1] <= run_id <= told[2]


def _whole_lines(data: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + b"\n"


def _others(data: bytes, known: bytes) -> bytes:
    """The lines that are not among those known."""
    there = set(known.split(b"\n"))
    return b"\n".join(line for line in data.split(b"\n") if not line or line not in there)


def _file_of(run_id: str) -> str:
    if not _RUN_ID.fullmatch(run_id):
        raise HomeError(
            f"{run_id!r} cannot name a run", run=run_id, next_step="use letters, digits, dots, dashes and underscores"
        )
    return run_id + SUFFIX


def _run_of(name: str) -> str:
    return name.removesuffix(SUFFIX).split(PART, 1)[0]


def _append(path: Path, data: bytes) -> None:
    """One write at the end of the file. After a torn line it starts a new one, so that only the torn one is lost."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    except OSError as error:
        raise unwritable(error, path) from error
    try:
        if _is_torn(file):
            data = b"\n" + data
        written = os.write(file, data)
    except OSError as error:
        raise unwritable(error, path) from error
    finally:
        os.close(file)
    if written < len(data):
        raise HomeFull(
            f"the disk is full: only a part of the events could be written to {path}",
            path=str(path),
            next_step="free some space on the disk, then run again; the cut line is skipped by readers",
        )


def _is_torn(file: int) -> bool:
    size = os.fstat(file).st_size
    if size == 0:
        return False
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1) != b"\n"


def _parsed(name: str, data: bytes) -> Iterator[Event | Problem]:
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield _problem(name, number, line, str(error), number == len(lines))
            continue
        if isinstance(event, dict):
            yield event
        else:
            yield _problem(name, number, line, "not a JSON object", number == len(lines))


def _problem(name: str, number: int, line: bytes, reason: str, last: bool) -> Problem:
    said = "the line was cut off" if last else reason
    return Problem(f"{FOLDER}/{name}", number, said, line[:80].decode(errors="replace"), last)


def _moment(when: datetime | str) -> datetime:
    found = datetime.fromisoformat(when) if isinstance(when, str) else when
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _happened(event: Event) -> datetime:
    """When the event says it happened; the beginning of time where it does not say."""
    try:
        return _moment(event["eventTime"])
    except (KeyError, TypeError, ValueError):
        return datetime.min.replace(tzinfo=UTC)
