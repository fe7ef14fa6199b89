"""Which records of its tables each row of a query comes from: the query asked again, with their keys carried along.

Every table hands out its `_key` in a list column of its own; selects pass the lists on, GROUP BY and DISTINCT join
them, UNION lines them up. The outcome is a query with the columns of the first one, and beside them, for each place
where a table is named, the keys of the records that went into the row. (This is the lineage of relational algebra:
Cui, Widom, Wiener, Tracing the lineage of view data in a warehousing environment, 2000.) A window's row comes from
its whole partition. What cannot be followed, such as a subquery in a condition, is named as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from packyak.engine.store.sql import DIALECT, aggregates, parsed

KEY = "_key"
_FROM = "__from_"


@dataclass(frozen=True)
class RecordQuery:
    """A query that tells its rows' records. sources: list column -> the table whose keys it holds. wholes: tables that
    are read in a way that cannot be followed record by record."""

    sql: str
    sources: Mapping[str, str]
    wholes: tuple[str, ...]


@lru_cache(maxsize=128)
def record_query(sql: str) -> RecordQuery | None:
    """The query with the keys of its records; None where it cannot be followed at all.

    The tables that it names must have a column `_key`. Raises QueryError for what is no query.
    """
    from sqlglot.errors import SqlglotError

    weaver = _Weaver()
    try:
        woven, marks = weaver.query(parsed(sql).copy(), {})
        text = woven.sql(DIALECT)
    except (_Unfollowed, SqlglotError, RecursionError):
        return None
    wholes = tuple(dict.fromkeys(weaver.wholes))
    return RecordQuery(text, {_name(mark): weaver.tables[mark] for mark in marks}, wholes)


class _Unfollowed(Exception):
    """The query has a form whose records are not followed."""


Marks = list[int]
Visible = Mapping[str, Marks]  # WITH names in lower case -> the marks that they carry


@dataclass
class _Weaver:
    """Rewrites queries from the inside out. A mark is the number of a place where a table is named."""

    tables: list[str] = field(default_factory=list)
    wholes: list[str] = field(default_factory=list)

    def query(self, node: Any, visible: Visible) -> tuple[Any, Marks]:
        """The rewritten query and the marks that it carries."""
        from sqlglot import exp

        visible = {**visible, **self._bound(node, visible)}
        if isinstance(node, exp.Subquery | exp.Paren):
            if node.args.get("pivots") or node.args.get("joins"):
                raise _Unfollowed
            inner, marks = self.query(node.this, visible)
            node.set("this", inner)
            return node, marks
        if isinstance(node, exp.Select):
            return self._select(node, visible)
        if isinstance(node, exp.Union):
            return self._union(node, visible)
        raise _Unfollowed

    def _bound(self, node: Any, visible: Visible) -> dict[str, Marks]:
        clause = node.args.get("with_")
        found: dict[str, Marks] = {}
        for cte in clause.expressions if clause is not None else ():
            if clause.recursive or cte.alias_column_names:
                raise _Unfollowed
            inner, marks = self.query(cte.this, {**visible, **found})
            cte.set("this", inner)
            found[cte.alias.casefold()] = marks
        return found

    def _union(self, node: Any, visible: Visible) -> tuple[Any, Marks]:
        if node.args.get("by_name") or node.args.get("limit") or node.args.get("offset"):
            raise _Unfollowed
        with_clause = node.args.get("with_")
        left, left_marks = self.query(node.left, visible)
        right, right_marks = self.query(node.right, visible)
        marks = [*left_marks, *right_marks]
        sides = [
            f"select * exclude ({_names(mine)}), {self._padded(mine, marks)} from ({side.sql(DIALECT)})"
            if mine
            else f"select *, {self._padded(mine, marks)} from ({side.sql(DIALECT)})"
            for side, mine in ((left, left_marks), (right, right_marks))
        ]
        joined = _read(" union all ".join(sides)) if marks else node
        if node.args.get("distinct") and marks:
            joined = _joined(joined, marks)
        if with_clause is not None and joined is not node:
            joined.set("with_", with_clause)
        return joined, marks

    def _padded(self, mine: Marks, every: Marks) -> str:
        return ", ".join(_name(at) if at in mine else f"cast(null as varchar[]) as {_name(at)}" for at in every)

    def _select(self, node: Any, visible: Visible) -> tuple[Any, Marks]:
        from sqlglot import exp

        if any(node.args.get(part) for part in ("laterals", "windows", "pivots", "sample", "connect", "match")):
            raise _Unfollowed
        if any(isinstance(each, exp.Columns) for item in node.expressions for each in item.find_all(exp.Columns)):
            raise _Unfollowed
        self._note_subqueries(node, visible)
        by_alias = self._sources(node, visible)
        marks = [mark for found in by_alias.values() for mark in found]
        if not marks:
            return node, marks
        distinct = node.args.get("distinct")
        grouped = node.args.get("group") is not None or any(aggregates(item) for item in self._judged(node))
        if distinct is not None and not distinct.args.get("on"):
            if node.args.get("limit") or node.args.get("offset"):
                raise _Unfollowed
            node.set("distinct", None)
        if grouped:
            self._carry_grouped(node, marks)
        else:
            self._carry(node, by_alias)
        if distinct is not None and not distinct.args.get("on"):
            return self._without_repeats(node, marks), marks
        return node, marks

    def _without_repeats(self, node: Any, marks: Marks) -> Any:
        """A select whose equal rows are one row, with all their records."""
        with_clause = node.args.get("with_")
        node.set("with_", None)
        node.set("order", None)
        joined = _joined(node, marks)
        joined.set("with_", with_clause)
        return joined

    def _judged(self, node: Any) -> list[Any]:
        return [*node.expressions, *filter(None, [node.args.get("having")])]

    def _carry(self, node: Any, by_alias: Mapping[str, Marks]) -> None:
        """Passes the lists on where no star does so already."""
        from sqlglot import exp

        windows = [each for item in (*node.expressions, node.args.get("qualify")) if item for each in _windows(item)]
        partitions = list(dict.fromkeys(_partition(window) for window in windows))
        covered: set[int] = set()
        for item in node.expressions:
            star = item.this if isinstance(item, exp.Column) else item
            if isinstance(star, exp.Star):
                whole = not isinstance(item, exp.Column)
                mine = [mark for alias, found in by_alias.items() if whole or alias == item.table for mark in found]
                if partitions and mine:
                    given = star.args.get("replace") or []
                    star.set("replace", [*given, *(_windowed(mark, partitions) for mark in mine)])
                covered.update(mine)
        for mark in sorted({mark for found in by_alias.values() for mark in found} - covered):
            node.append("expressions", _windowed(mark, partitions))

    def _carry_grouped(self, node: Any, marks: Marks) -> None:
        from sqlglot import exp

        stars = [each for item in node.expressions for each in item.find_all(exp.Star)]
        if any(not isinstance(each.parent, exp.Count) for each in stars):
            raise _Unfollowed
        windows = [each for item in (*node.expressions, node.args.get("qualify")) if item for each in _windows(item)]
        for mark in marks:
            one = f"flatten({_listed(_name(mark))})"
            if windows:
                one = f"flatten({_listed(one)} over ())"
            node.append("expressions", _read(f"select {one} as {_name(mark)}").expressions[0])

    def _sources(self, node: Any, visible: Visible) -> dict[str, Marks]:
        """Rewrites what the select reads from; the marks by the name that a source has there."""
        clause = node.args.get("from_")
        found: dict[str, Marks] = {}
        if clause is None:
            return found
        source, marks = self._source(clause.this, visible)
        clause.set("this", source)
        found[source.alias_or_name] = marks
        for join in node.args.get("joins") or []:
            one_sided = str(join.args.get("kind") or "").upper() in ("SEMI", "ANTI")
            if one_sided:
                self._give_up(join.this, visible)
                continue
            source, marks = self._source(join.this, visible)
            join.set("this", source)
            found[source.alias_or_name] = marks
        return found

    def _source(self, node: Any, visible: Visible) -> tuple[Any, Marks]:
        from sqlglot import exp

        if isinstance(node, exp.Table):
            return self._table(node, visible)
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            if node.args.get("pivots") or node.args.get("sample") or node.args.get("joins"):
                raise _Unfollowed
            inner, marks = self.query(node.this, visible)
            node.set("this", inner)
            return node, marks
        if node.find(exp.Table, exp.Query) is not None:
            raise _Unfollowed
        return node, []

    def _table(self, node: Any, visible: Visible) -> tuple[Any, Marks]:
        from sqlglot import exp

        if not isinstance(node.this, exp.Identifier):
            return node, []
        if any(node.args.get(part) for part in ("joins", "pivots", "sample", "laterals")) or node.alias_column_names:
            raise _Unfollowed
        name, alias = node.name, node.alias_or_name
        carried = visible.get(name.casefold())
        if carried == []:
            return node, []
        if carried is None:
            mark = self._mark(name)
            text = f"(select *, [{KEY}] as {_name(mark)} from {_quoted(name)}) as {_quoted(alias)}"
            return _source_of(text), [mark]
        fresh = [self._mark(self.tables[each]) for each in carried]
        renamed = ", ".join(f"{_name(old)} as {_name(new)}" for old, new in zip(carried, fresh, strict=True))
        text = f"(select * exclude ({_names(carried)}), {renamed} from {_quoted(name)}) as {_quoted(alias)}"
        return _source_of(text), fresh

    def _mark(self, table: str) -> int:
        self.tables.append(table)
        return len(self.tables) - 1

    def _note_subqueries(self, node: Any, visible: Visible) -> None:
        """Tables in subqueries of conditions and values decide about rows; they are named as wholes."""
        from sqlglot import exp

        places = [
            *node.expressions,
            *(node.args.get(part) for part in ("where", "having", "qualify", "group", "order")),
        ]
        places += [join.args.get("on") for join in node.args.get("joins") or []]
        for place in filter(None, places):
            for query in place.find_all(exp.Query):
                self._give_up(query, visible)

    def _give_up(self, node: Any, visible: Visible) -> None:
        from sqlglot import exp

        for table in [node] if isinstance(node, exp.Table) else list(node.find_all(exp.Table)):
            carried = visible.get(table.name.casefold())
            self.wholes += [table.name] if carried is None else [self.tables[each] for each in carried]


def _name(mark: int) -> str:
    return f"{_FROM}{mark}"


def _names(marks: Marks) -> str:
    return ", ".join(_name(mark) for mark in marks)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _listed(value: str) -> str:
    return f"list({value}) filter (where {value} is not null)"


def _joined(query: Any, marks: Marks) -> Any:
    """Equal rows as one, their lists joined."""
    lists = ", ".join(f"flatten({_listed(_name(mark))}) as {_name(mark)}" for mark in marks)
    return _read(f"select * exclude ({_names(marks)}), {lists} from ({query.sql(DIALECT)}) group by all")


def _windows(item: Any) -> list[Any]:
    from sqlglot import exp

    return list(item.find_all(exp.Window))


def _partition(window: Any) -> str:
    if window.args.get("alias"):
        raise _Unfollowed
    by = window.args.get("partition_by") or []
    return f"partition by {', '.join(each.sql(DIALECT) for each in by)}" if by else ""


def _windowed(mark: int, partitions: list[str]) -> Any:
    """A mark's list as it is, or those of all rows that windows bring together."""
    if not partitions:
        return _read(f"select {_name(mark)} as {_name(mark)}").expressions[0]
    lists = ", ".join(f"flatten({_listed(_name(mark))} over ({partition}))" for partition in partitions)
    return _read(f"select flatten([{lists}]) as {_name(mark)}").expressions[0]


def _read(text: str) -> Any:
    import sqlglot

    return sqlglot.parse_one(text, dialect=DIALECT)


def _source_of(text: str) -> Any:
    return _read(f"select * from {text}").args["from_"].this
