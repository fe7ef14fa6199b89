"""What a query says about itself, read from its text: its tables and its key.

Imports sqlglot (as only this file and sql_columns do), and late: the import costs 0.2 s of CPU. Queries are in DuckDB's
dialect and are never run here. Answers are cached by text, so asking again is free. A query that cannot be read raises
`QueryError` with line, column and the fragment at fault; what cannot be decided (is this column a key?) is answered
with None or False, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.engine.errors import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

DIALECT = "duckdb"
OPENING_WORDS = ("select", "with", "from", "table", "(")
CTEs = Mapping[str, Any]  # name -> its query, or None

# DuckDB's aggregates that sqlglot reads as plain functions.
# fmt: off
AGGREGATES = {
    "arbitrary", "arg_max_null", "arg_max_nulls_last", "arg_min_null", "arg_min_nulls_last", "bitstring_agg",
    "combine_aggr", "count_star", "decimal_average", "entropy", "favg", "fsum", "histogram", "histogram_exact",
    "kahan_sum", "kurtosis_pop", "lttb", "mad", "mean", "product", "reservoir_quantile", "sem", "sum_no_overflow",
    "sumkahan", "variant_group_object",
}
# fmt: on


def tables_of(sql: str) -> tuple[str, ...]:
    """The tables that a query reads, in the order in which it names them.

    Names bound by WITH are not tables; tables inside subqueries are. `range`, `generate_series`, `unnest` and VALUES
    may be read from; every other table function is refused, because what it reads would be no declared thing.

    Raises QueryError when the text is not one SELECT, or names a table in a way that no declared thing has.
    """
    return _tables_of(sql)


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


# Reading the text


def names_in(sql: str, columns: Iterable[str]) -> frozenset[str] | None:
    """Every name in a query, in lower case: a column that is not among them is not read. None where columns may be read
    that it does not name (a star, a natural join, a pivot, a table as a value). columns: those that its tables have."""
    from sqlglot import exp

    query = parsed(sql)
    if any(not isinstance(star.parent, exp.Count) for star in query.find_all(exp.Star)):
        return None
    pattern = any(call.name.casefold() == "columns" for call in query.find_all(exp.Anonymous))
    if (
        pattern
        or query.find(exp.Pivot, exp.Columns)
        or any(join.method.upper() == "NATURAL" for join in query.find_all(exp.Join))
    ):
        return None
    tables = {table.alias_or_name.casefold() for table in query.find_all(exp.Table, exp.Subquery, exp.CTE)}
    tables -= {column.casefold() for column in columns}
    if any(column.name.casefold() in tables for column in query.find_all(exp.Column)):
        return None
    return frozenset(name.name.casefold() for name in query.find_all(exp.Identifier))


@lru_cache(maxsize=512)
def parsed(sql: str) -> exp.Query:
    """The query's syntax tree. It is shared: copy it before changing it."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError

    try:
        _check_opening(sql)
        statements = [each for each in sqlglot.parse(sql, dialect=DIALECT) if each is not None]
    except ParseError as error:
        raise _parse_problem(sql, error.errors[0] if error.errors else {}) from error
    except TokenError as error:
        raise problem(sql, "The query has a quote or comment that is never closed", error.start or 0) from error
    if len(statements) != 1:
        raise problem(sql, f"A query is one SELECT; this text holds {len(statements)} statements", 0)
    query = statements[0]
    if not isinstance(query, exp.Query) or query.find(exp.DML, exp.DDL, exp.Into) not in (None, query):
        raise problem(sql, "A query only reads; this one is no SELECT", 0)
    return query


def _check_opening(sql: str) -> None:
    """Refuse other statements by their first word: sqlglot would log a warning and carry on."""
    import sqlglot

    tokens = sqlglot.tokenize(sql, dialect=DIALECT)
    if not tokens:
        raise problem(sql, "The query is empty", 0)
    if tokens[0].text.lower() not in OPENING_WORDS:
        raise problem(sql, f"A query is one SELECT; this one starts with {tokens[0].text!r}", tokens[0].start)


def _parse_problem(sql: str, details: Mapping[str, Any]) -> QueryError:
    before, fragment = details.get("start_context") or "", details.get("highlight") or ""
    start = sql.rfind(before + fragment) + len(before) if before + fragment in sql else 0
    return problem(sql, f"The query cannot be read: {details.get('description') or 'unexpected text'}", start, fragment)


def problem(
    sql: str,
    message: str,
    start: int,
    fragment: str = "",
    next_step: str = "correct the query",
    choices: Iterable[str] | None = None,
) -> QueryError:
    """The error for what stands at offset `start` of a query. Its lines are the query's own, not a file's."""
    line, column = sql.count("\n", 0, start) + 1, start - sql.rfind("\n", 0, start)
    fragment = fragment or sql[start:].split("\n", 1)[0][:40]
    spot = f"line {line}, column {column} of the query" + (f", at {fragment!r}" if fragment else "")
    return QueryError(
        f"{message} ({spot})",
        next_step=next_step,
        choices=choices,
        query=sql,
        query_line=line,
        query_column=column,
        fragment=fragment,
    )


def place(sql: str, node: exp.Expr) -> tuple[int, str]:
    """Where a node's text starts, and that text as far as it is known."""
    for part in node.walk():
        if "start" in part.meta:
            return part.meta["start"], sql[part.meta["start"] : part.meta["end"] + 1]
    return 0, ""


# Tables


@lru_cache(maxsize=512)
def _tables_of(sql: str) -> tuple[str, ...]:
    from sqlglot import exp

    found: dict[str, int] = {}
    for table in parsed(sql).find_all(exp.Table):
        if isinstance(table.this, exp.GenerateSeries | exp.Unnest):
            continue
        start, fragment = place(sql, table)
        if not isinstance(table.this, exp.Identifier):
            raise problem(sql, "Tables must be declared things: a table function is none", start, fragment, DECLARE)
        if sql[start : start + 1] == "'":
            raise problem(sql, "Tables must be declared things: a file name is none", start, fragment, DECLARE)
        if table.args.get("db") is not None:
            raise problem(
                sql, f"Table {table.sql(DIALECT)} has a qualified name", start, table.sql(DIALECT), PLAIN_NAME
            )
        if table.name.casefold() not in _visible_ctes(table):
            found[table.name] = min(start, found.get(table.name, start))
    return tuple(sorted(found, key=lambda name: found[name]))


DECLARE = "declare it in Python (a bucket's files with a transform, an asset) and name it here"
PLAIN_NAME = "write the declared name alone; all assets live in one schema"


def _visible_ctes(table: exp.Table) -> set[str]:
    """The names bound by WITH where `table` stands: in a CTE only the earlier ones, and itself when recursive."""
    from sqlglot import exp

    names: set[str] = set()
    inside: exp.Expr = table
    while inside.parent is not None:
        parent = inside.parent
        if isinstance(parent, exp.With):
            position = parent.expressions.index(inside)
            seen = parent.expressions[: position + 1 if parent.recursive else position]
            names.update(cte.alias.casefold() for cte in seen)
        elif parent.args.get("with_") is not None and not isinstance(inside, exp.With):
            names.update(cte.alias.casefold() for cte in parent.args["with_"].expressions)
        inside = parent
    return names


# Keys


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


def aggregates(expression: exp.Expr) -> bool:
    """Whether it aggregates rows. `sum(x) over (...)` does not; `sum(count(*)) over ()` does, by its count."""
    from sqlglot import exp

    here = expression.walk(prune=lambda node: isinstance(node, exp.UNWRAPPED_QUERIES))
    return any(is_aggregate(node) and not _is_windowed(node) for node in here)


def is_aggregate(node: exp.Expr) -> bool:
    """Whether it is a call of an aggregate function."""
    from sqlglot import exp

    return isinstance(node, exp.AggFunc) or (isinstance(node, exp.Anonymous) and node.name.lower() in AGGREGATES)


def _is_windowed(call: exp.Expr) -> bool:
    from sqlglot import exp

    while isinstance(call.parent, exp.Filter | exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
        call = call.parent
    return isinstance(call.parent, exp.Window) and call.parent.this is call
