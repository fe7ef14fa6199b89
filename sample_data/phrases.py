"""What the customers of the sample write: `phrases.toml`, read once and typed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal, get_args

Topic = Literal["billing", "delivery", "account", "other"]
TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)


@dataclass(frozen=True)
class Foreign:
    """A whole message in another language."""

    language: str
    topic: Topic
    subject: str
    body: str


@dataclass(frozen=True)
class Phrases:
    """Building blocks of messages: those of a topic by topic, the others for all."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    openings: tuple[str, ...]
    closings: tuple[str, ...]
    subjects: dict[Topic, tuple[str, ...]]
    matters: dict[Topic, tuple[str, ...]]
    details: dict[Topic, tuple[str, ...]]
    foreign: tuple[Foreign, ...]
    ambiguous: tuple[str, str]


@cache
def phrases() -> Phrases:
    """All phrases of the sample."""
    read = tomllib.loads(resources.files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))
    return Phrases(
        first_names=tuple(read["first_names"]),
        last_names=tuple(read["last_names"]),
        openings=tuple(read["openings"]),
        closings=tuple(read["closings"]),
        subjects={topic: tuple(read["topics"][topic]["subjects"]) for topic in TOPICS},
        matters={topic: tuple(read["topics"][topic]["matters"]) for topic in TOPICS},
        details={topic: tuple(read["topics"][topic]["details"]) for topic in TOPICS},
        foreign=tuple(Foreign(**message) for message in read["foreign"]),
        ambiguous=(read["ambiguous"]["subject"], read["ambiguous"]["body"]),
    )
