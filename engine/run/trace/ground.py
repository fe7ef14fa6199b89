"""The versions that a trace or a comparison stands on: every asset as published at one moment.

What a reader sees has people's words laid over it; what a record was computed from has not, and is read at the
versions that its computation read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import Graph, TransformNode
from packyak.engine.errors import DataError
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, Selection, Snapshot, quoted
from packyak.engine.run.scope import Scope
from packyak.engine.run.trace.applied import in_force_at
from packyak.engine.store.corrections import Correction
from packyak.engine.store.published import AssetVersion
from packyak.engine.store.tables import among

FEW = 16
WANTED = "wanted_keys"


@dataclass
class Ground:
    """Every asset at one moment. seen: as a reader sees them; versions: those published; past: later words are left
    out."""

    reader: Reader
    versions: Mapping[str, AssetVersion]
    seen: Snapshot
    past: bool = False
    notes: list[str] = field(default_factory=list)
    _bare: dict[str, Snapshot] = field(default_factory=dict)
    _memos: dict[str, Any] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        return self.reader.scope

    @property
    def graph(self) -> Graph:
        return self.scope.graph

    def behind(self, asset: str) -> Snapshot:
        """What the asset was computed from: the versions that it read, no later words laid over them."""
        if asset not in self._bare:
            mine = self.versions.get(asset)
            consumed = _other_versions(mine, self.versions) if mine else {}
            self._bare[asset] = Snapshot(self.graph, self.scope.query, lambda name: self._opened(name, consumed))
        return self._bare[asset]

    def _opened(self, name: str, consumed: Mapping[str, int]) -> Any | None:
        good = self.versions.get(name)
        if good is None:
            return None
        table = self.scope.table(name)
        number = int(consumed.get(name, good.table))
        if number != good.table:
            try:
                return table.dataset(number)
            except DataError:
                self.notes.append(f"the version of {name} that was read is no longer kept; its present one stands in")
        return self.reader.opened(name, good)

    def memo(self, asset: str) -> Any | None:
        """The asset's memo at its version."""
        if asset not in self._memos:
            good = self.versions.get(asset)
            self._memos[asset] = None if good is None else self.reader.opened(asset, good, memo=True)
        return self._memos[asset]

    def notes_of(self, asset: str, units: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The memo of some units, by unit."""
        memo = self.memo(asset)
        if memo is None:
            return {}
        return {row[KEY]: row for row in among(memo, pa.array(list(units), pa.string())).to_pylist()}

    def parents(self, asset: str, keys: Collection[str]) -> dict[str, str]:
        """The record or file that each record of a one-to-many transform came from, by key."""
        node = self.graph[asset]
        if not isinstance(node, TransformNode) or not node.many:
            return {}
        found = self.run(self.own().select(asset, (), parent=True), keys)
        return {row[KEY]: row["_parent"] for row in found.to_pylist()} if "_parent" in found.column_names else {}

    def own(self) -> Snapshot:
        """Every asset at its version, bare."""
        return self.behind("")

    def in_force(self) -> Mapping[tuple[str, str, str], Correction]:
        """The corrections that hold: all of now, or those that the versions hold."""
        if not self.past:
            return self.scope.in_force
        return {
            (name, *field): correction
            for name, good in self.versions.items()
            for field, correction in in_force_at(self.scope, name, good.facts.get("applied", ""), good.at).items()
        }

    def run(self, selection: Selection, keys: Collection[str], *, column: str = KEY) -> pa.Table:
        """Those rows of a selection whose key is one of these."""
        condition, tables = wanted(column, keys)
        return self.scope.query.run(
            f"select v.* from ({selection.sql}) as v{condition}", {**selection.tables, **tables}
        )


def _other_versions(mine: AssetVersion, versions: Mapping[str, AssetVersion]) -> dict[str, int]:
    """The tables that were read at another version than the one that is published with it."""
    inputs, consumed = mine.facts.get("inputs", {}), mine.facts.get("consumed", {})
    return {
        name: int(table)
        for name, table in consumed.items()
        if name in versions and inputs.get(name) != versions[name].version
    }


def wanted(column: str, keys: Collection[str]) -> tuple[str, dict[str, Any]]:
    """SQL that keeps rows of `v` with these keys: a few are named, which a query can use below its grouping; many are
    joined."""
    name = f"v.{quoted(column)}"
    if len(keys) <= FEW:
        texts = ", ".join("'" + key.replace("'", "''") + "'" for key in sorted(keys)) or "null"
        return f" where {name} in ({texts})", {}
    table = pa.table({"k": pa.array(sorted(keys), pa.string())})
    return f" semi join {WANTED} on {WANTED}.k = {name}", {WANTED: table}


def ground_now(reader: Reader) -> Ground:
    """What everybody reads now."""
    return Ground(reader, reader.published.load().assets, reader.snapshot())


def ground_of(reader: Reader, versions: Mapping[str, AssetVersion]) -> Ground:
    """Assets as they were published, bare."""
    ground = Ground(reader, versions, Snapshot(reader.graph, reader.scope.query, lambda name: None), past=True)
    ground.seen = ground.own()
    return ground


def own_rows(ground: Ground, snapshot: Snapshot, asset: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """An asset's own columns of some records, by key."""
    columns = list(snapshot.stored(asset))
    if snapshot.table(asset) is None:
        return {}
    owned = [column for column in columns if snapshot.owners(asset).get(column) == asset]
    found = ground.run(snapshot.select(asset, owned), keys)
    return {row[KEY]: {name: row[name] for name in owned} for row in found.to_pylist()}


__all__ = ["Ground", "ground_now", "ground_of", "own_rows", "wanted"]
