"""Where records lie to one another: the vectors of their texts, as far as the home keeps them.

The texts are put together as a learner does it, or are those of an index. Only what was embedded before is used, so
that looking costs a look-up and a product, never a model. Where nothing is kept, the words that records share give a
rough picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import IndexNode, TransformNode
from packyak.engine.errors import HomeError
from packyak.engine.run.due.work import read_columns
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, Snapshot
from packyak.engine.store.tables import Table

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

ROUGH_WIDTH = 48
ENOUGH = 0.5


@dataclass(frozen=True)
class Space:
    """Vectors of length one, a row for each key. rough: made from shared words, not from meaning."""

    keys: tuple[str, ...]
    vectors: Vectors
    rough: bool = False

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The row of each key."""
        return {key: row for row, key in enumerate(self.keys)}

    def nearest(self, key: str, among: Sequence[str], k: int) -> list[tuple[str, float]]:
        """The k of some keys that are nearest to another, with their cosines."""
        others = [each for each in among if each in self.place and each != key]
        if key not in self.place or not others:
            return []
        alike = self.vectors[[self.place[each] for each in others]] @ self.vectors[self.place[key]]
        order = np.argsort(-alike, kind="stable")[:k]
        return [(others[at], round(float(alike[at]), 4)) for at in order.tolist()]


def inputs_of(reader: Reader, snapshot: Snapshot, owner: str) -> tuple[str, list[str]]:
    """The asset and its columns that a person should see to judge the owner's answer: what its function reads, else
    the owner's own record."""
    node = reader.graph[owner]
    if isinstance(node, TransformNode) and not node.many:
        known = snapshot.owners(node.source)
        return node.source, [name for name in read_columns(reader.scope, node) if name in known]
    return owner, list(snapshot.owners(owner))


def space_of(
    reader: Reader, snapshot: Snapshot, owner: str, keys: Sequence[str] | None = None, *, rough: bool = False
) -> Space | None:
    """The vectors of the records (default: all) that an asset computes from; None where the home keeps too few. rough:
    make do with shared words then."""
    kept = keeps_vectors(reader)
    if not kept and not rough:
        return None
    asset, names = inputs_of(reader, snapshot, owner)
    types = snapshot.types(asset)
    words = [name for name in names if pa.types.is_string(types[name]) or pa.types.is_large_string(types[name])]
    if not words:
        return None
    records = _records(reader, snapshot, asset, words, keys)
    if not records.num_rows:
        return None
    ways = _ways(reader, owner, records, words)
    for texts in ways if kept else ():
        found = _kept(reader, records[KEY].to_pylist(), texts)
        if found is not None:
            return found
    return _rough(records[KEY].to_pylist(), ways[0]) if rough else None


def _records(
    reader: Reader, snapshot: Snapshot, asset: str, names: Sequence[str], keys: Sequence[str] | None
) -> pa.Table:
    inner = snapshot.select(asset, names)
    if keys is None:
        return reader.scope.query.run(f"{inner.sql} order by 1", inner.tables)
    tables = {**inner.tables, "wanted_keys": pa.table({KEY: pa.array(keys, pa.string())})}
    sql = f"select v.* from ({inner.sql}) as v semi join wanted_keys using ({KEY}) order by {KEY}"
    return reader.scope.query.run(sql, tables)


def _ways(reader: Reader, owner: str, records: pa.Table, words: Sequence[str]) -> list[list[str]]:
    """The texts of the records as somebody may have embedded them: joined by a learner, or one column by an index."""
    from packyak.engine.learn.vectors import Encoder, joined

    root = reader.graph.root(owner)
    texts = Encoder.of(records, words).texts or tuple(words)
    indexed = [
        node.on
        for node in reader.graph.nodes.values()
        if isinstance(node, IndexNode) and node.on in words and reader.graph.root(node.source) is root
    ]
    singles = [name for name in dict.fromkeys(indexed) if (name,) != texts]
    return [joined(records, texts), *(pc.fill_null(records[name], "").to_pylist() for name in singles)]


def keeps_vectors(reader: Reader) -> bool:
    """Whether the home keeps vectors of texts for whoever this is: who reviews in the cloud has no part in them."""
    from packyak.engine.learn.text_vectors import FOLDER, NAME

    try:
        return Table(reader.scope.home, FOLDER, NAME).exists()
    except HomeError:
        return False


def _kept(reader: Reader, keys: Sequence[str], texts: Sequence[str]) -> Space | None:
    from packyak.engine.learn.text_vectors import text_vectors

    vectors = text_vectors(reader.scope.home)
    there = vectors.has(texts)
    if there.mean() < ENOUGH:
        return None
    rows = np.flatnonzero(there).tolist()
    return Space(tuple(keys[row] for row in rows), vectors.of([texts[row] for row in rows]))


def _rough(keys: Sequence[str], texts: Sequence[str]) -> Space | None:
    """Weighed words, seen from the directions in which they differ most."""
    if find_spec("sklearn") is None or len(texts) < 2:
        return None
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        weighed = TfidfVectorizer(sublinear_tf=True, min_df=1, max_features=20_000, dtype=np.float32).fit_transform(
            texts
        )
    except ValueError:  # no word in any text
        return None
    width = min(ROUGH_WIDTH, weighed.shape[1] - 1, weighed.shape[0] - 1)
    if width < 2:
        return None
    seen = TruncatedSVD(width, random_state=0, n_iter=2).fit_transform(weighed).astype(np.float32)
    length = np.linalg.norm(seen, axis=1, keepdims=True)
    return Space(tuple(keys), np.divide(seen, length, out=np.zeros_like(seen), where=length > 0), True)
