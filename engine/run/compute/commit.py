"""Writes what was computed: effective values into the asset's table, then the bookkeeping into its memo.

The table holds effective values, a person's before the function's, and changes only where one changes: equal records
are not rewritten, so that what is downstream sees no change. The table is committed before the memo; a crash between
the two computes at most one batch again. The asset's public version is kept as a running sum over its records'
hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.run.compute.memo import Aside, read_aside
from packyak.engine.run.correct.override import Overrides
from packyak.engine.run.read.view import KEY, PARENT, quoted
from packyak.engine.store.query import Query, hash_sum
from packyak.engine.store.shape import plain, plain_type
from packyak.engine.store.tables import Table, among, within

MODULUS = 2**128
HELD_BYTES = 512 << 20  # of what was just written, kept in memory for what reads it next


@dataclass
class Delta:
    """How many records a run changed in one asset."""

    added: int = 0
    changed: int = 0
    deleted: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.deleted)


@dataclass
class Writer:
    """One asset's table and memo while a run writes them. `total`: the sum of its records' hashes; `rows`: their
    number.

    widen: the columns are those seen so far rather than declared, so none is dropped for being absent from new rows.
    unique: keys cannot repeat, because they are those of another asset. code: what computes its units, where they are
    many. whole: all that the table holds, in memory because little was there beside what was written; otherwise
    nothing.
    """

    query: Query
    table: Table
    memo: Table
    overrides: Overrides
    widen: bool = False
    unique: bool = False
    code: str = ""
    total: int = 0
    rows: int = 0
    delta: Delta = field(default_factory=Delta)
    parked: list[str] = field(default_factory=list)
    whole: pa.Table | None = None
    _memo_anew: bool = False
    _reshaped_all: bool = False

    def measure(self) -> None:
        """Counts and sums the stored table anew, when no trustworthy figures are at hand."""
        self.total, self.rows = 0, 0
        if self.table.exists():
            stored = self.table.read()
            self.total, self.rows = _sum(stored), stored.num_rows

    def types(self) -> dict[str, pa.DataType]:
        """The stored columns' types."""
        if not self.table.exists():
            return {}
        return {f.name: f.type for f in self.table.dataset().schema if not f.name.startswith("_")}

    def types_in(self, units: pa.Array | pa.ChunkedArray) -> dict[str, pa.DataType]:
        """The types of the columns in which a record of these units has a value."""
        rows = among(self.table.dataset(), units, by=PARENT)
        return {name: kind for name, kind in self.types().items() if rows[name].null_count < rows.num_rows}

    def take_shape(self, fresh: pa.Schema, *, only: bool = False) -> None:
        """Gives stored columns the types that they have in `fresh`; null where a value cannot be.

        only: `fresh` is all that the units give. Columns that are not in it go, and fractions may become whole numbers,
        which they stay as long as a unit to come may have some.
        """
        if not self.table.exists():
            return
        stored = self.table.dataset().schema
        types = {f.name: plain_type(f.type) for f in fresh if not pa.types.is_null(f.type)}
        if not only:
            types = {name: kind for name, kind in types.items() if not _holds(stored, name, kind)}
        kept = [f for f in stored if not only or f.name.startswith("_") or f.name in fresh.names]
        wanted = pa.schema([f.with_type(types.get(f.name, f.type)) for f in kept])
        if wanted.names != stored.names or wanted.types != stored.types:
            self._doubt_others()
            self.table.retype(wanted)
            self.whole = None
            self.measure()
            self.delta.changed = self.rows - self.delta.added  # each one reads otherwise now
            self._reshaped_all = True

    def store(
        self, rows: pa.Table, memo: pa.Table | None = None, *, gone: pa.Array | None = None, all_units: bool = False
    ) -> None:
        """Merges computed `rows` (with `_key`), removes the keys `gone`, then merges the `memo` rows of their units.

        all_units: the memo rows are those of every unit there is, so the memo is written anew rather than merged.
        """
        if self.widen and rows.num_rows and self.table.exists():
            rows = self._with_stored_columns(rows)  # a person may have given a value in a column that these rows lack
        effective, beneath, parked = self.overrides.apply(rows)
        self.parked += parked
        self._merge(effective)
        if gone is not None and len(gone):
            self._remove(gone)
        if memo is not None:
            self._remember(_with_beneath(memo, rows, beneath, self.types()), all_units)

    def forget_units(self, units: pa.Array) -> None:
        """Drops the memo of units that are gone; one that was written anew has none of them."""
        if len(units) and not self._memo_anew and self.memo.exists():
            self.memo.delete(units)

    def _merge(self, rows: pa.Table) -> None:
        if not self.table.exists():
            rows = plain(rows)
            self.table.create(rows, unique=self.unique)
            self.whole = _plainly(rows)
            self.total = _sum(rows)
            self.rows = rows.num_rows
            self.delta.added += rows.num_rows
            return
        if not rows.num_rows:
            return
        if self._reshaped(rows):
            return
        if self.whole is None and self.rows <= rows.num_rows:
            self.whole = _plainly(self.table.read())
        stored = self._stored(rows[KEY])
        changed = plain(self._changed(rows, stored))
        if not changed.num_rows:
            return
        before = stored.filter(within(stored[KEY], changed[KEY]))
        if stored.num_rows:
            merge(self.table, changed, self.rows)
        else:
            self.table.append(changed, unique=self.unique)
        self._hold(before, changed)
        added = changed.num_rows - before.num_rows
        self.total = (self.total - _sum(before) + _sum(changed)) % MODULUS
        self.rows += added
        self.delta.added += added
        self.delta.changed += 0 if self._reshaped_all else before.num_rows

    def _changed(self, rows: pa.Table, stored: pa.Table) -> pa.Table:
        """The rows that are new or differ from what is stored."""
        if not stored.num_rows:
            return rows
        names = [name for name in rows.column_names if name != KEY]
        differs = " or ".join(f"(n.{quoted(name)} is distinct from o.{quoted(name)})" for name in names) or "false"
        sql = f"select n.* from n left join o on o.{KEY} = n.{KEY} where o.{KEY} is null or {differs}"
        return self.query.run(sql, {"n": rows, "o": stored})

    def _stored(self, keys: pa.Array | pa.ChunkedArray) -> pa.Table:
        return self.table.among(keys) if self.whole is None else among(self.whole, keys)

    def _hold(self, gone: pa.Table, *come: pa.Table) -> None:
        """Keeps what is in memory as what is stored."""
        if self.whole is None:
            return
        kept = _rest(self.whole, gone[KEY]) if gone.num_rows else self.whole
        whole = pa.concat_tables([kept, *(_plainly(rows.select(kept.column_names)) for rows in come)])
        self.whole = whole if whole.nbytes <= HELD_BYTES else None

    def _remove(self, gone: pa.Array) -> None:
        if not self.table.exists():
            return
        before = self._stored(gone)
        if not before.num_rows:
            return
        self.table.delete(before[KEY].combine_chunks())
        self._hold(before)
        self.total = (self.total - _sum(before)) % MODULUS
        self.rows -= before.num_rows
        self.delta.deleted += before.num_rows

    def _with_stored_columns(self, rows: pa.Table) -> pa.Table:
        """Rows of plain dicts may lack columns that others have, or hold whole numbers where others hold fractions."""
        for f in self.table.dataset().schema:
            if f.name not in rows.column_names:
                rows = rows.append_column(f, pa.nulls(rows.num_rows, f.type))
            elif _widens(rows.schema.field(f.name).type, f.type):
                rows = rows.set_column(rows.schema.get_field_index(f.name), f.name, rows[f.name].cast(f.type))
        return rows

    def _reshaped(self, rows: pa.Table) -> bool:
        """Merges rows whose columns differ from the stored ones; the table then takes over theirs. False: nothing to
        reshape.
        """
        stored = {f.name: f.type for f in self.table.dataset().schema}
        fresh = {f.name: f.type for f in rows.schema}
        if fresh == stored:
            return False
        if any(not pa.types.is_null(kind) and fresh.get(name) != kind for name, kind in stored.items()):
            self._doubt_others()
        change = self.table.upsert(rows, widen=self.widen)
        self.whole = None
        self.delta.added += change.inserted
        self.delta.changed += change.updated
        self.measure()
        return True

    def _doubt_others(self) -> None:
        """Before stored values are cast or go: what other code computed is no longer as that code left it, which a run
        that is cut short, and the other code put back, would otherwise take it for."""
        if not self.code or not self.memo.exists():
            return
        memo = self.memo.read()
        others = pc.fill_null(pc.not_equal(memo["code"], self.code), False)
        if pc.any(others).as_py():
            codes = pc.if_else(others, pa.scalar(None, pa.string()), memo["code"])
            place = memo.schema.get_field_index("code")
            self.memo.replace(memo.set_column(place, memo.schema.field(place), codes), unique=True)

    def _remember(self, memo: pa.Table, all_units: bool) -> None:
        if not self.memo.exists():
            self.memo.create(memo, unique=True)
        elif all_units:
            self.memo.replace(memo, unique=True)
            self._memo_anew = True
        elif memo.num_rows:
            known = among(self.memo.dataset(), memo[KEY], [KEY]).num_rows
            if known:
                merge(self.memo, memo, self.memo.count())
            else:
                self.memo.append(memo, unique=True)


def _rest(rows: pa.Table, gone: pa.ChunkedArray) -> pa.Table:
    """The rows without those keys. What has none of them is not copied."""
    parts = [(batch, pc.invert(within(batch[KEY], gone))) for batch in rows.to_batches()]
    kept = [batch if pc.all(stays).as_py() else batch.filter(stays) for batch, stays in parts]
    return pa.Table.from_batches(kept, schema=rows.schema)


def merge(table: Table, rows: pa.Table, stored: int) -> None:
    """Merges rows into a table of `stored` records. Where they are more than what is there, the table is written anew:
    merging is for the few, and costs several times as much a record (measured)."""
    if rows.num_rows <= stored:
        table.upsert(rows)
        return
    there = table.read()
    kept = there.filter(pc.invert(pc.is_in(there[KEY], rows[KEY].combine_chunks())))
    table.replace(pa.concat_tables([_plainly(kept), _plainly(rows.select(kept.column_names))]), unique=True)


def _plainly(rows: pa.Table) -> pa.Table:
    """The rows with columns that differ at most in their types, not in flags."""
    return rows.cast(pa.schema([pa.field(f.name, f.type) for f in rows.schema]))


def _sum(data: pa.Table) -> int:
    """Over what a version's name stands for: the key and the values, no bookkeeping."""
    names = [KEY, *sorted(name for name in data.column_names if not name.startswith("_"))]
    return hash_sum(data, names) if data.num_rows else 0


def _holds(stored: pa.Schema, name: str, kind: pa.DataType) -> bool:
    return name in stored.names and _widens(kind, stored.field(name).type)


def _widens(narrow: pa.DataType, wide: pa.DataType) -> bool:
    return bool(pa.types.is_null(narrow) or (pa.types.is_integer(narrow) and pa.types.is_floating(wide)))


def _with_beneath(
    memo: pa.Table, rows: pa.Table, beneath: Mapping[str, dict[str, Any]], types: Mapping[str, pa.DataType]
) -> pa.Table:
    """The memo rows with what was computed beneath a person's corrections laid aside in them."""
    if not beneath:
        return memo
    unit_of = {key: key for key in beneath}
    if PARENT in rows.column_names:
        mine = rows.filter(pc.is_in(rows[KEY], pa.array(list(beneath), pa.string())))
        unit_of = dict(zip(mine[KEY].to_pylist(), mine[PARENT].to_pylist(), strict=True))
    elif memo.num_rows == 1 and memo[KEY][0].as_py() == "":
        unit_of = dict.fromkeys(beneath, "")
    places = {unit: place for place, unit in enumerate(memo[KEY].to_pylist())}
    texts = memo["aside"].to_pylist()
    asides: dict[int, Aside] = {}
    for key, record in beneath.items():
        place = places.get(unit_of[key])
        if place is not None:
            aside = asides.setdefault(place, read_aside(texts[place], types))
            aside.beneath[key] = record
    for place, aside in asides.items():
        texts[place] = aside.text(types)
    return memo.set_column(memo.schema.get_field_index("aside"), "aside", pa.array(texts, pa.string()))
