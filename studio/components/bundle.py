"""A component's script, put together from its modules when it is first shown: no build step, no second server.

Streamlit takes one script a component. Here each noun has its own file, an ordinary ES module; the files that a module
imports come before it, import lines and `export` words go. Top-level names must be unique within a component: the
browser refuses a script in which they are not.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]*\} from "(\./|\.\./)([\w/.-]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def script(entry: Path) -> str:
    """The script of `entry` with everything that it imports."""
    parts: dict[Path, str] = {}
    _add(entry.resolve(), parts)
    return "\n".join(parts.values())


def _add(file: Path, parts: dict[Path, str]) -> None:
    if file in parts:
        return
    text = file.read_text(encoding="utf-8")
    parts[file] = ""  # holds off a circle of imports
    for above, name in IMPORT.findall(text):
        _add((file.parent / above / name).resolve(), parts)
    del parts[file]  # to the end, after what it needs
    parts[file] = EXPORT.sub("", IMPORT.sub("", text))


@cache
def text(file: Path) -> str:
    """A file's text, such as a style sheet."""
    return file.read_text(encoding="utf-8")
