"""The home of a project whose packyak.toml is wrong: what runs there can still be ended. Standard library only."""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packyak.cli.place import Place
from packyak.engine.errors import SettingError
from packyak.engine.settings import BY_NAME, Role, find_config, read_roles, resolve


def place_anyway(project: str | Path | None, home: str | None) -> Place | None:
    """The project with the home that the command, the environment, or what can be read of the file names; None where
    there is no file at all. Roles that cannot be read are nobody's: whoever may end a process here may end it.
    """
    file = find_config(Path(project or "."))
    if file is None:
        return None
    written = _readable(file)
    settings = written.get("settings")
    settings = settings if isinstance(settings, Mapping) else {}
    given = None if not home else home if "://" in home else str(Path(home).expanduser().absolute())
    chosen = given or _text("home", settings, written) or str(BY_NAME["home"].default)
    named = {"home": chosen, "person": _text("person", settings)}
    roles: Mapping[Role, tuple[str, ...]] = {}
    if "roles" in written:
        with contextlib.suppress(SettingError):
            roles = read_roles(written["roles"], str(file))
    uri = chosen if "://" in chosen else str(file.parent / chosen)
    return Place(file.parent, file.parent.name, (), resolve(None, named, environment={}), uri, given, roles)


def _text(name: str, *places: Mapping[str, Any]) -> str | None:
    every = [os.environ.get(BY_NAME[name].variable), *(each.get(name) for each in places)]
    return next((each for each in every if isinstance(each, str) and each), None)


def _readable(file: Path) -> Mapping[str, Any]:
    """What the file says without the lines that are wrong."""
    try:
        lines = file.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return {}
    kept: list[str] = []
    found: Mapping[str, Any] = {}
    for line in lines:
        with contextlib.suppress(tomllib.TOMLDecodeError):
            found = tomllib.loads("\n".join([*kept, line]))
            kept.append(line)
    return found
