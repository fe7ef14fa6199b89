"""The warm process of a project: it keeps engine, models and the user's modules loaded and takes work over a socket.

    python -m packyak.engine.run.worker.serve --root DIR --home URI

One request a connection, on 127.0.0.1: the token of a private file and a line of JSON come in, lines of JSON go back,
the last one a result or an error. Runs execute one at a time in the main thread, where signals and user code behave as
in a script; reads are answered beside them. It ends when it was idle for long or its address file is no longer its own.
"""

from __future__ import annotations

import argparse
import contextlib
import hmac
import json
import os
import queue
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from packyak.engine.errors import NoWorker, PackyakError, RunBusy, RunCancelled
from packyak.engine.run.prefect_server import PrefectServer
from packyak.engine.run.process import start_mark
from packyak.engine.run.runs import RunRecord, RunStore
from packyak.engine.run.teach.background import Background
from packyak.engine.run.worker import wire
from packyak.engine.run.worker.address import HOST, Address, address_file, code_version, read_address
from packyak.engine.run.worker.output import WorkerLog
from packyak.engine.run.worker.reload import sources_of
from packyak.engine.run.worker.target import Target
from packyak.engine.store.home import Home
from packyak.engine.store.machine import only_one

IDLE_MINUTES = 30.0
REQUEST_BYTES = 64_000_000
REQUEST_SECONDS = 10.0
SEND_SECONDS = 5.0  # a client that has stopped reading holds a run up for no longer
TOLD_TO_END = 143  # the exit code of a process that SIGTERM ended
WARM = ("pyarrow", "duckdb", "lance")


def serve(
    make: Callable[[], Any],
    home: str,
    *,
    root: Path | None = None,
    idle_minutes: float = IDLE_MINUTES,
    log: WorkerLog | None = None,
    on_idle: Callable[[], Any] = lambda: None,
) -> bool:
    """Serves what `make` makes until stopped or idle; answers False at once where the home already has a worker.

    root: the folder of the user's modules, reloaded when they change. on_idle: called when ending for want of work.
    """
    path = address_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    with only_one(path.with_name("worker.lock"), wait=False) as mine:
        if mine:
            _Worker(make, home, root, idle_minutes * 60, log).serve(on_idle)
    return mine


@dataclass
class _Run:
    """A run that was asked for, on its way through the main thread."""

    message: Mapping[str, Any]
    reply: _Reply
    over: threading.Event = field(default_factory=threading.Event)


class _Worker:
    def __init__(
        self, make: Callable[[], Any], home: str, root: Path | None, idle_seconds: float, log: WorkerLog | None
    ) -> None:
        self._home = home
        self._path = address_file(home)
        self._store = RunStore(Home(home))
        self._target = Target(make, None if root is None else sources_of(root))
        self._idle_seconds = idle_seconds
        self._log = log or WorkerLog(self._path.with_name("worker.log"))
        self._runs: queue.SimpleQueue[_Run | None] = queue.SimpleQueue()
        self._counts = threading.Condition()
        self._record: RunRecord | None = None
        self._running = 0  # runs admitted and not over
        self._requests = 0
        self._stopping = False
        self._last_used = time.monotonic()

    def serve(self, on_idle: Callable[[], Any]) -> None:
        with socket.create_server((HOST, 0), backlog=64) as listener:
            pid = os.getpid()
            port = int(listener.getsockname()[1])
            mark = start_mark(pid) or ""
            self._address = Address(pid, mark, time.time(), port, secrets.token_urlsafe(32), code_version())
            self._address.write(self._path)
            threading.Thread(target=self._accept, args=(listener,), name="packyak-accept", daemon=True).start()
            background = Background(self._home, self._target.use, lambda: self._running > 0, self._counted)
            try:
                self._prepare()
                background.start()
                if self._work():
                    on_idle()
            finally:
                self._stopping = True
                background.stop()
                if read_address(self._path) == self._address:
                    with contextlib.suppress(OSError):
                        self._path.unlink(missing_ok=True)

    def terminate(self, *_: object) -> NoReturn:
        """Ends the process from the main thread, wherever that is."""
        self._stopping = True
        raise KeyboardInterrupt  # which a user's code does not raise, as it may SystemExit

    def _prepare(self) -> None:
        """Loads what the first request will want, while nobody waits for it."""
        signal.signal(signal.SIGTERM, self.terminate)
        threading.Thread(target=_warm_up, name="packyak-warm", daemon=True).start()
        with contextlib.suppress(Exception), self._target.use():
            pass  # an error in the user's file is told to whoever asks

    def _work(self) -> bool:
        """Runs what is asked for; answers whether it ended for want of work."""
        while not self._stopping:
            try:
                run = self._runs.get(timeout=1.0)
            except queue.Empty:
                if read_address(self._path) != self._address:
                    return False  # the home was moved or removed, or belongs to another worker now
                if not self._requests and time.monotonic() - self._last_used > self._idle_seconds:
                    return True
                continue
            if run is not None:
                self._do(run)
        return False

    def _do(self, run: _Run) -> None:
        """One run, in the main thread. Its end is told last: whoever hears of it may ask for the next run at once."""
        last: dict[str, Any] = {}
        try:
            last = {"type": "result", "value": wire.pack(self._outcome(run))}
        except Exception as error:
            self._settle("cancelled" if isinstance(error, RunCancelled) else "failed", str(error))
            last = {"type": "error"} | wire.pack_error(error)
        except BaseException:
            self._settle("cancelled", "The worker was told to end.")
            last = {"type": "error"} | wire.pack_error(RunCancelled("the run was cancelled: its worker ended"))
            raise
        finally:
            self._log.flush()
            self._log.listener, self._log.run, self._record = None, "", None
            with self._counts:
                self._running -= 1
                self._counts.notify_all()
            run.reply.send(last)
            run.over.set()

    def _outcome(self, run: _Run) -> Any:
        """What the run answers, in the environment of the process that asked for it."""
        with _environment(run.message.get("environment")), self._target.use(newest=True) as target:
            self._log.listener = run.reply.output
            call = getattr(_acting(target, run.message), run.message.get("method", "run"))
            arguments, named = _arguments(run.message)
            if wait := run.message.get("wait"):
                named["wait"] = wait  # the project may be held by another process than this one
            return call(*arguments, on_progress=lambda record: self._progress(run, record), **named)

    def _progress(self, run: _Run, record: RunRecord) -> None:
        self._record, self._log.run = record, record.id
        run.reply.send({"type": "progress", "record": wire.pack(record)})

    def _settle(self, state: Any, error: str) -> None:
        """A run that ended without writing so itself: its function was cut short."""
        if self._record is None:
            return
        written = self._store.get(self._record.id)
        if written is not None and written.is_open:
            self._store.finish(written, state, error)

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with self._counted(), connection:
            self._respond(connection, _Reply(connection))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        """Something that the process must not end during."""
        with self._counts:
            self._requests += 1
        try:
            yield
        finally:
            with self._counts:
                self._requests -= 1
            self._last_used = time.monotonic()

    def _respond(self, connection: socket.socket, reply: _Reply) -> None:
        try:
            if (message := self._read(connection)) is not None:
                self._dispatch(message, reply)
        except Exception as error:
            reply.send({"type": "error"} | wire.pack_error(error))

    def _read(self, connection: socket.socket) -> Mapping[str, Any] | None:
        """The request, None for whoever cannot show the token."""
        connection.settimeout(REQUEST_SECONDS)
        with connection.makefile("rb") as lines:
            # The token comes first and alone, so that nothing long is read for a stranger.
            if not hmac.compare_digest(lines.readline(200).strip(), self._address.token.encode()):
                return None
            message = json.loads(lines.readline(REQUEST_BYTES))
        connection.settimeout(SEND_SECONDS)
        return message if isinstance(message, dict) else None

    def _dispatch(self, message: Mapping[str, Any], reply: _Reply) -> None:
        match message.get("op"):
            case "run":
                self._admit(message, reply)
            case "call":
                reply.result(self._call(message))
            case "ping":
                record = self._record
                reply.result({"pid": self._address.pid, "busy": self._running > 0, "run": record and record.id})
            case "cancel":
                reply.result(self._cancel(message.get("run")))
            case "stop":
                self._stop(reply)
            case other:
                raise PackyakError(f"the worker cannot do {other!r}", choices=("run", "call", "ping", "cancel", "stop"))

    def _admit(self, message: Mapping[str, Any], reply: _Reply) -> None:
        run = _Run(message, reply)
        with self._counts:
            if self._stopping:
                raise NoWorker("the worker is ending")
            wait = message.get("wait") or 0
            if self._running and wait is not True and not self._counts.wait_for(lambda: not self._running, wait):
                raise self._busy()
            self._running += 1
            self._runs.put(run)
        run.over.wait()

    def _busy(self) -> RunBusy:
        name = self._record.id if self._record else "which is starting"
        return RunBusy(
            f"the run {name} holds the project",
            next_step="wait for it with --wait, or stop it with `packyak run --cancel`",
            holder={"run": name, "pid": self._address.pid},
        )

    def _call(self, message: Mapping[str, Any]) -> Any:
        name = str(message.get("method"))
        if name.startswith("_"):
            raise PackyakError(f"{name!r} is private")
        with self._target.use() as target:
            found = getattr(_acting(target, message), name)
            arguments, named = _arguments(message)
            return found(*arguments, **named) if callable(found) else found

    def _cancel(self, run_id: str | None) -> str | None:
        run_id = run_id or (self._record.id if self._record else None)
        if run_id:
            self._store.request_cancel(run_id)
        return run_id

    def _stop(self, reply: _Reply) -> None:
        """Answers before the main thread hears of it: the process, and this thread with it, may end at once then."""
        with self._counts:
            if self._running:
                raise self._busy()
            reply.result(True)
            self._stopping = True
            self._runs.put(None)


class _Reply:
    """The lines that go back. A client that went away is no reason to stop a run."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._open = True

    def send(self, message: Mapping[str, Any]) -> None:
        with self._lock:
            if not self._open:
                return
            try:
                self._connection.sendall(wire.line(message))
            except OSError:
                self._open = False

    def output(self, text: str) -> None:
        self.send({"type": "output", "text": text})

    def result(self, value: Any) -> None:
        self.send({"type": "result", "value": wire.pack(value)})


def _acting(target: Any, message: Mapping[str, Any]) -> Any:
    """What is served, with the one who asks in place of the one who started this process."""
    person, acting = message.get("person"), getattr(target, "acting", None)
    return acting(str(person)) if person and callable(acting) else target


def _arguments(message: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    return wire.unpack(message.get("args") or []), wire.unpack(message.get("kwargs") or {})


@contextlib.contextmanager
def _environment(wanted: Mapping[str, str] | None) -> Iterator[None]:
    """The environment of whoever asked, so that `KEY=... packyak run` means the same with a worker as without."""
    before = dict(os.environ)
    try:
        if wanted is not None:
            _become(wanted)
        yield
    finally:
        _become(before)


def _become(wanted: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(wanted):
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _warm_up() -> None:
    for name in WARM:
        with contextlib.suppress(Exception):
            import_module(name)


def open_project(root: str, home: str) -> Any:
    """The project that a worker serves."""
    return import_module("packyak.engine.project").Project.open(root, home=home)


def main(arguments: list[str] | None = None) -> int:
    """The process itself."""
    parser = argparse.ArgumentParser(
        prog="packyak.engine.run.worker.serve", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--root", required=True)
    parser.add_argument("--home", required=True)
    parser.add_argument("--idle-minutes", type=float, default=IDLE_MINUTES)
    parser.add_argument(
        "--serve", default="packyak.engine.run.worker.serve:open_project", help="what makes the served object"
    )
    asked = parser.parse_args(arguments)
    module, _, name = asked.serve.partition(":")
    log = WorkerLog(address_file(asked.home).with_name("worker.log"))
    log.take_over()
    try:
        serve(
            lambda: getattr(import_module(module), name)(asked.root, asked.home),
            asked.home,
            root=Path(asked.root),
            idle_minutes=asked.idle_minutes,
            log=log,
            on_idle=PrefectServer(asked.home).stop,
        )
    except KeyboardInterrupt:
        return TOLD_TO_END
    return 0


if __name__ == "__main__":
    sys.exit(main())
