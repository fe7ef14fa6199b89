"""Walks lineage record by record: up to what a record comes from, down to all that depends on it.

Asset by asset, so that a thousand records cost as many queries as one. A step tells who or what made the value: the
function and the version of its code, the model and the words behind it, the correction in force, the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packyak.engine.declare.nodes import FilesNode, IndexNode, Node, TableNode
from packyak.engine.errors import DataError
from packyak.engine.lineage.chain import Direction, Link, Step, StepId, Trace
from packyak.engine.run.trace.beyond import beyond
from packyak.engine.run.trace.ground import Ground
from packyak.engine.run.trace.hops import WHOLE, Hop, hops_down, hops_up
from packyak.engine.run.trace.steps import Details

LIMIT = 1_000


def trace(
    ground: Ground,
    asset: str,
    key: str,
    column: str | None,
    direction: Direction,
    *,
    limit: int | None = LIMIT,
    project: str = "",
) -> Trace:
    """The lineage of a record (its own columns) or, with `column`, of one field, which may belong to an asset above.

    limit: how many records of one asset at most; None for all. project: its name, by which other tools may know it.
    Raises DataError where there is no such record.
    """
    owner, columns = _start(ground, asset, key, column)
    walk = _Walk(ground, limit)
    walk.reach((owner, key), {*columns, *([] if column else [WHOLE])})
    walk.up(owner) if direction == "up" else walk.down(owner)
    steps, links = walk.answer((owner, key))
    more = beyond(ground.scope.home, project, steps, direction)
    steps, links = (*steps, *more[0]), (*links, *more[1])
    notes = tuple(dict.fromkeys([*ground.notes, *walk.notes]))
    return Trace(asset, key, column or "", direction, steps, links, walk.cut, notes)


def _start(ground: Ground, asset: str, key: str, column: str | None) -> tuple[str, set[str]]:
    node = ground.graph.nodes.get(asset)
    if isinstance(node, FilesNode | IndexNode):
        return asset, set()
    ground.reader.asset(asset)
    snapshot = ground.seen
    if not ground.run(snapshot.select(asset, ()), [key]).num_rows:
        raise DataError(f"{asset} has no record {key!r}", next_step=f"`packyak show {asset}` lists its records")
    if column is None:
        return asset, {name for name, owner in snapshot.owners(asset).items() if owner == asset}
    snapshot.select(asset, [column])  # says which columns there are
    return snapshot.owners(asset)[column], {column}


@dataclass
class _Walk:
    ground: Ground
    limit: int | None
    reached: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    hops: dict[tuple[StepId, StepId, str], set[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cut: int = 0

    def reach(self, step: StepId, columns: Iterable[str]) -> None:
        asset, key = step
        self.reached.setdefault(asset, {}).setdefault(key, set()).update(columns)

    def up(self, start: str) -> None:
        """Assets in reverse order: all that asks for an asset has had its turn before it."""
        for node in reversed(list(self.ground.graph.nodes.values())):
            if node.name in self.reached:
                self._shorten(node.name, keep=start)
                if isinstance(node, TableNode):
                    self._take(hops_up(self.ground, node, self.reached[node.name]), above=True)
                elif isinstance(node, IndexNode):
                    self._take(_index_up(node, self.reached[node.name]), above=True)

    def down(self, start: str) -> None:
        for node in self.ground.graph.nodes.values():
            if node.name != start:
                self._take(hops_down(self.ground, node, self.reached), above=False, of=node)
                self._shorten(node.name, keep=start)

    def _take(self, hops: Iterable[Hop], *, above: bool, of: Node | None = None) -> None:
        taken = list(hops)
        for hop in taken:
            self.hops.setdefault((hop.above, hop.below, hop.how), set()).update(hop.columns)
        columns = self._own_columns(of) if of is not None and taken else set()
        for hop in taken:
            self.reach(hop.above if above else hop.below, hop.columns if above else columns)

    def _own_columns(self, node: Node) -> set[str]:
        """All that a record of an asset consists of: what was computed from something depends on it altogether."""
        stored = self.ground.seen.stored(node.name) if isinstance(node, TableNode) else {}
        return {*stored, WHOLE}

    def _shorten(self, asset: str, keep: str) -> None:
        mine = self.reached.get(asset, {})
        if self.limit is None or len(mine) <= self.limit or asset == keep:
            return
        kept = sorted(mine)[: self.limit]
        self.cut += len(mine) - len(kept)
        self.notes.append(f"{asset}: {len(mine):,} records, the first {len(kept):,} are followed")
        self.reached[asset] = {key: mine[key] for key in kept}

    def answer(self, start: StepId) -> tuple[tuple[Step, ...], tuple[Link, ...]]:
        details = Details(self.ground)
        links = tuple(
            Link(above, below, how, tuple(sorted(column for column in columns if column)))  # type: ignore[arg-type]
            for (above, below, how), columns in self.hops.items()
            if self._kept(above) and self._kept(below)
        )
        order = [start[0], *(name for name in self.reached if name != start[0])]
        steps = [step for asset in order for step in details.steps(asset, self.reached[asset])]
        steps.sort(key=lambda step: step.id != start)
        return tuple(steps), links

    def _kept(self, step: StepId) -> bool:
        return step[1] in self.reached.get(step[0], {})


def _index_up(node: IndexNode, keys: Mapping[str, Iterable[str]]) -> Iterable[Hop]:
    columns = frozenset({node.on, *node.filters})
    return [Hop((node.source, key), (node.name, key), "index", columns) for key in keys]
