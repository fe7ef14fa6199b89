"""What reading a function's code found: what it does in AWS and with buckets, and what could not be told.

A resource is an ARN, in which `{region}` and `{account}` stand for where it will run, or `bucket:NAME/KEY` for files of
a declared bucket, whose place depends on the home, or `index:NAME` for a declared index. `*` stands only at the end of
a resource, or where a declared pattern of file keys has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

UNSCOPED = "*"  # only of actions for which AWS has nothing narrower; the table names them


class NotKnown(Exception):
    """A resource that cannot be told. what: a clause; parameter: the one that it is about."""

    def __init__(self, what: str, parameter: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.parameter = parameter


@dataclass(frozen=True, order=True)
class Need:
    """One action on one resource. prefix: for a listing, what `s3:prefix` is like; None: nothing is said of it, so
    the whole bucket. via: for a key, the service through which it is used."""

    action: str
    resource: str
    prefix: str | None = None
    via: str = ""

    def __str__(self) -> str:
        where = "" if self.prefix is None else f" where prefix is {self.prefix or 'empty'}"
        return f"{self.action} on {self.resource}{where}"


@dataclass(frozen=True, order=True)
class Action:
    """A need, and the very call that has it. call: as a reader knows it (`s3.put_object`)."""

    need: Need
    file: str
    line: int
    call: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, order=True)
class Refusal:
    """Something that cannot be told. what: a full clause. about: the services it may concern, none for any.
    grant: a line of `grants=` to start from."""

    file: str
    line: int
    function: str
    what: str
    about: tuple[str, ...]
    grant: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def clause(self) -> str:
        """What it is, and what to do about it."""
        return f"{self.function}: {self.what}. Write grants=[{self.grant}] on what is declared, or narrow the code."

    def __str__(self) -> str:
        return f"{self.place} in {self.clause}"


@dataclass(frozen=True)
class Inference:
    """Everything that a function was found to do, and everything that could not be told."""

    function: str
    actions: tuple[Action, ...]
    refusals: tuple[Refusal, ...]

    @property
    def decided(self) -> bool:
        """Whether all that it does is known."""
        return not self.refusals

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it does, each once."""
        return tuple(sorted({each.need for each in self.actions}))


def inference(function: str, actions: Iterable[Action], refusals: Iterable[Refusal]) -> Inference:
    """The findings, each once, in a stable order."""
    ordered = sorted(_widest(set(actions)), key=lambda each: (each.file, each.line, str(each.need), each.call))
    return Inference(function, tuple(ordered), tuple(sorted(set(refusals))))


def _widest(actions: set[Action]) -> set[Action]:
    """Without what another finding of the very same call covers."""
    return {
        each
        for each in actions
        if not any(
            other is not each
            and (other.place, other.call) == (each.place, each.call)
            and _covers(other.need, each.need)
            for other in actions
        )
    }


def _covers(wide: Need, narrow: Need) -> bool:
    if (wide.action, wide.via, wide.prefix) != (narrow.action, narrow.via, narrow.prefix) or wide == narrow:
        return False
    return wide.resource.endswith("*") and narrow.resource.startswith(wide.resource[:-1]) and wide.resource != UNSCOPED
