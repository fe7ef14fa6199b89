"""What a query says about itself, read from its text: its tables and the names in it.

Imports sqlglot (as only the files named `sql` do), and late: the import costs 0.2 s of CPU. Queries are in DuckDB's
dialect and are never run here. Answers are cached by text, so asking again is free. A query that cannot be read raises
`QueryError` with line, column and the fragment at fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.engine.errors import QueryError

if TYPE_CHECKING:
    from sqlglot import exp

DIALECT = "duckdb"
OPENING_WORDS = ("select", "with", "from", "table", "(")

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
