"""The records of an asset's view by rank: their place in the order of their keys, corrections laid over.

Which records are wanted, and in which order, is found on the columns that the question names alone, kept in memory;
then only the rows of one page are read. A correction touches a few ranks of a column and the rows shown, nothing else.
What is too large to keep, and questions that need whole rows, are for plain SQL: the answer is None.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.errors import QueryError
from packyak.engine.run.read.view import KEY, Overlaid, Snapshot
from packyak.engine.store.shape import plain
from packyak.engine.store.shelf import Ranks, Shelf, Stored

RANK = "_rank"
_DEPTHS = (1_000, 20_000)  # few of many are ordered at a fraction of the cost of all
_WHOLE_ROWS = re.compile(r"\bcolumns\b|[(.,]\s*\*|(?<![\w.\"])v(?![\w.\"])|\"\"", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """Which records: an SQL condition over the view `v`, its parameters and further tables, the columns that it names
    (None where that is not known); the column to sort by; and the keys of those that come into question at all."""

    condition: str = ""
    params: tuple[Any, ...] = ()
    tables: Mapping[str, pa.Table] | None = None
    columns: frozenset[str] | None = frozenset()
    sort: str | None = None
    descending: bool = False
    keys: tuple[str, ...] | None = None


@dataclass(frozen=True)
class View:
    """One asset's view at one choice of versions."""

    shelf: Shelf
    snapshot: Snapshot
    asset: str

    @cached_property
    def owners(self) -> Mapping[str, str]:
        return self.snapshot.owners(self.asset)

    @cached_property
    def root(self) -> Stored | None:
        """The table that says which records there are; None where there is none, or too many of them."""
        found = self._stored(self.snapshot.graph.root(self.asset).name)
        return found if found is not None and found.fits else None

    def _stored(self, asset: str) -> Stored | None:
        table = self.snapshot.table(asset)
        if table is None:
            return None
        return Stored(self.shelf, table.data if isinstance(table, Overlaid) else table)

    @cached_property
    def _tables(self) -> Mapping[str, Stored | None]:
        return {owner: self._stored(owner) for owner in dict.fromkeys(self.owners.values())}

    @property
    def total(self) -> int:
        """How many records there are."""
        return 0 if self.root is None else len(self.root.keys)

    def keys(self, ranks: Ranks) -> pa.Array:
        """The keys at ranks."""
        assert self.root is not None, "asked of a view that can be kept"
        return self.root.keys.take(pa.array(ranks))

    def ranks(self, keys: Sequence[str]) -> Ranks:
        """The ranks of the keys that the view has."""
        assert self.root is not None, "asked of a view that can be kept"
        found = self.root.find(keys)
        return found[found >= 0]

    # Which records, in which order

    def found(self, asked: Asked) -> Ranks | None:
        """The ranks of the records that fulfil the condition, smallest first, or in the order of the keys asked for."""
        found = self._fulfilling(asked)
        if found is None or asked.keys is None:
            return found
        ranks = self.ranks(asked.keys)
        return ranks if len(found) == self.total else ranks[np.isin(ranks, found)]

    def _fulfilling(self, asked: Asked) -> Ranks | None:
        if self.root is None or asked.columns is None:
            return None
        if not asked.condition:
            return self.shelf.kept((self.root.name, "all"), lambda: np.arange(self.total))
        known: Ranks | None = None if asked.tables else self.shelf.get(self._question(asked))
        if known is None:
            known = self._found(asked, sorted(asked.columns))
            if known is not None and not asked.tables:
                self.shelf.put(self._question(asked), known)
        return known

    def _question(self, asked: Asked) -> Hashable:
        """What tells a condition from others, with the values that it looks at."""
        assert self.root is not None
        named = tuple(map(self._name, sorted(asked.columns or ())))
        return "found", self.root.name, named, repr((asked.condition, asked.params))

    def _found(self, asked: Asked, columns: Sequence[str]) -> Ranks | None:
        assert self.root is not None
        values = {name: self.column(name) for name in columns}
        if any(column is None for column in values.values()):
            return None
        rows = pa.table({RANK: np.arange(self.total), KEY: self.root.keys, **values})
        sql = f"select {RANK} from kept_rows as v{asked.condition} order by {RANK}"
        try:
            found = self.snapshot.query.run(sql, {"kept_rows": rows, **(asked.tables or {})}, list(asked.params))
        except QueryError:  # told by the plain way, in words that name the asset's own columns
            return None
        return np.asarray(found[RANK].to_numpy(), np.int64)

    def span(self, found: Ranks, asked: Asked, start: int, end: int) -> Ranks | None:
        """Those of the records found that stand from `start` to `end` in the order asked for."""
        if not asked.sort:
            return found[start:end]
        end = min(end, len(found))
        if start >= end:
            return found[:0]
        column = self.column(asked.sort)
        if column is None:
            return None
        depth = next((depth for depth in _DEPTHS if min(end, len(found) - start) <= depth), len(found))
        backwards = end > depth
        among = found.tobytes() if asked.tables or asked.keys is not None else self._question(asked)
        name = ("sorted", among, self._name(asked.sort), asked.descending, depth, backwards)
        ordered = self.shelf.kept(name, lambda: self._sorted(found, column, asked.descending, depth, backwards))
        return ordered[start - len(found) + len(ordered) :][: end - start] if backwards else ordered[start:end]

    def _sorted(self, found: Ranks, column: pa.ChunkedArray, descending: bool, depth: int, backwards: bool) -> Ranks:
        """The first records in an order, or backwards the last ones."""
        whole = len(found) == self.total and bool((found[1:] > found[:-1]).all())
        values = column if whole else column.take(pa.array(found))
        way = "desc nulls last" if descending else "asc nulls last"
        if backwards:
            way = "asc nulls first" if descending else "desc nulls first"
        sql = f"select {RANK} from s order by x {way}, {RANK} {'desc' if backwards else 'asc'} limit {depth}"
        ordered = self.snapshot.query.run(sql, {"s": pa.table({RANK: found, "x": values})})
        ranks = np.asarray(ordered[RANK].to_numpy(), np.int64)
        return ranks[::-1] if backwards else ranks

    def column(self, name: str) -> pa.ChunkedArray | None:
        """A column by ranks, corrections included; None where it is too large."""
        assert self.root is not None
        stored = self._tables[self.owners[name]]
        if stored is None:
            return pa.chunked_array([pa.nulls(self.total, self.snapshot.types(self.asset)[name])])
        if not stored.fits or stored.column(name) is None:
            return None
        return self.shelf.kept(("shown", self.root.name, self._name(name)), lambda: self._column(name, stored))

    def _name(self, name: str) -> Hashable:
        """What tells the values of a column from others."""
        owner = self.owners[name]
        table, stored = self.snapshot.table(owner), self._tables[owner]
        return (None if stored is None else stored.name, table.name if isinstance(table, Overlaid) else "", name)

    def _column(self, name: str, stored: Stored) -> pa.ChunkedArray:
        assert self.root is not None
        values = stored.column(name)
        assert values is not None
        across = self._across(stored)
        if len(across):
            values = values.take(pa.array(across, pa.int64(), mask=across < 0))
        table = self.snapshot.table(self.owners[name])
        if not isinstance(table, Overlaid):
            return values
        ranks = self.root.find(table.fresh[KEY])
        there = ranks >= 0
        index = np.arange(len(values))
        index[ranks[there]] = len(values) + np.flatnonzero(there)
        both = pa.chunked_array([*values.chunks, *table.fresh[name].chunks], values.type)
        return both.take(pa.array(index))

    def _across(self, stored: Stored) -> Ranks:
        """For each rank of the view, the rank in the owner's table; empty where they are the same."""
        assert self.root is not None
        return np.zeros(0, np.int64) if stored.name == self.root.name else self.root.joined(stored)

    # The records themselves

    def rows(self, ranks: Ranks, columns: Sequence[str] | None = None) -> pa.Table:
        """The records at ranks, in that order, `_key` first."""
        names = list(self.owners) if columns is None else list(columns)
        keys = self.keys(ranks)
        types = self.snapshot.types(self.asset)
        found: dict[str, Any] = {KEY: keys}
        for owner in dict.fromkeys(self.owners[name] for name in names):
            mine = [name for name in names if self.owners[name] == owner]
            found |= self._of_owner(owner, mine, keys, ranks, types)
        return plain(pa.table({name: found[name] for name in [KEY, *names]}))

    def _of_owner(
        self, owner: str, names: list[str], keys: pa.Array, ranks: Ranks, types: Mapping[str, pa.DataType]
    ) -> dict[str, Any]:
        table, stored = self.snapshot.table(owner), self._tables[owner]
        if stored is None:
            return {name: pa.nulls(len(ranks), types[name]) for name in names}
        across = self._across(stored)
        rows = stored.rows(across[ranks] if len(across) else ranks, names)
        if isinstance(table, Overlaid):
            fresh = pc.fill_null(pc.index_in(keys, value_set=table.fresh[KEY]), -1).to_numpy(zero_copy_only=False)
            index = np.where(fresh >= 0, rows.num_rows + fresh, np.arange(rows.num_rows))
            if (fresh >= 0).any():
                rows = pa.concat_tables([rows, table.fresh.select(names).cast(rows.schema)]).take(pa.array(index))
        return {name: rows[name] for name in names}


def named_in(condition: str, columns: Sequence[str]) -> frozenset[str] | None:
    """The columns that an SQL condition may name, and perhaps some more; None where it speaks of whole rows."""
    if _WHOLE_ROWS.search(condition) or any('"' in name for name in columns):
        return None
    text = condition.lower()
    return frozenset(name for name in columns if re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", text))
