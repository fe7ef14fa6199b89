"""The code of a function including the project code it reaches, as text and as one hash.

Two states of a project give a function the same hash exactly when nothing that it runs has changed: its own source,
helpers in any module of the project (decorated or not), closures, classes, default arguments, and the values of
constants. Docstrings, comments, layout, line numbers and the place of the project are left out. Each part is hashed
with its length, so that parts cannot flow into each other. The declared things that the code names are reported with
the line that names them.

Values are read when a function's code is first asked for in a process and kept while they stay the same objects: a
module-level cache that fills during a run changes nothing. A value that cannot be told as text (an open connection, a
loaded model) is a part called "unstable": its type counts, its content does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

UNSTABLE = "unstable"


@dataclass(frozen=True)
class CodePart:
    """A piece of the code: a function, class, value or module, by its name. text: normalised source, or the value."""

    name: str
    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Reached:
    """A declared thing that the code names, and where. name: as it is written there. called: the code only calls it."""

    name: str
    declared: Any
    file: str
    line: int
    called: bool = False


@dataclass(frozen=True)
class Code:
    """A function's code. parts: itself first. distributions: installed packages that it names; their versions are not
    in the hash (`distribution_versions` tells them)."""

    hash: str
    parts: tuple[CodePart, ...]
    reached: tuple[Reached, ...]
    distributions: tuple[str, ...]

    @property
    def unstable(self) -> tuple[CodePart, ...]:
        """Values whose content the hash cannot see."""
        return tuple(part for part in self.parts if part.name == UNSTABLE)


def code_of(function: Callable[..., Any], root: str) -> Code:
    """The code of a function in the project folder `root`."""
    from packyak.engine.declare.reach import Reach

    reach = Reach(root)
    reach.add_own(function)
    own, *others = reach.parts.values()
    parts = (own, *sorted(others, key=lambda part: (part.name, part.text)))
    return Code(hash_of(parts), parts, tuple(_distinct(reach.reached)), tuple(sorted(distributions_of(reach.modules))))


def _distinct(reached: Iterable[Reached]) -> list[Reached]:
    return list(
        {(each.name, id(type(each.declared)), each.file, each.line, each.called): each for each in reached}.values()
    )


def hash_of(parts: Iterable[CodePart]) -> str:
    """One hash over names and texts, each with its length."""
    whole = hashlib.sha256()
    for part in parts:
        for text in (part.name, part.text):
            data = text.encode("utf-8", "surrogatepass")
            whole.update(b"%d:" % len(data))
            whole.update(data)
    return whole.hexdigest()


def distributions_of(modules: Iterable[str]) -> set[str]:
    """The installed distributions that hold these top-level modules."""
    return {name for module in modules for name in _distributions(module)}


@lru_cache(maxsize=1024)
def _distributions(module: str) -> tuple[str, ...]:
    from importlib import metadata

    try:
        return (str(metadata.distribution(module).metadata["Name"]),)
    except (metadata.PackageNotFoundError, ValueError):
        return tuple(sorted(set(_all_distributions().get(module, ()))))


@lru_cache(maxsize=1)
def _all_distributions() -> dict[str, list[str]]:
    from importlib import metadata

    return dict(metadata.packages_distributions())


@lru_cache(maxsize=1024)
def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def distribution_versions(names: Iterable[str]) -> dict[str, str]:
    """The installed version of each distribution ("" where it is gone)."""
    return {name: _version(name) for name in sorted(names)}
