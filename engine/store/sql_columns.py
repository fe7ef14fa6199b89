"""Where each output column of a query comes from, read from its text and the columns of its tables.

sqlglot qualifies the query (every `*` expanded, every name bound); what follows walks its scopes down to the tables and
says for each column *how* it is used there, in the words of OpenLineage's column lineage facet. Nothing is run. A query
that DuckDB accepts may still be beyond this reading: then it raises `QueryError`, and the caller says "whole input".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.engine.errors import QueryError, nearest
from packyak.engine.store.sql import DIALECT, aggregates, parsed, place, problem, tables_of
from packyak.engine.store.sql_uses import CLAUSES, ColumnSource, Sources, through, use_of

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope


@dataclass(frozen=True)
class QueryLineage:
    """Where each output column comes from, in the order of the output, and what influences all of them alike.

    An output that the query does not name has a made-up name (`_col_0`); its position counts.
    """

    columns: tuple[tuple[str, tuple[ColumnSource, ...]], ...]
    influences: tuple[ColumnSource, ...]


def column_lineage(sql: str, schemas: Mapping[str, Sequence[str] | Mapping[str, Any]]) -> QueryLineage:
    """Which columns of which tables each output column depends on.

    Args:
        schemas: the columns of every table that the query reads, in order. `select *` is expanded by them.

    Raises QueryError when a table or column is unknown (the nearest are named), or the text cannot be followed.
    """
    known = {name.casefold() for name, columns in schemas.items() if columns}
    for table in tables_of(sql):
        if table.casefold() not in known:
            raise problem(sql, f"The columns of table {table!r} are not known", 0, table, choices=sorted(schemas))
    return _column_lineage(sql, tuple((name, tuple(columns)) for name, columns in sorted(schemas.items()) if columns))


@lru_cache(maxsize=256)
def _column_lineage(sql: str, schemas: tuple[tuple[str, tuple[str, ...]], ...]) -> QueryLineage:
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    query = parsed(sql).copy()
    _refuse_muddled_stars(sql, query)
    names = _Names(query, schemas)
    try:
        typed: dict[str, object] = {table: dict.fromkeys(columns, "UNKNOWN") for table, columns in schemas}
        qualified = qualify(query, dialect=DIALECT, schema=typed, identify=False, quote_identifiers=False)
        scope = build_scope(qualified)
    except SqlglotError as error:
        raise _unresolved(sql, str(error), names) from error
    if scope is None:
        raise problem(sql, "Where the columns of this query come from cannot be followed", 0)
    if any(_is_open(each.expression) for each in scope.traverse()):
        raise problem(sql, "Which columns a star stands for cannot be told here", 0, "*", "name the columns")
    walk = _Walk(names)
    outputs = walk.outputs(scope)
    columns = zip(_numbered([names.column(name) for name, _ in outputs]), outputs, strict=True)
    return QueryLineage(
        columns=tuple((name, _ordered(sources)) for name, (_, sources) in columns),
        influences=_ordered(walk.influences(scope)),
    )


def _ordered(sources: Sources) -> tuple[ColumnSource, ...]:
    return tuple(sorted(sources, key=lambda source: (source.table, source.column, source.how)))


def _numbered(names: Sequence[str]) -> list[str]:
    """Repeated names get a number, as DuckDB gives them: id, id_1."""
    numbered: list[str] = []
    for name in names:
        repeats = sum(earlier == name for earlier in names[: len(numbered)])
        numbered.append(f"{name}_{repeats}" if repeats else name)
    return numbered


def _unresolved(sql: str, message: str, names: _Names) -> QueryError:
    """The place, from our own tree, of what sqlglot cannot resolve ("Column 'x' could not be", "Unknown column: x")."""
    from sqlglot import exp

    said = message.split("\n", 1)[0].lower()
    for column in parsed(sql).find_all(exp.Column):
        if f"'{column.name.lower()}'" in said or said.endswith(f" {column.name.lower()}"):
            start, _ = place(sql, column.this)
            text, next_step, choices = names.doubt(column.name, column.table)
            return problem(sql, text, start, column.name, next_step, choices)
    return problem(sql, said.rstrip("."), 0)


class _Names:
    """Names as their owners wrote them: sqlglot compares in lower case, as DuckDB does."""

    def __init__(self, query: exp.Query, schemas: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        from sqlglot import exp

        self.columns = list(dict.fromkeys(column for _, columns in schemas for column in columns))
        self._columns_of = {table.casefold(): columns for table, columns in schemas}
        self._tables = {table.casefold(): table for table, _ in schemas}
        self._columns = {column.casefold(): column for column in self.columns}
        self._written = dict(self._columns)
        self._written.update({alias.alias.casefold(): alias.alias for alias in query.find_all(exp.Alias)})

    def column(self, name: str) -> str:
        """An output's name."""
        return self._written.get(name.casefold(), name)

    def source(self, table: str, column: str, how: str) -> ColumnSource:
        known = self._tables.get(table.casefold(), table), self._columns.get(column.casefold(), column)
        return ColumnSource(*known, how)

    def doubt(self, column: str, table: str) -> tuple[str, str, list[str] | None]:
        """Why a column has no one place to come from, what to do, and the valid names."""
        owners = [self._tables[name] for name, columns in self._columns_of.items() if column in columns]
        if len(owners) > 1 and not table:
            choices = " or ".join(f"{owner}.{column}" for owner in owners)
            return f"Column {column!r} is in several tables", f"write {choices}", None
        if owners:
            return f"Where column {column!r} comes from cannot be followed", "write the query in a plainer form", None
        meant = nearest(column, self.columns)
        next_step = f"write {meant!r} if that is meant" if meant else "name a column that a table of the query has"
        return f"Column {column!r} is in no table of the query", next_step, self.columns

    def all_of(self, table: str) -> tuple[str, ...]:
        return self._columns_of.get(table.casefold(), ())


class _Walk:
    """Follows columns through the scopes of a qualified query down to its tables."""

    def __init__(self, names: _Names) -> None:
        self._names = names
        self._outputs: dict[int, list[tuple[str, Sources]]] = {}
        self._influences: dict[int, Sources] = {}
        self._wholes: dict[int, Scope] = {}
        self._unfinished: set[int] = set()

    def outputs(self, scope: Scope) -> list[tuple[str, Sources]]:
        """The scope's output columns, each with what it comes from."""
        if id(scope) not in self._outputs:
            self._outputs[id(scope)] = []
            self._unfinished.add(id(scope))
            if _is_recursive(scope.expression):
                self._outputs[id(scope)] = self._recursive_outputs(scope)
            else:
                self._outputs[id(scope)] = self._find_outputs(scope)
            self._unfinished.discard(id(scope))
        return self._outputs[id(scope)]

    def _recursive_outputs(self, scope: Scope) -> list[tuple[str, Sources]]:
        """Follow a query that reads itself until nothing new is found. sqlglot shows it only its own first part."""
        self._wholes[id(scope.expression.this)] = scope
        others, known = dict(self._outputs), self._outputs[id(scope)]
        while (found := self._find_outputs(scope)) != known:
            self._outputs, known = others | {id(scope): found}, found
        return known

    def influences(self, scope: Scope) -> Sources:
        """What decides which rows the scope has, or their order, in it or in anything that it reads."""
        from sqlglot import exp

        if id(scope) not in self._influences:
            self._influences[id(scope)] = frozenset()
            inner = [source for _, source in scope.selected_sources.values()] + scope.subquery_scopes
            found = [
                self.influences(each)
                for each in (*inner, *scope.set_operation_scopes)
                if not isinstance(each, exp.Table)
            ]
            self._influences[id(scope)] = frozenset().union(*found, self._own_influences(scope))
        return self._influences[id(scope)]

    def _find_outputs(self, scope: Scope) -> list[tuple[str, Sources]]:
        from sqlglot import exp

        query = scope.expression
        if isinstance(query, exp.SetOperation):
            return self._merged(query, [self.outputs(each) for each in scope.set_operation_scopes])
        if isinstance(query, exp.Select):
            return [(item.output_name, self._reads(scope, item)) for item in query.expressions]
        if isinstance(query, exp.Subquery | exp.Lateral) and scope.subquery_scopes:
            return self.outputs(scope.subquery_scopes[0])
        return [(name, self._reads(scope, query)) for name in query.alias_column_names or [query.alias]]

    def _merged(self, query: exp.SetOperation, sides: list[list[tuple[str, Sources]]]) -> list[tuple[str, Sources]]:
        left, right = sides
        if query.args.get("by_name"):
            other = dict(right)
            names = dict.fromkeys([*dict(left), *other])
            return [(name, dict(left).get(name, frozenset()) | other.get(name, frozenset())) for name in names]
        return [
            (name, sources | right[at][1] if at < len(right) else sources) for at, (name, sources) in enumerate(left)
        ]

    def _own_influences(self, scope: Scope) -> Sources:
        from sqlglot import exp

        query = scope.expression
        if isinstance(query, exp.SetOperation):
            return self._influences_of_sets(query, scope)
        if not isinstance(query, exp.Select):
            return frozenset()
        found: set[ColumnSource] = set()
        for clause, how in CLAUSES.items():
            parts = query.args.get(clause)
            for part in parts if isinstance(parts, list) else [parts] if parts else []:
                found.update(self._as(how, self._reads(scope, part)))
        for join in scope.find_all(exp.Join):  # `from t join u`, with no select before it, keeps them at the table
            found.update(self._as("join", self._reads(scope, join)))
        for pivot in scope.pivots:
            if not pivot.args.get("unpivot") and pivot.parent is not None:
                source = scope.sources.get(pivot.parent.alias_or_name)
                found.update(self._as("group_by", self._all_of_source(source) if source else frozenset()))
        distinct, group = query.args.get("distinct"), query.args.get("group")
        if (group and group.args.get("all")) or (distinct and not distinct.args.get("on")):
            for item in query.expressions:
                if not aggregates(item):
                    found.update(self._as("group_by", self._reads(scope, item)))
        return frozenset(found)

    def _influences_of_sets(self, query: exp.SetOperation, scope: Scope) -> Sources:
        """All columns decide which rows are equal, and so which are there: not in UNION ALL, which compares none."""
        from sqlglot import exp

        if isinstance(query, exp.Union) and not query.args.get("distinct"):
            return frozenset()
        how = "group_by" if isinstance(query, exp.Union) else "filter"
        return frozenset().union(*(self._as(how, sources) for _, sources in self.outputs(scope)))

    def _as(self, how: str, sources: Sources) -> Sources:
        return frozenset(ColumnSource(source.table, source.column, how) for source in sources)

    def _reads(self, scope: Scope, expression: exp.Expr) -> Sources:
        """Every column that an expression of the scope uses, by what it does with it."""
        from sqlglot import exp

        found: set[ColumnSource] = set()
        subqueries = {id(each.expression): each for each in scope.subquery_scopes}
        for node in expression.walk(prune=lambda node: isinstance(node, (*exp.UNWRAPPED_QUERIES, exp.Column))):
            how = use_of(node, expression)
            if isinstance(node, exp.Column | exp.TableColumn):
                found.update(through(how, self._resolve(scope, node)))
            elif id(node) in subqueries and node is not scope.expression:
                for _, sources in self.outputs(subqueries[id(node)]):
                    found.update(through(how, sources))
            elif isinstance(node, exp.Columns):
                raise QueryError("COLUMNS(...) cannot be followed to its columns.", next_step="name the columns")
        return frozenset(found)

    def _resolve(self, scope: Scope, column: exp.Expr) -> Sources:
        """The table columns behind a column of a scope; an outer query's for a correlated one."""
        from sqlglot import exp

        table = column.args["table"].name if column.args.get("table") else ""
        if not table:
            return self._unqualified(scope, column.name)
        here: Scope | None = scope
        while here is not None:
            for pivot in here.pivots:
                if pivot.alias == table and pivot.parent is not None and pivot is not column.find_ancestor(exp.Pivot):
                    return self._of_pivot(here.sources.get(pivot.parent.alias_or_name), pivot, column.name)
            if table in here.sources:
                return self._of_source(here.sources[table], column.name)
            here = here.parent
        raise QueryError(
            f"Where column {column.name!r} comes from cannot be followed", next_step="write the query plainer"
        )

    def _unqualified(self, scope: Scope, name: str) -> Sources:
        """Without a table it is an output (in ORDER BY, DISTINCT ON), a whole row (`select t from t`) or a lambda's."""
        outputs = dict(self.outputs(scope))
        if name in outputs:
            return outputs[name]
        here: Scope | None = scope
        while here is not None and name not in here.sources:
            here = here.parent
        return self._all_of_source(here.sources[name]) if here is not None else frozenset()

    def _of_source(self, source: exp.Table | Scope, name: str) -> Sources:
        from sqlglot import exp

        if not isinstance(source, exp.Table):
            whole = self._wholes.get(id(source.expression), source)
            return self._output(whole, name)
        if not isinstance(source.this, exp.Identifier):
            return frozenset()  # range(...) and its like make values of their own
        return frozenset({self._names.source(source.name, name, "identity")})

    def _columns_of_source(self, source: exp.Table | Scope) -> set[str]:
        from sqlglot import exp

        if isinstance(source, exp.Table):
            return {name.casefold() for name in self._names.all_of(source.name)}
        return set(dict(self.outputs(source)))

    def _output(self, scope: Scope, name: str) -> Sources:
        outputs = dict(self.outputs(scope))
        if name not in outputs and id(scope) not in self._unfinished:
            raise QueryError(
                f"Where column {name!r} comes from cannot be followed", next_step="write the query plainer"
            )
        return outputs.get(name, frozenset())

    def _all_of_source(self, source: exp.Table | Scope) -> Sources:
        from sqlglot import exp

        if not isinstance(source, exp.Table):
            return frozenset().union(*(sources for _, sources in self.outputs(source)))
        columns = self._names.all_of(source.name)
        return frozenset(self._names.source(source.name, each, "transformation") for each in columns)

    def _of_pivot(self, source: exp.Table | Scope | None, pivot: exp.Expr, name: str) -> Sources:
        """A pivot passes on the columns that it does not name; those it makes come from all that it names."""
        from sqlglot import exp

        if source is None:
            return frozenset()
        named = {column.name for column in pivot.find_all(exp.Column)}
        if name not in named and name in self._columns_of_source(source):
            return self._of_source(source, name)
        return frozenset().union(*(through("aggregation", self._of_source(source, each)) for each in named))


def _refuse_muddled_stars(sql: str, query: exp.Query) -> None:
    """sqlglot overlooks `* replace` on columns that a join merges, and takes GROUP BY * for a column."""
    from sqlglot import exp

    for star in query.find_all(exp.Star):
        select = star.find_ancestor(exp.Select)
        joined = select is not None and select.find(exp.Join) is not None
        if (star.args.get("replace") and joined) or isinstance(star.parent, exp.Group):
            raise problem(sql, "Which columns a star stands for cannot be told here", 0, "*", "name the columns")


def _is_open(query: exp.Expr) -> bool:
    """Whether a star is left that no schema could expand."""
    from sqlglot import exp

    items = query.expressions if isinstance(query, exp.Select) else []
    return any(item.is_star or isinstance(item.unalias(), exp.Star) for item in items)


def _is_recursive(query: exp.Expr) -> bool:
    from sqlglot import exp

    clause = query.parent.parent if isinstance(query.parent, exp.CTE) else None
    return isinstance(clause, exp.With) and bool(clause.recursive) and isinstance(query, exp.SetOperation)
