"""Reading a project's assets: good versions, with what people said since laid over them at once.

Every reader goes through the published vector, or a version named by hand, never through what a run is writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import AssetNode, Graph, SqlNode, TableNode, TransformNode
from packyak.engine.errors import DataError, nearest
from packyak.engine.run.answers import ColumnInfo, FieldDetail, Filter, Page, RecordDetail, VersionInfo
from packyak.engine.run.memo import read_aside
from packyak.engine.run.override import Overrides
from packyak.engine.run.scope import Scope
from packyak.engine.run.trace.moments import AT, moment_of, parted, version_of
from packyak.engine.run.types import type_name
from packyak.engine.run.uncover import uncovered
from packyak.engine.run.view import KEY, Overlaid, Selection, Snapshot, quoted
from packyak.engine.run.whole import bind
from packyak.engine.store.published import AssetVersion, Published, Vector
from packyak.engine.store.sql import tables_of

TEXT_LIMIT = 10_000


@dataclass
class Reader:
    """One project's assets as a person may see them."""

    scope: Scope
    published: Published

    @property
    def graph(self) -> Graph:
        return self.scope.graph

    def asset(self, name: str) -> TableNode:
        """The stored node of that name; raises DataError with the nearest one."""
        node = self.graph.nodes.get(name)
        if isinstance(node, TableNode):
            return node
        names = [each.name for each in self.graph.tables]
        meant = nearest(name, names)
        raise DataError(
            f"there is no asset {name!r}",
            choices=names,
            next_step=f"did you mean {meant!r}?" if meant else "use one of the assets",
        )

    def snapshot(self, vector: Vector | None = None) -> Snapshot:
        """The good versions, corrections laid over; of an earlier vector, as they were, bare."""
        good = (vector or self.published.load()).assets

        def open_table(name: str) -> Any | None:
            found = good.get(name)
            if found is None:
                return None
            return self._overlaid(name, found) if vector is None else self.opened(name, found)

        return Snapshot(self.graph, self.scope.query, open_table)

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

    def _overlaid(self, name: str, good: AssetVersion) -> Any:
        data = self.scope.table(name).dataset(good.table)
        if good.facts.get("applied", "") == self.scope.corrections_digest(name):
            return data
        keys = self.scope.ever_corrected(name)
        if not keys or good.memo is None:
            return data
        memo = self.scope.memo(name).dataset(good.memo)
        computed, _ = uncovered(data, memo, keys)
        overrides = self.overrides(name)
        there = set(computed[KEY].to_pylist())
        missing = [key for key in overrides.keys if key not in there]
        if missing and isinstance(self.graph[name], TransformNode) and self.graph.root(name).name != name:
            computed = pa.concat_tables(
                [computed, pa.Table.from_pylist([{KEY: key} for key in missing], schema=computed.schema)]
            )
        fresh, _, _ = overrides.apply(computed)
        return Overlaid(data, fresh) if fresh.num_rows else data

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

    def page(
        self,
        asset: str,
        *,
        offset: int,
        limit: int,
        sort: str | None,
        descending: bool,
        filters: Sequence[Filter],
        text: str | None,
        version: str | None,
        only: str | None,
        where: str | None = None,
    ) -> Page:
        """Some records, with how many match in all."""
        asset, version = parted(asset, version)
        snapshot = self.view(asset, version)
        columns = self.columns(asset, snapshot)
        inner = snapshot.select(asset)
        condition, params, tables = self._where(asset, columns, filters, text, only, where)
        base = f"from ({inner.sql}) as v{condition}"
        tables = {**inner.tables, **tables}
        total = self.scope.query.run(f"select count(*) as n {base}", tables, params)["n"][0].as_py()
        order = f"{quoted(sort)} {'desc' if descending else 'asc'} nulls last, " if sort else ""
        sql = f"select * {base} order by {order}{KEY} limit {int(limit)} offset {int(offset)}"
        rows = self.scope.query.run(sql, tables, params)
        return Page(rows, int(total), columns, self._corrected(asset, rows[KEY].to_pylist()))

    def _where(
        self,
        asset: str,
        columns: Sequence[ColumnInfo],
        filters: Sequence[Filter],
        text: str | None,
        only: str | None,
        where: str | None,
    ) -> tuple[str, list[Any], dict[str, Any]]:
        terms: list[str] = [f"({where}\n)"] if where else []
        params: list[Any] = []
        tables: dict[str, Any] = {}
        known = {column.name for column in columns}
        for each in filters:
            if each.column not in known:
                raise DataError(
                    f"{asset} has no column {each.column!r}", choices=sorted(known), next_step="filter by one of these"
                )
            terms.append(_condition(each, params))
        words = [column.name for column in columns if column.type == "string"]
        if text:
            matches = [f"contains(lower(v.{quoted(name)}), lower(?))" for name in words]
            terms.append(f"({' or '.join([*matches, f'contains(lower(v.{KEY}), lower(?))'])})")
            params += [text] * (len(matches) + 1)
        if only:
            keys = self._corrected_keys(asset) if only == "corrected" else self._failed_keys(asset)
            tables["only_keys"] = pa.table({KEY: pa.array(keys, pa.string())})
            terms.append(f"v.{KEY} in (select {KEY} from only_keys)")
        return (f" where {' and '.join(terms)}" if terms else ""), params, tables

    def _corrected_keys(self, asset: str) -> list[str]:
        owners = {node.name for node in self.graph.chain(asset)}
        return sorted({key for owner, key, _ in self.scope.in_force if owner in owners})

    def _failed_keys(self, asset: str) -> list[str]:
        found: list[str] = []
        for node in self.graph.chain(asset):
            memo = self.scope.memo(node.name)
            if isinstance(node, TransformNode) and not node.many and memo.exists():
                found += memo.read(columns=[KEY], where="error is not null")[KEY].to_pylist()
        return found

    def _corrected(self, asset: str, keys: Sequence[str]) -> frozenset[tuple[str, str]]:
        owners = {node.name for node in self.graph.chain(asset)}
        shown = set(keys)
        return frozenset(
            (key, column) for owner, key, column in self.scope.in_force if owner in owners and key in shown
        )

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
            beneath = note.get("beneath", {})
            fields.append(
                FieldDetail(
                    column=column,
                    value=row[column],
                    owner=owner,
                    computed=beneath.get(column, correction.computed if correction else row[column]),
                    decided="person" if correction else note.get("decided", "function"),
                    confidence=note.get("confidence"),
                    error=note.get("error") or "",
                    corrected_by=correction.by if correction else "",
                    corrected_at=correction.at if correction else "",
                    why=correction.why if correction else "",
                    correction=correction.id if correction else "",
                    outdated=bool(
                        correction
                        and correction.seen_hash
                        and note.get("inputs") not in ("", None, correction.seen_hash)
                    ),
                )
            )
        return RecordDetail(asset, key, tuple(fields))

    def _past_record(self, asset: str, moment: str, key: str) -> RecordDetail:
        snapshot = self.view(asset, moment)
        row, owners = self.one(snapshot, asset, key), snapshot.owners(asset)
        fields = (FieldDetail(column, row[column], owner, row[column], "") for column, owner in owners.items())
        return RecordDetail(asset, key, tuple(fields))

    def one(self, snapshot: Snapshot, asset: str, key: str) -> dict[str, Any]:
        """The record with a key, as a dict."""
        inner = snapshot.select(asset)
        found = self.scope.query.run(f"select * from ({inner.sql}) where {KEY} = ?", inner.tables, [key]).to_pylist()
        if not found:
            raise DataError(f"{asset} has no record {key!r}", next_step=f"`packyak show {asset}` lists its records")
        return dict(found[0])

    def note(self, owner: str, key: str) -> dict[str, Any]:
        """What the owner's memo says of one record."""
        memo = self.scope.memo(owner)
        node = self.graph[owner]
        if not memo.exists() or not isinstance(node, TransformNode) or node.many:
            return {}
        found = self.scope.query.run(f"select * from m where {KEY} = ?", {"m": memo.dataset()}, [key]).to_pylist()
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


def _condition(each: Filter, params: list[Any]) -> str:
    column = f"v.{quoted(each.column)}"
    if each.op == "empty":
        return f"({column} is null or cast({column} as varchar) = '')"
    if each.op == "filled":
        return f"({column} is not null and cast({column} as varchar) <> '')"
    if each.op == "contains":
        params.append(str(each.value))
        return f"contains(lower(cast({column} as varchar)), lower(?))"
    if each.op == "in":
        params.extend(each.value)
        return f"{column} in ({', '.join('?' for _ in each.value)})"
    if each.op not in ("=", "!=", "<", "<=", ">", ">="):
        raise DataError(
            f"{each.op!r} is no comparison",
            choices=["=", "!=", "<", "<=", ">", ">=", "contains", "in", "empty", "filled"],
        )
    params.append(each.value)
    return f"{column} is distinct from ?" if each.op == "!=" else f"{column} {each.op} ?"


__all__ = ["Reader", "Selection", "can_be_corrected"]
