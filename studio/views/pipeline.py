"""The pipeline as plain data: cards and edges for the graph, the counts of the header, what the run button says.

Takes what the engine answers (graph, statuses, the run under way) and words it; draws nothing and loads nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from packyak.engine.declare.nodes import (
    BucketNode,
    CheckNode,
    FilesNode,
    FunctionNode,
    Graph,
    IndexNode,
    Node,
    TableNode,
)
from packyak.engine.run.answers import AssetStatus, PlanStep, State
from packyak.studio.views import words
from packyak.studio.views.layout import Layout, Link, Point, Size, arrange
from packyak.studio.views.progress import AssetProgress

Tone = Literal["good", "bad", "warn", "accent", "quiet"]
CARD = (232.0, 84.0)
SOURCE = (168.0, 54.0)
STATE_ORDER: tuple[State, ...] = ("running", "failed", "blocked", "stale", "never", "fresh")
STATE_WORDS: Mapping[State, str] = {
    "fresh": "fresh",
    "stale": "stale",
    "failed": "failed",
    "blocked": "blocked",
    "never": "never run",
    "running": "running",
}
SHOWN_IN_RUN = {"waiting": "waiting", "running": "running", "done": "fresh", "failed": "failed", "blocked": "blocked"}
NEEDS_RUN: frozenset[State] = frozenset({"stale", "failed", "blocked", "never"})


@dataclass(frozen=True)
class Mark:
    """A short note at the foot of a card."""

    text: str
    tone: Tone
    hint: str = ""


@dataclass(frozen=True)
class Card:
    """One node of the graph as drawn. `progress`: 0 to 1 while it runs, None otherwise."""

    name: str
    kind: str
    state: str
    line: str
    rows: str
    delta: str
    time: str
    marks: tuple[Mark, ...]
    label: str
    width: float
    height: float
    across: Point
    down: Point
    progress: float | None = None


@dataclass(frozen=True)
class Edge:
    """One edge as drawn, with what flows over it."""

    source: str
    target: str
    across: tuple[Point, ...]
    down: tuple[Point, ...]
    rows: str
    delta: str


@dataclass(frozen=True)
class Board:
    """The whole graph, ready to draw, laid out from left to right (`across`) and downwards: the window's shape decides.

    `shape` changes only when cards or edges come or go.
    """

    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    across: Size
    down: Size
    shape: str


@dataclass(frozen=True)
class Counts:
    """How many assets are in each state that any is in, worst first."""

    states: tuple[tuple[State, int], ...]

    def of(self, *states: State) -> int:
        return sum(number for state, number in self.states if state in states)


def board(
    graph: Graph,
    statuses: Sequence[AssetStatus],
    progress: Mapping[str, AssetProgress] | None = None,
    now: datetime | None = None,
) -> Board:
    """Cards and edges of a project as it stands."""
    known = {status.name: status for status in statuses}
    shown = [node for node in graph.nodes.values() if not isinstance(node, CheckNode)]
    shown = [node for node in shown if not _is_idle_bucket(node, graph)]
    sizes = tuple((node.name, SOURCE if _is_source(node) else CARD) for node in shown)
    links = tuple(link for node in shown for link in _links(node))
    ways = Ways(placed(sizes, links), placed(sizes, links, down=True))
    cards = tuple(_card(node, known.get(node.name), (progress or {}).get(node.name), ways, now) for node in shown)
    across, down = ((layout.width, layout.height) for layout in (ways.across, ways.down))
    return Board(cards, _edges(ways, known), across, down, _shape(sizes, links))


def _shape(*facts: object) -> str:
    return hashlib.blake2s(repr(facts).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Ways:
    """The same graph laid out in both directions."""

    across: Layout
    down: Layout


@lru_cache(maxsize=64)
def placed(sizes: tuple[tuple[str, Size], ...], links: tuple[Link, ...], down: bool = False) -> Layout:
    """The layout of a graph, computed once."""
    return arrange(dict(sizes), links, down=down)


def _links(node: Node) -> list[tuple[str, str]]:
    inputs = list(node.inputs)
    if isinstance(node, FilesNode) and node.bucket not in inputs:
        inputs.append(node.bucket)
    if isinstance(node, FunctionNode) and node.on is not None and node.on[0] not in inputs:
        inputs.append(node.on[0])
    return [(source, node.name) for source in inputs]


def _is_source(node: Node) -> bool:
    return isinstance(node, (BucketNode, FilesNode, FunctionNode))


def _is_idle_bucket(node: Node, graph: Graph) -> bool:
    """A bucket that is read by pattern only says nothing that the patterns' cards do not."""
    if not isinstance(node, BucketNode):
        return False
    readers = [other for other in graph.nodes.values() if (node.name, other.name) in _links(other)]
    return bool(readers) and all(isinstance(reader, (FilesNode, FunctionNode)) for reader in readers)


def _edges(ways: Ways, known: Mapping[str, AssetStatus]) -> tuple[Edge, ...]:
    edges = []
    for route, below in zip(ways.across.routes, ways.down.routes, strict=True):
        status = known.get(route.source)
        rows = "" if status is None or status.rows is None else words.count(status.rows)
        change = words.delta(status.delta if status else None)
        edges.append(Edge(route.source, route.target, route.points, below.points, rows, change))
    return tuple(edges)


def _card(
    node: Node, status: AssetStatus | None, progress: AssetProgress | None, ways: Ways, now: datetime | None
) -> Card:
    place, below = ways.across.places[node.name], ways.down.places[node.name]
    size = (place.width, place.height, (place.x, place.y), (below.x, below.y))
    kind = status.kind if status else ""
    if status is None or _is_source(node):
        line = _source_line(node, status)
        return Card(node.name, kind, "source", line, "", "", "", (), f"{node.name}, {kind}, {line}", *size)
    state = SHOWN_IN_RUN.get(progress.state, status.state) if progress else status.state
    line = progress.line if progress and progress.line else card_line(status)
    rows = words.count(status.rows) if status.rows is not None else ""
    marks = card_marks(status)
    spoken = [node.name, kind, line, f"{rows} rows" if rows else "", *(mark.text for mark in marks)]
    return Card(
        node.name,
        kind,
        state,
        line,
        rows,
        words.delta(status.delta),
        words.short_age(status.updated_at, now),
        marks,
        ", ".join(part for part in spoken if part),
        *size,
        progress=progress.share if progress and progress.state == "running" else None,
    )


def _source_line(node: Node, status: AssetStatus | None) -> str:
    """What a source card says: how many files, or when the function runs."""
    if not isinstance(node, FunctionNode):
        return (status.reason if status else "") or "files"
    if node.on is not None:
        return f"on new {node.on[0]}/{node.on[1]}"
    if node.cron:
        return f"at {node.cron}"
    return f"every {words.duration(node.every)}" if node.every else "by hand"


def card_line(status: AssetStatus) -> str:
    """The state and its reason, short: the state word is not said twice."""
    word = STATE_WORDS[status.state]
    reason = status.reason.strip().rstrip(".")
    if not reason or status.state in ("fresh", "never"):
        return word
    lowered = reason[0].lower() + reason[1:] if reason[1:2].islower() else reason
    for said in (f"{word}: ", f"{status.name}: ", f"{word} "):
        lowered = lowered.removeprefix(said)
    return word if lowered == word else f"{word}: {lowered}"


def card_marks(status: AssetStatus) -> tuple[Mark, ...]:
    """Failed records, checks and corrections, in the order of urgency."""
    marks = []
    if status.failed_records:
        hint = f"{words.counted(status.failed_records, 'record')} failed and kept the last good value"
        marks.append(Mark(f"{words.count(status.failed_records)} failed", "bad", hint))
    failing = [check for check in status.checks if not check.passed]
    if failing:
        names = words.listed([check.name for check in failing])
        marks.append(Mark(words.counted(len(failing), "check") + " failing", "bad", names))
    elif status.checks:
        marks.append(Mark(words.counted(len(status.checks), "check"), "good", "passed at the last run"))
    if status.corrections:
        marks.append(Mark(f"{words.count(status.corrections)} corrected", "accent", "values that a person set"))
    return tuple(marks)


def assets(graph: Graph, statuses: Sequence[AssetStatus]) -> tuple[AssetStatus, ...]:
    """The statuses of what a run brings up to date: assets and indexes, without files and functions."""
    return tuple(status for status in statuses if isinstance(graph[status.name], (TableNode, IndexNode)))


def counts(statuses: Sequence[AssetStatus]) -> Counts:
    """How many assets are in each state, worst first."""
    found = [(state, sum(status.state == state for status in statuses)) for state in STATE_ORDER]
    return Counts(tuple((state, number) for state, number in found if number))


def count_words(state: State, number: int) -> str:
    return f"{number:,} {STATE_WORDS[state]}"


def run_label(statuses: Sequence[AssetStatus]) -> str:
    """What the one primary action would do: "Run 3 stale assets", "Run everything" for a project that never ran."""
    waiting = [status for status in statuses if status.state in NEEDS_RUN]
    if not waiting:
        return "Everything is fresh"
    if len(waiting) == len(statuses) and all(status.version is None for status in waiting):
        return f"Run all {words.counted(len(waiting), 'asset')}" if len(waiting) > 1 else "Run 1 asset"
    kinds = {status.state for status in waiting}
    if kinds == {"stale"}:
        return f"Run {words.count(len(waiting))} stale {'asset' if len(waiting) == 1 else 'assets'}"
    if kinds == {"failed"}:
        return f"Run {words.count(len(waiting))} failed {'asset' if len(waiting) == 1 else 'assets'} again"
    return f"Run {words.counted(len(waiting), 'asset')}"


def step_words(step: PlanStep) -> str:
    """What a run would do with one asset: "compute at most 1,204 records · 300 stay · 2.4 s"."""
    parts = [step.action]
    if step.records is not None:
        parts = [f"{step.action} {'at most ' if step.at_most else ''}{words.counted(step.records, 'record')}"]
    elif step.at_most:
        parts = [f"{step.action}, if its inputs change"]
    if step.keeps:
        parts.append(f"{words.count(step.keeps)} stay")
    if step.seconds:
        parts.append(words.duration(step.seconds))
    return " · ".join(parts)
