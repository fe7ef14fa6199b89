"""Runs on disk: one JSON file each, written whole, so that every process sees how a run stands.

A run that is not over has a marker beside it, so that looking for runs whose process has gone reads a few files and not
all of them. Writing is cheap enough to call at every step: progress reaches the disk at most every 0.2 s, a change of
state always. Standard library only.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from packyak.engine.run.process import is_running, start_mark

if TYPE_CHECKING:
    from packyak.engine.store.home import Home

RunState = Literal["starting", "running", "done", "failed", "cancelled", "crashed"]
AssetState = Literal["waiting", "running", "done", "failed", "blocked", "skipped", "cancelled"]
OPEN: tuple[RunState, ...] = ("starting", "running")
FOLDER = "runs"
OPEN_FOLDER = "runs/open"
CANCEL_FOLDER = "runs/cancel"
SECONDS_BETWEEN_WRITES = 0.2


@dataclass(frozen=True)
class AssetRun:
    """One asset within a run. changed, deleted: records; done, total, computed, failed: records too, or files where the
    asset reads those (unit); rate: per second; eta: s."""

    asset: str
    state: AssetState = "waiting"
    done: int = 0
    total: int | None = None
    rate: float | None = None
    eta: float | None = None
    computed: int = 0
    changed: int = 0
    deleted: int = 0
    failed: int = 0
    seconds: float = 0.0
    message: str = ""
    trace: str = ""
    unit: str = "record"


@dataclass(frozen=True)
class RunRecord:
    """One run. pid, mark, host: its process; started, ended: ISO 8601 in UTC; asked: the assets, empty for all; by: who
    asked."""

    id: str
    state: RunState
    asked: tuple[str, ...] = ()
    pid: int = 0
    mark: str = ""
    host: str = ""
    started: str = ""
    ended: str | None = None
    flow_run_id: str | None = None
    assets: tuple[AssetRun, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = field(default=())
    by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the run has not ended."""
        return self.state in OPEN

    def asset(self, name: str) -> AssetRun | None:
        """What the run did to one asset."""
        return next((each for each in self.assets if each.asset == name), None)

    def to_json(self) -> dict[str, Any]:
        """The record as plain values."""
        return vars(self) | {"assets": tuple({**vars(each)} for each in self.assets)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> RunRecord:
        """The record from its plain values; fields that a newer Packyak added are left out."""
        assets = tuple(AssetRun(**_known(AssetRun, each)) for each in plain.get("assets", ()))
        listed = {name: tuple(plain.get(name) or ()) for name in ("asked", "notes")}
        return cls(**(_known(cls, plain) | listed | {"assets": assets}))


def _known(kind: type, plain: dict[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in plain.items() if name in names}


def now() -> str:
    """This moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_id() -> str:
    """A run's name: in the order of time, unique also among runs of the same microsecond."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"


class RunStore:
    """The runs of one home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.deletes = True  # a role that may delete nothing leaves the markers of its runs: they are known to be over
        self._written: dict[str, tuple[float, tuple[Any, ...]]] = {}
        self._ended: dict[str, RunRecord] = {}

    def start(self, asked: Iterable[str] = (), by: str = "") -> RunRecord:
        """A new run of this process, written down as starting."""
        record = RunRecord(
            id=new_id(),
            state="starting",
            asked=tuple(asked),
            pid=os.getpid(),
            mark=start_mark(os.getpid()) or "",
            host=socket.gethostname(),
            started=now(),
            by=by,
        )
        self.home.write(f"{OPEN_FOLDER}/{record.id}", b"")
        self.save(record)
        return record

    def save(self, record: RunRecord) -> None:
        """Writes a record down; mere progress soon after the last write is left for the next one."""
        signature = _signature(record)
        at, written = self._written.get(record.id, (0.0, ()))
        if signature == written and time.monotonic() - at < SECONDS_BETWEEN_WRITES:
            return
        self.home.write(_name(record.id), json.dumps(record.to_json()).encode())
        self._written[record.id] = (time.monotonic(), signature)
        if not record.is_open:
            self._close(record.id)

    def get(self, run_id: str) -> RunRecord | None:
        """One run, None where there is none of that name, whatever the name is."""
        if not run_id.replace("-", "").isalnum():
            return None
        if (known := self._ended.get(run_id)) is not None:
            return known
        data = self.home.read(_name(run_id))
        record = None if data is None else _parsed(data)
        if record is not None and not record.is_open:
            self._ended[run_id] = record
        return record

    def list(self, limit: int | None = 50) -> tuple[RunRecord, ...]:
        """The newest runs, newest first."""
        names = [name.removesuffix(".json") for name in reversed(self.home.names(FOLDER, ".json"))]
        found = (self.get(name) for name in names[:limit])
        return tuple(record for record in found if record is not None)

    def open(self) -> tuple[RunRecord, ...]:
        """The runs that have not ended as far as is written down, newest first."""
        found = (self.get(name) for name in reversed(self.home.names(OPEN_FOLDER)))
        return tuple(record for record in found if record is not None and record.is_open)

    def under_way(self) -> RunRecord | None:
        """The newest run that has not ended, those left out whose process has gone without a word."""
        return next((each for each in self.open() if not _is_gone(each)), None)

    def sweep(self) -> tuple[RunRecord, ...]:
        """Writes `crashed` on each run of this machine that has not ended though its process has gone; answers them."""
        gone = [each for each in self.open() if _is_gone(each)]
        return tuple(self.finish(each, "crashed", "The process of the run ended without saying why.") for each in gone)

    def finish(self, record: RunRecord, state: RunState, error: str = "") -> RunRecord:
        """The record ended in a state, written down."""
        open_assets: AssetState = "cancelled" if state == "cancelled" else "failed"
        assets = tuple(
            replace(each, state=open_assets, eta=None) if each.state == "running" else each for each in record.assets
        )
        ended = replace(record, state=state, ended=now(), error=error or record.error, assets=assets)
        self.save(ended)
        return ended

    def request_cancel(self, run_id: str) -> None:
        """Asks a run to stop; it does at its next look."""
        self.home.create(_cancel_name(run_id), b"")

    def cancel_requested(self, run_id: str) -> bool:
        """Whether someone asked the run to stop."""
        return run_id in self.home.names(CANCEL_FOLDER)

    def _close(self, run_id: str) -> None:
        self._written.pop(run_id, None)
        if not self.deletes:
            return
        for name in (f"{OPEN_FOLDER}/{run_id}", _cancel_name(run_id)):
            self.home.remove(name)


def _is_gone(record: RunRecord) -> bool:
    """Whether the run's process, of this machine, has ended."""
    return record.host == socket.gethostname() and not is_running(record.pid, record.mark)


def _signature(record: RunRecord) -> tuple[Any, ...]:
    """What must reach the disk at once when it changes."""
    assets = tuple((each.asset, each.state) for each in record.assets)
    return record.state, record.flow_run_id, record.error, record.notes, assets


def _parsed(data: bytes) -> RunRecord | None:
    try:
        return RunRecord.from_json(json.loads(data))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None  # a file that is no run must not hide the others


def _name(run_id: str) -> str:
    return f"{FOLDER}/{run_id}.json"


def _cancel_name(run_id: str) -> str:
    return f"{CANCEL_FOLDER}/{run_id}"
