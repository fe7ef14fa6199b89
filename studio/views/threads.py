"""Column lineage as the graph draws it: the columns on each card, and threads from column to column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packyak.engine.declare.nodes import FilesNode, Graph, IndexNode
from packyak.engine.lineage.columns import ColumnEdges, column_edges

MOST_COLUMNS = 14
ROW = 19.0


@dataclass(frozen=True)
class ColumnRow:
    """One column on a card."""

    name: str
    type: str = ""


@dataclass(frozen=True)
class Thread:
    """One column feeding another, each as `asset.column`. `direct`: its value does, rather than deciding about it."""

    ends: tuple[str, str]
    direct: bool = True


@dataclass(frozen=True)
class ColumnLevel:
    """Everything that the graph needs to show columns; empty when it shows none."""

    columns: Mapping[str, tuple[ColumnRow, ...]] = field(default_factory=dict)
    threads: tuple[Thread, ...] = ()

    def shown(self, card: str) -> tuple[ColumnRow, ...]:
        return self.columns.get(card, ())[:MOST_COLUMNS]

    def more(self, card: str) -> int:
        """How many columns of a card are not listed."""
        return max(len(self.columns.get(card, ())) - MOST_COLUMNS, 0)

    def height(self, card: str) -> float:
        """How much taller a card is for its columns."""
        listed = len(self.shown(card)) + bool(self.more(card))
        return listed * ROW + 2 if listed else 0.0


def column_level(graph: Graph, schemas: Mapping[str, Mapping[str, Any]]) -> ColumnLevel:
    """The column lineage of a project. schemas: the types of the columns that each asset's own table holds."""
    edges = column_edges(graph, schemas)
    rows = {name: _rows(name, found, schemas) for name, found in edges.items()}
    for node in graph.nodes.values():
        if isinstance(node, IndexNode):
            rows[node.name] = (ColumnRow(node.on, "vector"),)
    return ColumnLevel(rows, tuple(dict.fromkeys(_threads(graph, edges, rows))))


def _rows(name: str, found: ColumnEdges, schemas: Mapping[str, Mapping[str, Any]]) -> tuple[ColumnRow, ...]:
    types = schemas.get(name, {})
    names = [column for column in types if not column.startswith("_")] or list(found.columns)
    return tuple(ColumnRow(column, str(types.get(column, ""))) for column in names)


def _threads(graph: Graph, edges: Mapping[str, ColumnEdges], rows: Mapping[str, Sequence[ColumnRow]]) -> list[Thread]:
    threads = []
    for name, found in edges.items():
        for column, sources in found.columns.items():
            for source in sources:
                if source.column and source.asset in rows and not isinstance(graph.nodes[source.asset], FilesNode):
                    ends = (f"{source.asset}.{source.column}", f"{name}.{column}")
                    threads.append(Thread(ends, source.kind == "direct"))
    for node in graph.nodes.values():
        if isinstance(node, IndexNode):
            threads.append(Thread((f"{node.source}.{node.on}", f"{node.name}.{node.on}")))
    return threads
