"""Which units of an asset must be computed now: the third gate, record by record.

A unit is computed when its memo is missing, was written under another fingerprint, or saw other inputs. Where the
last run left the asset settled under the same fingerprint, only records that the change feed of its inputs names are
looked at. A unit that failed is not tried again by itself: same inputs, same code, same failure; `retry` asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import FilesNode, FunctionNode, Graph, LearnedNode, Node, Parameter, TransformNode
from packyak.engine.run.read.view import KEY, quoted
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.store.contents import row_hash_sql
from packyak.engine.store.files import FileStat
from packyak.engine.store.tables import Table, among

RECENT_NS = 2_000_000_000  # a file modified this near to the look at it may change again without another time stamp


@dataclass
class Work:
    """Units to compute, and units that are gone.

    todo: `_key`, `inputs`, then the columns a0, a1, ... one per parameter. files: the same for file units, in order.
    seen: file units that need no computing, but whose time stamp changed. all_units: `todo` is every unit there is.
    """

    todo: pa.Table
    gone: pa.Array
    files: list[FileStat] = field(default_factory=list)
    seen: list[FileStat] = field(default_factory=list)
    ranks: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    all_units: bool = False

    @property
    def count(self) -> int:
        return int(self.todo.num_rows)


def unit_of(graph: Graph, node: Node) -> str:
    """What a node computes one by one, and counts where it fails: `file` or `record`."""
    if isinstance(node, TransformNode):
        return "file" if isinstance(graph.nodes.get(node.source), FilesNode) else "record"
    return "file" if isinstance(node, FunctionNode) and node.on else "record"


def settled_inputs(scope: Scope, node: TransformNode) -> dict[str, str]:
    """The public versions of the tables that a transform reads: equal to the last run's means nothing to look at."""
    if isinstance(scope.graph[node.source], FilesNode):
        return {}
    owners = scope.snapshot.owners(node.source)
    names = {owners[column] for column in read_columns(scope, node) if column in owners}
    names.add(scope.graph.root(node.source).name)
    for parameter in node.parameters:
        if parameter.takes == "lookup":
            names |= {each.name for each in scope.graph.chain(parameter.of)}
    return {name: scope.public_version(name) for name in sorted(names)}


def read_columns(scope: Scope, node: TransformNode) -> list[str]:
    """The columns of the source that the function reads."""
    columns: dict[str, None] = {}
    for parameter in node.parameters:
        if parameter.takes == "column":
            columns[parameter.of] = None
        elif parameter.takes == "record":
            columns |= dict.fromkeys(parameter.fields or scope.snapshot.owners(node.source))
        elif parameter.takes == "lookup":
            columns[parameter.by] = None
    return list(columns)


def record_work(scope: Scope, node: TransformNode, *, retry: bool = False) -> Work:
    """The records of the source that a transform must compute."""
    if not _has_records(scope, node.source):
        return _nothing_but_gone(scope, node)
    was = scope.settled(node.name)
    fingerprint = scope.fingerprint(node.name)
    narrow = None if retry else _changed_keys(scope, node, was, fingerprint)
    memo = _trusted(scope, node)
    known = memo.dataset() if memo else None
    sql, tables = _inputs_sql(scope, node)
    held = _held_arguments(scope, node)
    columns = [KEY, "inputs", *(() if held is not None else _argument_names(node))]
    head = f"with h as ({sql}) select {', '.join(f'h.{quoted(name)}' for name in columns)} from h"
    if known is None:
        todo = _with_arguments(scope.query.run(head, tables), held)
        return Work(todo, pa.array([], pa.string()), all_units=True)
    tables["m"] = known
    if narrow is not None:
        tables = {name: among(data, narrow) for name, data in tables.items()}
    again = " or m.error is not null" if retry else ""
    again += _withheld_otherwise(node)
    sql = (
        f"{head} left join m on m.{KEY} = h.{KEY} "
        f"where m.{KEY} is null or m.inputs is distinct from h.inputs or m.code is distinct from '{fingerprint}'{again}"
    )
    todo = _with_arguments(scope.query.run(sql, tables), held)
    every = narrow is None and todo.num_rows == _count(scope, node.source)
    return Work(todo, _gone_records(scope, node, was, known), all_units=every)


def _trusted(scope: Scope, node: TransformNode) -> Table | None:
    """The memo, where what it is about is there: of a table that the home has lost, everything is computed again."""
    memo = scope.memo(node.name)
    return memo if memo.exists() and scope.table(node.name).exists() else None


def record_inputs(scope: Scope, node: TransformNode) -> pa.Table:
    """Every record of the source, as work: `_key`, `inputs`, a0, a1, ..."""
    if not _has_records(scope, node.source):
        return _nothing_but_gone(scope, node).todo
    sql, tables = _inputs_sql(scope, node)
    return scope.query.run(sql, tables)


def _argument_names(node: TransformNode) -> list[str]:
    return [f"a{place}" for place in range(len(node.parameters))]


def _held_arguments(scope: Scope, node: TransformNode) -> pa.Table | None:
    """What the function reads of each record, where all of it is in memory already and need not go through a query."""
    if any(parameter.takes != "column" for parameter in node.parameters):
        return None
    held = scope.snapshot.select(node.source, read_columns(scope, node)).held
    if held is None:
        return None
    columns = [held[KEY], *(held[parameter.of] for parameter in node.parameters)]
    return pa.table(columns, names=[KEY, *_argument_names(node)])


def _with_arguments(todo: pa.Table, held: pa.Table | None) -> pa.Table:
    if held is None:
        return todo
    same = todo.num_rows == held.num_rows and todo[KEY].equals(held[KEY])
    rows = held if same else held.take(pc.index_in(todo[KEY], held[KEY]))
    for name in held.column_names[1:]:
        todo = todo.append_column(name, rows[name])
    return todo


def _withheld_otherwise(node: TransformNode) -> str:
    """The records whose answer the author's threshold, as it is now, would treat differently than it was."""
    if not isinstance(node, LearnedNode):
        return ""
    unsure = f"m.confidence < {node.abstain_below:g}::float" if node.abstain_below is not None else "false"
    was = "coalesce(contains(m.detail, '\"withheld\"'), false)"
    return f" or (m.confidence is not null and ({unsure}) is distinct from {was})"


def threshold_of(node: object) -> str:
    """The threshold that an asset's answers were stored under, as its notes keep it."""
    return "" if not isinstance(node, LearnedNode) or node.abstain_below is None else f"{node.abstain_below:g}"


def _has_records(scope: Scope, asset: str) -> bool:
    """Without records the columns of plain dicts are not known, and nothing needs them."""
    return _count(scope, asset) > 0


def _count(scope: Scope, asset: str) -> int:
    data = scope.snapshot.table(scope.graph.root(asset).name)
    if data is None:
        return 0
    return int(data.num_rows if isinstance(data, pa.Table) else data.count_rows())


def _nothing_but_gone(scope: Scope, node: TransformNode) -> Work:
    memo = scope.memo(node.name)
    gone = memo.keys().combine_chunks() if memo.exists() else pa.array([], pa.string())
    columns = {KEY: pa.string(), "inputs": pa.string()} | dict.fromkeys(_argument_names(node), pa.null())
    empty = pa.table({name: pa.array([], kind) for name, kind in columns.items()})
    return Work(empty, gone)


def _inputs_sql(scope: Scope, node: TransformNode) -> tuple[str, dict[str, Any]]:
    """One row per record of the source: its key, the hash of what the function reads, and the arguments."""
    view = scope.snapshot.select(node.source, read_columns(scope, node))
    tables = dict(view.tables)
    types = scope.snapshot.types(node.source)
    arguments: list[str] = []
    joins: list[str] = []
    hashed: list[tuple[str, pa.DataType]] = []
    for place, parameter in enumerate(node.parameters):
        expression, kind = _argument(scope, parameter, place, types, tables, joins)
        arguments.append(f"{expression} as {quoted(f'a{place}')}")
        hashed.append((f"a{place}", kind))
    inner = f"select i.{KEY}{''.join(', ' + each for each in arguments)} from ({view.sql}) as i {' '.join(joins)}"
    return f"select *, {row_hash_sql(hashed)} as inputs from ({inner})", tables


def _argument(
    scope: Scope,
    parameter: Parameter,
    place: int,
    types: Mapping[str, pa.DataType],
    tables: dict[str, Any],
    joins: list[str],
) -> tuple[str, pa.DataType]:
    """SQL for the value of one parameter, and its type."""
    if parameter.takes == "column":
        return f"i.{quoted(parameter.of)}", types.get(parameter.of, pa.null())
    if parameter.takes == "record":
        fields = {name: types.get(name, pa.null()) for name in parameter.fields or types}
        return _packed("i", fields), pa.struct(list(fields.items()))
    view = scope.snapshot.select(parameter.of)
    tables |= view.tables
    alias = f"l{place}"
    joins.append(f"left join ({view.sql}) as {alias} on {alias}.{KEY} = cast(i.{quoted(parameter.by)} as varchar)")
    others = scope.snapshot.types(parameter.of)
    return f"case when {alias}.{KEY} is null then null else {_packed(alias, others)} end", pa.struct(
        list(others.items())
    )


def _packed(alias: str, fields: Mapping[str, pa.DataType]) -> str:
    return f"struct_pack({', '.join(f'{quoted(name)} := {alias}.{quoted(name)}' for name in fields)})"


def _changed_keys(scope: Scope, node: TransformNode, was: Settled | None, fingerprint: str) -> pa.ChunkedArray | None:
    """The keys that the change feed names since the last run, or None when every record must be looked at."""
    if was is None or was.fingerprint != fingerprint or any(p.takes == "lookup" for p in node.parameters):
        return None
    if was.parts.get("threshold", "") != threshold_of(node):
        return None
    tables: list[pa.Table] = []
    for owner in settled_inputs(scope, node):
        table = scope.table(owner)
        since = was.consumed.get(owner)
        if since is None or not table.exists() or since > (table.version() or 0):
            return None
        if isinstance(scope.snapshot.table(owner), pa.Table):
            return None  # most of it was written just now
        if scope.public_version(owner) != was.inputs.get(owner):
            tables.append(table.changed_since(since, [KEY]))
    changed = pa.chunked_array([chunk for each in tables for chunk in each[KEY].chunks], pa.string())
    most = len(changed) > scope.candidates[scope.graph.root(node.source).name].rows / 2
    return None if most else changed


def _gone_records(scope: Scope, node: TransformNode, was: Settled | None, known: Any) -> pa.Array:
    root = scope.graph.root(node.source).name
    if was is not None and was.inputs.get(root) == scope.public_version(root):
        return pa.array([], pa.string())
    keys = scope.snapshot.select(root, ())
    tables = {**keys.tables, "m": known}
    gone = scope.query.run(f"select m.{KEY} from m anti join ({keys.sql}) as k on k.{KEY} = m.{KEY}", tables)
    return gone[KEY].combine_chunks()


def file_work(scope: Scope, node: TransformNode, *, retry: bool = False) -> Work:
    """The files of the source that a transform must read: new ones and changed ones, told by time stamp, size, then
    content.
    """
    source = scope.graph[node.source]
    assert isinstance(source, FilesNode)
    bucket = scope.bucket(source.bucket)
    stats = bucket.scan(source.pattern)
    memo = _trusted(scope, node)
    known = _known_files(memo.read(columns=[KEY, "inputs", "code", "error", "detail"])) if memo else {}
    fingerprint = scope.fingerprint(node.name)
    todo: list[FileStat] = []
    inputs: list[str] = []
    seen: list[FileStat] = []
    for stat in stats:
        before = known.pop(stat.key, None)
        current = before is not None and before["code"] == fingerprint and not (retry and before["error"])
        if current and before is not None and before["detail"] == stamp(stat):
            continue
        etag = scope.etag(source.bucket, stat)
        if current and before is not None and before["inputs"] == etag:
            seen.append(stat)
            continue
        todo.append(stat)
        inputs.append(etag)
    units = pa.table({KEY: pa.array([stat.key for stat in todo], pa.string()), "inputs": pa.array(inputs, pa.string())})
    ranks = {stat.key: (stat.mtime_ns, stat.key) for stat in stats}
    every = len(todo) == len(stats) and not known
    return Work(units, pa.array(list(known), pa.string()), files=todo, seen=seen, ranks=ranks, all_units=every)


def _known_files(memo: pa.Table) -> dict[str, dict[str, Any]]:
    return {row[KEY]: row for row in memo.to_pylist()}


def stamp(stat: FileStat, now_ns: int | None = None) -> str:
    """Size and time of a file, as the memo keeps them; a stamp too fresh to be trusted never matches."""
    recent = (now_ns or time.time_ns()) - stat.mtime_ns < RECENT_NS
    return f"{stat.size}:{stat.mtime_ns}{':recent' if recent else ''}"
