"""What a user's code prints in the worker: into one log of bounded size, each line with its time and run.

Whoever started the run may listen. Output that passes Python by (a library's own messages, a crash) reaches the same
file.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

LOG_BYTES = 2_000_000  # of each of two files
LINE_CHARACTERS = 20_000


class WorkerLog:
    """The log of one worker. run: the name of the run that is on; listener: told each line as it is printed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = ""
        self.listener: Callable[[str], None] | None = None
        self._lock = threading.RLock()
        self._begun: dict[int, str] = {}  # by thread, so that lines printed at the same time do not mix

    def take_over(self) -> None:
        """Sends everything this process prints into the log from now on."""
        self._open()
        sys.stdout = _Stream(self)
        sys.stderr = _Stream(self)

    def write(self, text: str) -> None:
        """Adds printed text; whole lines of it reach the file and the listener."""
        with self._lock:
            thread = threading.get_ident()
            *lines, rest = (self._begun.pop(thread, "") + text).split("\n")
            self._begun[thread] = rest[-LINE_CHARACTERS:]
            self._emit(lines)

    def flush(self) -> None:
        """Ends the lines that were begun."""
        with self._lock:
            lines = [line for line in self._begun.values() if line]
            self._begun.clear()
            self._emit(lines)

    def _emit(self, lines: list[str]) -> None:
        for line in lines:
            shown = line.rstrip("\r").rpartition("\r")[2]  # of a progress bar that redraws its line, the last drawing
            head = f"{datetime.now():%Y-%m-%d %H:%M:%S} {self.run or '-'} "
            os.write(1, f"{head}{shown}\n".encode(errors="replace"))
            if self.listener is not None:
                self.listener(f"{shown}\n")
        if lines:
            self.bound()

    def bound(self) -> None:
        """Begins a new file when the present one is full; the one before it is kept."""
        with self._lock:
            if os.fstat(1).st_size > LOG_BYTES:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                self._open()

    def _open(self) -> None:
        file = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


class _Stream(io.TextIOBase):
    """Standard output and error of the worker."""

    def __init__(self, log: WorkerLog) -> None:
        self._log = log

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1

    def write(self, text: str) -> int:
        self._log.write(text)
        return len(text)
