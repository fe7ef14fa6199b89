"""How an asset is read: its own columns and those of the assets it extends, joined by key from the root.

A one-to-one transform stores only what it computes. Its view left-joins, for the columns asked, the tables that own
them, nearest owner first, onto the keys of its root; so every column has one owner and nothing is copied down the
chain. A `Snapshot` is one consistent choice of table versions: the candidates of a run, or the published good ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import Graph, TableNode
from packyak.engine.errors import DataError, nearest
from packyak.engine.run.due.fingerprint import digest
from packyak.engine.run.types import duckdb_type
from packyak.engine.store.query import Query

KEY = "_key"
PARENT = "_parent"


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Overlaid:
    """A stored table with some of its records replaced: what people said since it was written. name: tells what they
    said from what they said at another time."""

    data: Any
    fresh: pa.Table
    name: str = ""

    @property
    def schema(self) -> pa.Schema:
        return self.data.schema


@dataclass(frozen=True)
class Selection:
    """A query and the tables it names, ready for `Query.run`. held: its very rows, where they are in memory."""

    sql: str
    tables: Mapping[str, Any]
    held: pa.Table | None = None


def no_column(asset: str, name: str, columns: Iterable[str]) -> DataError:
    """The error that says so, with the nearest one."""
    there = list(columns)
    meant = nearest(name, there)
    step = f"did you mean {meant!r}?" if meant else "use one of these" if there else "run it once: then it has columns"
    return DataError(f"{asset} has no column {name!r}", choices=there or None, next_step=step)


class Snapshot:
    """Assets as they are at chosen versions of their tables.

    `open_table(asset)` answers the data set (or Arrow table) that holds the asset's own columns, or None where it has
    never been stored.
    """

    def __init__(self, graph: Graph, query: Query, open_table: Callable[[str], Any | None]) -> None:
        self.graph = graph
        self.query = query
        self._open = open_table
        self._opened: dict[str, Any | None] = {}

    def table(self, asset: str) -> Any | None:
        """The asset's own table at this snapshot's version."""
        if asset not in self._opened:
            self._opened[asset] = self._open(asset)
        return self._opened[asset]

    def forget(self, asset: str) -> None:
        """The asset got another version: look again at the next question."""
        self._opened.pop(asset, None)

    def stored(self, asset: str) -> dict[str, pa.DataType]:
        """The asset's own columns as stored (declared ones while nothing is stored), bookkeeping left out."""
        data = self.table(asset)
        if data is not None:
            return {field.name: field.type for field in data.schema if not field.name.startswith("_")}
        node = self.graph[asset]
        declared = node.columns if isinstance(node, TableNode) else None
        return {column.name: pa.null() for column in declared or ()}

    def owners(self, asset: str) -> dict[str, str]:
        """Column -> the asset that computes it, in the order a person reads them: from the root outwards."""
        owner: dict[str, str] = {}
        chain = self.graph.chain(asset)
        for node in chain:
            for column in self.stored(node.name):
                owner.setdefault(column, node.name)
        order = [column for node in reversed(chain) for column in self.stored(node.name)]
        return {column: owner[column] for column in dict.fromkeys(order)}

    def types(self, asset: str) -> dict[str, pa.DataType]:
        """Column -> Arrow type of the asset's view."""
        return {column: self.stored(owner)[column] for column, owner in self.owners(asset).items()}

    def select(self, asset: str, columns: Iterable[str] | None = None, *, parent: bool = False) -> Selection:
        """`_key` and the columns of the asset's view; `parent` adds the key of the record or file each came from."""
        owners = self.owners(asset)
        wanted = list(owners) if columns is None else list(columns)
        missing = [column for column in wanted if column not in owners]
        if missing:
            raise no_column(asset, missing[0], owners)
        root = self.graph.root(asset).name
        return _side_by_side(self, root, wanted, owners, parent) or _join(self, root, wanted, owners, parent)

    def read(self, asset: str, columns: Iterable[str] | None = None) -> pa.Table:
        """The asset's view as Arrow."""
        chosen = self.select(asset, columns)
        return self.query.run(chosen.sql, chosen.tables)

    def keys(self, asset: str) -> pa.Table:
        """Only the keys."""
        return self.read(asset, ())


def _side_by_side(
    snapshot: Snapshot, root: str, wanted: list[str], owners: Mapping[str, str], parent: bool
) -> Selection | None:
    """Without a join, where all tables are in memory with the same keys in the same order: as a run computes them."""
    data = snapshot.table(root)
    tables = {owner: snapshot.table(owner) for owner in dict.fromkeys(owners[column] for column in wanted)}
    if not all(isinstance(table, pa.Table) for table in (data, *tables.values())):
        return None
    assert data is not None
    if not all(table is data or table[KEY].equals(data[KEY]) for table in tables.values() if table is not None):
        return None
    head = [KEY, PARENT] if parent and PARENT in data.column_names else [KEY]
    columns = [*(data[name] for name in head), *(tables[owners[name]][name] for name in wanted)]  # type: ignore[index]
    held = pa.table(columns, names=[*head, *wanted])
    chosen = digest([*head, *(part for name in wanted for part in (owners[name], name))])
    name = f"s_{chosen}"  # a query may have several of one root
    return Selection(f"select * from {quoted(name)}", {name: held}, held)


def _join(snapshot: Snapshot, root: str, wanted: list[str], owners: Mapping[str, str], parent: bool) -> Selection:
    tables: dict[str, Any] = {}
    data = snapshot.table(root)
    if data is None:
        nothing = ", ".join(f"cast(null as {duckdb_type(pa.string())}) as {quoted(name)}" for name in [KEY, *wanted])
        return Selection(f"select {nothing} where false", {})
    base = _place(tables, root, data)
    columns = [f"r.{quoted(KEY)}"]
    if parent and PARENT in data.schema.names:
        columns.append(f"r.{quoted(PARENT)}")
    joins: list[str] = []
    for column in wanted:
        owner = owners[column]
        source = snapshot.table(owner)
        if owner == root:
            columns.append(f"r.{quoted(column)}")
        elif source is None:
            columns.append(f"null as {quoted(column)}")
        else:
            if f"t_{owner}" not in tables:
                alias = quoted(f"o_{owner}")
                joins.append(
                    f"left join {_place(tables, owner, source)} as {alias} on {alias}.{quoted(KEY)} = r.{quoted(KEY)}"
                )
            columns.append(f"{quoted(f'o_{owner}')}.{quoted(column)}")
    sql = f"select {', '.join(columns)} from {base} as r {' '.join(joins)}"
    return Selection(sql.strip(), tables)


def _place(tables: dict[str, Any], asset: str, data: Any) -> str:
    """Registers an asset's own table and says how to name it in FROM."""
    name, fresh = quoted(f"t_{asset}"), quoted(f"f_{asset}")
    if not isinstance(data, Overlaid):
        tables[f"t_{asset}"] = data
        return name
    tables[f"t_{asset}"], tables[f"f_{asset}"] = data.data, data.fresh
    rest = f"select * from {name} as s anti join {fresh} as f on s.{KEY} = f.{KEY}"
    return f"({rest} union all by name select * from {fresh})"
