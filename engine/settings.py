"""One table of settings, and where each value comes from: argument > environment > packyak.toml > default.

`packyak.toml` lies in the project's folder:

    name = "support"
    modules = ["pipeline"]

    [settings]
    home = ".packyak"

Everything here is light: it is read before any heavy import, so that a run with nothing to do ends at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from packyak.engine.errors import SettingError, nearest

CONFIG_FILE = "packyak.toml"
PREFIX = "PACKYAK_"
PROJECT_VARIABLE = "PACKYAK_PROJECT"  # which project the studio opens: a place, not a setting of one
OTHER_VARIABLES = (PROJECT_VARIABLE, "PACKYAK_UNIT")  # what a container in the cloud is told
OTHER_PREFIXES = ("PACKYAK_STUDIO_", "PACKYAK_SECRET_", "PACKYAK_BENCH_")
Origin = Literal["argument", "environment", "packyak.toml", "default"]
Value: TypeAlias = str | int | float | None
Role = Literal["viewer", "reviewer", "engineer", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "reviewer", "engineer", "admin")


@dataclass(frozen=True)
class Setting:
    """One setting. type: text | count | number | auto-or-off | auto-off-or-url | auto-or-count | share-or-count |
    ask-or-rule | names. A default of None is found out when it is asked for."""

    name: str
    default: Value
    type: str
    help: str

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("home", ".packyak", "text", "Where the data lives: a folder, relative to the project's, or s3://bucket/prefix."),
    Setting("person", None, "text", "Who makes corrections; by default the user of this machine."),
    Setting("prefect", "auto", "auto-off-or-url", "auto: a local server of its own; off: none; or an API's URL."),
    Setting("prefect_wait_seconds", 60, "number", "How long a run waits for the local Prefect server to answer."),
    Setting("worker", "auto", "auto-or-off", "auto: one warm process a project does the work; off: each command does."),
    Setting("worker_idle_minutes", 15, "number", "After how long without work the warm process ends."),
    Setting("batch_rows", 10_000, "count", "How many records are handed to one batch at most."),
    Setting("threads", "auto", "auto-or-count", "Threads for SQL; auto: one for each core."),
    Setting("processes", "auto", "auto-or-count",
            "Processes sharing the records of a function that computes for long; auto: one for each core, 1: none."),
    Setting("lock_ttl_seconds", 60, "number", "After how long without a sign of life a run's lock is free again."),
    Setting("retries", 0, "whole", "How often a run calls again what raised, where the asset says no retries= itself."),
    Setting("retry_wait_seconds", 2, "number", "How long it waits before it calls again."),
    Setting("failed_records_limit", 1.0, "share-or-count",
            "How many records of an asset may fail before the asset does: a share up to 1, else a count. "
            "An asset's own failures_allowed= comes first."),
    Setting("keep_versions", 20, "count", "How many versions of each asset are kept to look back at."),
    Setting("learn", "auto", "auto-or-off",
            "auto: a run refits a learned transform once enough corrections came; off: only `packyak learn`."),
    Setting("promote", "auto", "auto-or-off",
            "auto: a model that the gate finds not worse answers; off: a person promotes it."),
    Setting("disagreements", "ask", "ask-or-rule",
            "Where people differ on a field, the latest holds; ask: until a person settles it, else by this rule."),
    Setting("senior", None, "names", "With disagreements = senior: whose word holds, the first named first (a,b,c)."),
)  # fmt: skip
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}
_VARIABLES = frozenset(setting.variable for setting in SETTINGS)


@dataclass(frozen=True)
class Resolved:
    """A setting's value and where it came from. place: the variable or file that set it."""

    setting: Setting
    value: Any
    source: Origin
    place: str = ""


@dataclass(frozen=True)
class Config:
    """A project's `packyak.toml`; without one, its folder and defaults. cloud: as written, read by who deploys. roles:
    who has which; none where it says nothing, and then nobody is refused."""

    root: Path
    name: str
    modules: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    cloud: Mapping[str, Any] = field(default_factory=dict)
    roles: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)


class Settings:
    """Resolved settings: `settings["home"]`, `settings.source("home")`."""

    def __init__(self, resolved: Mapping[str, Resolved]) -> None:
        self.resolved = resolved

    def __getitem__(self, name: str) -> Any:
        return self.explain(name).value

    def source(self, name: str) -> Origin:
        return self.explain(name).source

    def explain(self, name: str) -> Resolved:
        """A setting with its source. Raises SettingError for a name that is none."""
        _known(name, "")
        return self.resolved[name]


def resolve(
    config: Config | None = None,
    arguments: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Every setting's value. arguments: given by the caller (None: not given). environment: by default the process's.

    Raises SettingError for unknown names and wrong values, saying where they stand.
    """
    variables = os.environ if environment is None else environment
    given = {name: value for name, value in (arguments or {}).items() if value is not None}
    written = dict(config.settings) if config else {}
    file = str(config.file) if config and config.file else ""
    for name in given:
        _known(name, "")
    for name in written:
        _known(name, file)
    return Settings({setting.name: _resolve(setting, given, variables, written, file) for setting in SETTINGS})


def _resolve(
    setting: Setting, given: Mapping[str, Any], variables: Mapping[str, str], written: Mapping[str, Any], file: str
) -> Resolved:
    name = setting.name
    if name in given:
        return Resolved(setting, read_value(setting, given[name], f"the argument {name}"), "argument", name)
    if variables.get(setting.variable, "") != "":
        value = read_value(setting, variables[setting.variable], f"the environment variable {setting.variable}")
        return Resolved(setting, value, "environment", setting.variable)
    if name in written:
        return Resolved(setting, read_value(setting, written[name], f"{name} in {file}"), "packyak.toml", file)
    return Resolved(setting, _person() if name == "person" else setting.default, "default")


def strange_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """What is said of each variable that reads like a setting and is none, so that it does nothing."""
    said = []
    for name in sorted(os.environ if environment is None else environment):
        known = name in OTHER_VARIABLES or name.startswith(OTHER_PREFIXES)
        if name.upper().startswith(PREFIX) and not known and name not in _VARIABLES:
            meant = nearest(name[len(PREFIX) :], BY_NAME)
            step = f"did you mean {BY_NAME[meant].variable}?" if meant else "`packyak settings` lists them."
            said.append(f"The environment variable {name} is no setting and does nothing; {step}")
    return said


def _person() -> str:
    """The user of this machine; in a container without accounts, `nobody`."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "nobody"


def read_value(setting: Setting, raw: Any, place: str) -> Any:
    """A value as the setting's type. Raises SettingError, naming the place."""
    reader, wanted = READERS[setting.type]
    try:
        if isinstance(raw, bool):
            raise ValueError
        return reader(raw)
    except (ValueError, TypeError):
        raise SettingError(
            f"{raw!r} is no value for {place}", next_step=f"give {wanted}", setting=setting.name, place=place
        ) from None


def _text(raw: Any) -> str:
    if not isinstance(raw, str | os.PathLike) or not str(raw):
        raise ValueError
    return os.fspath(raw)


def _count(raw: Any) -> int:
    value = _whole(raw)
    if value < 1:
        raise ValueError
    return value


def _whole(raw: Any) -> int:
    if isinstance(raw, float) or int(raw) < 0:
        raise ValueError
    return int(raw)


def _number(raw: Any) -> float:
    value = float(raw)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def _one_of(words: tuple[str, ...], otherwise: Callable[[Any], Any] | None = None) -> Callable[[Any], Any]:
    def read(raw: Any) -> Any:
        if raw in words:
            return raw
        if otherwise is None:
            raise ValueError
        return otherwise(raw)

    return read


def _url(raw: Any) -> str:
    if not str(raw).startswith(("http://", "https://")):
        raise ValueError
    return str(raw)


def _names(raw: Any) -> str:
    """Names in one text with commas between; a list in packyak.toml says the same."""
    parts = raw if isinstance(raw, list | tuple) else raw.split(",") if isinstance(raw, str) else None
    if parts is None or not all(isinstance(part, str) for part in parts):
        raise ValueError
    return ",".join(name for part in parts if (name := part.strip()))


READERS: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "text": (_text, "a text that is not empty"),
    "count": (_count, "a whole number from 1"),
    "whole": (_whole, "a whole number from 0"),
    "number": (_number, "a number from 0"),
    "share-or-count": (_number, "a share from 0 to 1, or a count"),
    "names": (_names, "names with commas between"),
    "ask-or-rule": (_one_of(("ask", "latest", "majority", "senior")), "ask, latest, majority or senior"),
    "auto-or-off": (_one_of(("auto", "off")), "auto or off"),
    "auto-off-or-url": (_one_of(("auto", "off"), _url), "auto, off or a URL such as http://127.0.0.1:4200/api"),
    "auto-or-count": (_one_of(("auto",), _count), "auto or a whole number from 1"),
}


def _known(name: str, file: str) -> None:
    if name not in BY_NAME:
        meant = nearest(name, BY_NAME)
        raise SettingError(
            f"There is no setting `{name}`", choices=BY_NAME, file=file,
            next_step=f"did you mean `{meant}`?" if meant else "see `packyak settings`",
        )  # fmt: skip


def find_config(start: str | Path) -> Path | None:
    """The nearest `packyak.toml` in a folder or above it."""
    folder = Path(start).resolve()
    for place in (folder, *folder.parents):
        if (place / CONFIG_FILE).is_file():
            return place / CONFIG_FILE
    return None


def load_config(path: str | Path) -> Config:
    """Reads a `packyak.toml`, or that of a folder. Raises SettingError with file and line where it is wrong."""
    import tomllib

    file = Path(path)
    file = (file / CONFIG_FILE if file.is_dir() else file).resolve()
    try:
        content = tomllib.loads(file.read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as problem:
        raise SettingError(f"This is no TOML: {problem}", next_step="mend that line", file=str(file)) from None
    except UnicodeDecodeError:
        raise SettingError("This file is not UTF-8", next_step="save it as UTF-8", file=str(file)) from None
    except OSError as problem:
        raise SettingError(
            f"It cannot be read: {problem.strerror}", next_step="run `packyak init` to make one", file=str(file)
        ) from None
    return _config(file, content)


def _config(file: Path, content: Mapping[str, Any]) -> Config:
    known = ("name", "modules", "settings", "cloud", "roles")
    for word in content:
        if word not in known:
            meant = nearest(word, known)
            inside = " Settings stand beneath [settings]." if word in BY_NAME else ""
            raise SettingError(
                f"There is no `{word}` at the top of this file.{inside}", choices=known, file=str(file),
                next_step=f"did you mean `{meant}`?" if meant else "take it away" if not inside else "move it there",
            )  # fmt: skip
    name, modules, settings = (
        content.get("name", file.parent.name),
        content.get("modules", []),
        content.get("settings", {}),
    )
    if not isinstance(name, str) or not name.strip():
        raise SettingError(f"name = {name!r} is no name", next_step='write it like name = "support"', file=str(file))
    if isinstance(modules, str) or not isinstance(modules, list) or not all(isinstance(each, str) for each in modules):
        raise SettingError(
            f"modules = {modules!r} is no list", next_step='write modules = ["pipeline"]', file=str(file)
        )
    if not isinstance(settings, Mapping):
        raise SettingError(
            f"settings = {settings!r} is no table", next_step="write a [settings] section", file=str(file)
        )
    for word in settings:
        _known(word, str(file))
    cloud = content.get("cloud", {})
    if not isinstance(cloud, Mapping):
        raise SettingError(f"cloud = {cloud!r} is no table", next_step="write a [cloud] section", file=str(file))
    roles = read_roles(content["roles"], str(file)) if "roles" in content else {}
    return Config(file.parent, name, tuple(modules), dict(settings), file, dict(cloud), roles)


def read_roles(written: Any, file: str) -> Mapping[Role, tuple[str, ...]]:
    """Who has which role. Raises SettingError, also where nobody could change it again."""
    example = 'write [roles] with lines such as admin = ["ana"] and viewer = ["*"]'
    if not isinstance(written, Mapping):
        raise SettingError(f"roles = {written!r} is no table", next_step=example, file=file)
    for role, people in written.items():
        if role not in ROLES:
            meant = nearest(role, ROLES)
            raise SettingError(
                f"there is no role `{role}`", choices=ROLES, file=file,
                next_step=f"did you mean `{meant}`?" if meant else example,
            )  # fmt: skip
        if not isinstance(people, list) or not all(isinstance(each, str) and each.strip() for each in people):
            raise SettingError(f"{role} = {people!r} is no list of names", next_step=example, file=file)
    if not written.get("admin"):
        raise SettingError("[roles] names no admin", next_step='add a line such as admin = ["ana"]', file=file)
    return {role: tuple(each.strip() for each in written[role]) for role in ROLES if role in written}
