"""Which cards of a large graph fold into one: by file, by family (an asset and what extends it), or by name.

The first of these that leaves few enough cards. A group that would make a circle of the folded graph stays open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from packyak.engine.declare.nodes import Graph, IndexNode, Node, TableNode
from packyak.studio.views.layout import Link

FOLD_ABOVE = 60
SMALLEST = 3
PREFIX = "group "


@dataclass(frozen=True)
class Folding:
    """Which group each node belongs to, for those in one; `open`: the groups whose members are shown."""

    group: Mapping[str, str] = field(default_factory=dict)
    open: frozenset[str] = frozenset()

    def card(self, node: str) -> str:
        """The card that stands for a node."""
        group = self.group.get(node)
        return node if group is None or group in self.open else f"{PREFIX}{group}"

    @property
    def sizes(self) -> dict[str, int]:
        """How many nodes each group has, in the order of the graph."""
        return dict(Counter(self.group.values()))


def folding(graph: Graph, names: Sequence[str], links: Sequence[Link], opened: Set[str] | None) -> Folding:
    """How to fold these nodes. opened: groups asked to be open; None: as the size suggests."""
    if len(names) <= FOLD_ABOVE:
        return Folding()
    rules = (_file_rule(graph, names), _family_rule(graph), _prefix)
    found = [_acyclic(names, links, _sized(names, rule)) for rule in rules]
    best = next((groups for groups in found if 1 < _cards(names, groups) <= FOLD_ABOVE), None)
    if best is None:  # nothing fits the eye: as few cards as possible
        best = min(found, key=lambda groups: _cards(names, groups))
    return Folding(best, frozenset(opened or ()) & frozenset(best.values()))


def _cards(names: Sequence[str], groups: Mapping[str, str]) -> int:
    return len(names) - len(groups) + len(set(groups.values()))


def _sized(names: Sequence[str], rule: Callable[[str], str]) -> dict[str, str]:
    groups = {name: rule(name) for name in names}
    sizes = Counter(groups.values())
    return {name: group for name, group in groups.items() if group and sizes[group] >= SMALLEST}


def _file_rule(graph: Graph, names: Sequence[str]) -> Callable[[str], str]:
    files = {graph[name].origin.file for name in names}
    return lambda name: Path(graph[name].origin.file).stem if len(files) > 1 else ""


def _family_rule(graph: Graph) -> Callable[[str], str]:
    def family(name: str) -> str:
        node: Node = graph[name]
        if isinstance(node, IndexNode):
            node = graph[node.source]
        return graph.root(node.name).name if isinstance(node, TableNode) else ""

    return family


def _prefix(name: str) -> str:
    head, mark, _ = name.partition("_")
    return head if mark else ""


def _acyclic(names: Sequence[str], links: Sequence[Link], groups: Mapping[str, str]) -> dict[str, str]:
    """The groups without those that take part in a circle, found by taking away what leads in or out."""
    groups = dict(groups)
    while True:
        folded = Folding(groups)
        edges = {(folded.card(a), folded.card(b)) for a, b in links}
        left = _circles(edges)
        circular = {card.removeprefix(PREFIX) for card in left if card.startswith(PREFIX)}
        if not circular:
            return groups
        groups = {name: group for name, group in groups.items() if group not in circular}


def _circles(edges: Iterable[Link]) -> set[str]:
    left = {edge for edge in edges if edge[0] != edge[1]}
    while True:
        sources, targets = {a for a, _ in left}, {b for _, b in left}
        kept = {(a, b) for a, b in left if a in targets and b in sources}
        if len(kept) == len(left):
            return sources & targets
        left = kept
