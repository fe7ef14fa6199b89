"""Brings one transform up to date: finds its work, calls the function, commits as it goes.

Commits happen about every two seconds of work, so that a crash loses little and versions stay few. What a record or
file answered is stored with its memo; what failed keeps its last good value. At the end the corrections made since
are worked in.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.bucket import File
from packyak.engine.declare.nodes import FilesNode, TransformNode
from packyak.engine.errors import DataError
from packyak.engine.run.compute import clashes
from packyak.engine.run.compute.apply import Answers, Tick, describe
from packyak.engine.run.compute.commit import Writer
from packyak.engine.run.compute.learned import arguments, decide
from packyak.engine.run.compute.lingering import let_go
from packyak.engine.run.compute.memo import Aside, memo_rows
from packyak.engine.run.compute.rows import Rows, one_each, several, table_of_many
from packyak.engine.run.due.work import Work, file_work, record_work, stamp
from packyak.engine.run.read.uncover import uncovered
from packyak.engine.run.read.view import KEY, PARENT
from packyak.engine.run.scope import Scope
from packyak.engine.run.types import schema_of
from packyak.engine.store.files import FileStat

COMMIT_SECONDS = 2.0
COMMIT_ROWS = 200_000
MANY_PART = 1000  # records that answer several each


class Meter(Protocol):
    """Told how far an asset is; may raise to cancel."""

    def __call__(self, done: int, failed: int) -> None: ...


@dataclass
class Outcome:
    """What bringing one asset up to date did. unstored: columns that were left out for their names; given: columns with
    a value; lingering: columns that only what failed still shows."""

    writer: Writer
    computed: int = 0
    notes: list[str] = field(default_factory=list)
    unstored: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    lingering: tuple[str, ...] = ()


def writer_for(scope: Scope, node: TransformNode) -> Writer:
    """A writer that knows the asset's count and sum."""
    overrides = scope.overrides(node.name, conditional=False)
    tables = scope.table(node.name), scope.memo(node.name)
    code = scope.fingerprint(node.name)
    writer = Writer(scope.query, *tables, overrides, widen=node.columns is None, unique=True, code=code)
    was = scope.settled(node.name)
    if was is None:
        writer.measure()
    else:
        writer.total, writer.rows = int(was.total), was.rows
    return writer


def find_work(scope: Scope, node: TransformNode, *, retry: bool = False) -> Work:
    """The units that a run would compute now."""
    if isinstance(scope.graph[node.source], FilesNode):
        return file_work(scope, node, retry=retry)
    return record_work(scope, node, retry=retry)


def bring_up_to_date(scope: Scope, node: TransformNode, work: Work, meter: Meter) -> Outcome:
    """Computes the work and commits it."""
    outcome = Outcome(writer_for(scope, node))
    if work.files or isinstance(scope.graph[node.source], FilesNode):
        _files(scope, node, work, meter, outcome)
    elif node.many:
        _many(scope, node, work, meter, outcome)
    else:
        _one_each(scope, node, work, meter, outcome)
    outcome.writer.forget_units(work.gone)
    return outcome


def _parts(work: Work, largest: int) -> Iterator[pa.Table]:
    """The work in slices that take about half the time between two commits: few records of a slow function, many of a
    fast one.
    """
    start, size = 0, min(16, largest)
    while start < work.count:
        began = time.perf_counter()
        yield work.todo.slice(start, size)
        start += size
        took = max(time.perf_counter() - began, 1e-6)
        size = max(1, min(largest, size * 8, int(size * COMMIT_SECONDS / took)))


@dataclass
class _Batch:
    """What was computed since the last commit. known: the types of columns seen so far; anew: they, not the stored
    ones, are what counts, because code that is another now reads every file again."""

    rows: list[pa.Table] = field(default_factory=list)
    memo: list[pa.Table] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    known: dict[str, pa.DataType] | None = None
    anew: bool = False
    began: float = field(default_factory=time.perf_counter)
    work: float = field(default_factory=time.process_time)

    @property
    def due(self) -> bool:
        """Seconds of work are what a crash may cost; on a busy machine, or waiting for others, a multiple of them may
        pass.
        """
        if time.process_time() - self.work > COMMIT_SECONDS or time.perf_counter() - self.began > 5 * COMMIT_SECONDS:
            return True
        return bool(sum(each.num_rows for each in self.rows) > COMMIT_ROWS)

    def table(self, node: TransformNode) -> pa.Table:
        filled = [each for each in self.rows if each.num_rows] or self.rows[:1]
        joined = pa.concat_tables(filled, promote_options="permissive") if filled else _no_rows(node)
        return joined.combine_chunks()


def _no_rows(node: TransformNode) -> pa.Table:
    names = [KEY, PARENT] if node.many else [KEY]
    columns = {name: pa.string() for name in names} | {f.name: f.type for f in schema_of(node.columns or ())}
    return pa.table({name: pa.array([], kind) for name, kind in columns.items()})


def _one_each(scope: Scope, node: TransformNode, work: Work, meter: Meter, outcome: Outcome) -> None:
    batch, done, failed, whole = _Batch(), 0, 0, work.all_units
    gone: pa.Array | None = work.gone
    for part in _parts(work, scope.limits.batch_rows):
        keys = part[KEY].combine_chunks()
        base, bad = done, failed
        left = work.count - done
        decided = decide(scope, node, part, lambda n, base=base, bad=bad: meter(base + n, bad), left)  # type: ignore[misc]
        rows = one_each(node, keys, decided.values)
        errors = decided.errors | rows.errors
        batch.rows.append(_without(rows.table, errors))
        batch.memo.append(
            memo_rows(
                keys,
                inputs=part["inputs"].combine_chunks(),
                code=scope.fingerprint(node.name),
                decided=decided.by,
                model=decided.model,
                confidence=decided.confidence,
                errors=errors,
                asides=_kept_asides(outcome.writer, keys, errors),
                details=decided.details,
                run=scope.run,
            )
        )
        done, failed = done + len(keys), failed + len(errors)
        outcome.computed += len(keys) - len(decided.skipped)
        if batch.due and done < work.count:
            outcome.writer.store(batch.table(node), pa.concat_tables(batch.memo), gone=gone)
            batch, gone, whole = _Batch(), None, False
        meter(done, failed)
    memo = pa.concat_tables(batch.memo) if batch.memo else None
    outcome.writer.store(batch.table(node), memo, gone=gone, all_units=whole and memo is not None)


def _without(table: pa.Table, errors: Mapping[int, str]) -> pa.Table:
    if not errors:
        return table
    return table.take(pa.array([place for place in range(table.num_rows) if place not in errors], pa.int64()))


def _kept_asides(writer: Writer, keys: pa.Array, errors: Mapping[int, str]) -> dict[int, str | None]:
    """A unit that failed keeps what was computed beneath a correction before."""
    if not errors or not writer.overrides.in_force or not writer.memo.exists():
        return {}
    corrected = set(writer.overrides.keys)
    wanted = {key: place for place in errors if (key := keys[place].as_py()) in corrected}
    if not wanted:
        return {}
    kept = writer.memo.among(pa.array(list(wanted), pa.string())).to_pylist()
    return {wanted[row[KEY]]: row["aside"] for row in kept}


def _many(scope: Scope, node: TransformNode, work: Work, meter: Meter, outcome: Outcome) -> None:
    done = failed = 0
    batch = _first_batch(scope, node, outcome.writer)
    for part in _parts(work, min(MANY_PART, scope.limits.batch_rows)):
        units, base, bad = part[KEY].to_pylist(), done, failed
        tick: Tick = lambda n, base=base, bad=bad: meter(base + n, bad)  # type: ignore[misc]  # noqa: E731
        answers = scope.call(node, arguments(node, part), len(units), tick, work.count - done)
        failed += _collect(scope, node, units, part["inputs"].to_pylist(), answers, batch, outcome, None)
        done += len(units)
        if batch.due and done < work.count:
            _commit_units(node, work, batch, outcome, gone=())
            batch = _next_batch(batch)
        meter(done, failed)
    _commit_units(node, work, batch, outcome, gone=work.gone.to_pylist())
    _end_columns(scope, node, batch, outcome)


def _files(scope: Scope, node: TransformNode, work: Work, meter: Meter, outcome: Outcome) -> None:
    source = scope.graph[node.source]
    assert isinstance(source, FilesNode)
    bucket = scope.bucket(source.bucket)
    inputs = work.todo["inputs"].to_pylist()
    batch, failed = _first_batch(scope, node, outcome.writer), 0
    for done, (stat, etag) in enumerate(zip(work.files, inputs, strict=True)):
        file = file_of(source.bucket, bucket.path(stat.key), stat, etag)
        answers = _read_file(scope, node, file, lambda _, done=done, failed=failed: meter(done, failed))  # type: ignore[misc]
        failed += _collect(scope, node, [stat.key], [etag], answers, batch, outcome, [stamp(stat)])
        if batch.due:
            _commit_units(node, work, batch, outcome, gone=())
            batch = _next_batch(batch)
        meter(done + 1, failed)
    _commit_units(node, work, batch, outcome, gone=work.gone.to_pylist())
    _end_columns(scope, node, batch, outcome)
    restamp(scope, node, work)


def _first_batch(scope: Scope, node: TransformNode, writer: Writer) -> _Batch:
    """Where other code than that of the stored records computes them all again, stored columns bind it no more; after a
    run that was cut short, those do that it has computed already."""
    was = scope.settled(node.name)
    if node.columns is not None or (was is not None and was.fingerprint == writer.code) or not writer.memo.exists():
        return _Batch()
    units = writer.memo.read([KEY, "code", "error"])
    mine = pc.fill_null(pc.equal(units["code"], writer.code), False)
    if not writer.table.exists() or not len(mine) or pc.all(mine).as_py():
        return _Batch()
    good = units.filter(pc.and_(mine, pc.is_null(units["error"])))
    return _Batch(known=writer.types_in(good[KEY]), anew=True)


def _next_batch(batch: _Batch) -> _Batch:
    return _Batch(known=batch.known, anew=True) if batch.anew else _Batch()


def _end_columns(scope: Scope, node: TransformNode, batch: _Batch, outcome: Outcome) -> None:
    """Columns that the code gives no longer go, unless something that failed still shows them."""
    if node.columns is None:
        known, was = batch.known if batch.anew else None, scope.candidates.get(node.name)
        outcome.lingering, said = let_go(outcome.writer, was, known, outcome.given)
        outcome.notes[:0] = [said] if said else []


def file_of(bucket: str, place: str, stat: FileStat, etag: str) -> File:
    """A file as functions get it."""
    modified = datetime.fromtimestamp(stat.mtime_ns / 1e9, UTC)
    local = None if "://" in place else Path(place)
    return File(stat.key, bucket, size=stat.size, modified=modified, etag=etag, local=local)


def _read_file(scope: Scope, node: TransformNode, file: File, tick: Tick) -> Answers:
    """One call. Generators run to their end, so that a file is taken whole or not at all."""
    collect = table_of_many if node.columns is None else list
    return scope.limits.call(node, [[file]] * len(node.parameters), 1, tick, collect)


def _collect(
    scope: Scope,
    node: TransformNode,
    units: Sequence[str],
    inputs: Sequence[str],
    answers: Answers,
    batch: _Batch,
    outcome: Outcome,
    details: Sequence[str] | None,
) -> int:
    """Adds what the units answered to the batch; returns how many failed."""
    known = _known_types(outcome.writer, batch) if node.columns is None else {}
    errors = dict(answers.errors)
    for place, unit in enumerate(units):
        if place in errors:
            continue
        try:
            rows: Rows = several(node, unit, answers.values[place], known)
        except DataError as error:
            errors[place] = str(error)
            continue
        except Exception as error:  # a generator of the user's may fail while its records are taken
            errors[place] = describe(error)
            continue
        batch.rows.append(rows.table)
        batch.units.append(unit)
        if node.columns is None:
            known |= {f.name: f.type for f in rows.table.schema if not f.name.startswith("_") and _tells_more(known, f)}
        outcome.notes += [f"{unit}: {note}" for note in rows.notes]
        outcome.unstored.update(rows.unstored)
        outcome.given.update(f.name for f in rows.table.schema if rows.table[f.name].null_count < rows.table.num_rows)
        if rows.left_out:
            errors[place] = "; ".join(rows.left_out)
    batch.memo.append(
        memo_rows(
            units, inputs=list(inputs), code=scope.fingerprint(node.name), errors=errors, details=details, run=scope.run
        )
    )
    outcome.computed += len(units) - len(answers.skipped)
    return len(errors)


def _known_types(writer: Writer, batch: _Batch) -> dict[str, pa.DataType]:
    """The types of columns seen so far, stored or computed since the last commit."""
    if batch.known is None:
        batch.known = writer.types()
    return batch.known


def _tells_more(known: Mapping[str, pa.DataType], f: pa.Field) -> bool:
    if f.name not in known or pa.types.is_null(known[f.name]):
        return True
    return bool(pa.types.is_integer(known[f.name]) and pa.types.is_floating(f.type))


def _commit_units(node: TransformNode, work: Work, batch: _Batch, outcome: Outcome, *, gone: Sequence[str]) -> None:
    if not batch.memo and not gone and outcome.writer.table.exists():
        return
    writer = outcome.writer
    done = [*batch.units, *gone]
    rows = batch.table(node)
    if batch.anew:
        writer.take_shape(rows.schema)
    settlement = clashes.settle(writer, rows, done, work.ranks, clashing=bool(node.key))
    outcome.notes += settlement.notes
    memo = pa.concat_tables(batch.memo) if batch.memo else None
    if memo is not None:
        memo = _with_asides(writer, memo, settlement, batch.units)
    writer.store(settlement.rows, memo, gone=settlement.gone)
    others = {unit: aside for unit, aside in settlement.asides.items() if unit not in set(batch.units)}
    if others:
        _rewrite_asides(writer, others)


def _with_asides(writer: Writer, memo: pa.Table, settlement: clashes.Settlement, done: Sequence[str]) -> pa.Table:
    """The memo rows with what the table does not show. A unit that failed keeps what was laid aside before."""
    failed = sorted(set(memo[KEY].to_pylist()) - set(done))
    kept = writer.memo.among(pa.array(failed, pa.string())).to_pylist() if failed and writer.memo.exists() else []
    if not settlement.asides and not kept:
        return memo
    types = {f.name: f.type for f in settlement.rows.schema if not f.name.startswith("_")} | writer.types()
    asides = {row[KEY]: row["aside"] for row in kept}
    asides |= {unit: aside.text(types) for unit, aside in settlement.asides.items()}
    texts = [asides.get(unit) for unit in memo[KEY].to_pylist()]
    return memo.set_column(memo.schema.get_field_index("aside"), "aside", pa.array(texts, pa.string()))


def _rewrite_asides(writer: Writer, asides: Mapping[str, Aside]) -> None:
    """Changes the asides of units that were not processed themselves."""
    rows = writer.memo.among(pa.array(list(asides), pa.string())).to_pylist()
    types = writer.types()
    for row in rows:
        row["aside"] = asides[row[KEY]].text(types)
    if rows:
        writer.memo.upsert(pa.Table.from_pylist(rows, schema=writer.memo.schema()))


def restamp(scope: Scope, node: TransformNode, work: Work) -> None:
    """Files whose time stamp changed but not their content: remember the stamp, so that they are not read again next
    time.
    """
    if not work.seen:
        return
    memo = scope.memo(node.name)
    stamps = {stat.key: stamp(stat) for stat in work.seen}
    rows = memo.among(pa.array(list(stamps), pa.string())).to_pylist()
    for row in rows:
        row["detail"] = stamps[row[KEY]]
    memo.upsert(pa.Table.from_pylist(rows, schema=memo.schema()))


def work_in_corrections(scope: Scope, node: TransformNode, writer: Writer) -> None:
    """Makes the table show what people said since the last run, for records that were not computed now."""
    keys = scope.ever_corrected(node.name)
    if not keys or not writer.table.exists() or not writer.memo.exists():
        return
    rows, memo = uncovered(writer.table.dataset(), writer.memo.dataset(), keys)
    missing = sorted(set(writer.overrides.keys) - set(rows[KEY].to_pylist()))
    if missing and not node.many:
        rows = pa.concat_tables([rows, _without_value(scope, node, missing, rows.schema)])
    writer.store(rows, memo)


def _without_value(scope: Scope, node: TransformNode, keys: list[str], schema: pa.Schema) -> pa.Table:
    """Records that the function has no value for (it failed on them), of which a person gave one."""
    view = scope.snapshot.select(node.source, ())
    wanted = pa.table({KEY: pa.array(keys, pa.string())})
    there = scope.query.run(
        f"select v.{KEY} from ({view.sql}) as v semi join k on v.{KEY} = k.{KEY}", {**view.tables, "k": wanted}
    )
    return pa.Table.from_pylist(there.to_pylist(), schema=schema)
