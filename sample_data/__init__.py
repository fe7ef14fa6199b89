"""The sample project: what the README shows, what the tutorial walks through, and what many tests run on.

`create` writes a complete project into a folder: `pipeline.py`, `packyak.toml`, the bucket `inbox` with 1,500 invented
customer messages in the shapes in which three systems left them, and `truth.csv`, which the pipeline does not read.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from packyak.sample_data import generate

__all__ = ["create"]


def create(folder: Path | str, *, tickets: int = generate.TICKETS, seed: int = generate.SEED) -> Path:
    """Write the sample project into `folder`, made if need be, and return its path.

    The same `tickets` and `seed` give the same bytes and the same times of change. Files that are already there stay.
    """
    root = Path(folder)
    found = generate.tickets(seed, tickets)
    for name in ("pipeline.py", "packyak.toml"):
        _write(root / name, resources.files(__name__).joinpath(name).read_bytes())
    _write(root / "truth.csv", generate.truth(found))
    for file in generate.files(found, seed):
        _write(root / ".packyak" / "buckets" / "inbox" / file.name, file.data, file.modified)
    return root


def _write(path: Path, data: bytes, modified: datetime | None = None) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if modified is not None:
        stamp = modified.replace(tzinfo=UTC).timestamp()
        os.utime(path, (stamp, stamp))
