"""Which project and which home a command is about, found out before any heavy import. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packyak.engine.errors import ProjectNotFound, SettingError
from packyak.engine.settings import Role, Settings, find_config, load_config, resolve

DEFAULT_MODULES = ("pipeline",)


@dataclass(frozen=True)
class Place:
    """A project's folder and its home. given: the home as an argument of the command, None where there was none. roles:
    who has which, as packyak.toml says."""

    root: Path
    name: str
    modules: tuple[str, ...]
    settings: Settings
    home: str
    given: str | None = None
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)

    @property
    def uses_worker(self) -> bool:
        """Whether a warm process may do the work: it serves homes on this machine."""
        return self.settings["worker"] != "off" and "://" not in self.home


def find_place(project: str | Path | None = None, home: str | None = None) -> Place:
    """The project in a folder (default: here) or above it.

    Raises ProjectNotFound, and SettingError for what its packyak.toml says wrongly.
    """
    start = Path(project or ".")
    file = find_config(start)
    if file is None:
        where = start.resolve()
        found = "there is no packyak.toml in" if where.is_dir() else "there is no folder"
        above = " or above it" if where.is_dir() else ""
        raise ProjectNotFound(
            f"{found} {where}{above}",
            next_step="`packyak init` makes a project here, `packyak init --sample FOLDER` one to try, "
            "and --project FOLDER names one elsewhere",
        )
    config = load_config(file)
    for option, value in (("--project", project), ("--home", home)):
        if value is not None and not str(value).strip():
            raise SettingError(f"{option} is empty", next_step="name a place, or leave the option away")
    given = None if home is None else home if "://" in home else str(Path(home).expanduser().absolute())
    settings = resolve(config, {"home": given})
    chosen = str(settings["home"])
    uri = chosen if "://" in chosen else str(config.root / chosen)
    return Place(config.root, config.name, config.modules or DEFAULT_MODULES, settings, uri, given, config.roles)
