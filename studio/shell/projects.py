"""Which project the studio shows, and how it is opened, once, for all pages.

In order: the one picked on the Home page, `PACKYAK_PROJECT`, the nearest `packyak.toml` at or above the folder in which
the studio was started, the one opened last. An open project is kept until one of its source files changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from packyak.studio.shell import identity

if TYPE_CHECKING:
    from packyak.engine.project import Project

CHOSEN = "project_root"
MARKER = "packyak.toml"
SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "venv", "site-packages"})
RECENT = 8
MOST_SOURCES = 5000

Stamp = tuple[tuple[str, int, int], ...]


def current_root() -> Path | None:
    """The folder of the project to show; None when there is none yet."""
    chosen = st.session_state.get(CHOSEN)
    if chosen:
        return Path(chosen)
    found = _from_environment() or nearest(Path.cwd())
    if found is None and not identity.signs_in():
        found = next(iter(recent()), None)
    if found is not None:
        st.session_state[CHOSEN] = str(found)
    return found


def _from_environment() -> Path | None:
    named = os.environ.get("PACKYAK_PROJECT")
    return Path(named).expanduser().resolve() if named else None


def nearest(folder: Path) -> Path | None:
    """The folder at or above `folder` that holds a `packyak.toml`."""
    return next((place for place in (folder, *folder.parents) if (place / MARKER).is_file()), None)


def choose(root: Path) -> None:
    """Show this project from now on, here and the next time that the studio starts."""
    st.session_state.clear()
    st.session_state[CHOSEN] = str(root)
    remember(root)


def recent() -> list[Path]:
    """The projects opened last, newest first, as far as they still exist."""
    try:
        names = json.loads(_recent_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [Path(name) for name in names if isinstance(name, str) and (Path(name) / MARKER).is_file()]


def remember(root: Path) -> None:
    """Put `root` first in the list of recent projects. A place that cannot be written is no reason to fail."""
    names = [str(root), *(str(place) for place in recent() if place != root)][:RECENT]
    file = _recent_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(names, indent=1), encoding="utf-8")
        fresh.replace(file)
    except OSError:
        return


def _recent_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME")
    folder = Path(state) if state else Path.home() / ".local" / "state"
    return folder / "packyak" / "recent.json"


def sources(root: Path) -> Iterator[Path]:
    """The files whose change means that the project must be read again."""
    found = 0
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in SKIPPED)
        for name in sorted(files):
            if name.endswith(".py") or name == MARKER:
                yield Path(folder) / name
                found += 1
        if found > MOST_SOURCES:
            return


def stamp(root: Path) -> Stamp:
    """What the sources look like from outside: names, times, sizes."""
    seen = []
    for path in sources(root):
        try:
            stat = path.stat()
        except OSError:  # gone since it was listed
            continue
        seen.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(seen)


def open_project(root: Path) -> Project:
    """The project in `root`, opened once per state of its sources, asked by whoever sits here.

    Raises what the engine raises: errors are not kept, so a mended file works at the next try.
    """
    project = identity.for_person(_open(str(root), stamp(root)))
    project.require("status")
    return project


@st.cache_resource(max_entries=4, show_spinner="Opening the project")
def _open(root: str, seen: Stamp) -> Project:
    from packyak.engine.project import Project

    return Project.open(Path(root))
