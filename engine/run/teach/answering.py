"""The model in force answers a slice of records: loaded once a process, unsure answers withheld.

What a model would have said below the author's threshold is kept beside the record, so that a person can be asked,
and shown what it leaned to. Confidence is kept for each field where they differ.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from packyak.engine.declare.nodes import LearnedNode
from packyak.engine.learn.models import RULE
from packyak.engine.learn.protocol import Prediction
from packyak.engine.learn.teacher import Taught, teacher_of
from packyak.engine.learn.vectors import Embed
from packyak.engine.run.scope import Scope
from packyak.engine.store.home import Home
from packyak.engine.store.values import decode, encode

LOADED = 16
_loaded: OrderedDict[tuple[str, str, str], Taught] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True)
class Answered:
    """What a model says of some records. values: by column, unsure answers null. confidence: the least of each
    record's fields. withheld: which records have an answer that was too unsure. details: what else is worth keeping
    of each record, as text (see `read_detail`), null where nothing is."""

    values: dict[str, list[Any]]
    confidence: Sequence[float | None]
    withheld: Sequence[bool]
    details: Sequence[str | None]


@dataclass(frozen=True)
class Detail:
    """Of one record: confidence and reason of each field that has its own, and answers that were withheld."""

    confidence: Mapping[str, float]
    evidence: Mapping[str, str]
    withheld: Mapping[str, Any]


def read_detail(text: str | None, types: Mapping[str, str]) -> Detail:
    """The inverse of `Answered.details`. types: of the columns, by name; anything else reads as nothing."""
    try:
        facts = json.loads(text) if text else {}
        withheld = {name: decode(value, types.get(name, "string")) for name, value in facts.get("withheld", {}).items()}
        return Detail(facts.get("confidence", {}), facts.get("evidence", {}), withheld)
    except (ValueError, TypeError, AttributeError):
        return Detail({}, {}, {})


def embed_in(home: Home) -> Embed:
    """What turns texts into vectors: those that the home has are not made again."""

    def embed(texts: Sequence[str]) -> Any:
        from packyak.engine.learn.text_vectors import text_vectors

        return text_vectors(home)(texts)

    return embed


def taught(scope: Scope, node: LearnedNode, model: str | None = None) -> Taught | None:
    """A model (default: the one in force), or None while the rule answers, or where the declaration has another
    signature than the model was trained under."""
    chosen = scope.model_of(node.name) if model is None else model
    if chosen == RULE:
        return None
    name = (scope.home.uri, node.name, chosen)
    with _lock:
        if name in _loaded:
            _loaded.move_to_end(name)
            return _loaded[name]
    made = teacher_of(node, (), embed_in(scope.home)).load(scope.models.files(node.name, chosen))
    with _lock:
        _loaded[name] = made
        while len(_loaded) > LOADED:
            _loaded.popitem(last=False)
    return made


def answer(node: LearnedNode, model: Taught, records: pa.Table, opinions: Mapping[str, Sequence[Any]]) -> Answered:
    """What the model says; columns that it has not learned are answered by the rule."""
    said = model.predict(records)
    count = records.num_rows
    limit = node.abstain_below
    values: dict[str, list[Any]] = {}
    doubts: dict[str, tuple[Any, list[Any]]] = {}
    sure = np.full(count, np.inf, dtype=np.float32)
    for column in node.columns or ():
        if column.name not in said.values.column_names:
            values[column.name] = list(opinions[column.name])
            continue
        told = said.values[column.name].to_pylist()
        chance = np.asarray(said.confidence[column.name].to_numpy(), dtype=np.float32)
        sure = np.minimum(sure, chance)
        kept = told
        if limit is not None:
            other = _instead(node, column.name, records, count)
            unsure = chance < limit
            kept = list(told)
            for row in np.flatnonzero(unsure).tolist():
                kept[row] = other(row)
            doubts[column.name] = (unsure, told)
        values[column.name] = kept
    confidence = [None if np.isinf(one) else one for one in sure.tolist()]
    withheld = np.zeros(count, dtype=bool)
    for unsure, _ in doubts.values():
        withheld |= unsure
    return Answered(values, confidence, withheld.tolist(), _details(said, doubts, count))


def _instead(node: LearnedNode, column: str, records: pa.Table, count: int) -> Callable[[int], Any]:
    """What stands where the model is too unsure: the value as it was where a column is repaired, else nothing."""
    if column in records.column_names:
        given = records[column].to_pylist()
        return lambda row: given[row]
    return lambda row: None


def _details(said: Prediction, doubts: Mapping[str, tuple[Any, list[Any]]], count: int) -> list[str | None]:
    """Texts for the records that have something to tell. Each distinct one is made once."""
    names = said.values.column_names
    several = len(names) > 1
    evidence = {name: said.evidence[name].to_pylist() for name in names if said.evidence[name].null_count < count}
    confidence = {name: np.round(said.confidence[name].to_numpy(), 4).tolist() for name in names} if several else {}
    if not doubts and not evidence and not several:
        return [None] * count
    interesting = np.zeros(count, dtype=bool)
    for unsure, _ in doubts.values():
        interesting |= unsure
    for told in evidence.values():
        interesting |= np.array([one is not None for one in told])
    found: list[str | None] = [None] * count
    made: dict[Any, str] = {}
    for row in np.flatnonzero(interesting).tolist():
        withheld = {name: encode(told[row]) for name, (unsure, told) in doubts.items() if unsure[row]}
        why = {name: told[row] for name, told in evidence.items() if told[row] is not None}
        own = {name: values[row] for name, values in confidence.items() if name in why or name in withheld}
        facts = {"withheld": withheld, "evidence": why, "confidence": own}
        name = repr(facts)
        if name not in made:
            made[name] = json.dumps({kind: fact for kind, fact in facts.items() if fact}, sort_keys=True)
        found[row] = made[name]
    return found
