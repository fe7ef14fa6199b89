"""Who may write a project now: a claim in the home that must be renewed and runs out by itself.

Each claim is one file, numbered one higher than the last, that only one process can create. The holder renews it from
a thread and writes "released" into it at the end, so no right to delete is needed. A claim counts no more when it has
run out, and on the machine of its holder also as soon as that process is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from packyak.engine.errors import HomeError, PackyakError, RunBusy
from packyak.engine.store.home import Home

_POLL = 0.1
OLD_CLAIMS = 20


class Lease:
    """A claim on a name in a home.

    owner: what others are told about the holder, as plain values (run, command, user). ttl: seconds until a claim that
    is not renewed runs out. deletes: whether it may take old claims away, of which it keeps so many. Use it as a
    context manager, or `acquire` and `release`.
    """

    def __init__(
        self,
        home: Home,
        name: str,
        owner: Mapping[str, Any] | None = None,
        ttl: float = 30.0,
        *,
        deletes: bool = True,
        keeps: int = OLD_CLAIMS,
    ) -> None:
        self._home = home
        self._deletes = deletes
        self._keeps = keeps
        self.name = name
        self.owner = {"pid": os.getpid(), "host": socket.gethostname(), **(owner or {})}
        self.ttl = ttl
        self._folder = f"leases/{name}"
        self._token = secrets.token_hex(16)
        self._number: int | None = None
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self, wait: float | None = 0.0) -> None:
        """Claims the name. wait: seconds to try (None: as long as it takes). Raises RunBusy with the holder."""
        until = None if wait is None else time.monotonic() + wait
        while not self._claim():
            if until is not None and time.monotonic() >= until:
                raise self._busy()
            time.sleep(_POLL)
        self._stop.clear()
        self._lost.clear()
        self._thread = threading.Thread(target=self._keep, name=f"lease-{self.name}", daemon=True)
        self._thread.start()

    def holder(self) -> dict[str, Any] | None:
        """Who holds the name now, None where nobody does."""
        claim = self._newest()[1]
        return dict(claim["owner"]) if claim and _counts(claim) else None

    @property
    def held(self) -> bool:
        """Whether this lease holds the name, as far as it knows."""
        return self._number is not None and not self._lost.is_set()

    def check(self) -> None:
        """Raises RunBusy when the claim was lost, for instance because the machine slept. To be asked before each
        commit."""
        number, claim = self._newest()
        if not self.held or number != self._number or claim is None or claim["token"] != self._token:
            self._lost.set()
            raise self._busy()

    def renew(self) -> bool:
        """Puts off the end of the claim; False where it was lost."""
        number, claim = self._newest()
        if self._number is None or number != self._number or claim is None or claim["token"] != self._token:
            self._lost.set()
            return False
        self._home.write(self._file(number), self._record())
        return True

    def release(self) -> None:
        """Gives the name back. Does nothing where it is not held."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=self.ttl)
        self._thread = None
        number, self._number = self._number, None
        if number is not None and not self._lost.is_set():
            with contextlib.suppress(PackyakError):  # a full disk must not hide why a run failed; the claim runs out
                self._home.write(self._file(number), self._record(released=True))

    def _claim(self) -> bool:
        number, claim = self._newest()
        if claim is not None and _counts(claim):
            return False
        mine = number + 1
        if not self._home.create(self._file(mine), self._record()):
            return False
        number, claim = self._newest()
        if number != mine or claim is None or claim["token"] != self._token:
            return False
        self._number = mine
        if self._deletes:
            self._forget_old(mine)
        return True

    def _newest(self) -> tuple[int, dict[str, Any] | None]:
        names = self._home.names(self._folder, ".json")
        if not names:
            return 0, None
        number = int(names[-1].split(".")[0])
        try:
            claim = json.loads(self._home.read(self._file(number)) or b"")
            return number, claim if {"token", "owner", "renewed", "expires"} <= claim.keys() else None
        except (ValueError, AttributeError):
            return number, None

    def _file(self, number: int) -> str:
        return f"{self._folder}/{number:012d}.json"

    def _record(self, *, released: bool = False) -> bytes:
        now = time.time()
        record = {
            "token": self._token,
            "owner": self.owner,
            "renewed": now,
            "expires": now + self.ttl,
            "released": released,
        }
        return json.dumps(record | {"process": process_id(os.getpid())}, default=str).encode()

    def _forget_old(self, newest: int) -> None:
        for name in self._home.names(self._folder, ".json"):
            if int(name.split(".")[0]) <= newest - max(self._keeps, 1):
                with contextlib.suppress(HomeError):
                    self._home.remove(f"{self._folder}/{name}")

    def _keep(self) -> None:
        renewed = time.monotonic()
        while not self._stop.wait(self.ttl / 3):
            try:
                if not self.renew():
                    return
                renewed = time.monotonic()
            except (PackyakError, OSError):
                if time.monotonic() - renewed > self.ttl:
                    self._lost.set()
                    return

    def _busy(self) -> RunBusy:
        holder = self.holder() or {}
        told = ", ".join(f"{name} {value}" for name, value in holder.items()) or "somebody who has just let go"
        return RunBusy(
            f"another process holds the project: {told}",
            holder=holder,
            next_step="wait for it with --wait, or cancel that run",
        )


def _counts(claim: Mapping[str, Any]) -> bool:
    """Whether a claim still holds. One from the far future was written under a wrong clock and would last for ever."""
    now, length = time.time(), claim["expires"] - claim["renewed"]
    if claim.get("released") or now >= claim["expires"] or claim["renewed"] > now + length:
        return False
    return not _gone(claim.get("process"), claim["owner"].get("pid"))


def process_id(pid: int) -> str:
    """A process by machine, boot and start time, so that a reused number is not taken for it; "" where the system does
    not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = str(Path("/proc/self/ns/pid").readlink())
        started = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot} {space} {started}"


def _gone(process: object, pid: object) -> bool:
    """Whether the process certainly ended: only where it ran on this machine, since this boot, in this space of
    numbers."""
    if not isinstance(process, str) or not process or not isinstance(pid, int):
        return False
    mine = process_id(os.getpid())
    return bool(mine) and process.rsplit(" ", 1)[0] == mine.rsplit(" ", 1)[0] and process_id(pid) != process
