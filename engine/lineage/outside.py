"""Jobs and data of other tools, known from their events: kept as they came, and as a graph that joins ours.

Each import is one file of events and one small file of what they say, both written once, so that importers never get
in each other's way; many small ones are merged. An outside data set that has one of our names, or one of whose other
names (symlinks) is ours, is ours. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from packyak.engine.lineage.accept import Accepted, read_events
from packyak.engine.lineage.asset_event import PRODUCER, Read, namespace
from packyak.engine.lineage.places import Name, Places
from packyak.engine.store.corrections import new_id
from packyak.engine.store.home import Home

FOLDER = "lineage/outside"
EVENTS, GRAPH = ".jsonl", ".graph.json"
LOOSE_FILES = 50


@dataclass(frozen=True)
class Node:
    """Something of another tool. kind: job or data. columns: as last told; also: other names of the same data.

    event, job, run, at: what the last event about it says: its type, whose run, and when.
    """

    kind: Literal["job", "data"]
    namespace: str
    name: str
    producer: str = ""
    columns: tuple[str, ...] = ()
    also: tuple[Name, ...] = ()
    at: str = ""
    event: str = ""
    job: str = ""
    run: str = ""

    @property
    def id(self) -> str:
        """One text for what it is."""
        return f"{self.kind} {self.namespace} {self.name}"


@dataclass(frozen=True)
class OutsideGraph:
    """Nodes by id, and edges from what is read to what is made, as pairs of ids."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    edges: frozenset[tuple[str, str]] = frozenset()

    def ours(self, places: Places, project: str) -> dict[str, Read]:
        """The data nodes that are ours, by id: an asset's table or a bucket."""
        found: dict[str, Read] = {}
        for node in self.nodes.values():
            for name in ((node.namespace, node.name), *node.also) if node.kind == "data" else ():
                mine = _asset_named(name, project) or places.ours(_plain(name))
                if mine is not None:
                    found[node.id] = mine
        return found

    def above(self, node: str) -> list[str]:
        return sorted(one for one, other in self.edges if other == node)

    def below(self, node: str) -> list[str]:
        return sorted(other for one, other in self.edges if one == node)


@dataclass(frozen=True)
class EventReport:
    """What is wrong with one event of an import."""

    place: int
    level: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ImportReport:
    """What an import found. `reports` are of events that are not valid; all are kept, under the name `kept`."""

    total: int
    valid: int
    tolerated: int
    rejected: int
    reports: tuple[EventReport, ...] = ()
    kept: str = ""


class Outside:
    """The events of other tools in one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read: dict[str, OutsideGraph] = {}
        self._whole: tuple[list[str], OutsideGraph] = ([], OutsideGraph())

    def receive(self, data: bytes) -> ImportReport:
        """Takes in events, as JSON lines, an array or one object; answers what was found. Never raises for what the
        bytes hold."""
        events = list(read_events(data))
        counts = {level: sum(each.level == level for each in events) for level in ("valid", "tolerated", "rejected")}
        reports = tuple(EventReport(each.place, each.level, each.problems) for each in events if each.problems)
        name = new_id() if events else ""
        if events:
            lines = (json.dumps(_as_kept(each), separators=(",", ":")) for each in events)
            self._home.create(f"{FOLDER}/{name}{EVENTS}", "".join(f"{line}\n" for line in lines).encode())
            self._keep_graph(name, graph_of(each.event for each in events if each.event and each.level != "rejected"))
            self._tidy()
        return ImportReport(len(events), counts["valid"], counts["tolerated"], counts["rejected"], reports, name)

    def graph(self) -> OutsideGraph:
        """All that is known. Reads what is new since the last look; with nothing new, answers the same object."""
        names = self._home.names(FOLDER, GRAPH)
        known, whole = self._whole
        if names == known:
            return whole
        read = {name: self._read[name] if name in self._read else self._graph_in(name) for name in names}
        whole = _merged(read.values())
        self._read, self._whole = read, (names, whole)
        return whole

    def _graph_in(self, name: str) -> OutsideGraph:
        data = self._home.read(f"{FOLDER}/{name}")
        return _parsed(data) if data else OutsideGraph()

    def _keep_graph(self, name: str, graph: OutsideGraph) -> None:
        plain = {"nodes": [asdict(node) for node in graph.nodes.values()], "edges": sorted(graph.edges)}
        self._home.create(f"{FOLDER}/{name}{GRAPH}", json.dumps(plain, separators=(",", ":")).encode())

    def _tidy(self) -> None:
        """Merges the graphs of many imports into one. It is there before they go, and reading knows both."""
        names = self._home.names(FOLDER, GRAPH)
        if len(names) > LOOSE_FILES:
            self._keep_graph(new_id(), self.graph())
            for name in names:
                self._home.remove(f"{FOLDER}/{name}")


def graph_of(events: Iterable[Mapping[str, Any]]) -> OutsideGraph:
    """The jobs and data that events name, and who reads and writes what. Our own events say nothing about outside."""
    nodes: dict[str, Node] = {}
    edges: set[tuple[str, str]] = set()
    for event in events:
        if event.get("producer") == PRODUCER:
            continue
        job = _job(event)
        inputs, outputs = (_data(event, side) for side in ("inputs", "outputs"))
        alone = [_data_node(event["dataset"], event)] if isinstance(event.get("dataset"), dict) else []
        for node in filter(None, [job, *inputs, *outputs, *alone]):
            nodes[node.id] = _newer(nodes.get(node.id), node)
        if job is not None:
            edges |= {(node.id, job.id) for node in inputs} | {(job.id, node.id) for node in outputs}
        edges |= _column_edges(event, nodes)
    return OutsideGraph(nodes, frozenset(edges))


def _job(event: Mapping[str, Any]) -> Node | None:
    job = event.get("job")
    if not isinstance(job, dict) or not _named(job):
        return None
    return Node("job", job["namespace"], job["name"], str(event.get("producer", "")), (), (), *_last(event))


def _data(event: Mapping[str, Any], side: str) -> list[Node]:
    listed = event.get(side)
    found = [_data_node(each, event) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return [node for node in found if node is not None]


def _data_node(data: Mapping[str, Any], event: Mapping[str, Any]) -> Node | None:
    if not _named(data):
        return None
    facets = data.get("facets") if isinstance(data.get("facets"), dict) else {}
    schema = _listed(facets, "schema", "fields")
    names = tuple(str(each["name"]) for each in schema if isinstance(each, dict) and isinstance(each.get("name"), str))
    also = tuple(
        (each["namespace"], each["name"]) for each in _listed(facets, "symlinks", "identifiers") if _named(each)
    )
    return Node("data", data["namespace"], data["name"], str(event.get("producer", "")), names, also, *_last(event))


def _last(event: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """An event's time, type, job and run, as a node keeps them. What is no text is not told."""
    job, run = event.get("job"), event.get("run")
    at, kind, run_id = event.get("eventTime"), event.get("eventType"), run.get("runId") if isinstance(run, dict) else ""
    whose = f"{job['namespace']} {job['name']}" if isinstance(job, dict) and _named(job) else ""
    return _text(at), _text(kind), whose, _text(run_id)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _column_edges(event: Mapping[str, Any], nodes: dict[str, Node]) -> set[tuple[str, str]]:
    """Data named by column lineage alone, as events about a data set without a run do."""
    alone = event.get("dataset")
    if not isinstance(alone, dict) or not _named(alone):
        return set()
    facets = alone.get("facets") if isinstance(alone.get("facets"), dict) else {}
    lineage = facets.get("columnLineage") if isinstance(facets, dict) else None
    fields = lineage.get("fields") if isinstance(lineage, dict) else None
    found: set[tuple[str, str]] = set()
    for each in fields.values() if isinstance(fields, dict) else ():
        for source in each.get("inputFields", ()) if isinstance(each, dict) else ():
            node = _data_node(source, event) if isinstance(source, dict) else None
            if node is not None:
                nodes.setdefault(node.id, node)
                found.add((node.id, f"data {alone['namespace']} {alone['name']}"))
    return found


def _listed(facets: Any, key: str, inside: str) -> list[Any]:
    facet = facets.get(key) if isinstance(facets, dict) else None
    found = facet.get(inside) if isinstance(facet, dict) else None
    return found if isinstance(found, list) else []


def _named(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(part), str) and value[part] for part in _NAME)


_NAME = ("namespace", "name")


def _newer(known: Node | None, node: Node) -> Node:
    """What the later event says; columns and names that it does not tell stay."""
    if known is None:
        return node
    late, early = (node, known) if node.at >= known.at else (known, node)
    also = tuple(dict.fromkeys([*early.also, *late.also]))
    return replace(late, columns=late.columns or early.columns, also=also)


def _merged(graphs: Iterable[OutsideGraph]) -> OutsideGraph:
    nodes: dict[str, Node] = {}
    edges: set[tuple[str, str]] = set()
    for graph in graphs:
        for node in graph.nodes.values():
            nodes[node.id] = _newer(nodes.get(node.id), node)
        edges |= graph.edges
    return OutsideGraph(nodes, frozenset(edges))


def _parsed(data: bytes) -> OutsideGraph:
    try:
        plain = json.loads(data)
        nodes = [
            Node(**{**each, "columns": tuple(each["columns"]), "also": tuple((a, b) for a, b in each["also"])})
            for each in plain["nodes"]
        ]
        return OutsideGraph({node.id: node for node in nodes}, frozenset((a, b) for a, b in plain["edges"]))
    except (ValueError, KeyError, TypeError):
        return OutsideGraph()  # a damaged file must not hide the others


def _as_kept(event: Accepted) -> dict[str, Any]:
    if event.level != "rejected" and event.event is not None:
        return event.event
    return {"rejected": list(event.problems), "event": event.event, "text": event.text}


def _asset_named(name: Name, project: str) -> Read | None:
    return Read(name[1]) if name[0] == namespace(project) and name[1] else None


def _plain(name: Name) -> Name:
    """`file://host` and `file:` are `file`; names lose a trailing slash and a `file:` of their own."""
    space, path = name
    if space.split(":", 1)[0] == "file":
        return "file", path.removeprefix("file://").removeprefix("file:").rstrip("/")
    return space.rstrip("/"), path.rstrip("/")
