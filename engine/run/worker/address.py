"""Where a home's worker listens: a private file that names its process, port and token. Standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from packyak.engine.run.process import is_running
from packyak.engine.store.machine import machine_folder, write_private

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Address:
    """A worker's paper. started: seconds since 1970; version: of the code it runs."""

    pid: int
    mark: str
    started: float
    port: int
    token: str
    version: str

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return is_running(self.pid, self.mark)

    def write(self, path: Path) -> None:
        """Makes the worker known to its owner, and to nobody else."""
        write_private(path, json.dumps(asdict(self)).encode())


def address_file(home: str) -> Path:
    """Where the worker of a home leaves its address."""
    return machine_folder(home) / "worker.json"


def read_address(path: Path) -> Address | None:
    """The address in a file, None where there is none that can be understood."""
    try:
        return Address(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


@cache
def code_version() -> str:
    """Names the code of this engine and the Python that runs it: a worker of another one is not asked anything."""
    engine = Path(__file__).parents[2]
    newest = 0
    for folder, _, names in os.walk(engine):
        for name in names:
            if name.endswith(".py"):
                with contextlib.suppress(OSError):
                    newest = max(newest, os.stat(f"{folder}/{name}").st_mtime_ns)  # noqa: PTH116 (a hundred files)
    return f"{sys.executable} {engine} {newest}"
