"""One hop of lineage, for many records at once: what a record was computed from, and what was computed from it.

A one-to-one transform reads the record of the same key, a one-to-many its parent, a look-up the record whose key a
column names; a query is asked again with its records' keys carried along. A function that takes an asset whole is told
as whole: what it read in there only it knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packyak.engine.declare.nodes import (
    AssetNode,
    FilesNode,
    IndexNode,
    Node,
    Parameter,
    SqlNode,
    TableNode,
    TransformNode,
)
from packyak.engine.errors import PackyakError, QueryError
from packyak.engine.lineage.chain import How, StepId
from packyak.engine.lineage.columns import ColumnEdges, edges_of
from packyak.engine.run.compute.whole import bind, key_sql
from packyak.engine.run.read.view import KEY, Snapshot, quoted
from packyak.engine.run.trace.ground import Ground, wanted
from packyak.engine.run.types import type_name
from packyak.engine.store.contents import row_hash_sql
from packyak.engine.store.sql import names_in, tables_of
from packyak.engine.store.sql_records import RecordQuery, record_query

WHOLE = ""  # the key of an asset as a whole, and the column that stands for a record's being there at all
Keyed = Mapping[str, Collection[str]]  # key -> the columns of that record in question


@dataclass(frozen=True)
class Hop:
    """`below` was computed from `above`, reading these columns of it."""

    above: StepId
    below: StepId
    how: How
    columns: frozenset[str]


def hops_up(ground: Ground, node: TableNode, asked: Keyed) -> Iterator[Hop]:
    """What some records of an asset were computed from."""
    if WHOLE in asked:
        yield from _whole_above(node, [WHOLE], node.inputs)
    keys = {key: columns for key, columns in asked.items() if key != WHOLE}
    if not keys:
        return
    if isinstance(node, TransformNode):
        yield from _transform_up(ground, node, keys)
    elif isinstance(node, SqlNode):
        yield from _query_up(ground, node, keys)
    elif isinstance(node, AssetNode):
        yield from _whole_above(node, keys, node.inputs)


def hops_down(ground: Ground, node: Node, reached: Mapping[str, Keyed]) -> Iterator[Hop]:
    """What of `node` was computed from the records reached so far, by asset."""
    whole = [name for name in node.inputs if WHOLE in reached.get(name, ())]
    if isinstance(node, TableNode):
        yield from (Hop((name, WHOLE), (node.name, WHOLE), "whole", frozenset()) for name in whole)
        if whole:
            return
    if isinstance(node, TransformNode):
        yield from _transform_down(ground, node, reached)
    elif isinstance(node, SqlNode):
        yield from _query_down(ground, node, reached)
    elif isinstance(node, AssetNode):
        for name in node.inputs:
            for owner in _owners_in(ground, name, reached):
                above = sorted(reached[owner])
                yield from (Hop((owner, key), (node.name, WHOLE), "whole", frozenset()) for key in above)
    elif isinstance(node, IndexNode):
        yield from _index_down(ground, node, reached)


def _whole_above(node: Node, keys: Iterable[str], names: Iterable[str]) -> Iterator[Hop]:
    for name in names:
        yield from (Hop((name, WHOLE), (node.name, key), "whole", frozenset()) for key in keys)


def _unnamed(node: TransformNode) -> list[str]:
    """What a transform's body reaches and no parameter names: read as a whole, if at all."""
    named = {parameter.of or node.source for parameter in node.parameters} | {node.source}
    return [name for name in node.inputs if name not in named]


def _reads(ground: Ground, node: TransformNode, snapshot: Snapshot) -> dict[str, set[str]]:
    """The columns of the source that the function reads, by owner."""
    owners = snapshot.owners(node.source)
    columns: dict[str, None] = {}
    for parameter in node.parameters:
        if parameter.takes == "column":
            columns[parameter.of] = None
        elif parameter.takes == "record":
            columns |= dict.fromkeys(parameter.fields or owners)
        elif parameter.takes == "lookup":
            columns[parameter.by] = None
    found: dict[str, set[str]] = {}
    for column in columns:
        if column in owners:
            found.setdefault(owners[column], set()).add(column)
    return found


def _transform_up(ground: Ground, node: TransformNode, keys: Keyed) -> Iterator[Hop]:
    units = ground.parents(node.name, keys) if node.many else {key: key for key in keys}
    yield from _whole_above(node, keys, _unnamed(node))
    if isinstance(ground.graph[node.source], FilesNode):
        for key, unit in units.items():
            yield Hop((node.source, unit), (node.name, key), "file", frozenset())
        return
    snapshot = ground.behind(node.name)
    how: How = "parent" if node.many else "same record"
    for owner, columns in _reads(ground, node, snapshot).items():
        for key, unit in units.items():
            yield Hop((owner, unit), (node.name, key), how, frozenset(columns))
    for parameter in node.parameters:
        if parameter.takes == "lookup":
            named = _looked_up(ground, snapshot, node, parameter, set(units.values()))
            for owner, columns in _fields_of(snapshot, parameter).items():
                for key, unit in units.items():
                    if unit in named:
                        yield Hop((owner, named[unit]), (node.name, key), "lookup", frozenset(columns))


def _fields_of(snapshot: Snapshot, parameter: Parameter) -> dict[str, set[str]]:
    """The columns that a look-up hands over, by owner."""
    owners = snapshot.owners(parameter.of)
    found: dict[str, set[str]] = {}
    for column in parameter.fields or owners:
        if column in owners:
            found.setdefault(owners[column], set()).add(column)
    return found


def _looked_up(
    ground: Ground, snapshot: Snapshot, node: TransformNode, parameter: Parameter, units: Collection[str]
) -> dict[str, str]:
    """For each record of the source, the key of the other asset's record that it names, where there is one."""
    view = snapshot.select(node.source, [parameter.by])
    other = snapshot.select(parameter.of, ())
    condition, tables = wanted(KEY, units)
    sql = (
        f"select v.{KEY} as unit, o.{KEY} as other from ({view.sql}) as v "
        f"join ({other.sql}) as o on o.{KEY} = cast(v.{quoted(parameter.by)} as varchar){condition}"
    )
    found = ground.scope.query.run(sql, {**view.tables, **other.tables, **tables})
    return {row["unit"]: row["other"] for row in found.to_pylist()}


def _transform_down(ground: Ground, node: TransformNode, reached: Mapping[str, Keyed]) -> Iterator[Hop]:
    for name in _unnamed(node):
        for owner in _owners_in(ground, name, reached):
            for key in sorted(reached[owner]):
                yield Hop((owner, key), (node.name, WHOLE), "whole", frozenset())
    if isinstance(ground.graph[node.source], FilesNode):
        files = reached.get(node.source, {})
        for unit, key in _children(ground, node, files):
            yield Hop((node.source, unit), (node.name, key), "file", frozenset())
        return
    snapshot = ground.behind(node.name)
    root = ground.graph.root(node.source).name
    reads = _reads(ground, node, snapshot)
    for owner in dict.fromkeys([*reads, *([root] if node.many else [])]):
        used = reads.get(owner, set())
        touched = [
            key
            for key, columns in reached.get(owner, {}).items()
            if used & set(columns) or (node.many and owner == root and WHOLE in columns)
        ]
        how: How = "parent" if node.many else "same record"
        for unit, key in _children(ground, node, touched):
            yield Hop((owner, unit), (node.name, key), how, frozenset(used))
    for parameter in node.parameters:
        if parameter.takes == "lookup":
            yield from _lookup_down(ground, snapshot, node, parameter, reached)


def _lookup_down(
    ground: Ground, snapshot: Snapshot, node: TransformNode, parameter: Parameter, reached: Mapping[str, Keyed]
) -> Iterator[Hop]:
    root = ground.graph.root(parameter.of).name
    for owner, used in _fields_of(snapshot, parameter).items():
        touched = {
            key
            for key, columns in reached.get(owner, {}).items()
            if used & set(columns) or (owner == root and WHOLE in columns)
        }
        if not touched:
            continue
        view = snapshot.select(node.source, [parameter.by])
        named = f"select {KEY}, cast({quoted(parameter.by)} as varchar) as other from ({view.sql})"
        condition, tables = wanted("other", touched)
        found = ground.scope.query.run(f"select v.* from ({named}) as v{condition}", {**view.tables, **tables})
        others = {row[KEY]: row["other"] for row in found.to_pylist()}
        for unit, key in _children(ground, node, others):
            yield Hop((owner, others[unit]), (node.name, key), "lookup", frozenset(used))


def _children(ground: Ground, node: TransformNode, units: Collection[str]) -> list[tuple[str, str]]:
    """The records that a transform has of some units, as (unit, key)."""
    if not units:
        return []
    own = ground.own()
    table = own.table(node.name)
    if table is None:
        return []
    if not node.many:
        memo = ground.memo(node.name)  # a record that failed has no value, but depends on its inputs all the same
        there = ground.notes_of(node.name, units) if memo is not None else {}
        return [(key, key) for key in sorted(there)]
    found = ground.run(own.select(node.name, (), parent=True), units, column="_parent")
    return sorted((row["_parent"], row[KEY]) for row in found.to_pylist())


def _query_up(ground: Ground, node: SqlNode, keys: Keyed) -> Iterator[Hop]:
    tables = tables_of(node.query)
    query = record_query(node.query)
    found = _rows(ground, node, query, keys) if query is not None else None
    if query is None or found is None:
        ground.notes.append(f"{node.name}: its query cannot be followed record by record; its inputs are told as whole")
        yield from _whole_above(node, keys, tables)
        return
    yield from _whole_above(node, keys, query.wholes)
    edges = edges_at(ground, node)
    for mark, table in query.sources.items():
        for row in found:
            used = _used(ground, edges, node, table, keys[row["k"]])
            for above in dict.fromkeys(row[mark] or ()):
                for owner, columns in used.items():
                    yield Hop((owner, above), (node.name, row["k"]), "query", frozenset(columns))


def _query_down(ground: Ground, node: SqlNode, reached: Mapping[str, Keyed]) -> Iterator[Hop]:
    query = record_query(node.query)
    tables = tables_of(node.query)
    touching = [name for name in tables if _owners_in(ground, name, reached)]
    if not touching:
        return
    for name in touching if query is None else query.wholes:
        for owner in _owners_in(ground, name, reached):
            yield from (Hop((owner, key), (node.name, WHOLE), "whole", frozenset()) for key in sorted(reached[owner]))
    if query is None:
        ground.notes.append(f"{node.name}: its query cannot be followed record by record; it is told as whole")
        return
    edges = edges_at(ground, node)
    for mark, table in query.sources.items():
        if table not in touching:
            continue
        used = _used(ground, edges, node, table, None)
        root = ground.graph.root(table).name
        for owner, columns in used.items():
            touched = {
                key
                for key, changed in reached.get(owner, {}).items()
                if columns & set(changed) or (owner == root and WHOLE in changed)
            }
            for row in _rows(ground, node, query, None, mark, touched) or () if touched else ():
                for above in sorted(touched.intersection(row[mark] or ())):
                    yield Hop((owner, above), (node.name, row["k"]), "query", frozenset(columns))


def edges_at(ground: Ground, node: TableNode) -> ColumnEdges:
    """An asset's column lineage, told with the columns that were stored then."""
    names = {node.name, *ground.graph.above(node.name)}
    snapshot = ground.behind(node.name)
    schemas = {
        name: {column: type_name(kind) for column, kind in snapshot.stored(name).items()}
        for name in names
        if isinstance(ground.graph.nodes.get(name), TableNode)
    }
    return edges_of(ground.graph, node.name, schemas)


def _used(
    ground: Ground, edges: ColumnEdges, node: SqlNode, table: str, asked: Collection[str] | None
) -> dict[str, set[str]]:
    """The columns of a table's view that matter to the asked columns of a query (None: to any), by owner. Its root is
    always there: a record counts by being there."""
    chain = [each.name for each in ground.graph.chain(table)] or [table]
    every = asked is None or WHOLE in asked
    sources = [*edges.influences]
    for column, found in edges.columns.items():
        if every or column in (asked or ()):
            sources += found
    used: dict[str, set[str]] = {chain[-1]: set()}
    for source in sources:
        if source.asset in chain:
            used.setdefault(source.asset, set()).add(source.column)
    if any(source.kind == "whole" and source.asset == table for source in sources):
        for column, owner in ground.behind(node.name).owners(table).items():
            used.setdefault(owner, set()).add(column)
    return {owner: {column for column in columns if column} for owner, columns in used.items()}


def _rows(
    ground: Ground,
    node: SqlNode,
    query: RecordQuery,
    keys: Collection[str] | None,
    mark: str = "",
    touched: Collection[str] = (),
) -> list[dict[str, Any]] | None:
    """The query's rows with the keys of their records: those of some keys, or those that some records went into. None
    where the rewritten query does not run."""
    snapshot = ground.behind(node.name)
    names = tables_of(node.query)
    read = names_in(node.query, [column for name in names for column in snapshot.owners(name)])
    marks = ", ".join(query.sources)
    text = f"select {_key_of(ground, node)} as k{', ' if marks else ''}{marks} from (\n{query.sql}\n)"
    tables: dict[str, Any] = {}
    if keys is not None:
        condition, tables = wanted("k", [_without_place(node, key) for key in keys])
    else:
        texts = ", ".join("'" + key.replace("'", "''") + "'" for key in sorted(touched))
        condition = f" where list_has_any(v.{mark}, [{texts}])"
    try:
        selection = bind(snapshot, f"select v.* from ({text}) as v{condition}", names, read)
        found: list[dict[str, Any]] = ground.scope.query.run(selection.sql, {**selection.tables, **tables}).to_pylist()
    except (QueryError, PackyakError):
        return None
    if node.key is not None:
        return found
    return [{**row, "k": key} for row in found for key in _with_places(ground, node, row["k"], keys)]


def _key_of(ground: Ground, node: SqlNode) -> str:
    """SQL for the key of a row: its key columns, or its content where it has none."""
    if node.key is not None:
        return key_sql(node.key)
    return row_hash_sql(list(ground.own().stored(node.name).items()))


def _without_place(node: SqlNode, key: str) -> str:
    """The key of a record without a key is its content's hash and a number among equals, which come from all of its
    rows alike."""
    return key if node.key is not None else key.rpartition(".")[0]


def _with_places(ground: Ground, node: SqlNode, digest: str, keys: Collection[str] | None) -> list[str]:
    if keys is not None:
        return [key for key in keys if key.rpartition(".")[0] == digest]
    table = ground.own().table(node.name)
    if table is None:
        return []
    found = table.to_table(columns=[KEY], filter=f"starts_with({KEY}, '{digest}.')")
    return sorted(found[KEY].to_pylist())


def _owners_in(ground: Ground, name: str, reached: Mapping[str, Keyed]) -> list[str]:
    """The assets in a view's chain of which something was reached."""
    chain = [each.name for each in ground.graph.chain(name)] or [name]
    return [owner for owner in chain if reached.get(owner)]


def _index_down(ground: Ground, node: IndexNode, reached: Mapping[str, Keyed]) -> Iterator[Hop]:
    snapshot = ground.own()
    owners = snapshot.owners(node.source)
    for column in dict.fromkeys((node.on, *node.filters)):
        owner = owners.get(column)
        for key, columns in reached.get(owner or "", {}).items():
            if owner and column in columns and key != WHOLE:
                yield Hop((owner, key), (node.name, key), "index", frozenset({column}))
