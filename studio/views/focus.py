"""Only what is near one node: so many steps up and down, or its whole lineage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packyak.studio.views.layout import Link


@dataclass(frozen=True)
class Focus:
    """The node in focus and how many steps around it are shown; 0: its whole lineage."""

    name: str
    hops: int = 0


def near(focus: Focus, links: Iterable[Link]) -> frozenset[str]:
    """The nodes in focus."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in links:
        above.setdefault(target, []).append(source)
        below.setdefault(source, []).append(target)
    return frozenset({focus.name, *_reach(focus, above), *_reach(focus, below)})


def _reach(focus: Focus, neighbours: Mapping[str, Sequence[str]]) -> set[str]:
    found, edge, step = {focus.name}, [focus.name], 0
    while edge and (not focus.hops or step < focus.hops):
        edge = [other for name in edge for other in neighbours.get(name, ()) if other not in found]
        found.update(edge)
        edge = list(dict.fromkeys(edge))
        step += 1
    return found
