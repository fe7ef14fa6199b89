"""Jobs and data of other tools on the graph: which of them lead to or from ours, their cards, and what a panel tells.

What is ours under another name is our card. Only what ours comes from and what comes from ours is drawn, nearest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from packyak.engine.declare.bucket import key_matches
from packyak.engine.declare.nodes import BucketNode, FilesNode, FunctionNode, Graph
from packyak.engine.lineage.outside import Node, OutsideGraph
from packyak.engine.lineage.places import Places
from packyak.studio.views import words
from packyak.studio.views.cards import Card, Spot, placed_card
from packyak.studio.views.layout import Link, Size

MOST = 60  # nodes of other tools on one graph
OUTSIDE: Size = (232.0, 54.0)
KIND = "outside"
LONGEST = 120


@dataclass(frozen=True)
class Beyond:
    """What other tools do around a project. nodes: by the name of their card; links: among them, and to and from ours
    by our names. more: how many lead to or from ours and are not drawn; apart: how many do not."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    more: int = 0
    apart: int = 0


@dataclass(frozen=True)
class Tale:
    """What the panel tells of one: rows of name and value, and what of ours it feeds and is fed by."""

    title: str
    kind: str
    rows: tuple[tuple[str, str], ...]
    feeds: tuple[str, ...]
    fed: tuple[str, ...]


def beyond(outside: OutsideGraph, places: Places, project: str, graph: Graph, shown: Sequence[str]) -> Beyond:
    """What of other tools leads to or from a project's nodes. shown: those that have a card."""
    mine = _cards_of(outside, places, project, graph, frozenset(shown))
    every = [
        (a, b) for one, other in sorted(outside.edges) for a in mine.get(one, (one,)) for b in mine.get(other, (other,))
    ]
    links = [link for link in every if not (link[0] in graph.nodes and link[1] in graph.nodes)]
    ours = {name for names in mine.values() for name in names}
    found = [name for name in _reached(links, ours) if name not in graph.nodes]
    drawn = frozenset(found[:MOST])
    kept = tuple(dict.fromkeys(link for link in links if all(end in drawn or end in ours for end in link)))
    apart = len(outside.nodes) - len(mine) - len(found)
    return Beyond({name: outside.nodes[name] for name in found[:MOST]}, kept, len(found) - len(drawn), apart)


def _cards_of(
    outside: OutsideGraph, places: Places, project: str, graph: Graph, shown: frozenset[str]
) -> dict[str, tuple[str, ...]]:
    """Our cards that stand for an outside node: an asset, a bucket, or what reads files of it there."""
    found = {}
    for name, read in outside.ours(places, project).items():
        if read.kind == "asset":
            cards = [read.name]
        else:
            _, folder = places.bucket(read.name)
            inside = outside.nodes[name].name.partition(f"{folder}/")[2].rstrip("/")
            cards = [each for each in graph.nodes if _lies_in(graph, each, read.name, inside)]
        cards = [card for card in cards if card in shown]
        if cards:
            found[name] = tuple(cards)
    return found


def _lies_in(graph: Graph, name: str, bucket: str, inside: str) -> bool:
    node = graph.nodes[name]
    if isinstance(node, FilesNode):
        return node.bucket == bucket and _meets(inside, node.pattern)
    if isinstance(node, FunctionNode):
        return node.on is not None and node.on[0] == bucket and _meets(inside, node.on[1])
    return isinstance(node, BucketNode) and name == bucket


def _meets(inside: str, pattern: str) -> bool:
    """Whether a file or folder of a bucket can hold files of a pattern. A name with an ending is a file's."""
    inside = inside.split("*")[0].rstrip("/")
    if not inside or key_matches(inside, pattern):
        return True
    head = pattern.replace("?", "*").partition("*")[0]
    folder = f"{inside}/"
    return not PurePosixPath(inside).suffix and (head.startswith(folder) or folder.startswith(head))


def _reached(links: Iterable[Link], ours: Iterable[str]) -> list[str]:
    """What leads to ours and where ours leads, nearest first."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for a, b in links:
        below.setdefault(a, []).append(b)
        above.setdefault(b, []).append(a)
    steps: dict[str, int] = {}
    for near in (above, below):
        seen, edge, step = set(ours), sorted(ours), 0
        while edge:
            step += 1
            edge = list(dict.fromkeys(b for a in edge for b in near.get(a, ()) if b not in seen))
            seen.update(edge)
            steps.update({name: min(step, steps.get(name, step)) for name in edge})
    return sorted(steps, key=lambda name: (steps[name], name))


@lru_cache(maxsize=64)
def straight(ours: tuple[Link, ...], links: tuple[Link, ...]) -> tuple[tuple[Link, ...], frozenset[Link]]:
    """The links of other tools as a layout takes them, without circles, and which of them were turned around for it:
    another tool may well write what it reads."""
    below: dict[str, list[str]] = {}
    for a, b in ours:
        below.setdefault(a, []).append(b)
    laid: list[Link] = []
    turned: set[Link] = set()
    for a, b in links:
        if _leads(below, b, a):
            turned.add((a, b))
            laid.append((b, a))
        else:
            laid.append((a, b))
            below.setdefault(a, []).append(b)
    return tuple(dict.fromkeys(laid)), frozenset(turned)


def _leads(below: Mapping[str, Sequence[str]], start: str, end: str) -> bool:
    seen, edge = {start}, [start]
    while edge and end not in seen:
        edge = [b for a in edge for b in below.get(a, ()) if b not in seen]
        seen.update(edge)
    return end in seen


def outside_card(name: str, node: Node, spot: Spot) -> Card:
    """The card of something of another tool: quiet, with its short name and whose it is."""
    line = _line(node)
    label = f"{title(node)}, {KIND}, {line}"
    return placed_card(spot, name=name, title=title(node), kind=KIND, state=KIND, line=line, label=label)


def is_outside(name: str) -> bool:
    """Whether a card's name is that of something of another tool. None of ours has a blank in its first word."""
    return name.startswith(("job ", "data "))


def title(node: Node) -> str:
    """A name as short as a card: its last two parts."""
    mark = "/" if "/" in node.name else "."
    return mark.join([part for part in node.name.split(mark) if part][-2:] or [node.name])[:LONGEST]


def label(node: Node | None) -> str:
    """A name among names of ours: with the word for what it is."""
    return f"{title(node)} ({KIND} {node.kind})" if node else ""


def tool(producer: str) -> str:
    """The tool's name in what it says of itself, which is mostly the address of its code."""
    parts = urlsplit(producer) if "://" in producer else None
    if parts is None:
        return producer[:LONGEST]
    steps = [part for part in parts.path.split("/") if part]
    if "integration" in steps[:-1]:
        return steps[steps.index("integration") + 1][:LONGEST]
    return (steps[1] if len(steps) > 1 else parts.netloc)[:LONGEST]


def _line(node: Node) -> str:
    if node.kind == "job":
        return f"job of {tool(node.producer) or node.namespace[:LONGEST]}"
    return f"data in {node.namespace[:LONGEST]}"


def hint(found: Beyond) -> str:
    """What there is of other tools, in words; "" for nothing."""
    number = len(found.nodes) + found.more
    if not number and not found.apart:
        return ""
    if not number:
        return f"None of the {words.count(found.apart)} jobs and data sets of other tools leads to or from this project"
    said = [f"{words.count(number)} jobs and data sets of other tools around this project"]
    said += [f"{words.count(found.more)} of them not drawn"] if found.more else []
    said += [f"{words.count(found.apart)} more apart from it"] if found.apart else []
    return ", ".join(said)


def tale(found: Beyond, name: str, graph: Graph) -> Tale:
    """What is known of one: its whole name, the last event about it, and what of ours it leads to and comes from."""
    node = found.nodes[name]
    age = words.age(node.at)
    when = f"{words.clock(node.at)}{f', {age}' if age.endswith('ago') else ''}" if age else node.at
    rows = [
        ("Namespace", node.namespace),
        ("Name", node.name),
        ("Also", "\n".join(" ".join(each) for each in node.also)),
        ("Columns", ", ".join(node.columns)),
        ("Told by", tool(node.producer)),
        ("Last event", node.event or ("" if node.job else "of the data alone")),
        ("Job", node.job if node.kind == "data" else ""),
        ("Run", node.run),
        ("Time", when),
    ]
    below, above = _next(found.links, name, graph), _next([(b, a) for a, b in found.links], name, graph)
    return Tale(title(node), node.kind, tuple((row, value) for row, value in rows if value), below, above)


def beside(found: Beyond, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of other tools one of ours is made from, and what is made from it, one step away."""
    above = tuple(a for a, b in found.links if b == name and a in found.nodes)
    return above, tuple(b for a, b in found.links if a == name and b in found.nodes)


def _next(links: Iterable[Link], name: str, graph: Graph) -> tuple[str, ...]:
    """The first of ours that a way along the links comes to."""
    near: dict[str, list[str]] = {}
    for a, b in links:
        near.setdefault(a, []).append(b)
    seen, edge = {name}, [name]
    while edge:
        edge = [b for a in edge if a not in graph.nodes for b in near.get(a, ()) if b not in seen]
        seen.update(edge)
    return tuple(each for each in graph.nodes if each in seen)
