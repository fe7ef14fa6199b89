"""Events on their way to a backend: kept until it has them, in order, so that one that is down or slow costs a run
nothing.

Each put is one file, named by time. A process of its own (`events_send`) sends them, oldest first, and removes what was
taken; what a backend refuses for good is laid aside with the reason. An event may arrive twice, never out of order and
never not at all. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packyak.engine.store.corrections import new_id
from packyak.engine.store.home import Home
from packyak.engine.store.machine import machine_folder, write_private
from packyak.engine.store.secret import hidden

FOLDER = "lineage/outbox"
REFUSED = "lineage/refused"
SUFFIX = ".jsonl"
CONFIG_FILE = "openlineage.yml"
SENDER = "packyak.engine.lineage.events_send"

Event = dict[str, Any]


@dataclass(frozen=True)
class OutboxState:
    """How much waits to be sent, and how much a backend refused. configured: whether there is anywhere to send it;
    problem: why the last try on this machine came to nothing."""

    waiting: int
    refused: int
    configured: bool
    problem: str = ""


class Outbox:
    """The events of one home that wait to be sent."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._problem = machine_folder(home.uri) / "lineage-problem.txt"

    def put(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Keeps events to be sent after those that wait already."""
        lines = [json.dumps(event, separators=(",", ":")) for event in events]
        if lines:
            self._home.create(f"{FOLDER}/{new_id()}{SUFFIX}", _text(lines))

    def names(self) -> list[str]:
        """What waits, oldest first."""
        return self._home.names(FOLDER, SUFFIX)

    def read(self, name: str) -> list[Event]:
        data = self._home.read(f"{FOLDER}/{name}") or b""
        return [json.loads(line) for line in data.splitlines() if line.strip()]

    def keep(self, name: str, events: Iterable[Event]) -> None:
        """What is left of a put that was sent in part; nothing: it is done."""
        lines = [json.dumps(event, separators=(",", ":")) for event in events]
        if lines:
            self._home.write(f"{FOLDER}/{name}", _text(lines))
        else:
            self._home.remove(f"{FOLDER}/{name}")

    def refuse(self, event: Event, reason: str) -> None:
        """Lays aside what a backend will never take."""
        self._home.create(f"{REFUSED}/{new_id()}.json", json.dumps({"reason": reason, "event": event}).encode())

    def state(self, root: str | Path) -> OutboxState:
        waiting = sum(len(self.read(name)) for name in self.names())
        problem = ""
        if waiting:
            with contextlib.suppress(OSError):
                problem = self._problem.read_text(encoding="utf-8")
        return OutboxState(waiting, len(self._home.names(REFUSED, ".json")), is_configured(root), problem)

    def tell(self, problem: str) -> None:
        """Why the sender of this machine cannot send now, for who asks meanwhile; "": it can."""
        with contextlib.suppress(OSError):
            write_private(self._problem, hidden(problem)[:500].encode())


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def is_configured(root: str | Path) -> bool:
    """Whether the OpenLineage client finds a transport, told without loading it: by its environment variables, or its
    file in the project's folder or the person's."""
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    named = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")
    if any(os.environ.get(name) for name in named):
        return True
    if any(name.startswith("OPENLINEAGE__TRANSPORT") for name in os.environ):
        return True
    return any((folder / CONFIG_FILE).is_file() for folder in (Path(root), Path.home() / ".openlineage"))


def start_sender(home: Home, root: str | Path, project: str) -> None:
    """Has what waits sent, in a process that nobody waits for. It ends at once where another one is at it."""
    _started[:] = [each for each in _started if each.poll() is None]  # those that ended are let go
    _started.append(
        subprocess.Popen(
            # -P: the project's folder must not lend its `types.py` or `queue.py` to the standard library's names
            [sys.executable, "-P", "-m", SENDER, home.uri, str(root), project],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    )


_started: list[subprocess.Popen[bytes]] = []


def wait_for_senders(seconds: float) -> bool:
    """Whether all senders that this process started have ended, waiting for them if need be."""
    ends = time.monotonic() + seconds
    for each in _started:
        with contextlib.suppress(subprocess.TimeoutExpired):
            each.wait(max(0.0, ends - time.monotonic()))
    return all(each.poll() is not None for each in _started)
