"""Some records of an asset: those that fulfil conditions, in an order, page by page, with how many there are.

Two ways lead there. On columns kept in memory by rank (see `ranks`), which is what people turn pages on; and in plain
SQL over the stored tables, for what does not fit into memory or speaks of whole rows. Both give the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import TransformNode
from packyak.engine.errors import DataError
from packyak.engine.run.answers import ColumnInfo, Failure, Filter, Page
from packyak.engine.run.correct.override import holds
from packyak.engine.run.due.failing import failing_units
from packyak.engine.run.due.work import unit_of
from packyak.engine.run.read.ranks import Asked, View, named_in
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, Snapshot, no_column, quoted
from packyak.engine.run.trace.moments import parted

MOST_BY_RANK = 20_000  # more rows than that are read faster from end to end
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "contains", "in", "empty", "filled")


@dataclass(frozen=True)
class Wanted:
    """What a page is asked for. columns: which to answer, None for all. only: "corrected" or "failed". keys: only these
    records, in this order where no column to sort by is named."""

    asset: str
    offset: int = 0
    limit: int = 50
    sort: str | None = None
    descending: bool = False
    filters: tuple[Filter, ...] = ()
    text: str | None = None
    version: str | None = None
    only: str | None = None
    where: str | None = None
    columns: tuple[str, ...] | None = None
    keys: tuple[str, ...] | None = None


def page_of(reader: Reader, wanted: Wanted, *, plainly: bool = False) -> Page:
    """Some records, with how many match in all. plainly: in plain SQL, whatever the memory holds."""
    asset, version = parted(wanted.asset, wanted.version)
    snapshot = reader.view(asset, version)
    columns = reader.columns(asset, snapshot)
    asked = _asked(reader, asset, columns, wanted)
    found = None if plainly else _by_rank(reader, snapshot, asset, asked, wanted)
    rows, total = found or _plainly(reader, snapshot, asset, asked, wanted)
    return Page(rows, total, columns, _corrected(reader, asset, rows))


def _by_rank(
    reader: Reader, snapshot: Snapshot, asset: str, asked: Asked, wanted: Wanted
) -> tuple[pa.Table, int] | None:
    view = View(reader.shelf, snapshot, asset)
    found = view.found(asked)
    if found is None:
        return None
    shown = view.span(found, asked, wanted.offset, wanted.offset + wanted.limit)
    if shown is None or (len(shown) > MOST_BY_RANK and wanted.columns != ()):
        return None
    return view.rows(shown, wanted.columns), len(found)


def _plainly(reader: Reader, snapshot: Snapshot, asset: str, asked: Asked, wanted: Wanted) -> tuple[pa.Table, int]:
    inner = snapshot.select(asset)
    tables, params = {**inner.tables, **(asked.tables or {})}, list(asked.params)
    base, order = f"from ({inner.sql}) as v", ""
    if asked.keys is not None:
        base += f" join wanted_keys as w on w.key = v.{KEY}"
        tables["wanted_keys"] = pa.table({"key": pa.array(asked.keys, pa.string()), "n": range(len(asked.keys))})
        order = "w.n, "
    base += asked.condition
    total = reader.scope.query.run(f"select count(*) as n {base}", tables, params)["n"][0].as_py()
    if asked.sort:
        order = f"v.{quoted(asked.sort)} {'desc' if asked.descending else 'asc'} nulls last, "
    names = "v.*" if wanted.columns is None else ", ".join(f"v.{quoted(name)}" for name in [KEY, *wanted.columns])
    sql = f"select {names} {base} order by {order}v.{KEY} limit {int(wanted.limit)} offset {int(wanted.offset)}"
    return reader.scope.query.run(sql, tables, params), int(total)


def _asked(reader: Reader, asset: str, columns: Sequence[ColumnInfo], wanted: Wanted) -> Asked:
    names = [column.name for column in columns]
    for name in [*([wanted.sort] if wanted.sort else []), *(wanted.columns or ())]:
        _known(name, names, asset)
    terms: list[str] = [f"({wanted.where}\n)"] if wanted.where else []
    params: list[Any] = []
    tables: dict[str, pa.Table] = {}
    named = named_in(wanted.where or "", names)
    read = set(named or ())
    for each in wanted.filters:
        read.add(_known(each.column, names, asset))
        terms.append(_condition(each, params))
    if wanted.text:
        words = [column.name for column in columns if column.type == "string"]
        matches = [f"contains(lower(v.{quoted(name)}), lower(?))" for name in words]
        terms.append(f"({' or '.join([*matches, f'contains(lower(v.{KEY}), lower(?))'])})")
        params += [wanted.text] * (len(matches) + 1)
        read.update(words)
    if wanted.only:
        only = _corrected_keys(reader, asset) if wanted.only == "corrected" else _failed_keys(reader, asset)
        tables["only_keys"] = pa.table({KEY: pa.array(only, pa.string())})
        terms.append(f"v.{KEY} in (select {KEY} from only_keys)")
    condition = f" where {' and '.join(terms)}" if terms else ""
    columns_read = None if named is None else frozenset(read)
    keys = None if wanted.keys is None else tuple(dict.fromkeys(wanted.keys))
    return Asked(condition, tuple(params), tables, columns_read, wanted.sort, wanted.descending, keys)


def _known(name: str, names: Sequence[str], asset: str) -> str:
    if name not in names:
        raise no_column(asset, name, names)
    return name


def _condition(each: Filter, params: list[Any]) -> str:
    column = f"v.{quoted(each.column)}"
    if each.op == "empty":
        return f"({column} is null or cast({column} as varchar) = '')"
    if each.op == "filled":
        return f"({column} is not null and cast({column} as varchar) <> '')"
    if each.op == "contains":
        params.append(str(each.value))
        return f"contains(lower(cast({column} as varchar)), lower(?))"
    if each.op == "in":
        params.extend(each.value)
        return f"{column} in ({', '.join('?' for _ in each.value)})"
    if each.op not in COMPARISONS:
        raise DataError(f"{each.op!r} is no comparison", choices=list(COMPARISONS), next_step="use one of these")
    params.append(each.value)
    return f"{column} is distinct from ?" if each.op == "!=" else f"{column} {each.op} ?"


def _corrected_keys(reader: Reader, asset: str) -> list[str]:
    owners = {node.name for node in reader.graph.chain(asset)}
    return sorted({key for owner, key, _ in reader.scope.in_force if owner in owners})


def failures_of(reader: Reader, asset: str, limit: int) -> tuple[Failure, ...]:
    """The files or records of an asset that failed, by name."""
    node = reader.asset(asset)
    unit, found = unit_of(reader.graph, node), failing_units(reader.scope, node).slice(0, limit).to_pylist()
    return tuple(Failure(unit, str(each[KEY]), str(each["error"]), each["run"] or "") for each in found)


def _failed_keys(reader: Reader, asset: str) -> list[str]:
    found: list[str] = []
    for node in reader.graph.chain(asset):
        if isinstance(node, TransformNode) and not node.many:
            found += failing_units(reader.scope, node)[KEY].to_pylist()
    return found


def _corrected(reader: Reader, asset: str, rows: pa.Table) -> frozenset[tuple[str, str]]:
    """The fields of these records that are as people said; where their word waits, it is no mark of what is shown."""
    owners = {node.name: not isinstance(node, TransformNode) for node in reader.graph.chain(asset)}
    places = {key: at for at, key in enumerate(rows[KEY].to_pylist())}
    types = {field.name: field.type for field in rows.schema}
    return frozenset(
        (key, column)
        for (owner, key, column), said in reader.scope.in_force.items()
        if owner in owners
        and key in places
        and column in types
        and holds(said, rows[column][places[key]].as_py(), types[column], conditional=owners[owner])
    )
