"""Reading a project's assets: good versions, with what people said since laid over them at once.

Every reader goes through the published vector, or a version named by hand, never through what a run is writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import AssetNode, Graph, SqlNode, TableNode, TransformNode
from packyak.engine.errors import DataError
from packyak.engine.run.answers import ColumnInfo, FieldDetail, RecordDetail, VersionInfo
from packyak.engine.run.compute.memo import read_aside
from packyak.engine.run.compute.whole import bind
from packyak.engine.run.correct.override import Overrides, holds
from packyak.engine.run.read.other import not_an_asset
from packyak.engine.run.read.ranks import View
from packyak.engine.run.read.uncover import uncovered
from packyak.engine.run.read.view import KEY, Overlaid, Selection, Snapshot, quoted
from packyak.engine.run.scope import Scope
from packyak.engine.run.trace.moments import AT, moment_of, parted, version_of
from packyak.engine.run.types import type_name
from packyak.engine.store.corrections import Correction
from packyak.engine.store.published import AssetVersion, Published, Vector
from packyak.engine.store.shelf import Opened, Shelf, Stored, name_of
from packyak.engine.store.sql import tables_of
from packyak.engine.store.tables import among

FEW = 16


class Still(Snapshot):
    """Good versions, which nobody writes to while they are looked at: columns are looked up once."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._columns: dict[str, dict[str, pa.DataType]] = {}
        self._owners: dict[str, dict[str, str]] = {}

    def stored(self, asset: str) -> dict[str, pa.DataType]:
        if asset not in self._columns:
            self._columns[asset] = super().stored(asset)
        return self._columns[asset]

    def owners(self, asset: str) -> dict[str, str]:
        if asset not in self._owners:
            self._owners[asset] = super().owners(asset)
        return self._owners[asset]


@dataclass
class Reader:
    """One project's assets as a person may see them."""

    scope: Scope
    published: Published
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def graph(self) -> Graph:
        return self.scope.graph

    def asset(self, name: str) -> TableNode:
        """The stored node of that name; raises DataError with the nearest one."""
        node = self.graph.nodes.get(name)
        if isinstance(node, TableNode):
            return node
        if node is not None:
            raise not_an_asset(self.scope, node)
        names = [each.name for each in self.graph.tables]
        otherwise = "use one of the assets" if names else "declare one: @asset, @transform or sql(...)"
        raise DataError.unknown("asset", name, names, otherwise)

    def snapshot(self, vector: Vector | None = None) -> Snapshot:
        """The good versions, corrections laid over; of an earlier vector, as they were, bare."""
        good = (vector or self.published.load()).assets

        def open_table(name: str) -> Any | None:
            found = good.get(name)
            if found is None:
                return None
            return self._overlaid(name, found) if vector is None else self.opened(name, found)

        return Still(self.graph, self.scope.query, open_table)

    def opened(self, name: str, good: AssetVersion, *, memo: bool = False) -> Any | None:
        """The table (or memo) of a published version. Of several with the same content the newest is kept."""
        table = self.scope.memo(name) if memo else self.scope.table(name)
        number = good.memo if memo else good.table
        if number is None:
            return None
        try:
            return table.dataset(number)
        except DataError:
            for each in self.published.history(name):
                if each.version == good.version and each.table != good.table:
                    kept = each.memo if memo else each.table
                    return None if kept is None else table.dataset(kept)
            raise

    def _good(self, name: str, good: AssetVersion, *, memo: bool = False) -> Any:
        """The table (or memo) of a good version, opened once."""
        table, number = (self.scope.memo(name), good.memo) if memo else (self.scope.table(name), good.table)
        opened = ("opened", table.uri, number, good.version, good.run, good.at)
        return self.shelf.kept(opened, lambda: Opened(table.dataset(number))).data

    def _overlaid(self, name: str, good: AssetVersion) -> Any:
        data = self._good(name, good)
        said = self.scope.corrections_digest(name)
        if good.facts.get("applied", "") == said:
            return data
        keys = self.scope.ever_corrected(name)
        if not keys or good.memo is None:
            return data
        computed = self.computed(data, self._good(name, good, memo=True), keys)
        overrides = self.overrides(name)
        there = set(computed[KEY].to_pylist())
        missing = [key for key in overrides.keys if key not in there]
        if missing and isinstance(self.graph[name], TransformNode) and self.graph.root(name).name != name:
            computed = pa.concat_tables(
                [computed, pa.Table.from_pylist([{KEY: key} for key in missing], schema=computed.schema)]
            )
        fresh, _, _ = overrides.apply(computed)
        return Overlaid(data, fresh, said) if fresh.num_rows else data

    def beneath(self, name: str, keys: Sequence[str]) -> pa.Table | None:
        """What an asset's good version has for these keys, people's words lifted off; None where there is none."""
        good = self.published.load().assets.get(name)
        if good is None or good.memo is None:
            return None
        return self.computed(self._good(name, good), self._good(name, good, memo=True), keys)

    def computed(self, data: Any, memo: Any, keys: Sequence[str]) -> pa.Table:
        """The records with these keys as computed, beneath what people said, of one version of an asset's table and
        its memo. Each is looked up once."""
        name = ("computed", name_of(data), name_of(memo))
        known: pa.Table | None = self.shelf.get(name)
        looked = {} if known is None else dict.fromkeys(known[KEY].to_pylist())
        missing = [key for key in keys if key not in looked]
        if known is None or missing:
            found, _ = uncovered(data, memo, missing, self.among)
            known = found if known is None else pa.concat_tables([known, found])
            self.shelf.put(name, known)
        return known.filter(pc.is_in(known[KEY], pa.array(keys, pa.string())))

    def among(self, data: Any, keys: pa.Array | pa.ChunkedArray, columns: Sequence[str] | None = None) -> pa.Table:
        """The records of a stored table with these keys."""
        stored = Stored(self.shelf, data)
        return stored.among(keys, columns) if stored.fits else among(data, keys, columns)

    def overrides(self, name: str) -> Overrides:
        return self.scope.overrides(name, conditional=isinstance(self.graph[name], AssetNode | SqlNode))

    def find_version(self, asset: str, moment: str) -> AssetVersion:
        """A published version by name (or its beginning), by the run that published it, or at a time."""
        return version_of(self.published, self.scope, asset, moment)

    def view(self, asset: str, version: str | None = None) -> Snapshot:
        self.asset(asset)
        return self.snapshot(moment_of(self.published, self.scope, version, asset) if version else None)

    def read(
        self, asset: str, columns: Sequence[str] | None, version: str | None, where: str | None, limit: int | None
    ) -> pa.Table:
        """An asset's view as Arrow, without its internal key. where: an SQL condition."""
        asset, version = parted(asset, version)
        snapshot = self.view(asset, version)
        shown = list(snapshot.owners(asset)) if columns is None else list(columns)
        inner = snapshot.select(asset)
        names = ", ".join(quoted(name) for name in shown) or KEY
        sql = f"select {names} from ({inner.sql}) as {quoted(asset)}"
        sql += f" where {where}" if where else ""
        sql += f" limit {int(limit)}" if limit is not None else ""
        snapshot.select(asset, shown)  # says which column is unknown, in our words
        return self.scope.query.run(sql, inner.tables)

    def sql(self, query: str) -> pa.Table:
        """Any query over the project's assets, by name; `"topic@3f2a"` is an asset at a version, run or time."""
        names = tables_of(query)
        past = {name: parted(name) for name in names if AT in name}
        for name in names:
            self.asset(past[name][0] if name in past else name)
        selection = bind(self.snapshot(), query, [name for name in names if name not in past])
        then = {name: self.view(asset, moment).read(asset) for name, (asset, moment) in past.items()}
        found = self.scope.query.run(selection.sql, {**selection.tables, **then})
        return found.drop_columns([name for name in found.column_names if name == KEY])

    def columns(self, asset: str, snapshot: Snapshot) -> tuple[ColumnInfo, ...]:
        types = snapshot.types(asset)
        correctable = can_be_corrected(self.graph, asset)
        keys = set(self.graph.root(asset).key or ())
        found = []
        for name, owner in snapshot.owners(asset).items():
            node = self.graph[owner]
            declared = {c.name: c for c in (node.columns if isinstance(node, TableNode) else None) or ()}
            choices = declared[name].choices if name in declared else None
            kind = declared[name].type if name in declared else type_name(types[name])
            found.append(ColumnInfo(name, kind, owner, choices, correctable and name not in keys))
        return tuple(found)

    def record(self, asset: str, key: str) -> RecordDetail:
        """One record, field by field; of an earlier moment (`topic@3f2a`) the values alone. Raises DataError where
        there is none of that key."""
        name, moment = parted(asset)
        if moment is not None:
            return self._past_record(name, moment, key)
        snapshot = self.view(asset)
        row = self.one(snapshot, asset, key)
        notes = {owner: self.note(owner, key) for owner in set(snapshot.owners(asset).values())}
        effective = self.scope.in_force
        fields = []
        for column, owner in snapshot.owners(asset).items():
            note = notes[owner]
            correction = effective.get((owner, key, column))
            holding = correction is not None and self._holds(owner, correction, row[column], snapshot)
            beneath = note.get("beneath", {})
            fields.append(
                FieldDetail(
                    column=column,
                    value=row[column],
                    owner=owner,
                    computed=beneath.get(column, correction.computed if correction and holding else row[column]),
                    decided="person" if holding else note.get("decided", "function"),
                    confidence=note.get("confidence"),
                    error=note.get("error") or "",
                    corrected_by=correction.by if correction else "",
                    corrected_at=correction.at if correction else "",
                    why=correction.why if correction else "",
                    correction=correction.id if correction else "",
                    outdated=bool(
                        correction
                        and (
                            not holding
                            or (correction.seen_hash and note.get("inputs") not in ("", None, correction.seen_hash))
                        )
                    ),
                )
            )
        return RecordDetail(asset, key, tuple(fields))

    def _holds(self, owner: str, correction: Correction, value: Any, snapshot: Snapshot) -> bool:
        kind = snapshot.types(owner)[correction.column]
        return holds(correction, value, kind, conditional=not isinstance(self.graph[owner], TransformNode))

    def _past_record(self, asset: str, moment: str, key: str) -> RecordDetail:
        snapshot = self.view(asset, moment)
        row, owners = self.one(snapshot, asset, key), snapshot.owners(asset)
        fields = (FieldDetail(column, row[column], owner, row[column], "") for column, owner in owners.items())
        return RecordDetail(asset, key, tuple(fields))

    def one(self, snapshot: Snapshot, asset: str, key: str) -> dict[str, Any]:
        """The record with a key, as a dict."""
        found = self.records(snapshot, asset, [key]).to_pylist()
        if not found:
            raise DataError(f"{asset} has no record {key!r}", next_step=f"`packyak show {asset}` lists its records")
        return dict(found[0])

    def records(
        self, snapshot: Snapshot, asset: str, keys: Sequence[str], columns: Iterable[str] | None = None
    ) -> pa.Table:
        """The records of a view with these keys, in no particular order."""
        inner = snapshot.select(asset, columns)
        view = View(self.shelf, snapshot, asset)
        if view.root is not None:
            return view.rows(view.ranks(list(dict.fromkeys(keys))), None if columns is None else list(columns))
        if len(keys) <= FEW:
            marks = ", ".join("?" for _ in keys) or "null"
            sql = f"select * from ({inner.sql}) where {KEY} in ({marks})"
            return self.scope.query.run(sql, inner.tables, list(keys))
        wanted = {**inner.tables, "wanted_keys": pa.table({KEY: pa.array(keys, pa.string())})}
        return self.scope.query.run(f"select v.* from ({inner.sql}) as v semi join wanted_keys using ({KEY})", wanted)

    def note(self, owner: str, key: str) -> dict[str, Any]:
        """What the owner's memo says of one record."""
        memo = self.scope.memo(owner)
        node = self.graph[owner]
        if not memo.exists() or not isinstance(node, TransformNode) or node.many:
            return {}
        found = self.among(memo.dataset(), pa.array([key], pa.string())).to_pylist()
        if not found:
            return {}
        types = {f.name: f.type for f in self.scope.table(owner).schema() if not f.name.startswith("_")}
        return {**found[0], "beneath": read_aside(found[0]["aside"], types).beneath.get(key, {})}

    def versions(self, asset: str) -> tuple[VersionInfo, ...]:
        """The published versions, newest first."""
        self.asset(asset)
        history = self.published.history(asset)
        found = []
        for place, each in enumerate(history):
            older = history[place + 1] if place + 1 < len(history) else None
            found.append(
                VersionInfo(
                    each.version, each.at, each.run, each.rows, each.rows - older.rows if older else None, each.table
                )
            )
        return tuple(found)


def can_be_corrected(graph: Graph, asset: str) -> bool:
    """Whether the asset's records have a key that lasts."""
    root = graph.root(asset)
    return root.key is not None


__all__ = ["Reader", "Selection", "can_be_corrected"]
