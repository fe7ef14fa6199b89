"""What lies around every page, as plain data: what the palette offers, a page's keys, what the status bar says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from packyak.engine.declare.nodes import Graph, IndexNode, TableNode
from packyak.engine.run.runs import RunRecord
from packyak.studio.views import progress, words
from packyak.studio.views.outside import is_outside

RUN, RETRY, CANCEL, COPY, KEYS = "run", "retry", "cancel", "copy", "keys"


@dataclass(frozen=True)
class Item:
    """One line of the palette. act: go | run | retry | cancel | copy | keys; page and params: where "go" leads."""

    name: str
    note: str
    act: str = "go"
    page: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One part of the status bar. tone: strong | plain | good | warn | bad | busy."""

    text: str
    tone: str = "plain"
    hint: str = ""


@dataclass(frozen=True)
class Key:
    keys: tuple[str, ...]
    does: str


@dataclass(frozen=True)
class KeyGroup:
    title: str
    keys: tuple[Key, ...]


ARROWS = ("\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}", "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}")
EVERYWHERE = KeyGroup(
    "Everywhere",
    (Key(("Ctrl", "K"), "go to a page or an asset, or do something"), Key(("?",), "these keys")),
)
OF_PAGE: Mapping[str, KeyGroup] = {
    "pipeline": KeyGroup(
        "Pipeline",
        (
            Key(("/",), "find an asset"),
            Key(ARROWS, "walk along the edges"),
            Key(("Enter",), "open the panel of the asset"),
            Key(("Esc",), "close it"),
            Key(("F",), "fit the whole graph"),
            Key(("T",), "turn it: across or down"),
            Key(("C",), "columns and where they come from"),
            Key(("O",), "jobs and data of other tools"),
            Key(("+", "\N{MINUS SIGN}", "0"), "nearer, further, 100 %"),
        ),
    ),
    "records": KeyGroup(
        "Records",
        (
            Key(("Enter",), "edit the cell; Enter again keeps it and goes down, Tab to the right"),
            Key(("Esc",), "leave the cell as it was"),
            Key(("Del",), "empty the selected cells"),
            Key(("Shift", *ARROWS), "select several cells"),
            Key(("Ctrl", "C"), "copy the selected cells; with V paste"),
            Key(("Ctrl", "Z"), "take the last edit back; with Y do it again"),
            Key(("Ctrl", "S"), "look at what is not saved, then save it"),
            Key(("Space",), "open the record"),
            Key(("Alt", "PageDown"), "the next page; with PageUp the one before"),
        ),
    ),
    "map": KeyGroup(
        "Map",
        (
            Key(("L",), "pick with a lasso; with Shift beside what is picked"),
            Key(("B",), "pick with a box"),
            Key(("M",), "move: dragging shifts the map"),
            Key(("F",), "fit all records, or those picked"),
            Key(ARROWS, "shift the map"),
            Key(("+", "\N{MINUS SIGN}", "0"), "nearer, further, all of it"),
            Key(("Esc",), "clear what is picked"),
        ),
    ),
    "review": KeyGroup(
        "Review",
        (
            Key(("A",), "accept the answer"),
            Key(("1", "\N{HORIZONTAL ELLIPSIS}", "9"), "choose an answer by its number"),
            Key(("/",), "search the answers, or type one"),
            Key(("S",), "skip"),
            Key(("U",), "undo the last decision"),
            Key(("N",), "add a note"),
        ),
    ),
}


def pages(titles: Sequence[tuple[str, str]]) -> list[Item]:
    """The pages, as the palette offers them. titles: title and name of each."""
    return [Item(title, "page", page=name) for title, name in titles]


def items(
    graph: Graph, titles: Sequence[tuple[str, str]], run: RunRecord | None, command: str, runs: bool = True
) -> tuple[Item, ...]:
    """What the palette offers. runs: whether the person may run and cancel."""
    found = pages(titles)
    if not runs:
        pass
    elif run is None:
        found += [
            Item("Run what is stale", "packyak run", RUN),
            Item("Retry failed records", "packyak run --retry-failed", RETRY),
        ]
    else:
        found.append(Item("Cancel the run", "packyak run --cancel", CANCEL))
    if command:
        found.append(Item("Copy as command", command, COPY))
    found.append(Item("Show the keys of this page", "?", KEYS))
    for node in graph.nodes.values():
        if isinstance(node, (TableNode, IndexNode)):
            found.append(Item(node.name, "in the pipeline", page="pipeline", params={"asset": node.name}))
        if isinstance(node, IndexNode):
            found.append(Item(f"Map of {node.name}", "map", page="map", params={"index": node.name}))
        if isinstance(node, TableNode):
            found.append(Item(f"Records of {node.name}", "records", page="records", params={"asset": node.name}))
    return tuple(found)


def keys(page: str) -> tuple[KeyGroup, ...]:
    """The keys of a page, then those that work everywhere."""
    own = OF_PAGE.get(page)
    return (own, EVERYWHERE) if own else (EVERYWHERE,)


def command(page: str, params: Mapping[str, str]) -> str:
    """What to type in a terminal for what this page shows."""
    asset, key, run = (shlex.quote(params[name]) if params.get(name) else "" for name in ("asset", "key", "run"))
    if page == "records" and asset:
        return f"packyak show {asset} --key {key}" if key else f"packyak show {asset}"
    if page == "map":
        return _map_command(params)
    if page == "export":
        return "packyak export"
    if page == "models":
        return f"packyak models {asset}".rstrip()
    if page == "pipeline" and params.get("of") and key:
        named = [shlex.quote(params[name]) for name in ("of", "key", "field") if params.get(name)]
        return " ".join(["packyak trace", *named])
    if page == "pipeline" and params.get("at"):
        named = [] if is_outside(params.get("asset", "")) or not asset else [asset]
        return " ".join(["packyak status", *named, "--at", shlex.quote(params["at"])])
    if page == "pipeline":
        return "packyak status" if is_outside(params.get("asset", "")) else f"packyak status {asset}".rstrip()
    if page == "review":
        queue = shlex.quote(params["queue"]) if params.get("queue") else ""
        return f"packyak review {asset}".rstrip() + (f" --only {queue}" if queue else "")
    if page == "runs":
        return f"packyak history {run}".rstrip() if run else "packyak history"
    return ""


def _map_command(params: Mapping[str, str]) -> str:
    """The map as the address says; a colour of "-" is none."""
    said = ["packyak", "map", *filter(None, [params.get("index")])]
    for name in ("asset", "color", "way", "inside"):
        if params.get(name, "-") != "-":
            said += [f"--{name}", params[name]]
    return shlex.join(said)


def selection(params: Mapping[str, str]) -> str:
    """What the address selects."""
    names = ("of", "key", "field") if params.get("of") else ("asset", "key", "run")
    shown = (words.record(params[name]) if name == "key" else params[name] for name in names if params.get(name))
    return " \N{RIGHTWARDS ARROW} ".join(shown)


def run_fact(run: RunRecord | None) -> Fact:
    """Whether a run is under way, and how far it is."""
    if run is None:
        return Fact("No run under way", "good")
    told = progress.of_run(run)
    return Fact(f"{told.title}: {told.line}", "busy", told.line)


def facts(name: str, place: str, run: RunRecord | None, selection: str, who: str = "") -> tuple[Fact, ...]:
    """What the status bar says: project, where its data lives, the run under way, who looks, what is selected."""
    found = (Fact(name, "strong", place), Fact(place, "plain", "where its data lives"), run_fact(run))
    more = ((who, "your role, as packyak roles tells it"), (selection, "selected"))
    return (*found, *(Fact(text, "plain", hint) for text, hint in more if text))
