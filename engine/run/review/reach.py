"""What hangs on a value: which assets downstream read the column, and about how many of their records.

A one-to-one transform passes a record on as one record, a one-to-many one as its children, a look-up to the records
that look it up; a query or a whole-table function may change all it yields. Column lineage tells who reads what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from packyak.engine.declare.nodes import TableNode, TransformNode
from packyak.engine.lineage.columns import ColumnEdges, edges_of
from packyak.engine.run.questions import Reach
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import PARENT, Snapshot

EVERY = ""


@dataclass
class Downstream:
    """The reach of every column of a project at one moment."""

    reader: Reader
    snapshot: Snapshot
    _edges: dict[str, ColumnEdges] = field(default_factory=dict)
    _known: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    _rows: dict[str, int] = field(default_factory=dict)
    _children: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)

    def reach(self, owner: str, column: str, key: str | None = None) -> Reach:
        """How far a column of one record reaches (key: of that record, else on average)."""
        found = self._records(owner, column)
        extra = (
            sum(self._fans(owner, name).get(key, 0) - each for name, each in self._fanned(owner, found)) if key else 0
        )
        records = max(0, round(sum(found.values()) + extra))
        return Reach(len(found), records, _words(len(found), records))

    def weights(self, owner: str, column: str, keys: Sequence[str]) -> npt.NDArray[np.float64]:
        """How much hangs on the column in each of these records: 1 where nothing does, growing with the logarithm."""
        found = self._records(owner, column)
        records = np.full(len(keys), sum(found.values()), dtype=np.float64)
        for name, each in self._fanned(owner, found):
            counts = self._fans(owner, name)
            records += np.array([counts.get(key, 0) for key in keys], dtype=np.float64) - each
        return np.asarray(1.0 + np.log10(1.0 + np.maximum(records, 0.0)))

    def _fanned(self, owner: str, found: Mapping[str, float]) -> list[tuple[str, float]]:
        """Assets below that have children of each record, with their mean number."""
        root = self.reader.graph.root(owner).name
        return [(name, each) for name, each in found.items() if self._parent_of(name) == root]

    def _parent_of(self, name: str) -> str:
        """The root of the asset whose records a one-to-many transform cuts up; "" for any other asset."""
        node = self.reader.graph[name]
        if not isinstance(node, TransformNode) or not node.many:
            return ""
        source = self.reader.graph.nodes.get(node.source)
        return self.reader.graph.root(node.source).name if isinstance(source, TableNode) else ""

    def _fans(self, owner: str, name: str) -> Mapping[str, int]:
        """How many records of a one-to-many transform each record has yielded."""
        if (owner, name) not in self._children:
            data = self.snapshot.table(name)
            counts: dict[str, int] = {}
            if data is not None and PARENT in data.schema.names:
                place = self.snapshot.select(name, (), parent=True)
                sql = f"select {PARENT} as parent, count(*) as n from ({place.sql}) group by 1"
                told = self.reader.scope.query.run(sql, place.tables)
                counts = dict(zip(told["parent"].to_pylist(), told["n"].to_pylist(), strict=True))
            self._children[owner, name] = counts
        return self._children[owner, name]

    def _records(self, owner: str, column: str) -> dict[str, float]:
        """Downstream assets that read the column, with how many of their records one value reaches on average. EVERY
        for a column: any."""
        if (owner, column) not in self._known:
            self._known[owner, column] = self._spread(owner, column)
        return self._known[owner, column]

    def _spread(self, owner: str, column: str) -> dict[str, float]:
        graph = self.reader.graph
        touched = {(owner, column)}
        share: dict[str, float] = {owner: 1.0}
        for name in graph.nodes:
            if name == owner or not isinstance(graph.nodes[name], TableNode):
                continue
            reached = self._reached(name, touched)
            if reached:
                touched |= {(name, each) for each in reached}
                share[name] = self._count(name, share)
        share.pop(owner)
        return share

    def _reached(self, name: str, touched: set[tuple[str, str]]) -> set[str]:
        """The columns of an asset that depend on something touched."""
        if name not in self._edges:
            stored = {each.name: self.snapshot.stored(each.name) for each in self.reader.graph.tables}
            self._edges[name] = edges_of(self.reader.graph, name, stored)
        assets = {asset for asset, _ in touched}

        def hit(asset: str, column: str) -> bool:
            if column == EVERY or (asset, EVERY) in touched:
                return asset in assets
            return (asset, column) in touched

        edges = self._edges[name]
        if any(hit(source.asset, source.column) for source in edges.influences):
            return set(edges.columns) or {EVERY}
        return {own for own, sources in edges.columns.items() if any(hit(s.asset, s.column) for s in sources)}

    def _count(self, name: str, share: Mapping[str, float]) -> float:
        """How many records of an asset one value reaches, given how many of what it reads it does."""
        node = self.reader.graph[name]
        if not isinstance(node, TransformNode) or node.source not in self.reader.graph.nodes:
            return float(self._count_rows(name))
        chain = {each.name for each in self.reader.graph.chain(node.source)}
        from_source = max((each for asset, each in share.items() if asset in chain), default=0.0)
        if not from_source:  # only through a look-up: whoever looks this record up
            looked_up = max(self._count_rows(asset) for asset in share)
            return self._count_rows(self.reader.graph.root(name).name) / max(1, looked_up)
        if not node.many:
            return from_source
        parents = self._count_rows(self.reader.graph.root(node.source).name)
        return from_source * self._count_rows(name) / max(1, parents)

    def _count_rows(self, name: str) -> int:
        if name not in self._rows:
            good = self.reader.published.load().assets.get(name)
            self._rows[name] = good.rows if good else 0
        return self._rows[name]


def _words(assets: int, records: int) -> str:
    if not assets:
        return "if corrected: nothing else changes"
    many = f"{assets} {'asset' if assets == 1 else 'assets'}"
    about = (
        f"about {_round(records):,} records" if records > 20 else f"{records} {'record' if records == 1 else 'records'}"
    )
    return f"if corrected: {many}, {about}"


def _round(records: int) -> int:
    """Two digits are enough for an estimate."""
    digits = max(0, len(str(records)) - 2)
    return round(records, -digits)
