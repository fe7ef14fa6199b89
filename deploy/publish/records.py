"""What a publication consists of, as frozen records: its stages as they happen, what changes, and how it ended.

Stages hand these on to one another and nothing else; the command line prints them as JSON lines, the studio's page
reads those back. They hold what to say, in words, and decide nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

StageState = Literal["running", "done", "skipped", "failed"]
STAGES: Mapping[str, str] = {
    "plan": "what there will be",
    "templates": "templates of the stacks",
    "preflight": "the account and what it allows",
    "differences": "what changes, in words",
    "store": "a bucket for templates and sources",
    "foundation": "buckets, keys and the image builder",
    "image": "container images, built in the account",
    "stacks": "roles, functions and the state machine",
    "home": "the home made ready",
    "outputs": "where everything is",
}


@dataclass(frozen=True)
class Stage:
    """A stage as it stands. line: what it does or what came of it; of: how far, 0 to 1, where that is known."""

    stage: str
    state: StageState
    line: str = ""
    seconds: float = 0.0
    of: float | None = None


@dataclass(frozen=True)
class Event:
    """Something that happened to one resource. place: the line of the project that it is there for."""

    stack: str
    resource: str
    type: str
    state: str
    reason: str = ""
    place: str = ""


@dataclass(frozen=True)
class Change:
    """One thing that changes, in words. of: the asset, function or resource it is about."""

    words: str
    of: str = ""
    place: str = ""

    def __str__(self) -> str:
        return f"{self.words} ({self.place})" if self.place and self.place not in self.words else self.words


@dataclass(frozen=True)
class Diff:
    """What changes. widened: somebody may do more than before, to be confirmed apart; refused: data would be lost.
    first: nothing was published before."""

    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    widened: tuple[Change, ...] = ()
    refused: tuple[Change, ...] = ()
    first: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.widened or self.refused)

    def __add__(self, other: Diff) -> Diff:
        return Diff(
            _once(self.added, other.added),
            _once(self.removed, other.removed),
            _once(self.changed, other.changed),
            _once(self.widened, other.widened),
            _once(self.refused, other.refused),
            self.first or other.first,
        )

    @property
    def digest(self) -> str:
        """A name for exactly these changes, so that what was confirmed is what is done."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def _once(one: tuple[Change, ...], other: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(dict.fromkeys((*one, *other)))


@dataclass(frozen=True)
class Looked:
    """What a look at the account before anything is done came to. state: "wrong" stops the publication."""

    what: str
    state: Literal["ok", "unsure", "wrong"]
    line: str
    next_step: str = ""


@dataclass(frozen=True)
class Output:
    """Something that a person wants to find again. link: where the AWS console shows it."""

    name: str
    value: str
    link: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a publication ended. plan: the hash of what was published; confirmed: the digest of its differences."""

    state: Literal["published", "unchanged", "previewed", "unconfirmed", "refused"]
    diff: Diff
    plan: str = ""
    profile: str = ""
    account: str = ""
    region: str = ""
    looked: tuple[Looked, ...] = ()
    outputs: tuple[Output, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
