"""The first gate: is there anything to do at all? Answered from one small file, before any heavy import.

After a run that left everything up to date, `gate.json` in the home holds what that rested on: the content of every
source file of the project, the listing of every bucket it reads, the position of the correction log, settings,
Python, and the state of the installed libraries. If all of it is the same, nothing is stale. A doubt (a file modified
in the last seconds, a damaged gate) means looking properly. Standard library only; the user's modules are not
imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from packyak.engine.store.home import Home

NAME = "gate.json"
RECENT_NS = 2_000_000_000


def write_gate(
    home: Home,
    *,
    sources: Iterable[str],
    buckets: Iterable[tuple[str, str]],
    modules: Iterable[str],
    summary: Mapping[str, Any],
    until: datetime | None = None,
) -> bool:
    """Notes that everything is up to date, given what was read. False (and no gate) where a file is too fresh to be
    trusted. until: when a function on a clock is to be called.
    """
    listings = {}
    for bucket, pattern in buckets:
        listing = _listing(home, bucket, pattern)
        if listing is None:
            return False
        listings[f"{bucket}/{pattern}"] = [bucket, pattern, listing]
    facts = {
        "sources": {path: _content(path) for path in sources},
        "buckets": listings,
        "modules": list(modules),
        "corrections": _position(home),
        "published": _published(home),
        "promotions": _promotions(home),
        "environment": _environment(),
        "until": until.timestamp() if until else None,
        "summary": dict(summary),
    }
    home.write(NAME, json.dumps(facts).encode())
    return True


def close_gate(home: Home) -> None:
    """A run is about to change things: the next look must be a proper one."""
    if home.read(NAME) is not None:
        home.remove(NAME)


def nothing_to_do(home: Home, modules: Iterable[str]) -> dict[str, Any] | None:
    """The summary of the last run when nothing has changed since, else None."""
    data = home.read(NAME)
    if data is None:
        return None
    try:
        facts = json.loads(data)
        same = (
            facts["modules"] == list(modules)
            and (facts["until"] is None or time.time() < facts["until"])
            and facts["environment"] == _environment()
            and facts["published"] == _published(home)
            and facts["corrections"] == _position(home)
            and facts["promotions"] == _promotions(home)
            and all(_content(path) == content for path, content in facts["sources"].items())
            and all(
                _listing(home, bucket, pattern) == listing for bucket, pattern, listing in facts["buckets"].values()
            )
        )
        return dict(facts["summary"]) if same else None
    except (ValueError, KeyError, TypeError):
        return None


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib would cost a third of this gate's time)
            return hashlib.blake2b(file.read(), digest_size=16).hexdigest()
    except OSError:
        return ""


def _listing(home: Home, bucket: str, pattern: str) -> str | None:
    """A hash over key, size and time of every file; None where one was modified a moment ago."""
    from packyak.engine.store.files import BucketFolder

    state = hashlib.blake2b(digest_size=16)
    limit = time.time_ns() - RECENT_NS
    for stat in sorted(BucketFolder(home, bucket).scan(pattern), key=lambda each: each.key):
        if stat.mtime_ns > limit:
            return None
        state.update(f"{len(stat.key)}:{stat.key}:{stat.size}:{stat.mtime_ns};".encode())
    return state.hexdigest()


def _position(home: Home) -> str:
    names = home.names("corrections", ".jsonl")
    return hashlib.blake2b("\n".join(names).encode(), digest_size=16).hexdigest()


def _promotions(home: Home) -> str:
    return max(home.names("promotions", ".json"), default="")


def _published(home: Home) -> str:
    return max(home.names("published", ".json"), default="")


def _environment() -> dict[str, Any]:
    """What else a result rests on: Python, settings in the environment, and the installed libraries by their folders'
    times.
    """
    folders = (Path(path) for path in sys.path if path.endswith("-packages"))
    libraries = {str(folder): folder.stat().st_mtime_ns for folder in folders if folder.is_dir()}
    settings = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith("PACKYAK_") and name != "PACKYAK_HOME"
    }
    return {"python": sys.version, "libraries": libraries, "settings": settings}
