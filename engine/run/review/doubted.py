"""Words of people that others speak against: a model that never saw them is sure of another answer, or, before there
is a model, the records most like theirs were decided otherwise. What two people say alike is not doubted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from packyak.engine.declare.nodes import LearnedNode
from packyak.engine.learn.tasks import tasks_of
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import Snapshot
from packyak.engine.run.review.space import space_of
from packyak.engine.store.corrections import Correction, decode, encode

SURE = 0.6
ALIKE = 0.6
NEAR = 5
AGREE = 4
MOST = 4_000

Doubt = tuple[tuple[str, str], str, float]


def doubted_words(reader: Reader, snapshot: Snapshot, node: LearnedNode) -> Iterator[Doubt]:
    """(key and column, why, worth) of what people said of a learned transform and should be looked at again."""
    mine = _once_said(reader, node)
    if not mine:
        return
    told = list(_by_model(reader, node, mine))
    yield from sorted(told or _by_likeness(reader, snapshot, node, mine), key=lambda each: (-each[2], each[0]))


def _once_said(reader: Reader, node: LearnedNode) -> dict[tuple[str, str], Correction]:
    columns = {column.name for _, columns in tasks_of(node) for column in columns}
    found = {}
    words = reader.scope.words
    for (asset, key, column), one in reader.scope.in_force.items():
        if asset == node.name and column in columns:
            alike = sum(each.value == one.value for each in words[one.field])
            if alike < 2 and one.origin != "settle":
                found[key, column] = one
    return found


def _by_model(reader: Reader, node: LearnedNode, mine: dict[tuple[str, str], Correction]) -> Iterator[Doubt]:
    from packyak.engine.run.teach.due import last_learned
    from packyak.engine.run.teach.held import read

    scope = reader.scope
    last = last_learned(scope, node.name)
    model = scope.model_of(node.name) or (last.id if last else "")
    if not model:
        return
    for held in read(scope.models, node.name, model):
        one = mine.get((held.key, held.column))
        if one is None or held.right or held.confidence < SURE or encode(held.answer) == one.value:
            continue
        why = (
            f"a model that had not seen it says {_shown(held.answer)} ({held.confidence:.0%} sure), "
            f"{one.by} said {_shown(decode(one.value))}"
        )
        yield (held.key, held.column), why, held.confidence


def _by_likeness(
    reader: Reader, snapshot: Snapshot, node: LearnedNode, mine: dict[tuple[str, str], Correction]
) -> Iterator[Doubt]:
    """Most of the nearest decided records have one other value."""
    for column in dict.fromkeys(column for _, column in mine):
        words = {key: one for (key, name), one in mine.items() if name == column}
        if not NEAR < len(words) <= MOST:
            continue
        space = space_of(reader, snapshot, node.name, sorted(words))
        if space is None or len(space.keys) <= NEAR:
            continue
        alike = space.vectors @ space.vectors.T
        np.fill_diagonal(alike, -1.0)
        near = np.argsort(-alike, axis=1, kind="stable")[:, :NEAR]
        said = [json.dumps(words[key].value, sort_keys=True) for key in space.keys]
        for row, key in enumerate(space.keys):
            close = [said[at] for at in near[row].tolist() if alike[row, at] >= ALIKE]
            value, count = Counter(close).most_common(1)[0] if close else ("", 0)
            if count >= AGREE and value != said[row]:
                other = _shown(decode(json.loads(value)))
                mine_is = _shown(decode(words[key].value))
                why = f"{count} of the {NEAR} records most like it were said to be {other}, this one {mine_is}"
                yield (key, column), why, count / NEAR


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)
