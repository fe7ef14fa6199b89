"""Which output columns of a query identify its rows, read from its text.

A query's key is an input's that it keeps, else what it groups by. What cannot be decided is answered with None or
False, never guessed; answers are cached by text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.engine.store.sql import aggregates, parsed

if TYPE_CHECKING:
    from sqlglot import exp


CTEs = Mapping[str, Any]  # name -> its query, or None


def group_keys(sql: str, columns: Iterable[str] = ()) -> tuple[str, ...] | None:
    """The output columns that identify a row because the query groups by them (or selects them DISTINCT).

    None when there are none, when a grouping column is not among the output, or when rollups repeat them.

    Args:
        columns: the columns of the tables, where they are known. DuckDB takes a name in GROUP BY for a table's column
            first and for an alias second (measured).

    >>> group_keys("select date_trunc('day', received) as day, topic, count(*) as n from topic group by all")
    ('day', 'topic')
    """
    return _group_keys(sql, frozenset(column.casefold() for column in columns))


def keeps_key(sql: str, table: str, key: Sequence[str]) -> bool:
    """Whether the query yields at most one row for each row of `table`, with its key columns unchanged.

    True only for a plain select from that table (or from a subquery that keeps the key): filters, order, limit,
    windows, semi and anti joins. Any other join may multiply rows, so it answers False.
    """
    names = tuple(name.casefold() for name in key)
    return bool(names) and _keeps(parsed(sql), table.casefold(), names, {})


def query_key(sql: str, keys: Mapping[str, Sequence[str] | None]) -> tuple[str, ...] | None:
    """The key columns of a query's output: an input's key that it keeps, else the columns it groups by, else None.

    Args:
        keys: the key columns of each table that the query reads; None for one without.
    """
    for table, key in keys.items():
        if key and keeps_key(sql, table, key):
            return tuple(key)
    return group_keys(sql)


@lru_cache(maxsize=512)
def _group_keys(sql: str, columns: frozenset[str]) -> tuple[str, ...] | None:
    return _grouped(parsed(sql), {}, columns)


def _grouped(query: exp.Expr, ctes: CTEs, columns: frozenset[str]) -> tuple[str, ...] | None:
    select, ctes = _select(query, ctes)
    if select is None or _multiplies(select):
        return None
    if select.args.get("group") is not None:
        return _keys_of_group(select, select.args["group"], columns)
    if select.args.get("distinct") is not None and select.args["distinct"].args.get("on") is None:
        return _unique(select, [item.output_name for item in select.expressions])
    inner = _only_source(select, ctes)
    keys = _grouped(inner, ctes, columns) if inner is not None else None
    return tuple(keys) if keys and all(_carried(select, key.casefold()) for key in keys) else None


def _keys_of_group(select: exp.Select, group: exp.Expr, columns: frozenset[str]) -> tuple[str, ...] | None:
    from sqlglot import exp

    if group.args.get("all"):
        groups = [item for item in select.expressions if not aggregates(item) and not item.find(exp.Window)]
        if len(groups) == len(select.expressions) and not any(item.find(exp.Column) for item in groups):
            return None  # constants alone group nothing: DuckDB answers every row (measured)
        return _unique(select, [item.output_name for item in groups])
    if any(group.args.get(form) for form in ("rollup", "cube", "grouping_sets", "totals")):
        return None
    if any(isinstance(each, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple) for each in group.expressions):
        return None
    return _unique(select, [_output_of(select, each, columns) for each in group.expressions])


def _output_of(select: exp.Select, grouped: exp.Expr, columns: frozenset[str]) -> str:
    """The name under which a grouping expression is put out, "" when it is not.

    An alias whose own expression reads a column of that name is not what is grouped by: the column is.
    """
    from sqlglot import exp

    items: list[exp.Expr] = select.expressions
    if isinstance(grouped, exp.Literal) and grouped.is_int:
        position = int(grouped.name) - 1
        return items[position].output_name if 0 <= position < len(items) else ""
    for item in items:
        if _plain(item) == _plain(grouped):
            return item.output_name
    if isinstance(grouped, exp.Column) and not grouped.table and grouped.name.casefold() not in columns:
        for item in items:
            reads = {column.name.casefold() for column in item.find_all(exp.Column)}
            if item.alias.casefold() == grouped.name.casefold() and grouped.name.casefold() not in reads:
                return item.output_name
    return ""


def _plain(expression: exp.Expr) -> exp.Expr:
    """The expression without alias, brackets and table qualifiers, in lower case: equal text, equal value."""
    from sqlglot import exp

    bare = expression.unalias().unnest().copy()
    for column in list(bare.find_all(exp.Column)):
        column.set("table", None)
        if isinstance(column.this, exp.Identifier):
            column.set("this", exp.to_identifier(column.name.casefold()))
    return bare


def _unique(select: exp.Select, names: Sequence[str]) -> tuple[str, ...] | None:
    """The names as a key, None when one is unknown, a star, or the name of several output columns."""
    outputs = [item.output_name.casefold() for item in select.expressions]
    clear = names and all(name and name != "*" and outputs.count(name.casefold()) == 1 for name in names)
    return tuple(names) if clear and len({name.casefold() for name in names}) == len(names) else None


def _keeps(query: exp.Expr, table: str, key: tuple[str, ...], ctes: CTEs) -> bool:
    from sqlglot import exp

    select, ctes = _select(query, ctes)
    if select is None or select.args.get("group") is not None or _multiplies(select):
        return False
    inner = _only_source(select, ctes)
    if inner is None or not all(_carried(select, name) for name in key):
        return False
    if isinstance(inner, exp.Table):
        return inner.name.casefold() == table
    return _keeps(inner, table, key, ctes)


def _select(query: exp.Expr, ctes: CTEs) -> tuple[exp.Select | None, CTEs]:
    """The SELECT that a query is, brackets removed (None for UNION and its like), and the WITH names visible in it."""
    from sqlglot import exp

    while isinstance(query, exp.Subquery | exp.Paren) and not query.args.get("pivots"):
        ctes = {**ctes, **_bound(query)}
        query = query.this
    return (query, {**ctes, **_bound(query)}) if isinstance(query, exp.Select) else (None, ctes)


def _bound(query: exp.Expr) -> dict[str, Any]:
    """Its WITH names. A recursive one, or one that renames columns, is bound to None: nothing is known of its keys."""
    clause = query.args.get("with_")
    if clause is None:
        return {}
    return {
        cte.alias.casefold(): None if clause.recursive or cte.alias_column_names else cte.this
        for cte in clause.expressions
    }


def _only_source(select: exp.Select, ctes: CTEs) -> exp.Expr | None:
    """What a select reads when that is one thing, its rows not multiplied: a table, a subquery, a WITH query."""
    from sqlglot import exp

    source: exp.Expr | None = select.args["from_"].this if select.args.get("from_") else None
    if not isinstance(source, exp.Table | exp.Subquery) or source.args.get("pivots") or source.alias_column_names:
        return None
    # `from t join u`, with no select before it, keeps its joins at the table.
    joins = [*(select.args.get("joins") or []), *(source.args.get("joins") or [])]
    if any(join.kind not in ("SEMI", "ANTI") for join in joins):
        return None
    if select.args.get("laterals") or source.args.get("laterals"):
        return None
    if any(aggregates(item) for item in select.expressions):
        return None
    if isinstance(source, exp.Table):
        bound: exp.Expr | None = ctes.get(source.name.casefold(), source)
        return bound
    return source


def _carried(select: exp.Select, name: str) -> bool:
    """Whether the source's column `name` (casefolded) is put out unchanged, under its name, by exactly one item."""
    from sqlglot import exp

    carriers = 0
    for item in select.expressions:
        star = item.this if isinstance(item, exp.Column) and isinstance(item.this, exp.Star) else item
        if isinstance(star, exp.Star):
            carriers += 1
            touched = [part for form in ("except_", "replace", "rename") for part in star.args.get(form) or []]
            if any(name in (part.alias_or_name.casefold(), part.unalias().name.casefold()) for part in touched):
                return False
        elif isinstance(item, exp.Columns):
            return False
        elif item.output_name.casefold() == name:
            if not isinstance(item.unalias().unnest(), exp.Column) or item.unalias().unnest().name.casefold() != name:
                return False
            carriers += 1
    return carriers == 1


def _multiplies(select: exp.Select) -> bool:
    from sqlglot import exp

    return any(item.find(exp.UDTF, exp.Explode, exp.Unnest) is not None for item in select.expressions)
