"""What a trace answers: the records that a record comes from, or that come from it, as frozen steps and links.

A step is one record of the asset that owns its values, one file, or an asset as a whole (no key) where a function
takes it whole. Links lead from what was read to what was computed from it. Walking is done by the engine; here are the
answers, and what can be told from them alone. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["up", "down"]
How = Literal["same record", "parent", "file", "lookup", "query", "whole", "index", "outside"]
StepId = tuple[str, str]


@dataclass(frozen=True)
class Word:
    """What a person said of a field. computed: the value beneath; trained: whether the model behind it learned it."""

    id: str
    column: str
    value: Any
    computed: Any
    by: str
    at: str
    why: str = ""
    kind: str = "correct"


@dataclass(frozen=True)
class Model:
    """The model that answered, and how much people's words are behind it."""

    id: str
    corrections: int = 0
    people: tuple[str, ...] = ()
    score: float | None = None
    parent: str = ""
    at: str = ""


@dataclass(frozen=True)
class Step:
    """One record, file or whole asset of a trace.

    key: the record's or file's; "" for an asset as a whole. columns: those that the trace is about, with their values
    as they are read. version: the asset's. function: file:line of what computed it; code: the version of that code;
    current: whether it would be computed by the same code now. decided: function | rule | model | person | none.
    run, at: the run that computed it, and when it published. records: how many a whole asset has.
    """

    asset: str
    key: str
    kind: str
    columns: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    function: str = ""
    code: str = ""
    current: bool = True
    decided: str = ""
    confidence: float | None = None
    model: Model | None = None
    corrections: tuple[Word, ...] = ()
    error: str = ""
    run: str = ""
    at: str = ""
    records: int | None = None

    @property
    def id(self) -> StepId:
        """Asset and key."""
        return self.asset, self.key


@dataclass(frozen=True)
class Link:
    """That `below` was computed from `above`. columns: those of `above` that were read."""

    above: StepId
    below: StepId
    how: How
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trace:
    """A record's lineage in one direction. The first step is the record asked for; column: "" for all of it. cut: how
    many records were left out by the limit; notes: what could not be followed record by record."""

    asset: str
    key: str
    column: str
    direction: Direction
    steps: tuple[Step, ...]
    links: tuple[Link, ...]
    cut: int = 0
    notes: tuple[str, ...] = ()

    @property
    def start(self) -> Step:
        """The record that was asked for."""
        return self.steps[0]

    def step(self, identity: StepId) -> Step:
        """One step by asset and key."""
        return next(each for each in self.steps if each.id == identity)

    def next(self, identity: StepId) -> tuple[tuple[Link, Step], ...]:
        """The steps one link further from the start."""
        if self.direction == "up":
            return tuple((link, self.step(link.above)) for link in self.links if link.below == identity)
        return tuple((link, self.step(link.below)) for link in self.links if link.above == identity)

    def paths(self) -> Iterator[tuple[int, Link | None, Step, bool]]:
        """The trace as a tree, depth first: depth, the link that led there, the step, and whether it was shown before
        (what follows it then is not shown again)."""
        onward: dict[StepId, list[Link]] = {}
        for link in self.links:
            onward.setdefault(link.below if self.direction == "up" else link.above, []).append(link)
        steps = {each.id: each for each in self.steps}
        seen: set[StepId] = set()
        waiting: list[tuple[int, Link | None, StepId]] = [(0, None, self.start.id)]
        while waiting:
            depth, led, identity = waiting.pop()
            again = identity in seen
            seen.add(identity)
            yield depth, led, steps[identity], again
            if not again:
                for each in reversed(onward.get(identity, [])):
                    waiting.append((depth + 1, each, each.above if self.direction == "up" else each.below))
