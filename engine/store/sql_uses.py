"""How a query uses a column, in the words of OpenLineage's column lineage facet.

Its value is in the output (identity, transformation, aggregation), or it only decides what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packyak.engine.store.sql import is_aggregate

if TYPE_CHECKING:
    from sqlglot import exp


DIRECT = ("identity", "transformation", "aggregation")


CLAUSES = {
    "where": "filter",
    "having": "filter",
    "qualify": "filter",
    "group": "group_by",
    "distinct": "group_by",
    "order": "sort",
    "windows": "window",
    "laterals": "join",
    "limit": "filter",
}


@dataclass(frozen=True)
class ColumnSource:
    """A column that a query's output depends on, and how.

    Its value is in the output: identity | transformation | aggregation. It only decides what is there: conditional
    (which branch) | window | filter | join | group_by | sort.
    """

    table: str
    column: str
    how: str

    @property
    def direct(self) -> bool:
        return self.how in DIRECT


Sources = frozenset[ColumnSource]


def use_of(node: exp.Expr, top: exp.Expr) -> str:
    """What is done with `node` on the way up to `top`: what only decides, else the strongest thing that computes."""
    from sqlglot import exp

    how = "identity"
    while node is not top and node.parent is not None:
        parent = node.parent
        if isinstance(parent, exp.If | exp.Case) and node.arg_key == "this":
            return "conditional"
        if isinstance(parent, exp.Window) and node.arg_key != "this":
            return "window"
        if isinstance(parent, exp.Filter) and node.arg_key == "expression":
            return "filter"
        if is_aggregate(parent):
            how = "aggregation"
        elif how == "identity" and not isinstance(parent, exp.Alias | exp.Paren | exp.Subquery):
            how = "transformation"
        node = parent
    return how


def through(how: str, sources: Sources) -> Sources:
    """The sources of something that is itself used: what only decides stays so, and computing adds up."""
    return frozenset(ColumnSource(source.table, source.column, _stronger(how, source.how)) for source in sources)


def _stronger(outer: str, inner: str) -> str:
    if outer in DIRECT and inner in DIRECT:
        return max(outer, inner, key=DIRECT.index)
    return inner if inner not in DIRECT else outer
