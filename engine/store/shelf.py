"""What was read of stored tables, kept in memory within a limit, so that the next look does not read it again.

Everything kept belongs to one version of a table, and a version never changes: nothing is ever outdated, only let go
when room is needed, the longest unused first. A table's records are addressed by rank: their place in the order of
their keys, which no write order disturbs.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.store.shape import KEY

KEPT_BYTES = 512 * 2**20
_SHARES = 3  # a column that would take more than this part of the room is not kept
_SAMPLE = 256
_FEW = 2_000
Ranks = npt.NDArray[np.int64]


class Sized(Protocol):
    """Something that tells how much memory it holds, as Arrow's and NumPy's arrays do."""

    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class Shelf:
    """What is kept. Safe to use from several threads; two that miss the same thing both read it."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit = limit
        self.used = 0
        self._things: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def kept(self, name: Hashable, make: Callable[[], T]) -> T:
        """The thing of that name, made where it is not there."""
        with self._lock:
            if name in self._things:
                self._things.move_to_end(name)
                found: T = self._things[name]
                return found
        made = make()
        self.put(name, made)
        return made

    def put(self, name: Hashable, thing: Sized) -> None:
        """Keeps a thing under a name, letting go of others where there is no room."""
        with self._lock:
            before = self._things.pop(name, None)
            self.used += thing.nbytes - (0 if before is None else before.nbytes)
            self._things[name] = thing
            while self.used > self.limit and self._things:
                self.used -= self._things.popitem(last=False)[1].nbytes

    def get(self, name: Hashable) -> Any | None:
        """The thing of that name, None where it is not kept."""
        with self._lock:
            if name in self._things:
                self._things.move_to_end(name)
            return self._things.get(name)

    def fits(self, size: int) -> bool:
        """Whether something of so many bytes may be kept."""
        return size <= self.limit // _SHARES


@dataclass(frozen=True)
class Opened:
    """A data set that stays open: opening one costs as much as reading a page of it."""

    data: Any
    nbytes: int = 4096


class Stored:
    """One version of a stored table (a Lance data set), read by columns and by ranks."""

    def __init__(self, shelf: Shelf, data: Any) -> None:
        self.shelf = shelf
        self.data = data
        self.name = name_of(data)

    @property
    def fits(self) -> bool:
        """Whether its keys can be kept; without them nothing here works."""
        return self._fits(KEY)

    @property
    def keys(self) -> pa.Array:
        """All keys, smallest first."""
        return self.shelf.kept((self.name, "keys"), lambda: _taken(_whole(self._read(KEY)), self._order))

    @property
    def _order(self) -> Ranks:
        """For each rank, where in the table that record lies; empty where the table lies in order."""
        return self.shelf.kept((self.name, "order"), self._ordered)

    def _ordered(self) -> Ranks:
        keys = _whole(self._read(KEY))
        if len(keys) < 2 or pc.all(pc.less(keys[:-1], keys[1:])).as_py():
            return np.zeros(0, np.int64)
        return np.asarray(pc.sort_indices(keys).to_numpy(), np.int64)

    def column(self, name: str) -> pa.ChunkedArray | None:
        """A column by ranks; None where it is too large to keep."""
        if not self._fits(name):
            return None
        return self.shelf.kept((self.name, "column", name), lambda: _taken(self._read(name), self._order))

    def _read(self, name: str) -> pa.ChunkedArray:
        return self.data.to_table(columns=[name])[name]

    def _fits(self, name: str) -> bool:
        return self.shelf.fits(int(self.shelf.kept((self.name, "size", name), lambda: _estimate(self.data, name))))

    def find(self, keys: Sequence[str] | pa.Array | pa.ChunkedArray) -> Ranks:
        """The rank of each key, -1 where the table has none."""
        if len(keys) <= _FEW:
            wanted = keys if isinstance(keys, Sequence) else keys.to_pylist()
            return np.array([self._rank(key) for key in wanted], np.int64)
        found = pc.index_in(pa.array(keys, pa.string()) if isinstance(keys, Sequence) else keys, value_set=self.keys)
        return np.asarray(_whole(pc.fill_null(found, -1)).to_numpy(), np.int64)

    def _rank(self, key: str) -> int:
        keys, wanted = self.keys, key.encode()
        rank = bisect_left(range(len(keys)), wanted, key=lambda at: keys[at].as_py().encode())
        return rank if rank < len(keys) and keys[rank].as_py() == key else -1

    def rows(self, ranks: Ranks, columns: Sequence[str] | None = None) -> pa.Table:
        """The records at ranks, in that order; one of nulls for -1."""
        names = list(self.data.schema.names if columns is None else columns)
        there = ranks[ranks >= 0]
        schema = pa.schema([pa.field(field.name, field.type) for field in map(self.data.schema.field, names)])
        if not len(there):
            return pa.table({field.name: pa.nulls(len(ranks), field.type) for field in schema}, schema=schema)
        order = self._order
        at = order[there] if len(order) else there
        taken = self.data.take(at.tolist(), columns=names).select(names).cast(schema)
        if len(there) == len(ranks):
            return taken
        index = np.cumsum(ranks >= 0) - 1
        return taken.take(pa.array(index, pa.int64(), mask=ranks < 0))

    def among(self, keys: pa.Array | pa.ChunkedArray, columns: Sequence[str] | None = None) -> pa.Table:
        """The records with these keys."""
        ranks = self.find(pc.unique(keys))
        return self.rows(ranks[ranks >= 0], columns)

    def joined(self, other: Stored) -> Ranks:
        """For each rank here, the rank of the same key in the other table, -1 where it has none; empty where both
        have the same keys."""
        return self.shelf.kept((self.name, "joined", other.name), lambda: self._joined(other))

    def _joined(self, other: Stored) -> Ranks:
        if self.keys.equals(other.keys):
            return np.zeros(0, np.int64)
        found = pc.index_in(self.keys, value_set=other.keys)
        return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)


class _Size(int):
    """A number of bytes, itself small enough to be kept beside what it tells of."""

    nbytes = 64


def name_of(data: Any) -> Hashable:
    """What tells a version of a table from every other, also from one of a table that was made anew where it lay."""
    first = next(iter(data.get_fragments()), None)
    files = first.data_files() if first is not None else []
    return data.uri, data.version, files[0].path if files else ""


def _estimate(data: Any, name: str) -> _Size:
    """How much memory a column takes, judged by some of its records where their lengths differ."""
    rows, kind = data.count_rows(), data.schema.field(name).type
    try:
        return _Size(rows * kind.bit_width // 8)
    except ValueError:
        # By scanning stretches: taking single records costs up to 0.3 CPU s where many were rewritten (measured).
        stretch = -(-min(rows, _SAMPLE) // 8)
        starts = np.unique(np.linspace(0, max(rows - stretch, 0), 8).astype(np.int64)).tolist()
        some = [data.to_table(columns=[name], offset=start, limit=stretch) for start in starts] if rows else []
        seen = sum(each.num_rows for each in some)
        return _Size(sum(each.nbytes for each in some) * rows // seen if seen else 0)


def _whole(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values if isinstance(values, pa.Array) else values.combine_chunks()


def _taken(values: Any, order: Ranks) -> Any:
    return values.take(pa.array(order)) if len(order) else values
