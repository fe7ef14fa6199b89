"""What belongs to one machine rather than to a home: the papers of its processes, private files, locks.

Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # no such locks on Windows: two starters may then start two processes, of which one is forgotten
    fcntl = None  # type: ignore[assignment]


def machine_folder(uri: str) -> Path:
    """Where this machine keeps papers of its own processes: the home itself, or a cache folder for a cloud home."""
    if "://" not in uri:
        return Path(uri).expanduser().absolute()
    import hashlib

    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    name = hashlib.sha256(uri.rstrip("/").encode()).hexdigest()[:16]
    return Path(cache_home).expanduser() / "packyak" / name


def write_private(path: Path, data: bytes) -> None:
    """Replaces a file that only its owner may read, at once."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{time.monotonic_ns()}")
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(data)
    temporary.replace(path)


@contextlib.contextmanager
def only_one(path: Path, wait: bool = True) -> Iterator[bool]:
    """Holds a lock on this machine for as long as the block runs; the system lets go of it when the process dies.

    Without `wait` it yields False at once where another process holds it.
    """
    if fcntl is None:
        yield True
        return
    with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), "rb+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
