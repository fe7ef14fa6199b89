"""Search: one table per index with text, its hash, its vector and the filter columns, keyed as the records are.

An unchanged text is never embedded twice. What embeds is handed in; without it, search is by words only. Up to
`IN_MEMORY` records the nearest vectors are found by comparing all of them; beyond, by Lance's IVF_RQ index with a
second look at the candidates (PQ and HNSW took minutes to build at a million records where this took half a one). Any
LanceDB client can open the table.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.errors import DataError, QueryError
from packyak.engine.store.home import Home
from packyak.engine.store.purge import Purged, purge
from packyak.engine.store.shape import KEY
from packyak.engine.store.tables import Table

FOLDER = "indexes"
IN_MEMORY = 20_000
BATCH = 256
TEXT, HASH, MODEL, VECTOR = "text", "_text_hash", "_model", "vector"
_OWN = {KEY, TEXT, HASH, MODEL, VECTOR}
_RANK_SHIFT = 60  # reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009
_POOL = 50
Vectors = npt.NDArray[np.float32]
How = Literal["hybrid", "vector", "text"]


@dataclass(frozen=True)
class Embedder:
    """Turns texts into vectors of one length. name: the model and its version; another name embeds everything anew."""

    name: str
    embed: Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class Hit:
    """One found record.

    score: the higher the better, comparable within one answer only. similarity: the cosine, None where it was found by
    words alone. text_hash: that of the text that was indexed (see `text_hash`), which tells a stale hit.
    """

    key: str
    score: float
    similarity: float | None
    text: str
    text_hash: str


@dataclass(frozen=True)
class Indexed:
    """What an update did: records written, records removed, and texts that had to be embedded."""

    written: int = 0
    removed: int = 0
    embedded: int = 0


class SearchTable:
    """The stored side of one index."""

    def __init__(self, home: Home, name: str) -> None:
        self.name = name
        self.table = Table(home, FOLDER, name)
        self._memory: tuple[tuple[int, str], list[str], Vectors] | None = None
        self._lock = threading.Lock()

    def changed_at(self) -> str | None:
        """When it was last brought up to date, ISO 8601 in UTC; None before the first update."""
        if not self.table.exists():
            return None
        newest: datetime = self.table.dataset().get_version()["timestamp"]  # on this machine's clock; nothing is read
        return newest.astimezone(UTC).isoformat(timespec="milliseconds")

    def hashes(self) -> pa.Table:
        """`_key`, `_text_hash` and `_model` of every indexed record; empty before the first update."""
        if not self.table.exists():
            return pa.table({name: pa.array([], pa.string()) for name in (KEY, HASH, MODEL)})
        return self.table.read([KEY, HASH, MODEL])

    def update(
        self,
        rows: pa.Table,
        embedder: Embedder | None,
        *,
        gone: Sequence[str] = (),
        meter: Callable[[int, int], None] = lambda done, total: None,
    ) -> Indexed:
        """Indexes records and drops the keys `gone`.

        rows: `_key`, `text` and the filter columns of new and changed records. A record without text leaves the index.
        meter: told how many of how many texts are embedded.
        """
        if clash := sorted((_OWN - {KEY, TEXT}) & set(rows.column_names)):
            raise DataError(f"the index {self.name} cannot filter on {clash[0]!r}", next_step="rename that column")
        filled = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(rows[TEXT]), ""), False)
        blank = rows.filter(pc.invert(filled))[KEY].to_pylist()
        rows = rows.filter(filled)
        hashes = [text_hash(text) for text in rows[TEXT].to_pylist()]
        rows = rows.append_column(HASH, pa.array(hashes, pa.string()))
        name = pa.scalar(embedder.name if embedder else None, pa.string())
        rows = rows.append_column(MODEL, pa.repeat(name, rows.num_rows))
        embedded = 0
        if embedder is not None and rows.num_rows:
            vectors, embedded = self._vectors(rows, embedder, meter)
            rows = rows.append_column(VECTOR, vectors)
        removed = self.table.delete([*gone, *blank])
        if not self.table.exists() and not rows.num_rows:
            return Indexed(0, removed, 0)
        change = self.table.upsert(
            rows, widen=embedder is None or not rows.num_rows
        )  # else vectors would go with the rows
        if change or removed:
            self._index()
        return Indexed(change.inserted + change.updated, removed, embedded)

    def purge(self) -> Purged | None:
        """Leaves nothing on disk of records that left the index, nor of their words and vectors."""
        return purge(self.table, self._index)

    def _index(self) -> None:
        self._index_words()
        self._index_vectors()

    def search(
        self,
        text: str,
        k: int = 5,
        *,
        where: str | None = None,
        embedder: Embedder | None = None,
        how: How = "hybrid",
    ) -> tuple[Hit, ...]:
        """The k best records for a text.

        where: a condition on the filter columns in SQL, such as `topic = 'billing'`. how: by meaning ("vector"), by
        words ("text"), or by both, the two rankings fused ("hybrid": by words alone where there are no vectors). Raises
        QueryError where the condition is none, and where vectors are asked for and not there.
        """
        if how not in get_args(How):
            raise QueryError(f"a search cannot go by {how!r}", choices=get_args(How), next_step="take one of these")
        if k < 1 or not text.strip() or not self.table.exists():
            return ()
        data, pool = self.table.dataset(), max(k, _POOL)
        if how == "vector" and (embedder is None or VECTOR not in data.schema.names):
            raise self._without_vectors()
        near = {} if how == "text" else self._near(data, text, pool, where, embedder)
        return self._fused(near, [] if how == "vector" else self._worded(text, pool, where), k)

    def like(self, key: str, k: int = 5, *, where: str | None = None) -> tuple[Hit, ...]:
        """The k records nearest to one that is indexed, itself left out: by its stored vector, else by its words."""
        if k < 1 or not self.table.exists():
            return ()
        data, pool = self.table.dataset(), max(k, _POOL) + 1
        columns = [TEXT, MODEL, *([VECTOR] if VECTOR in data.schema.names else [])]
        row = next(iter(self.table.read(columns, f"{KEY} = '{_escaped(key)}'").to_pylist()), None)
        if row is None:
            return ()
        if row.get(VECTOR) is not None:
            near = self._nearest(data, np.asarray(row[VECTOR], np.float32), row[MODEL], pool, where)
            return self._fused({name: alike for name, alike in near.items() if name != key}, [], k)
        return self._fused({}, [name for name in self._worded(row[TEXT], pool, where) if name != key], k)

    def _without_vectors(self) -> QueryError:
        return QueryError(
            f"the index {self.name} finds by words alone",
            next_step='pip install "packyak-studio[learn]" and run the index again, or search by words (text)',
        )

    def _fused(self, near: Mapping[str, float], worded: Sequence[str], k: int) -> tuple[Hit, ...]:
        """The best of two rankings together: a record's places in them decide, not its scores."""
        ranks: dict[str, float] = {}
        for found in (list(near), worded):
            for place, key in enumerate(found):
                ranks[key] = ranks.get(key, 0.0) + 1 / (_RANK_SHIFT + 1 + place)
        best = sorted(ranks, key=lambda key: (-ranks[key], key))[:k]
        return self._hits(best, ranks, near)

    def _hits(self, keys: list[str], ranks: Mapping[str, float], near: Mapping[str, float]) -> tuple[Hit, ...]:
        if not keys:
            return ()
        quoted = ", ".join(f"'{_escaped(key)}'" for key in keys)
        found = {row[KEY]: row for row in self.table.read([KEY, TEXT, HASH], f"{KEY} in ({quoted})").to_pylist()}
        return tuple(
            Hit(key, ranks[key], near.get(key), found[key][TEXT], found[key][HASH]) for key in keys if key in found
        )

    def _vectors(
        self, rows: pa.Table, embedder: Embedder, meter: Callable[[int, int], None]
    ) -> tuple[pa.FixedSizeListArray, int]:
        """A vector per row: those that are stored for the same text and model, and the others made now."""
        wanted = rows[HASH].to_pylist()
        known = self._known(set(wanted), embedder.name)
        texts = {
            digest: text for digest, text in zip(wanted, rows[TEXT].to_pylist(), strict=True) if digest not in known
        }
        todo = list(texts.items())
        for start in range(0, len(todo), BATCH):
            part = todo[start : start + BATCH]
            made = _unit(np.asarray(embedder.embed([text for _, text in part]), dtype=np.float32))
            known |= {digest: made[place] for place, (digest, _) in enumerate(part)}
            meter(start + len(part), len(todo))
        matrix = np.stack([known[digest] for digest in wanted])
        return pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), matrix.shape[1]), len(todo)

    def _known(self, digests: set[str], model: str) -> dict[str, Vectors]:
        if not self.table.exists() or VECTOR not in self.table.schema().names:
            return {}
        stored = self.table.read([HASH, MODEL, VECTOR])
        mine = pc.and_(pc.equal(stored[MODEL], model), pc.is_in(stored[HASH], pa.array(list(digests), pa.string())))
        stored = stored.filter(pc.fill_null(pc.and_(mine, pc.is_valid(stored[VECTOR])), False))
        return dict(zip(stored[HASH].to_pylist(), _matrix(stored[VECTOR]), strict=True))

    def _index_words(self) -> None:
        data = self.table.dataset()
        if not _has_index(data, TEXT):
            data.create_scalar_index(TEXT, "INVERTED", stem=True, language="English", remove_stop_words=False)
        else:
            data.optimize.optimize_indices()

    def _index_vectors(self) -> None:
        data = self.table.dataset()
        if VECTOR in data.schema.names and not _has_index(data, VECTOR) and data.count_rows() > IN_MEMORY:
            data.create_index(VECTOR, "IVF_RQ", metric="cosine")

    def _worded(self, text: str, pool: int, where: str | None) -> list[str]:
        found = self.table.read([KEY, "_score"], where, full_text_query=text, limit=pool)
        return [
            key
            for _, key in sorted(
                zip((-score for score in found["_score"].to_pylist()), found[KEY].to_pylist(), strict=True)
            )
        ]

    def _near(self, data: Any, text: str, pool: int, where: str | None, embedder: Embedder | None) -> dict[str, float]:
        """Keys of the vectors nearest to a text's, nearest first, with their cosine."""
        if embedder is None or VECTOR not in data.schema.names:
            return {}
        query = _unit(np.asarray(embedder.embed([text]), dtype=np.float32))[0]
        return self._nearest(data, query, embedder.name, pool, where)

    def _nearest(self, data: Any, query: Vectors, model: str, pool: int, where: str | None) -> dict[str, float]:
        if query.shape[0] != data.schema.field(VECTOR).type.list_size:
            raise QueryError(
                f"the index {self.name} was made by another model",
                next_step="run the index again to embed its texts anew",
            )
        if _has_index(data, VECTOR):
            same = f"{MODEL} = '{_escaped(model)}'"
            where = same if where is None else f"({where}) and {same}"
            near = {"column": VECTOR, "q": query, "k": pool, "refine_factor": 10, "nprobes": 20, "metric": "cosine"}
            found = self.table.read([KEY, "_distance"], where, nearest=near)
            pairs = zip(found[KEY].to_pylist(), found["_distance"].to_pylist(), strict=True)
            return {key: 1 - distance for key, distance in pairs}
        keys, matrix = self._in_memory(data, model)
        similar = matrix @ query
        if where is not None:
            allowed = set(self.table.read([KEY], where)[KEY].to_pylist())
            similar = np.where([key in allowed for key in keys], similar, -np.inf)
        order = np.argsort(-similar, kind="stable")[:pool]
        return {keys[place]: float(similar[place]) for place in order if similar[place] > -np.inf}

    def _in_memory(self, data: Any, model: str) -> tuple[list[str], Vectors]:
        """One model's vectors in one version, kept: a version never changes."""
        with self._lock:
            if self._memory is None or self._memory[0] != (data.version, model):
                where = f"{VECTOR} is not null and {MODEL} = '{_escaped(model)}'"
                stored = data.to_table(columns=[KEY, VECTOR], filter=where)
                self._memory = ((data.version, model), stored[KEY].to_pylist(), _matrix(stored[VECTOR]))
            return self._memory[1:]


def text_hash(text: str) -> str:
    """What tells two texts apart: 32 hex digits."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _escaped(text: str) -> str:
    return text.replace("'", "''")


def _has_index(data: Any, column: str) -> bool:
    return any(column in index.field_names for index in data.describe_indices())


def _matrix(column: pa.ChunkedArray) -> Vectors:
    size = column.type.list_size
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(flat).reshape(-1, size) if flat else np.zeros((0, size), np.float32)


def _unit(vectors: Vectors) -> Vectors:
    """Length one, so that a product is the cosine; a vector of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return unit
