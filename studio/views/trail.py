"""A record's trace as the graph draws it and as the panel beside it tells it: where its values come from, what hangs on
them, and what made each: code, model, correction, person, run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from packyak.engine.declare.nodes import Graph
from packyak.engine.lineage.chain import Model, Step, Trace, Word
from packyak.studio.views import tables, words
from packyak.studio.views.layout import Link

MOST_STEPS = 12
MOST_VALUES = 4
FILES = frozenset({"file", "files"})


@dataclass(frozen=True)
class Trail:
    """How a trace lies in the graph. assets: how many records of each (0: all of it, as a whole, `wholes` says how
    many); passes: the graph's edges that it runs along, with how many records do; outside: what of other tools it runs
    through, which nobody told record by record."""

    start: str
    assets: Mapping[str, int]
    files: frozenset[str] = frozenset()
    wholes: Mapping[str, int | None] = field(default_factory=dict)
    passes: Mapping[Link, int] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()

    def words(self, names: Sequence[str]) -> str:
        """What a card says that stands for these assets: "3 records", "all 1,500", of another tool's "as a whole"; ""
        where it is not on the trail."""
        mine = [name for name in names if name in self.assets]
        if not mine:
            return "as a whole" if any(name in self.outside for name in names) else ""
        if self.start in mine:
            return "this record"
        number = sum(self.assets[name] for name in mine)
        if not number:
            return f"all {words.count(sum(self.wholes.get(name) or 0 for name in mine))}"
        return words.counted(number, "file" if all(name in self.files for name in mine) else "record")

    def lines(self, card: Callable[[str], str]) -> dict[Link, str]:
        """What the edges between cards say. card: which card stands for an asset."""
        found: Counter[Link] = Counter()
        for (above, below), number in self.passes.items():
            if card(above) != card(below):
                found[card(above), card(below)] += number
        return {link: words.count(number) if number else "all" for link, number in found.items()}


def trail_of(graph: Graph, traces: Sequence[Trace]) -> Trail:
    """The trail of a record from its traces, up and down."""
    start = traces[0].start.asset
    records: dict[str, set[str]] = {}
    wholes: dict[str, int | None] = {}
    files: set[str] = set()
    passes: dict[Link, set[str]] = {}
    paths: dict[Link, list[Link]] = {}
    for each in traces:
        for step in each.steps:
            if step.asset in graph.nodes:
                records.setdefault(step.asset, set()).update({step.key} - {""})
                if not step.key:
                    wholes[step.asset] = step.records
                if step.kind in FILES:
                    files.add(step.asset)
        for link in each.links:
            ends = link.above[0], link.below[0]
            if ends not in paths:
                paths[ends] = [ends] if link.how == "outside" else _path(graph, *ends)
            for passed in paths[ends]:
                passes.setdefault(passed, set()).update({link.above[1]} - {""})
    others = frozenset(step.asset for each in traces for step in each.steps if step.kind == "outside")
    counted = {name: len(keys) for name, keys in records.items()}
    passed_by = {link: len(keys) for link, keys in passes.items()}
    return Trail(start, counted, frozenset(files), wholes, passed_by, others)


def _path(graph: Graph, above: str, below: str) -> list[Link]:
    """The shortest way along the graph's edges: what is read may be owned further up than the edge begins."""
    if above not in graph.nodes or below not in graph.nodes:
        return []
    came: dict[str, str] = {below: ""}
    queue = [below]
    for name in queue:
        if name == above:
            break
        for parent in graph.nodes[name].inputs if name in graph.nodes else ():
            if parent not in came:
                came[parent] = name
                queue.append(parent)
    path, here = [], above
    while came.get(here):
        path.append((here, came[here]))
        here = came[here]
    return path


@dataclass(frozen=True)
class Line:
    """One step in the panel. key "": a whole asset; name: what the record is called; open: whether it has a page of its
    own. made: what made the values, in sentences. tone: person | model | rule | error | ""."""

    asset: str
    key: str
    name: str
    open: bool
    values: tuple[tuple[str, str], ...] = ()
    made: tuple[str, ...] = ()
    place: str = ""
    run: str = ""
    when: str = ""
    tone: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Part:
    """The steps of one asset, or where they stand to the record asked about: "Comes from", "Hangs on it"."""

    title: str
    asset: str
    number: str
    lines: tuple[Line, ...]
    more: int = 0


@dataclass(frozen=True)
class Told:
    """A trace as the panel tells it, from the first source down to the last thing that hangs on the record."""

    above: tuple[Part, ...]
    record: Line
    below: tuple[Part, ...]
    notes: tuple[str, ...] = ()


def told(graph: Graph, trail: Trail, up: Trace, down: Trace, root: Path, now: datetime | None = None) -> Told:
    """The panel's words for a trace."""
    notes = tuple(dict.fromkeys([*up.notes, *down.notes]))
    above = _parts(graph, trail, up, root, now)
    return Told(above, line(up.start, root, now), _parts(graph, trail, down, root, now), notes)


def _parts(graph: Graph, trail: Trail, trace: Trace, root: Path, now: datetime | None) -> tuple[Part, ...]:
    by_asset: dict[str, list[Step]] = {}
    for step in trace.steps:
        if step.id != trace.start.id:
            by_asset.setdefault(step.asset, []).append(step)
    order = {name: place for place, name in enumerate(graph.nodes)}
    found = []
    for asset in sorted(by_asset, key=lambda name: order.get(name, -1)):
        steps = by_asset[asset]
        shown = tuple(line(step, root, now) for step in steps[:MOST_STEPS])
        number = trail.words([asset]) if asset != trail.start else words.counted(len(steps), "record")
        title = asset if asset in graph.nodes else f"{asset} (another tool)"
        found.append(Part(title, asset, number, shown, len(steps) - len(shown)))
    return tuple(found)


def line(step: Step, root: Path, now: datetime | None = None) -> Line:
    """One step in words."""
    values = tuple((name, words.value(value, 90)) for name, value in list(step.values.items())[:MOST_VALUES])
    tone = "error" if step.error else step.decided if step.decided in ("person", "model", "rule") else ""
    return Line(
        step.asset,
        step.key,
        words.record(step.key),
        bool(step.key) and step.kind not in FILES and step.kind not in ("index", "bucket"),
        values,
        _made(step, now),
        tables.place(step.function, root) if step.function else "",
        step.run,
        words.age(step.at, now),
        tone,
        step.kind,
    )


def _made(step: Step, now: datetime | None) -> tuple[str, ...]:
    """Who or what made the value: a person's word first."""
    said = [_word(each, now) for each in step.corrections]
    if step.error:
        said.append(f"failed: {step.error}")
    elif step.decided == "model" and step.model is not None:
        said.append(_model(step.model, step.confidence))
    elif step.decided == "rule":
        said.append("the first rule decided")
    elif step.decided == "none":
        said.append("nobody decided: it is left empty")
    if not step.key and step.records is not None:
        said.append(f"taken whole: all {words.counted(step.records, 'record')}")
    if not step.current:
        said.append(f"computed by code {step.code[:8]}, which has changed since")
    return tuple(said)


def _word(each: Word, now: datetime | None) -> str:
    who = each.by or "somebody"
    what = "accepted" if each.kind == "accept" else f"said {words.value(each.value, 40)}"
    over = "" if each.kind == "accept" else f" instead of {words.value(each.computed, 40)}"
    why = f" ({each.why})" if each.why else ""
    return f"{who} {what}{over}, {words.age(each.at, now)}{why}"


def _model(model: Model, confidence: float | None) -> str:
    parts = [f"model {model.id[:8]}"]
    if model.corrections:
        people = f" of {words.listed(model.people)}" if model.people else ""
        parts.append(f"taught by {words.counted(model.corrections, 'answer')}{people}")
    if model.score is not None:
        parts.append(f"right in {model.score:.0%}")
    if confidence is not None:
        parts.append(f"{confidence:.0%} sure here")
    return ", ".join(parts)
