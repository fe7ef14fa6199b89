"""Goes on with a trace where our own records end: into the jobs and data of other tools, as far as their events say.

What they read record by record nobody told, so their steps stand for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packyak.engine.lineage.chain import Direction, Link, Step, StepId
from packyak.engine.lineage.outside import Outside, OutsideGraph
from packyak.engine.lineage.places import Places
from packyak.engine.store.home import Home

MOST = 500  # steps of other tools in one trace


def beyond(
    home: Home, project: str, steps: Sequence[Step], direction: Direction
) -> tuple[tuple[Step, ...], tuple[Link, ...]]:
    """The steps and links of other tools that follow the steps of a trace."""
    graph = Outside(home).graph()
    if not graph.edges:
        return (), ()
    places = Places(home.uri)
    links: dict[tuple[StepId, StepId], None] = {}
    reached: dict[str, None] = {}
    for node, step in _joins(graph, places, project, steps):
        for near in graph.above(node) if direction == "up" else graph.below(node):
            reached[near] = None
            links[_pair((near, ""), step.id, direction)] = None
    waiting = list(reached)
    while waiting and len(reached) < MOST:
        node = waiting.pop(0)
        for near in graph.above(node) if direction == "up" else graph.below(node):
            links[_pair((near, ""), (node, ""), direction)] = None
            if near not in reached:
                reached[near] = None
                waiting.append(near)
    found = tuple(_step(graph, name) for name in reached)
    there = {step.id for step in (*steps, *found)}
    return found, tuple(Link(a, b, "outside") for a, b in links if a in there and b in there)


def _pair(far: StepId, near: StepId, direction: Direction) -> tuple[StepId, StepId]:
    return (far, near) if direction == "up" else (near, far)


def _joins(graph: OutsideGraph, places: Places, project: str, steps: Sequence[Step]) -> Iterable[tuple[str, Step]]:
    """Where the outside graph touches the trace: the same table, or a bucket and its files."""
    for node, mine in graph.ours(places, project).items():
        if mine.kind == "asset":
            yield from ((node, step) for step in steps if step.asset == mine.name)
            continue
        _, folder = places.bucket(mine.name)
        inside = graph.nodes[node].name.partition(f"{folder}/")[2].rstrip("/")
        for step in steps:
            if step.kind == "file" and step.asset.split("/", 1)[0] == mine.name and _covers(inside, step.key):
                yield node, step


def _covers(inside: str, key: str) -> bool:
    """Whether a place in a bucket is, or holds, a file; patterns and Spark's part files are taken by their folder."""
    return not inside or not key or key == inside or key.startswith(f"{inside.split('*')[0].rstrip('/')}/")


def _step(graph: OutsideGraph, name: str) -> Step:
    node = graph.nodes[name]
    return Step(name, "", "outside", node.columns, function=node.producer, at=node.at)
