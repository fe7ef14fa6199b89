"""Brings whole tables up to date: `@asset` functions and SQL. Computed as one, merged record by record.

Equal results commit nothing, so what is downstream sees no change. An asset without a key gets keys from its records'
content: it is replaced by difference as well, but nothing of it can be corrected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import AssetNode, Parameter, SqlNode, TableNode
from packyak.engine.errors import DataError, KeyProblem, PackyakError, QueryError, UserCodeError
from packyak.engine.run.compute.apply import RAISED, Tick, finish, whole_asset_failed
from packyak.engine.run.compute.commit import Writer
from packyak.engine.run.compute.memo import memo_rows
from packyak.engine.run.compute.rows import columns_of, is_own, table_of_dicts, unstored_of
from packyak.engine.run.compute.transforms import Outcome
from packyak.engine.run.read.uncover import uncovered
from packyak.engine.run.read.view import KEY, Selection, Snapshot, quoted
from packyak.engine.run.scope import Scope
from packyak.engine.run.types import schema_of
from packyak.engine.store import keys
from packyak.engine.store.contents import row_hash_sql
from packyak.engine.store.query import rows_of
from packyak.engine.store.sql import names_in, tables_of

UNIT = ""


def read_inputs(scope: Scope, node: TableNode) -> dict[str, str]:
    """The public versions of everything that the asset reads."""
    names: dict[str, None] = {}
    for name in node.inputs:
        if isinstance(scope.graph.nodes.get(name), TableNode):
            names |= dict.fromkeys(each.name for each in scope.graph.chain(name))
    return {name: scope.public_version(name) for name in sorted(names)}


def whole_writer(scope: Scope, node: TableNode) -> Writer:
    """A writer whose corrections hold only while the computed value is the one that the person saw."""
    overrides = scope.overrides(node.name, conditional=True)
    writer = Writer(scope.query, scope.table(node.name), scope.memo(node.name), overrides)
    was = scope.settled(node.name)
    if was is None:
        writer.measure()
    else:
        writer.total, writer.rows = int(was.total), was.rows
    return writer


def compute_whole(scope: Scope, node: AssetNode | SqlNode, tick: Tick = lambda done: None) -> Outcome:
    """Computes the table and merges it. tick: told how many records were yielded so far; may raise to cancel."""
    outcome = Outcome(whole_writer(scope, node))
    data = _query_result(scope, node) if isinstance(node, SqlNode) else _function_result(scope, node, tick)
    outcome.unstored.update(unstored_of(data.column_names))
    rows = _keyed(scope, node, data)
    gone = _gone(scope, outcome.writer, rows)
    memo = memo_rows([UNIT], inputs=[""], code=scope.fingerprint(node.name), run=scope.run)
    outcome.writer.store(rows, memo, gone=gone, all_units=True)
    outcome.computed = rows.num_rows
    outcome.notes += [
        f"a correction ({each}) waits for review: what is computed is no longer what was seen"
        for each in outcome.writer.parked
    ]
    return outcome


def _query_result(scope: Scope, node: SqlNode) -> pa.Table:
    names = tables_of(node.query)
    read = names_in(node.query, [column for name in names for column in scope.snapshot.owners(name)])
    if read is not None:
        with suppress(QueryError):  # with every column at hand it says better what is wrong
            selection = bind(scope.snapshot, node.query, names, read)
            return scope.query.run(selection.sql, selection.tables)
    selection = bind(scope.snapshot, node.query, names)
    try:
        return scope.query.run(selection.sql, selection.tables)
    except QueryError:
        if all(scope.snapshot.stored(each.name) for name in names for each in scope.graph.chain(name)):
            raise
        return pa.table({})  # what never had a record has no columns yet that a query could name


def bind(snapshot: Snapshot, query: str, names: Sequence[str], read: Collection[str] | None = None) -> Selection:
    """A query over assets by name, with their views put in front of it. read: only the columns of these names."""
    views: list[str] = []
    tables: dict[str, Any] = {}
    for name in names:
        columns = [each for each in snapshot.owners(name) if read is None or each.casefold() in read]
        view = snapshot.select(name, columns)
        tables |= view.tables
        views.append(f"{quoted(name)} as ({view.sql})")
    if not views:
        return Selection(query, tables)
    text = query.strip().rstrip(";")
    return Selection(f"with {', '.join(views)} select * from (\n{text}\n)", tables)


def _function_result(scope: Scope, node: AssetNode, tick: Tick) -> pa.Table:
    for _ in range(scope.limits.retries_of(node)):
        try:
            return _called(scope, node, tick)
        except UserCodeError:
            scope.limits.pause(lambda: tick(0))
    return _called(scope, node, tick)


def _called(scope: Scope, node: AssetNode, tick: Tick) -> pa.Table:
    arguments = {p.name: hand_over(scope, p) for p in node.parameters}
    try:
        answer = finish(node.function(**arguments))
        return as_table(_ticking(answer, tick) if isinstance(answer, Iterator) else answer, node)
    except PackyakError:
        raise
    except RAISED as error:
        raise whole_asset_failed(node.name, error) from error


def _ticking(items: Iterator[Any], tick: Tick) -> Iterator[Any]:
    for place, item in enumerate(items):
        tick(place)
        yield item


def hand_over(scope: Scope, parameter: Parameter) -> Any:
    """An input in the form that the parameter's annotation asks for."""
    if parameter.takes == "bucket":
        from packyak.engine.declare.bucket import Bucket

        return Bucket(parameter.of)
    table = scope.snapshot.read(parameter.of).drop_columns([KEY])
    if parameter.form == "table":
        return table
    if parameter.form == "reader":
        return table.to_reader()
    if parameter.form == "frame":
        return table.to_pandas()
    if parameter.form == "dicts":
        return iter(table.to_pylist())
    return scope.query.relation(table)


def as_table(answer: Any, node: AssetNode) -> pa.Table:
    """What an asset's function returned, as a table of its declared or seen columns."""
    if answer is None or answer is ...:
        return pa.table(
            {column.name: pa.array([], schema_of((column,)).field(0).type) for column in node.columns or ()}
        )
    if isinstance(answer, pa.RecordBatchReader):
        answer = answer.read_all()
    elif hasattr(answer, "to_arrow"):
        answer = answer.to_arrow()
    elif hasattr(answer, "to_arrow_table"):
        answer = rows_of(answer)
    elif isinstance(answer, pa.RecordBatch):
        answer = pa.Table.from_batches([answer])
    elif type(answer).__module__.partition(".")[0] == "pandas":
        answer = pa.Table.from_pandas(answer, preserve_index=False)
    if isinstance(answer, pa.Table):
        return answer
    if isinstance(answer, Mapping) or not hasattr(answer, "__iter__") or isinstance(answer, str | bytes):
        raise DataError(
            f"{node.name} returned {type(answer).__name__}",
            next_step="return or yield dicts or records, a DataFrame, an Arrow table or a relation",
        )
    return _from_items(list(answer), node)


def _from_items(items: list[Any], node: AssetNode) -> pa.Table:
    if node.columns is None:
        return table_of_dicts(items)
    arrays, errors = columns_of(items, node.columns, scalar=False)
    if errors:
        place, message = next(iter(errors.items()))
        raise DataError(f"record {place + 1} of {node.name}: {message}", next_step=f"mend what {node.name} yields")
    return pa.table(arrays, names=[column.name for column in node.columns])


def _keyed(scope: Scope, node: AssetNode | SqlNode, data: pa.Table) -> pa.Table:
    data = data.select([name for name in data.column_names if not is_own(name)])
    key = node.key
    if key is None:
        return _content_keyed(scope, data)
    missing = [name for name in key if name not in data.column_names]
    if missing and data.num_rows:
        raise KeyProblem(
            f"{node.name} has no column {missing[0]!r}, which is its key",
            next_step=f"return {missing[0]!r}, or name another of {', '.join(data.column_names)} as key",
        )
    if missing:
        return data.append_column(KEY, pa.array([], pa.string()))
    keyed = scope.query.run(f"select {key_sql(key)} as {KEY}, * from d", {"d": data})
    _refuse_bad_keys(scope, node, key, keyed)
    return keyed


def key_sql(key: Sequence[str]) -> str:
    """One column as its own text (null as \\N), several length-prefixed."""
    if len(key) == 1:
        return f"coalesce(cast({quoted(key[0])} as varchar), '\\N')"
    return keys.key_sql([f"cast({quoted(name)} as varchar)" for name in key])


def _refuse_bad_keys(scope: Scope, node: TableNode, key: Sequence[str], keyed: pa.Table) -> None:
    twice = scope.query.run(
        f"select {KEY}, count(*) as n from d group by all having n > 1 order by n desc limit 3", {"d": keyed}
    )
    if twice.num_rows:
        shown = ", ".join(f"{row[KEY]} ({row['n']} times)" for row in twice.to_pylist())
        raise KeyProblem(
            f"records of {node.name} share a key ({', '.join(key)}): {shown}",
            next_step="choose a key that is unique, or remove the repeated records in the function or query",
        )
    if isinstance(node, AssetNode) and any(keyed[name].null_count for name in key):
        count = max(keyed[name].null_count for name in key)
        raise KeyProblem(
            f"{count} records of {node.name} have no {key[0]}", next_step="give every record its key, or leave it out"
        )


def _content_keyed(scope: Scope, data: pa.Table) -> pa.Table:
    if not data.column_names:
        return pa.table({KEY: pa.array([], pa.string())})
    columns = [(field.name, field.type) for field in data.schema]
    sql = (
        f"select h || '.' || row_number() over (partition by h) as {KEY}, * exclude (h) "
        f"from (select *, {row_hash_sql(columns)} as h from d)"
    )
    return scope.query.run(sql, {"d": data})


def _gone(scope: Scope, writer: Writer, rows: pa.Table) -> pa.Array:
    if not writer.table.exists():
        return pa.array([], pa.string())
    sql = f"select o.{KEY} from o anti join n on n.{KEY} = o.{KEY}"
    return scope.query.run(sql, {"o": writer.table.dataset(), "n": rows.select([KEY])})[KEY].combine_chunks()


def work_in_whole_corrections(scope: Scope, node: TableNode) -> Outcome:
    """Shows what people said since, without computing: what was computed lies beneath or is what is stored."""
    outcome = Outcome(whole_writer(scope, node))
    writer = outcome.writer
    rows, memo = uncovered(writer.table.dataset(), writer.memo.dataset(), scope.ever_corrected(node.name))
    writer.store(rows, memo)
    return outcome
