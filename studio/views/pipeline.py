"""The pipeline as plain data: cards and edges for the graph, the counts of the header, what the run button says.

Takes what the engine answers (graph, statuses, the run under way) and words it; draws nothing and loads nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

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
from packyak.engine.lineage.outside import OutsideGraph
from packyak.engine.lineage.places import Places
from packyak.engine.run.answers import AssetStatus, PlanStep, State
from packyak.studio.views import words
from packyak.studio.views.cards import STATE_ORDER, STATE_WORDS, Card, Spot, card_of, group_card, is_source
from packyak.studio.views.focus import Focus, near
from packyak.studio.views.groups import PREFIX, Folding, folding
from packyak.studio.views.layout import COLUMN_GAP, Layout, Link, Point, Route, Size, arrange
from packyak.studio.views.outside import KIND, OUTSIDE, Beyond, beyond, outside_card, straight, title
from packyak.studio.views.progress import AssetProgress
from packyak.studio.views.threads import ColumnLevel, Thread
from packyak.studio.views.trail import Trail

CARD = (232.0, 84.0)
SOURCE = (168.0, 54.0)
NARROW_CARD, NARROW_SOURCE, NARROW_GAP = (200.0, 84.0), (152.0, 54.0), 48.0  # with columns rows are long: more fits
NEEDS_RUN: frozenset[State] = frozenset({"stale", "failed", "blocked", "never"})


@dataclass(frozen=True)
class Look:
    """How a person wants to see the graph: the groups that are open, what is in focus, columns or not, the trail of a
    record; `lines`: what cards say instead of how they stand; `beyond`: what other tools do around the project."""

    open: frozenset[str] = frozenset()
    focus: Focus | None = None
    level: ColumnLevel = field(default_factory=ColumnLevel)
    lines: Mapping[str, str] = field(default_factory=dict)
    trail: Trail | None = None
    beyond: Beyond = field(default_factory=Beyond)


@dataclass(frozen=True)
class Edge:
    """One edge as drawn, with what flows over it. `trail`: what of a traced record's past or future does. `outside`:
    another tool tells of it."""

    source: str
    target: str
    across: tuple[Point, ...]
    down: tuple[Point, ...]
    rows: str
    delta: str
    trail: str = ""
    outside: bool = False


@dataclass(frozen=True)
class Find:
    """What the search of the graph finds. `title`: what it is called, where that is not its name."""

    name: str
    kind: str
    state: str
    title: str = ""


@dataclass(frozen=True)
class Group:
    """A group of the graph, open or closed."""

    name: str
    size: int
    open: bool


@dataclass(frozen=True)
class Board:
    """The whole graph, ready to draw, laid out from left to right (`across`) and downwards: the window's shape decides.

    `shape` changes only when cards or edges come or go. `total`: nodes in the project and around it, shown or not.
    """

    cards: tuple[Card, ...]
    edges: tuple[Edge, ...]
    across: Size
    down: Size
    shape: str
    total: int = 0
    finds: tuple[Find, ...] = ()
    groups: tuple[Group, ...] = ()
    threads: tuple[Thread, ...] = ()


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
    look: Look | None = None,
) -> Board:
    """Cards and edges of a project as it stands."""
    look = look or Look()
    known = {status.name: status for status in statuses}
    every, links = _nodes(graph), _all_links(graph)
    shown, outer = every, tuple(look.beyond.nodes)
    if look.focus is not None and (look.focus.name in graph.nodes or look.focus.name in outer):
        inside = near(look.focus, (*links, *look.beyond.links))
        shown, outer = [node for node in every if node.name in inside], tuple(each for each in outer if each in inside)
    within = _within({node.name for node in shown}, links)
    folded = folding(graph, [node.name for node in shown], within, look.open)
    sizes = (*_sizes(shown, folded, look.level), *((name, OUTSIDE) for name in outer))
    lines = _folded(folded, within)
    theirs = _folded(folded, _within({*outer, *(node.name for node in shown)}, look.beyond.links))
    laid, turned = straight(lines, theirs)
    gap = NARROW_GAP if look.level.columns else COLUMN_GAP
    ways = Ways(placed(sizes, lines + laid, gap=gap), placed(sizes, lines + laid, down=True))
    cards = _cards(shown, folded, known, progress or {}, ways, look, now)
    cards += tuple(outside_card(name, look.beyond.nodes[name], _spot(ways, name, look.trail)) for name in outer)
    across, down = ((layout.width, layout.height) for layout in (ways.across, ways.down))
    return Board(
        cards,
        _edges(ways, known, look.trail.lines(folded.card) if look.trail else {}, frozenset(theirs), turned),
        across,
        down,
        _shape(sizes, lines, theirs),
        len(every) + len(look.beyond.nodes),
        (*(_find(node, known.get(node.name)) for node in every), *_outside_finds(look.beyond)),
        tuple(Group(name, size, name in folded.open) for name, size in folded.sizes.items()),
        _threads(look.level, {card.name for card in cards}),
    )


def around(outside: OutsideGraph, places: Places, project: str, graph: Graph) -> Beyond:
    """What other tools do around a project's graph."""
    return beyond(outside, places, project, graph, [node.name for node in _nodes(graph)])


def group_of(graph: Graph, name: str) -> str | None:
    """The group that hides a node when it is closed."""
    nodes = [node.name for node in _nodes(graph)]
    return folding(graph, nodes, _within(set(nodes), _all_links(graph)), None).group.get(name)


def _nodes(graph: Graph) -> list[Node]:
    idle = _idle_buckets(graph)
    return [node for node in graph.nodes.values() if not isinstance(node, CheckNode) and node.name not in idle]


def _all_links(graph: Graph) -> list[Link]:
    return [link for node in graph.nodes.values() if not isinstance(node, CheckNode) for link in _links(node)]


def _within(names: Set[str], links: Sequence[Link]) -> list[Link]:
    return [link for link in links if link[0] in names and link[1] in names]


def _sizes(shown: Sequence[Node], folded: Folding, level: ColumnLevel) -> tuple[tuple[str, Size], ...]:
    sizes: dict[str, Size] = {}
    source, other = (NARROW_SOURCE, NARROW_CARD) if level.columns else (SOURCE, CARD)
    for node in shown:
        card = folded.card(node.name)
        width, height = source if card == node.name and is_source(node) else other
        sizes[card] = (width, height + level.height(card))
    return tuple(sizes.items())


def _folded(folded: Folding, links: Sequence[Link]) -> tuple[Link, ...]:
    found = dict.fromkeys((folded.card(source), folded.card(target)) for source, target in links)
    return tuple(link for link in found if link[0] != link[1])


def _cards(
    shown: Sequence[Node],
    folded: Folding,
    known: Mapping[str, AssetStatus],
    progress: Mapping[str, AssetProgress],
    ways: Ways,
    look: Look,
    now: datetime | None,
) -> tuple[Card, ...]:
    members: dict[str, list[Node]] = {}
    for node in shown:
        members.setdefault(folded.card(node.name), []).append(node)
    cards = []
    for card, inside in members.items():
        trail = look.trail.words([node.name for node in inside]) if look.trail else ""
        level = look.level
        spot = Spot(ways.across.places[card], ways.down.places[card], level.shown(card), level.more(card), trail)
        if not card.startswith(PREFIX):
            told = look.lines.get(card, "")
            cards.append(card_of(inside[0], known.get(card), progress.get(card), spot, now, told))
            continue
        found = [known[node.name] for node in inside if node.name in known and not is_source(node)]
        states = [progress[each.name].state if each.name in progress else each.state for each in found]
        cards.append(group_card(card, card.removeprefix(PREFIX), found, len(inside), states, spot, now))
    return tuple(cards)


def _find(node: Node, status: AssetStatus | None) -> Find:
    return Find(node.name, status.kind if status else "", status.state if status else "source")


def _outside_finds(found: Beyond) -> tuple[Find, ...]:
    return tuple(Find(name, f"{KIND} {node.kind}", KIND, title(node)) for name, node in found.nodes.items())


def _spot(ways: Ways, name: str, trail: Trail | None) -> Spot:
    told = trail.words([name]) if trail else ""
    return Spot(ways.across.places[name], ways.down.places[name], trail=told)


def _threads(level: ColumnLevel, cards: set[str]) -> tuple[Thread, ...]:
    listed = {f"{card}.{row.name}" for card in cards for row in level.shown(card)}
    return tuple(thread for thread in level.threads if listed.issuperset(thread.ends))


def _shape(*facts: object) -> str:
    return hashlib.blake2s(repr(facts).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Ways:
    """The same graph laid out in both directions."""

    across: Layout
    down: Layout


@lru_cache(maxsize=64)
def placed(
    sizes: tuple[tuple[str, Size], ...], links: tuple[Link, ...], down: bool = False, gap: float = COLUMN_GAP
) -> Layout:
    """The layout of a graph, computed once."""
    return arrange(dict(sizes), links, down=down, gap=gap)


def _links(node: Node) -> list[Link]:
    inputs = list(node.inputs)
    if isinstance(node, FilesNode) and node.bucket not in inputs:
        inputs.append(node.bucket)
    if isinstance(node, FunctionNode) and node.on is not None and node.on[0] not in inputs:
        inputs.append(node.on[0])
    return [(source, node.name) for source in inputs]


def _idle_buckets(graph: Graph) -> set[str]:
    """The buckets that are read by pattern only: they say nothing that the patterns' cards do not."""
    readers: dict[str, list[bool]] = {}
    for node in graph.nodes.values():
        for source, _ in _links(node):
            if isinstance(graph.nodes.get(source), BucketNode):
                readers.setdefault(source, []).append(isinstance(node, (FilesNode, FunctionNode)))
    return {bucket for bucket, patterns in readers.items() if all(patterns)}


def _edges(
    ways: Ways, known: Mapping[str, AssetStatus], trail: Mapping[Link, str], theirs: Set[Link], turned: Set[Link]
) -> tuple[Edge, ...]:
    edges = []
    for route, below in zip(ways.across.routes, ways.down.routes, strict=True):
        link, back = (route.source, route.target), (route.target, route.source)
        if back in turned:
            edges.append(Edge(*back, route.points[::-1], below.points[::-1], "", "", trail.get(back, ""), outside=True))
        if link in theirs:
            edges.append(Edge(*link, route.points, below.points, "", "", trail.get(link, ""), outside=True))
        elif back not in turned:
            edges.append(_edge(route, below, known.get(route.source), trail.get(link, "")))
    return tuple(edges)


def _edge(route: Route, below: Route, status: AssetStatus | None, trail: str) -> Edge:
    rows = "" if status is None or status.rows is None else words.count(status.rows)
    change = words.delta(status.delta if status else None)
    return Edge(route.source, route.target, route.points, below.points, rows, change, trail)


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
