"""Which columns each column of a project comes from, told from the declarations alone.

A transform's parameters name the columns it reads, so its lineage is its signature; a query's is read from its text; a
whole-table function says which assets it takes and no more: "whole input". A column read through a view is traced to
its owner, the nearest asset at or above the source that computes it. Nothing is run and no data is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from packyak.engine.declare.bucket import FILE_COLUMNS
from packyak.engine.declare.nodes import AssetNode, FilesNode, Graph, Node, Parameter, SqlNode, TableNode, TransformNode
from packyak.engine.errors import QueryError
from packyak.engine.store.sql_columns import QueryLineage, column_lineage
from packyak.engine.store.sql_uses import ColumnSource

Kind = Literal["direct", "indirect", "whole"]
Schemas = Mapping[str, Sequence[str] | Mapping[str, Any]]


@dataclass(frozen=True)
class Source:
    """Something a column depends on. `column` is "" for a whole input. `how`: identity | transformation | aggregation
    (direct), conditional | window | filter | join | group_by | sort (indirect), "" where only the input is known."""

    asset: str
    column: str
    kind: Kind
    how: str = ""


@dataclass(frozen=True)
class ColumnEdges:
    """One asset's own columns and their sources, and what decides about all its records alike."""

    columns: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    influences: tuple[Source, ...] = ()


def column_edges(graph: Graph, schemas: Schemas | None = None) -> dict[str, ColumnEdges]:
    """The column lineage of every asset of a project.

    Args:
        schemas: the columns that each asset's own table holds, where that is known; else the declared ones count.
    """
    return {node.name: edges_of(graph, node.name, schemas) for node in graph.tables}


def edges_of(graph: Graph, asset: str, schemas: Schemas | None = None) -> ColumnEdges:
    """The column lineage of one asset."""
    known = _Columns(graph, schemas or {})
    node = graph[asset]
    if isinstance(node, TransformNode):
        return _of_transform(known, node)
    if isinstance(node, SqlNode):
        try:
            return _of_query(known, node)
        except QueryError:
            return _whole(known, node)
    if isinstance(node, AssetNode) and node.sources:
        return _as_declared(known, node)
    return _whole(known, node)


class _Columns:
    """What is known of each asset's columns."""

    def __init__(self, graph: Graph, schemas: Schemas) -> None:
        self.graph = graph
        self._schemas = schemas

    def own(self, name: str) -> tuple[str, ...]:
        """The columns that the asset computes itself."""
        node = self.graph.nodes.get(name)
        if isinstance(node, FilesNode):
            return tuple(FILE_COLUMNS)
        if name in self._schemas:
            return tuple(column for column in self._schemas[name] if not column.startswith("_"))
        if isinstance(node, SqlNode) and node.columns is None:
            return self._named_by(node)
        return tuple(column.name for column in node.columns or ()) if isinstance(node, TableNode) else ()

    def query(self, node: SqlNode) -> QueryLineage:
        """What the text of a query says. Raises QueryError where it cannot be followed."""
        return column_lineage(node.query, {name: tuple(self.owners(name)) for name in node.inputs})

    def _named_by(self, node: SqlNode) -> tuple[str, ...]:
        """Before a query has run, its text tells its columns, all but the names of unnamed ones."""
        try:
            return tuple(name for name, _ in self.query(node).columns)
        except QueryError:
            return ()

    def owners(self, name: str) -> dict[str, str]:
        """Column -> owner in the asset's view, from the root outwards, as a reader sees them."""
        chain = [node.name for node in self.graph.chain(name)] or [name]
        nearest: dict[str, str] = {}
        for owner in chain:
            for column in self.own(owner):
                nearest.setdefault(column, owner)
        order = (column for owner in reversed(chain) for column in self.own(owner))
        return {column: nearest[column] for column in dict.fromkeys(order)}


def _of_transform(known: _Columns, node: TransformNode) -> ColumnEdges:
    """Every output comes from all parameters: a function's inside is not looked at."""
    owners = known.owners(node.source)
    sources: dict[Source, None] = {}
    influences: dict[Source, None] = {}
    for parameter in node.parameters:
        sources.update(dict.fromkeys(_of_parameter(known, node, parameter, owners)))
        if parameter.takes == "lookup":
            influences[Source(owners.get(parameter.by, node.source), parameter.by, "indirect", "join")] = None
    named = {(parameter.of or node.source) for parameter in node.parameters} | {node.source}
    for other in node.inputs:  # reached by the function's body, not named by a parameter
        if other not in named:
            sources[Source(other, "", "whole")] = None
    return ColumnEdges({column: tuple(sources) for column in known.own(node.name)}, tuple(influences))


def _of_parameter(
    known: _Columns, node: TransformNode, parameter: Parameter, owners: Mapping[str, str]
) -> Iterable[Source]:
    if parameter.takes == "column":
        return [_direct(owners.get(parameter.of, node.source), parameter.of)]
    if parameter.takes == "record":
        return [_direct(owners.get(column, node.source), column) for column in parameter.fields or tuple(owners)]
    if parameter.takes == "lookup":
        others = known.owners(parameter.of)
        columns = parameter.fields or tuple(others)
        return [_direct(others.get(column, parameter.of), column) for column in columns] or [_all_of(parameter.of)]
    return [_all_of(node.source if parameter.takes == "file" else parameter.of)]


def _direct(asset: str, column: str) -> Source:
    return Source(asset, column, "direct", "transformation")


def _all_of(asset: str) -> Source:
    return Source(asset, "", "whole")


def _of_query(known: _Columns, node: SqlNode) -> ColumnEdges:
    owners = {name: known.owners(name) for name in node.inputs}
    lineage = known.query(node)
    stored = known.own(node.name)
    if len(stored) != len(lineage.columns):
        raise QueryError(f"{node.name} has other columns than its query tells", next_step="run it again")
    # DuckDB names an unnamed output by its expression: such columns are told by their order.
    named = dict(lineage.columns)
    unnamed = iter([column for column in stored if column not in named])
    found = {(name if name in stored else next(unnamed)): _traced(sources, owners) for name, sources in lineage.columns}
    return ColumnEdges(found, _traced(lineage.influences, owners))


def _traced(sources: Iterable[ColumnSource], owners: Mapping[str, Mapping[str, str]]) -> tuple[Source, ...]:
    """Sources at their owners."""
    traced: dict[Source, None] = {}
    for source in sources:
        owner = owners.get(source.table, {}).get(source.column, source.table)
        traced[Source(owner, source.column, "direct" if source.direct else "indirect", source.how)] = None
    return tuple(traced)


def _as_declared(known: _Columns, node: AssetNode) -> ColumnEdges:
    """What the author says of the columns of a whole-table function; of the others, nothing is known."""
    whole = _whole(known, node).columns
    said: dict[str, tuple[Source, ...]] = {}
    for column, sources in node.sources.items():
        said[column] = tuple(
            _direct(known.owners(of).get(name, of), name) if name else _all_of(of) for of, name in sources
        )
    return ColumnEdges({name: said.get(name, whole[name]) for name in whole} if whole else said)


def _whole(known: _Columns, node: Node) -> ColumnEdges:
    sources = tuple(_all_of(name) for name in node.inputs)
    return ColumnEdges(dict.fromkeys(known.own(node.name), sources))
