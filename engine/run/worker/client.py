"""Handing work to a project's worker; without one, `NoWorker` tells the caller to do the work in its own process.

The command line imports this on every call, so it is the standard library only and loads little of that.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packyak.engine.errors import NoWorker, RunFailed
from packyak.engine.run.process import end, spawn, wait_until
from packyak.engine.run.worker.address import HOST, Address, address_file, code_version, read_address

if TYPE_CHECKING:
    import subprocess

    from packyak.engine.run.runs import RunRecord
    from packyak.engine.store.home import Home

START_SECONDS = 10.0
CONNECT_SECONDS = 2.0
SERVED = "packyak.engine.run.worker.serve:open_project"


class Client:
    """A project's worker, as seen from another process. person: who asks through it; None: who started the worker."""

    def __init__(self, address: Address, person: str | None = None) -> None:
        self.address = address
        self.person = person

    def request(self, op: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """Sends one request and yields the messages that come back; the `type` of the last is `result` or `error`.

        Raises NoWorker when the worker cannot be reached or ends before its last message.
        """
        try:
            connection = socket.create_connection((HOST, self.address.port), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise NoWorker("the worker does not answer", pid=self.address.pid) from error
        with connection:
            connection.settimeout(None)
            try:
                connection.sendall(f"{self.address.token}\n{json.dumps({'op': op} | fields)}\n".encode())
                with connection.makefile("rb") as lines:
                    for line in lines:
                        message = json.loads(line)
                        yield message
                        if message["type"] in ("result", "error"):
                            return
            except (OSError, ValueError) as error:
                raise NoWorker("the connection to the worker broke", pid=self.address.pid) from error
        raise NoWorker("the worker ended before it had answered", pid=self.address.pid)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What a method of the project answers (or an attribute), beside any run. Raises what it raises."""
        return self._last(self.request("call", method=method, person=self.person, **_packed(args, kwargs)))

    def run(
        self,
        *args: Any,
        method: str = "run",
        wait: bool | float = False,
        on_progress: Callable[[RunRecord], None] | None = None,
        on_output: Callable[[str], None] | None = None,
        **kwargs: Any,
    ) -> Any:
        """What a run answers; meanwhile its progress and what the user's code prints.

        wait: for another run to end, for ever or so many seconds.

        Raises what the run raises, RunBusy where another one is on, RunFailed when the worker dies.
        """
        from packyak.engine.run.worker import wire

        environment = dict(os.environ)
        messages = self.request(
            "run", method=method, wait=wait, environment=environment, person=self.person, **_packed(args, kwargs)
        )
        begun = False
        last: list[dict[str, Any]] = []
        try:
            for message in messages:
                if message["type"] == "progress" and on_progress:
                    on_progress(wire.unpack(message["record"]))
                elif message["type"] == "output" and on_output:
                    on_output(message["text"])
                begun = begun or message["type"] == "progress"
                last = [message]
        except NoWorker as error:
            # A run that had begun is never begun again elsewhere; a killed process may be seen for a moment longer.
            if begun or wait_until(lambda: not self.address.alive, 1.0):
                raise RunFailed(
                    "the worker ended in the middle of the run; what was published before is intact",
                    next_step="run again: only what is missing is computed",
                ) from error
            raise
        return self._last(iter(last))

    def ping(self) -> dict[str, Any]:
        """How the worker is: pid, busy, run."""
        answer: dict[str, Any] = self._last(self.request("ping"))
        return answer

    def cancel(self, run_id: str | None = None) -> str | None:
        """Asks a run, or the one that is on, to stop at its next look; answers its name."""
        answer: str | None = self._last(self.request("cancel", run=run_id))
        return answer

    def stop(self) -> None:
        """Ends the worker, which must have no run. Raises RunBusy."""
        self._last(self.request("stop"))
        wait_until(lambda: not self.address.alive, 5.0)

    def _last(self, messages: Iterator[dict[str, Any]]) -> Any:
        from packyak.engine.run.worker import wire

        for message in messages:
            if message["type"] == "result":
                return wire.unpack(message["value"])
            if message["type"] == "error":
                raise wire.unpack_error(message)
        raise NoWorker("the worker answered nothing", pid=self.address.pid)


def _packed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    if not args and not kwargs:
        return {}
    from packyak.engine.run.worker import wire

    return {"args": wire.pack(list(args)), "kwargs": wire.pack(kwargs)}


def connect(home: str) -> Client:
    """The worker that a home has. Raises NoWorker, also when it runs other code than this process."""
    address = read_address(address_file(home))
    if address is None or not address.alive:
        raise NoWorker("this home has no worker", home=home)
    if address.version != code_version():
        raise NoWorker("the worker of this home runs another version", home=home, pid=address.pid)
    return Client(address)


def connect_or_start(
    home: str, root: Path, *, seconds: float = START_SECONDS, idle_minutes: float | None = None, serve: str = SERVED
) -> Client:
    """The worker of a home, started where there is none; one of another version is replaced. Raises NoWorker.

    seconds: how long a new worker may take to answer. serve: `module:function` that makes the served object.
    """
    with contextlib.suppress(NoWorker):
        return connect(home)
    _replace_other(home)
    started = _start(home, root, idle_minutes, serve)
    found: list[Client] = []

    def is_there() -> bool:
        with contextlib.suppress(NoWorker):
            found.append(connect(home))
        if found or started.poll() not in (None, 0):  # 0: another starter was faster, and its worker is coming
            return True
        address = read_address(address_file(home))  # ours and yet refused: the code changed under this process
        return address is not None and address.pid == started.pid

    wait_until(is_there, seconds, pause=0.01)
    if not found:
        why = "the worker did not start, or with other code than this process has"
        raise NoWorker(why, home=home, log=str(_log(home)))
    return found[0]


def _replace_other(home: str) -> None:
    address = read_address(address_file(home))
    if address is None or not address.alive:
        return
    with contextlib.suppress(NoWorker):
        try:
            Client(address).stop()
        except Exception as error:
            raise NoWorker("a worker of another version is busy", home=home, pid=address.pid) from error
    if address.alive and not end(address.pid, address.mark):
        raise NoWorker("a worker of another version does not end", home=home, pid=address.pid)


def _start(home: str, root: Path, idle_minutes: float | None, serve: str) -> subprocess.Popen[bytes]:
    # -P: the project's folder must not lend its `types.py` or `queue.py` to the standard library's names
    command = [sys.executable, "-P", "-m", "packyak.engine.run.worker.serve", "--root", str(root), "--home", home]
    if idle_minutes is not None:
        command += ["--idle-minutes", str(idle_minutes)]
    try:
        log = _log(home)
        log.parent.mkdir(parents=True, exist_ok=True)
        return spawn([*command, "--serve", serve], folder=root, log=log, environment=dict(os.environ))
    except OSError as error:
        raise NoWorker(f"the worker cannot be started: {error}", home=home) from error


def _log(home: str) -> Path:
    return address_file(home).with_name("worker.log")


def stop_run(home: Home, run_id: str, patience: float = 3.0) -> RunRecord | None:
    """Stops a run and answers how it stands then; None where there is no such run.

    It is asked first. A worker whose run does not stop within `patience` seconds, because the user's function hangs, is
    ended; a run in any other process (a notebook, a script) is never ended from outside: it stays open until it looks.
    """
    from packyak.engine.run.flow import api_url, settle
    from packyak.engine.run.runs import RunStore

    store = RunStore(home)
    record = store.get(run_id)
    if record is None or not record.is_open:
        return record
    store.request_cancel(run_id)
    if wait_until(lambda: _is_over(store, run_id), patience, pause=0.05):
        return store.get(run_id)
    address = read_address(address_file(home.uri))
    if address is None or (address.pid, address.mark) != (record.pid, record.mark):
        return store.get(run_id)
    end(address.pid, address.mark, patience=2.0)
    record = store.get(run_id) or record
    if record.is_open:
        record = store.finish(record, "cancelled", "The run did not stop by itself; its process was ended.")
    if record.flow_run_id and (url := api_url(home)):
        settle(url, record.flow_run_id, record.state, record.error)
    return record


def _is_over(store: Any, run_id: str) -> bool:
    record = store.get(run_id)
    return record is None or not record.is_open
