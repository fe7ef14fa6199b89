"""The graph as of a past moment: what was published then, how each asset stood, and which moments there are.

A past asset is fresh where it had been computed from the versions that were good beside it, stale where an input was
newer, failed or blocked where the run of that moment says so. Indexes and functions keep no versions: none is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from packyak.engine.declare.nodes import (
    AssetNode,
    BucketNode,
    CheckNode,
    FunctionNode,
    Graph,
    IndexNode,
    Node,
    Origin,
    TableNode,
)
from packyak.engine.run.answers import AssetStatus, PastAsset, PastGraph, State
from packyak.engine.run.due.status import kind_of
from packyak.engine.run.runs import RunRecord
from packyak.engine.store.published import Vector
from packyak.studio.views import words

FAILED_STATES: Mapping[str, State] = {"failed": "failed", "blocked": "blocked"}


@dataclass(frozen=True)
class Moment:
    """One publication: the run that made it, when, and what it changed, in words."""

    run: str
    at: str
    title: str
    note: str


@dataclass(frozen=True)
class Then:
    """The project at a past moment, ready for the board. earlier, later: runs to step to ("" at either end; later: also
    where the next one is the present)."""

    graph: Graph
    statuses: tuple[AssetStatus, ...]
    past: PastGraph
    earlier: str = ""
    later: str = ""

    @property
    def title(self) -> str:
        return f"As it was on {words.clock(self.past.at)}"

    @property
    def lines(self) -> Mapping[str, str]:
        """What each card says: how it stood, and what became of that version."""
        return {each.name: _line(each) for each in self.statuses if each.reason}

    def asset(self, name: str) -> PastAsset | None:
        """One asset of that time."""
        return next((each for each in self.past.assets if each.name == name), None)


def moments(vectors: Sequence[Vector]) -> list[Moment]:
    """The publications, given oldest first, as a person chooses among them: newest first."""
    found = []
    for before, one in zip([Vector(), *vectors], vectors, strict=False):
        changed = [name for name, each in one.assets.items() if _version(before, name) != each.version]
        gone = [name for name in before.assets if name not in one.assets]
        parts = [words.listed(changed)] if changed else []
        parts += [f"without {words.listed(gone)}"] if gone else []
        found.append(Moment(one.run, one.at, words.clock(one.at), "; ".join(parts) or "nothing changed"))
    return found[::-1]


def _version(vector: Vector, name: str) -> str:
    known = vector.assets.get(name)
    return known.version if known else ""


def then(graph: Graph, past: PastGraph, vectors: Sequence[Vector], run: RunRecord | None) -> Then:
    """The board's graph and statuses at that moment. vectors: the publications, oldest first; run: of that moment."""
    here = next((place for place, each in enumerate(vectors) if (each.run, each.at) == (past.run, past.at)), None)
    before = vectors[here - 1] if here else Vector()
    after = vectors[here + 1] if here is not None and here + 1 < len(vectors) else None
    drawn = _graph(graph, past)
    good = {each.name: each for each in past.assets}
    now = vectors[-1] if vectors else Vector()
    statuses = tuple(_status(node, good, before, now, run) for node in drawn.nodes.values())
    return Then(drawn, statuses, past, before.run, after.run if after else "")


def _graph(graph: Graph, past: PastGraph) -> Graph:
    """The declarations of today, and what is declared no longer; without what has no past."""
    kept = {
        name: node for name, node in graph.nodes.items() if not isinstance(node, (IndexNode, FunctionNode, CheckNode))
    }
    read = {name for node in kept.values() for name in node.inputs}
    kept = {name: node for name, node in kept.items() if name in read or not isinstance(node, BucketNode)}
    gone = [each for each in past.assets if each.name not in graph.nodes]
    known = {*kept, *(each.name for each in gone)}
    for each in gone:
        inputs = tuple(name for name in each.inputs if name in known)
        kept[each.name] = AssetNode(each.name, _origin(each.function), "", None, inputs)
    return Graph(kept)


def _origin(place: str) -> Origin:
    file, _, line = place.rpartition(":")
    return Origin(file, int(line)) if line.isdigit() else Origin(place, 0)


def _status(
    node: Node, good: Mapping[str, PastAsset], before: Vector, now: Vector, run: RunRecord | None
) -> AssetStatus:
    base = AssetStatus(node.name, kind_of(node), "fresh", "", inputs=node.inputs, origin=str(node.origin), doc=node.doc)
    if not isinstance(node, TableNode):
        return base
    mine = good.get(node.name)
    if mine is None:
        return replace(base, state="never", reason="not there yet")
    state, reason = _state(mine, good, run)
    known = before.assets.get(node.name)
    return replace(
        base,
        state=state,
        reason=_since(reason, mine, now),
        rows=mine.rows,
        delta=mine.rows - known.rows if known else None,
        version=mine.version,
        updated_at=mine.at,
    )


def _line(status: AssetStatus) -> str:
    return status.reason if status.state in ("fresh", "never") else f"{status.state}: {status.reason}"


def _state(mine: PastAsset, good: Mapping[str, PastAsset], run: RunRecord | None) -> tuple[State, str]:
    part = run.asset(mine.name) if run else None
    if part is not None and part.state in FAILED_STATES:
        return FAILED_STATES[part.state], part.message
    newer = [name for name, version in mine.inputs.items() if name in good and good[name].version != version]
    if newer:
        return "stale", f"{words.listed(newer)} {'was' if len(newer) == 1 else 'were'} newer"
    return "fresh", ""


def _since(reason: str, mine: PastAsset, now: Vector) -> str:
    """The reason, with what became of that version."""
    if reason:
        return reason
    known = now.assets.get(mine.name)
    if known is None:
        return "gone since"
    return "the same today" if known.version == mine.version else "changed since"
