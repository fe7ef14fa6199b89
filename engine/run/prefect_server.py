"""The one Prefect server of a home: started once, in the background, found again by every process.

It listens on 127.0.0.1 only, keeps its database in the home, reports to nobody, and runs without Prefect's background
services: those serve schedules, automations and work pools, which Packyak does not use, and they double the idle load.
Flow and task runs written through the REST API persist without them. Standard library only: Prefect is not imported.

Measured (Prefect 3.8.8, 2 cores): first start 17 CPU s (it migrates a new database), later starts 6; idle 0.013 CPU s a
second with the services off, 0.03 with them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packyak.engine.run.process import end, is_running, spawn, start_mark, wait_until
from packyak.engine.store.machine import machine_folder, only_one, write_private

if TYPE_CHECKING:
    from packyak.engine.store.home import Home

HOST = "127.0.0.1"
START_SECONDS = 180.0
RETRY_SECONDS = 300.0  # a server that died before it answered is not tried again sooner: each try costs CPU seconds
LOG_BYTES = 2_000_000
FLAGS = ("--no-ui", "--no-services", "--analytics-off", "--host", HOST)
SETTINGS = {
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_API_HOST": HOST,
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True)
class ServerStatus:
    """How the server stands. starting: it does not answer yet; failed: it ended before it ever answered."""

    state: Literal["absent", "starting", "ready", "failed"]
    pid: int | None = None
    url: str | None = None
    log: str = ""


@dataclass(frozen=True)
class _Paper:
    pid: int
    mark: str
    port: int
    started: float
    answered: bool = False

    @property
    def alive(self) -> bool:
        return is_running(self.pid, self.mark)


class PrefectServer:
    """The Prefect server of a home."""

    def __init__(self, home: Home | str) -> None:
        self.folder = machine_folder(home if isinstance(home, str) else home.uri) / "prefect"

    @property
    def log(self) -> Path:
        """What the server had to say."""
        return self.folder / "server.log"

    def ensure(self, background: bool = True) -> None:
        """Sees to it that the server runs; returns at once, or without `background` when it answers or has failed.

        It never raises: without a server runs are not shown in Prefect, and that is all.
        """
        with contextlib.suppress(OSError):
            self._bound_log()
            self.folder.mkdir(parents=True, exist_ok=True)
            with only_one(self.folder / "server.lock"):
                paper = self._paper()
                if paper is None or not (paper.alive or _failed_lately(paper)):
                    self._start()
        if not background:
            self.wait()

    def wait(self, seconds: float = START_SECONDS) -> str | None:
        """The address of the API once the server answers; None when it does not within `seconds` or has failed."""
        wait_until(lambda: self.status().state != "starting", seconds, pause=0.2)
        return self.url()

    def url(self) -> str | None:
        """The address of the API, None while no healthy server runs."""
        return self.status().url

    def status(self) -> ServerStatus:
        """How the server stands now."""
        paper = self._paper()
        if paper is None:
            return ServerStatus("absent")
        if not paper.alive:
            return ServerStatus("failed", log=str(self.log)) if _failed_lately(paper) else ServerStatus("absent")
        if not _answers(paper.port):
            return ServerStatus("starting", paper.pid, log=str(self.log))
        if not paper.answered:
            self._write(replace(paper, answered=True))
        return ServerStatus("ready", paper.pid, f"http://{HOST}:{paper.port}/api", str(self.log))

    def stop(self) -> bool:
        """Ends the server, if it is ours; answers whether none is left."""
        paper = self._paper()
        gone = paper is None or end(paper.pid, paper.mark)
        if gone:
            with contextlib.suppress(OSError):
                (self.folder / "server.json").unlink(missing_ok=True)
        return gone

    def _start(self) -> None:
        port = _free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        command = [sys.executable, "-P", "-m", "prefect", "server", "start", *FLAGS]
        pid = spawn(
            [*command, "--port", str(port)],
            folder=self.folder,  # settings in a prefect.toml of the user's folder must not reach it
            log=self.log,
            environment=environment | SETTINGS | {"PREFECT_HOME": str(self.folder)},
        ).pid
        self._write(_Paper(pid, start_mark(pid) or "", port, time.time()))

    def _paper(self) -> _Paper | None:
        try:
            return _Paper(**json.loads((self.folder / "server.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, paper: _Paper) -> None:
        write_private(self.folder / "server.json", json.dumps(asdict(paper)).encode())

    def _bound_log(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_BYTES:
                os.truncate(self.log, 0)  # the server appends, so it goes on at the new end


def _failed_lately(paper: _Paper) -> bool:
    return not paper.answered and time.time() - paper.started < RETRY_SECONDS


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().read() == b"true"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
