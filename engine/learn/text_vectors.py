"""Vectors of texts, kept in the home: a text is embedded once, whichever asset, index or run asks first.

One table holds a vector a text, under a hash of the embedder's weights and the text; the text itself is not in it. Two
processes may write at once: the first vector of a text stays. A small table is held in memory while it does not
change; of a large one only the rows asked for are read.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.errors import HomeError
from packyak.engine.store.home import Home
from packyak.engine.store.shape import KEY
from packyak.engine.store.tables import FRAGMENTS, Table

from .arrays import Bools, Floats, Halves, Ints
from .embed import Embedder

FOLDER = "vectors"
NAME = "texts"
VECTOR = "vector"
SLICE = 2_000
IN_MEMORY = 150_000
_ROWS = 16_384
Digests = np.ndarray[Any, np.dtype[np.uint64]]


class TextVectors:
    """The vectors of one home. It is called with texts like an `Embedder`, and gives what that would give."""

    def __init__(self, home: Home, embedder: Embedder | None = None) -> None:
        self.embedder = sentences() if embedder is None else embedder
        self.table = Table(home, FOLDER, NAME)
        self._stored = Stored.nothing(self.width)
        self._lock = threading.RLock()

    @property
    def weights(self) -> str:
        """The hash of the embedder's weights."""
        return self.embedder.weights

    @property
    def width(self) -> int:
        """How many numbers a vector has."""
        return self.embedder.width

    def __call__(self, texts: Sequence[str]) -> Floats:
        """The same as `of`."""
        return self.of(texts)

    def of(self, texts: Sequence[str]) -> Floats:
        """One row a text, each of length one. Texts that no run has embedded yet are embedded now, and kept."""
        place: dict[str, int] = {}
        rows = np.fromiter((place.setdefault(text, len(place)) for text in texts), dtype=np.int64, count=len(texts))
        distinct = list(place)
        made = np.empty((len(distinct), self.width), dtype=np.float32)
        names = self._names(distinct)
        missing = np.flatnonzero(~self._fill(made, names, np.arange(len(names))))
        for start in range(0, len(missing), SLICE):
            self._make(made, names, distinct, missing[start : start + SLICE])
        return made if len(distinct) == len(texts) else made[rows]

    def keep(self, texts: Sequence[str], vectors: Floats) -> int:
        """Keep vectors that are known already; answers how many were new. A text that has one keeps it."""
        with self._lock:
            return self._add(self._names(texts), vectors)

    def _add(self, names: Digests, vectors: Floats) -> int:
        flat = pa.array(vectors.astype(np.float16).ravel(), pa.float16())
        column = pa.FixedSizeListArray.from_arrays(flat, self.width)
        return self.table.add(pa.table({KEY: _as_keys(names), VECTOR: column}))

    def has(self, texts: Sequence[str]) -> Bools:
        """Which of the texts have a vector. Nothing is embedded."""
        names = self._names(texts)
        with self._lock:
            self._stored = self._stored.newest(self.table)
            return np.asarray(self._stored.find(names) >= 0)

    def forget(self, texts: Iterable[str]) -> int:
        """Take the vectors of these texts out of the newest version of the table; answers how many there were."""
        names = self._names(list(dict.fromkeys(texts)))
        with self._lock:
            gone = self.table.delete(_as_keys(names))
            self._stored = self._stored.newest(self.table)
            return gone

    def keep_only(self, texts: Iterable[str]) -> int:
        """Take out every vector that is of none of these texts, under whichever embedder; answers how many."""
        if not self.table.exists():
            return 0
        wanted = _as_keys(self._names(list(dict.fromkeys(texts))))
        with self._lock:
            there = self.table.keys()
            gone = self.table.delete(there.filter(pc.invert(pc.is_in(there, value_set=wanted))).combine_chunks())
            self._stored = self._stored.newest(self.table)
            return gone

    def _names(self, texts: Sequence[str]) -> Digests:
        """Two numbers a text, which name it and the embedder."""
        start = hashlib.blake2b(self.weights.encode(), digest_size=16)
        joined = bytearray()
        for text in texts:
            one = start.copy()
            one.update(text.encode("utf-8", "surrogatepass"))
            joined += one.digest()
        return np.frombuffer(bytes(joined), dtype=">u8").astype(np.uint64).reshape(-1, 2)

    def _fill(self, made: Floats, names: Digests, at: Ints) -> Bools:
        """Put the stored vectors where they belong (at the rows `at` of `made`); answers which were there."""
        with self._lock:
            found = self._stored.find(names)
            if (found < 0).any():  # only then is it worth a look at what others have written
                self._stored = self._stored.newest(self.table)
                found = self._stored.find(names)
            there = np.flatnonzero(found >= 0)
            self._stored.read(found[there], made, at[there])
        return np.asarray(found >= 0)

    def _make(self, made: Floats, names: Digests, texts: Sequence[str], rows: Ints) -> None:
        """Embed the texts of these rows, but for those that somebody else has embedded meanwhile."""
        with self._lock:
            rows = rows[~self._fill(made, names[rows], rows)]
            if not len(rows):
                return
            made[rows] = self.embedder.embed([texts[row] for row in rows.tolist()])
            self._add(names[rows], made[rows])
            if len(self.table.dataset().get_fragments()) > FRAGMENTS:
                with suppress(HomeError):  # another process is writing: it will do the same a little later
                    self.table.tidy(fragments=FRAGMENTS)


@dataclass(frozen=True)
class Stored:
    """What one version of the table holds: the names of its rows, in order and sorted, and its first vectors, where
    they are in memory."""

    version: int | None
    data: Any
    names: Digests
    first: Digests
    row: Ints
    vectors: Halves

    @staticmethod
    def nothing(width: int) -> Stored:
        """Before anything is stored."""
        no = np.zeros(0, np.uint64)
        return Stored(None, None, no.reshape(0, 2), no, np.zeros(0, np.int64), np.zeros((0, width), np.float16))

    def newest(self, table: Table) -> Stored:
        """The newest version; itself where nothing has changed. Vectors in memory are kept where rows only came."""
        if not table.exists():
            return self if self.version is None else Stored.nothing(self.vectors.shape[1])
        data = table.dataset()
        if data.version == self.version:
            return self
        keys = data.to_table(columns=[KEY])[KEY]
        names = _as_names(keys)
        order = np.argsort(names[:, 0], kind="stable")
        grown = len(names) >= len(self.names) and np.array_equal(names[: len(self.names)], self.names)
        vectors = self.vectors if grown else self.vectors[:0]
        if len(names) <= IN_MEMORY and len(vectors) < len(names):
            fresh = data.to_table(columns=[VECTOR], offset=len(vectors))[VECTOR]
            vectors = np.concatenate([vectors, _matrix(fresh)])
        return Stored(data.version, data, names, names[order, 0], order, vectors)

    def find(self, names: Digests) -> Ints:
        """The row of each name, -1 where there is none."""
        if not len(self.first):
            return np.full(len(names), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.first, names[:, 0]), len(self.first) - 1)
        rows = self.row[at]
        return np.where((self.names[rows] == names).all(axis=1), rows, -1)

    def read(self, rows: Ints, into: Floats, at: Ints) -> None:
        """Put the vectors of these rows into `into`, at its rows `at`; a few thousand at a time."""
        for start in range(0, len(rows), _ROWS):
            part, place = rows[start : start + _ROWS], at[start : start + _ROWS]
            if int(part.max()) < len(self.vectors):
                into[_stretch(place)] = self.vectors[_stretch(part)]
            else:
                order = np.argsort(part, kind="stable")
                into[_stretch(place[order])] = self._from_disk(part[order])

    def _from_disk(self, rows: Ints) -> Halves:
        """Sorted rows; those that lie close together are read as one stretch."""
        first, past = int(rows[0]), int(rows[-1]) + 1
        if past - first <= 2 * len(rows):
            found = self.data.to_table(columns=[VECTOR], offset=first, limit=past - first)[VECTOR]
            return _matrix(found)[_stretch(rows - first)]
        return _matrix(self.data.take(rows.tolist(), columns=[VECTOR])[VECTOR])


def _stretch(rows: Ints) -> Ints | slice:
    """Rows that follow each other as a slice, which costs no copy: the usual case, records in the order of a run."""
    first = int(rows[0])
    follow = int(rows[-1]) - first + 1 == len(rows) and bool((np.diff(rows) == 1).all())
    return slice(first, first + len(rows)) if follow else rows


def _as_keys(names: Digests) -> pa.Array:
    """Names as text, as the table keeps them: 32 hex digits each."""
    text = names.astype(">u8").tobytes().hex()
    return pa.array([text[i : i + 32] for i in range(0, len(text), 32)], pa.string())


def _as_names(keys: pa.ChunkedArray) -> Digests:
    """And back."""
    return np.frombuffer(bytes.fromhex("".join(keys.to_pylist())), dtype=">u8").astype(np.uint64).reshape(-1, 2)


def _matrix(column: pa.ChunkedArray) -> Halves:
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return (np.concatenate(flat) if flat else np.zeros(0, np.float16)).reshape(-1, column.type.list_size)


@cache
def sentences() -> Embedder:
    """The one embedder of this process, whose model is loaded at its first text."""
    return Embedder()


@cache
def _vectors(uri: str) -> TextVectors:
    return TextVectors(Home(uri))


def text_vectors(home: Home) -> TextVectors:
    """The vectors of a home, shared by all who ask in this process."""
    return _vectors(home.uri)
