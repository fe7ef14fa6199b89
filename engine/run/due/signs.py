"""What may give a project something to do, as one short text: it differs when anything has changed.

Files in buckets, the project's own code, what people said, promotions of models, and the clock of its functions.
Looking costs a listing and no heavy import, so it can be done every other second. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packyak.engine.store.home import Home

NEXT = "functions/next"  # when the first function on a clock is due, in seconds since 1970
SETTLED_SECONDS = 2.0
NOT_CODE = ("node_modules", "venv", "site-packages", "__pycache__")


def signs_of(home: Home, root: Path) -> str | None:
    """The text; None while a file is so new that somebody may still be writing it."""
    state = hashlib.blake2b(digest_size=16)
    latest = (time.time() - SETTLED_SECONDS) * 1e9
    for name, size, changed in sorted(home.walk("buckets")):
        if changed > latest:
            return None
        state.update(f"{len(name)}:{name}:{size}:{changed};".encode())
    for path in sorted(_code(root)):
        found = path.stat()
        state.update(f"{path}:{found.st_size}:{found.st_mtime_ns};".encode())
    for folder, suffix in (("corrections", ".jsonl"), ("promotions", ".json")):
        state.update("\n".join(home.names(folder, suffix)).encode())
    state.update(_moment(home))
    return state.hexdigest()


def _code(root: Path) -> Iterator[Path]:
    if (root / "packyak.toml").is_file():
        yield root / "packyak.toml"
    for folder, below, files in os.walk(root):
        below[:] = [each for each in below if not each.startswith(".") and each not in NOT_CODE]
        yield from (Path(folder) / each for each in files if each.endswith(".py"))


def _moment(home: Home) -> bytes:
    """The next call of a function on a clock, and whether its time has come."""
    at = home.read(NEXT)
    return b"" if not at else at + (b" due" if float(at) <= time.time() else b"")
