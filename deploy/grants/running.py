"""Runs units of a project under roles, from here: one process is loaded once, and each role gets a fork of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packyak.engine.errors import PackyakError

Ask = Callable[[dict[str, Any]], dict[str, Any]]


class Runners:
    """Starts processes that act as roles. Use as a context manager."""

    def __init__(self, root: Path, home: str) -> None:
        if not hasattr(os, "fork"):
            raise PackyakError("a proof needs Linux or macOS", next_step="run it there, or in a container")
        self._folder = tempfile.TemporaryDirectory(prefix="packyak-")
        self._path = f"{self._folder.name}/runner"
        command = [sys.executable, "-m", "packyak.deploy.grants.runner", str(root), home, self._path]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_clean_environment(), cwd=root
        )

    def __enter__(self) -> Runners:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise _ended()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._folder.cleanup()

    @contextmanager
    def under(self, role: Mapping[str, str]) -> Iterator[Ask]:
        """A process with these variables, for as long as the block runs."""
        with socket.socket(socket.AF_UNIX) as talk:
            talk.connect(self._path)
            with talk.makefile("rw", encoding="utf-8") as lines:

                def ask(request: dict[str, Any]) -> dict[str, Any]:
                    lines.write(json.dumps(request) + "\n")
                    lines.flush()
                    line = lines.readline()
                    if not line:
                        raise _ended()
                    found: dict[str, Any] = json.loads(line)
                    return found

                lines.write(json.dumps(dict(role)) + "\n")
                lines.flush()
                yield ask


def _ended() -> PackyakError:
    return PackyakError("the process that runs the project ended", next_step="its last words are above")


def _clean_environment() -> dict[str, str]:
    """Nothing of the user's own account reaches the runs."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return own | {"PACKYAK_PREFECT": "off", "PACKYAK_WORKER": "off"}
