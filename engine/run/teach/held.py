"""Held-out answers of a model, kept beside it: what it said of each labelled field that it had not learned from.

The next candidate is compared with them, so that the present model is never judged on what it was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
from packyak.engine.learn.models import ModelStore
from packyak.engine.learn.protocol import Labels
from packyak.engine.learn.teacher import HeldAnswer, Taught, Teacher
from packyak.engine.store.values import decode, encode

NAME = "held.json"


def to_bytes(answers: Sequence[HeldAnswer]) -> bytes:
    """As kept in the model's folder."""
    rows = [[one.key, one.column, encode(one.answer), round(one.confidence, 6), one.right] for one in answers]
    return json.dumps(rows).encode()


def read(models: ModelStore, asset: str, model: str) -> list[HeldAnswer]:
    """The held-out answers of a model; none where they were not kept."""
    data = models.home.read(f"models/{asset}/{model}/{NAME}")
    rows = json.loads(data) if data else []
    return [HeldAnswer(key, column, decode(answer, ""), sure, right) for key, column, answer, sure, right in rows]


def present_answers(
    teacher: Teacher, present: Taught, records: pa.Table, labels: Labels, kept: Sequence[HeldAnswer]
) -> list[HeldAnswer]:
    """The present model's answers to all labels: what it said of those that it was trained on before it was, and what
    it says now of those that came since. A label that changed since is judged by its value of now."""
    before = {(one.key, one.column): one for one in kept}
    fresh = labels.pick(i for i in range(len(labels)) if (labels.key[i], labels.column[i]) not in before)
    wanted = {(k, c): value for k, c, value in zip(labels.key, labels.column, labels.value, strict=True)}
    old = [
        HeldAnswer(one.key, one.column, one.answer, one.confidence, _right(one, wanted[place]))
        for place, one in before.items()
        if place in wanted
    ]
    return [*old, *teacher.judged(records, fresh, present)]


def _right(one: HeldAnswer, truth: object) -> bool:
    """Numbers were judged by a tolerance: that judgement stands while the answer is no exact match."""
    exact = one.answer == truth or (not one.answer and not truth and one.answer in (None, "") and truth in (None, ""))
    return exact or (one.right and isinstance(truth, int | float) and not isinstance(truth, bool))
