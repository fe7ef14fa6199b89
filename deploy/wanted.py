"""What the `[cloud]` section of packyak.toml asks for: profile, region, budget, and what a unit runs on.

    [cloud]
    profile = "hipaa"
    region = "eu-central-1"
    budget = 20                # US dollars a month, at which someone is told
    notify = "ops@example.com"
    cron = "0 3 * * *"         # bring everything up to date then, in UTC, beside what new files start

    [cloud.topic]              # one unit by name
    runs_on = "fargate"
    memory_mb = 8192
    minutes = 60

Everything has a default, so that a project needs no such section. `[cloud.studio]` is about the studio in the account:
see `served.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from packyak.deploy.fargate import LEAST_MB, MOST_MB, fitting
from packyak.deploy.served import Served, read_served
from packyak.deploy.stacks.profiles import PROFILES, Profile
from packyak.engine.errors import SettingError, nearest

RunsOn: TypeAlias = Literal["lambda", "fargate"]
REGION = "us-east-1"
STUDIO = "studio"  # its table is not about a unit
SLIM_MB, FULL_MB = 2048, 4096
LAMBDA = {"memory_mb": (128, 10_240), "minutes": (1, 15), "disk_mb": (512, 10_240)}
FARGATE = {"memory_mb": (LEAST_MB, MOST_MB), "minutes": (1, 7 * 24 * 60), "disk_mb": (21 * 1024, 200 * 1024)}


@dataclass(frozen=True)
class Size:
    """What a unit runs on. cpu: CPU units on Fargate, 0 on Lambda, where CPU comes with memory."""

    runs_on: RunsOn = "lambda"
    memory_mb: int = SLIM_MB
    minutes: int = 15
    disk_mb: int = 2048
    cpu: int = 0


@dataclass(frozen=True)
class Wanted:
    """The section, checked. budget: US dollars a month. notify: an address, "" for nobody. cron: "" for never.
    sizes: what was written for units, by name. studio: None where none is asked for in the account."""

    profile: Profile = "dev"
    region: str = REGION
    budget: int = 20
    notify: str = ""
    cron: str = ""
    sizes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    studio: Served | None = None

    def size(self, name: str, image: str) -> Size:
        """What a unit runs on. Raises SettingError for what the service does not offer."""
        given = self.sizes.get(name, {})
        runs_on: RunsOn = given.get("runs_on", "lambda")
        usual = {"memory_mb": FULL_MB if image == "full" else SLIM_MB, "minutes": 15, "disk_mb": 2048}
        if runs_on == "fargate":
            usual |= {"minutes": 60, "disk_mb": FARGATE["disk_mb"][0]}
        figures = usual | {word: value for word, value in given.items() if word != "runs_on"}
        for word, (least, most) in (FARGATE if runs_on == "fargate" else LAMBDA).items():
            if not least <= figures[word] <= most:
                raise SettingError(
                    f"[cloud.{name}] {word} = {figures[word]} is not offered on {runs_on}",
                    next_step=f"choose from {least:,} to {most:,}"
                    + (', or runs_on = "fargate"' if runs_on == "lambda" and figures[word] > most else ""),
                )
        if runs_on == "lambda":
            return Size(runs_on, **figures)
        cpu, figures["memory_mb"] = fitting(figures["memory_mb"])
        return Size(runs_on, **figures, cpu=cpu)


def read_wanted(
    cloud: Mapping[str, Any], units: Iterable[str], file: str = "packyak.toml", *, has_roles: bool = False
) -> Wanted:
    """Checks the section. units: what may have a table of its own; has_roles: whether packyak.toml says who may do
    what. Raises SettingError, saying what is offered."""
    own = ("profile", "region", "budget", "notify", "cron")
    names = tuple(units)
    sizes = {word: value for word, value in cloud.items() if isinstance(value, Mapping) and word != STUDIO}
    for word in cloud.keys() - {STUDIO} if isinstance(cloud.get(STUDIO), Mapping) else cloud:
        if word not in (names if word in sizes else own):
            meant = nearest(word, (*own, *names))
            raise SettingError(
                f"There is no `{word}` in [cloud]"
                if word not in sizes
                else f"[cloud.{word}] is about nothing declared",
                choices=names if word in sizes else own,
                next_step=f"did you mean `{meant}`?" if meant else "take it away",
                file=file,
            )
    wanted = Wanted(
        profile=_one_of("profile", cloud.get("profile", "dev"), PROFILES, file),
        region=_like("region", cloud.get("region", REGION), r"[a-z]{2}(-[a-z]+)+-\d", '"eu-central-1"', file),
        budget=_whole("budget", cloud.get("budget", 20), file),
        notify=_like("notify", cloud.get("notify", ""), r"|[^@\s]+@[^@\s]+", "an address", file),
        cron=_like("cron", cloud.get("cron", ""), r"|\S+( +\S+){4}", '"0 3 * * *"', file),
        sizes={name: _size(name, written, file) for name, written in sizes.items()},
    )
    for name in wanted.sizes:
        wanted.size(name, "slim")
    asked = cloud.get(STUDIO)
    if not isinstance(asked, Mapping):
        return wanted
    return replace(wanted, studio=read_served(asked, wanted.region, has_roles, file))


def _size(name: str, written: Mapping[str, Any], file: str) -> dict[str, Any]:
    own = ("runs_on", "memory_mb", "minutes", "disk_mb")
    for word in written:
        _one_of(f"[cloud.{name}] word", word, own, file)
    return {
        word: _one_of(word, value, ("lambda", "fargate"), file) if word == "runs_on" else _whole(word, value, file)
        for word, value in written.items()
    }


def _one_of(word: str, value: Any, choices: tuple[str, ...], file: str) -> Any:
    if value in choices:
        return value
    meant = nearest(str(value), choices)
    raise SettingError(
        f"{word} = {value!r} is not known in [cloud]",
        choices=choices,
        next_step=f"did you mean `{meant}`?" if meant else "choose one of them",
        file=file,
    )


def _whole(word: str, value: Any, file: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise SettingError(f"{word} = {value!r} in [cloud] is no figure", next_step="give a whole number from 1", file=file)


def _like(word: str, value: Any, pattern: str, example: str, file: str) -> str:
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise SettingError(
        f"{word} = {value!r} in [cloud] is not understood", next_step=f"write it like {example}", file=file
    )
