"""A learned transform's learners, chosen by its signature: one for each answer that people can teach.

`Literal`, `bool` and `Enum` are classified; a column that replaces one of its inputs is repaired, all such columns
together, so that one corrected record teaches them all; other numbers are regressed. A text that replaces nothing has
no local learner: its first rule answers. A further kind of learner is one more file and one more line in `_part_of`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from ..declare.nodes import Column, LearnedNode
from .classify import ClassifyLearner, ClassifyModel, shown_records
from .head import folds_of
from .protocol import Labels, Model, Prediction
from .regress import RegressLearner, RegressModel
from .repair.learner import RepairLearner, RepairModel
from .repair.ranker import Prepared
from .tasks import tasks_of
from .vectors import Embed

KEY = "_key"
FOLDS = 5
RULE_COLUMN = "_rule_"


@dataclass(frozen=True)
class HeldAnswer:
    """What a model said of a labelled field that it had not learned from."""

    key: str
    column: str
    answer: Any
    confidence: float
    right: bool


class Part(Protocol):
    """One learner of a transform, and the columns that it answers."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    def fit(self, records: pa.Table, labels: Labels, seed: int, drawn: Collection[str] = ()) -> Model: ...

    def load(self, files: Mapping[str, bytes]) -> Model: ...

    def right(self, model: Model, answer: Any, truth: Any) -> bool: ...


@dataclass(frozen=True)
class Classified:
    """One of a fixed set of answers."""

    learner: ClassifyLearner
    columns: tuple[str, ...]

    def fit(self, records: pa.Table, labels: Labels, seed: int, drawn: Collection[str] = ()) -> ClassifyModel:
        return self.learner.fit(records, labels, seed, drawn)

    def load(self, files: Mapping[str, bytes]) -> ClassifyModel:
        return ClassifyModel.from_files(files, self.learner.embed)

    def right(self, model: Model, answer: Any, truth: Any) -> bool:
        return bool(answer == truth)


@dataclass(frozen=True)
class Regressed:
    """A number; right is what lies within the model's tolerance."""

    learner: RegressLearner
    columns: tuple[str, ...]

    def fit(self, records: pa.Table, labels: Labels, seed: int, drawn: Collection[str] = ()) -> RegressModel:
        return self.learner.fit(records, labels, seed)

    def load(self, files: Mapping[str, bytes]) -> RegressModel:
        return RegressModel.from_files(files, self.learner.embed)

    def right(self, model: Model, answer: Any, truth: Any) -> bool:
        if answer is None or truth is None:
            return answer is truth
        assert isinstance(model, RegressModel)
        return abs(float(answer) - float(truth)) <= model.tolerance


@dataclass
class Repaired:
    """Columns that replace input columns. What can be known of the records without labels is found out once."""

    learner: RepairLearner
    columns: tuple[str, ...]
    _prepared: tuple[pa.Table, Prepared] | None = None

    def fit(self, records: pa.Table, labels: Labels, seed: int, drawn: Collection[str] = ()) -> RepairModel:
        if self._prepared is None or self._prepared[0] is not records:
            self._prepared = records, self.learner.prepare(records)
        return self.learner.fit(records, labels, seed, self._prepared[1])

    def load(self, files: Mapping[str, bytes]) -> RepairModel:
        return RepairModel.from_files(files)

    def right(self, model: Model, answer: Any, truth: Any) -> bool:
        return (answer or None) == (truth or None)


@dataclass(frozen=True)
class Taught:
    """One trained version of a transform: a model for each of its learners that had something to learn from."""

    models: tuple[Model | None, ...]

    def predict(self, batch: pa.Table) -> Prediction:
        """Answers for the columns that have a model."""
        found = [model.predict(batch) for model in self.models if model is not None]
        merged = [_beside([getattr(each, kind) for each in found]) for kind in ("values", "confidence", "evidence")]
        return Prediction(*merged)

    def to_files(self) -> dict[str, bytes]:
        """All models as named bytes, each file behind the place of its learner."""
        return {
            f"{place}-{name}": data
            for place, model in enumerate(self.models)
            if model is not None
            for name, data in model.to_files().items()
        }


def _beside(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.table({name: table[name] for table in tables for name in table.column_names})


@dataclass(frozen=True)
class Teacher:
    """The learners of one transform."""

    parts: tuple[Part, ...]

    def fit(self, records: pa.Table, labels: Labels, seed: int = 0, drawn: Collection[str] = ()) -> Taught:
        """Learn what the labels have to teach; a learner whose columns nobody labelled stays without a model. drawn:
        keys of records that were asked at random, by which confidence is calibrated where they are many enough."""
        each = self._each(labels)
        return Taught(tuple(part.fit(records, mine, seed, drawn) if len(mine) else None for part, mine in each))

    def load(self, files: Mapping[str, bytes]) -> Taught:
        """The models of `Taught.to_files`."""
        models: list[Model | None] = []
        for place, part in enumerate(self.parts):
            mine = {n.partition("-")[2]: data for n, data in files.items() if n.startswith(f"{place}-")}
            models.append(part.load(mine) if mine else None)
        return Taught(tuple(models))

    def held_out(self, records: pa.Table, labels: Labels, taught: Taught, seed: int = 0) -> list[HeldAnswer]:
        """How each label is answered by a model that never saw its record."""
        found: list[HeldAnswer] = []
        for (part, mine), model in zip(self._each(labels), taught.models, strict=True):
            if model is not None:
                found += _crossed(part, model, records, mine, seed)
        return found

    def judged(self, records: pa.Table, labels: Labels, taught: Taught) -> list[HeldAnswer]:
        """How a model answers labels that are news to it."""
        found: list[HeldAnswer] = []
        for (part, mine), model in zip(self._each(labels), taught.models, strict=True):
            if model is not None:
                found += _answers(part, model, model, records, mine)
        return found

    def _each(self, labels: Labels) -> list[tuple[Part, Labels]]:
        every = []
        for part in self.parts:
            mine = frozenset(part.columns)
            every.append((part, labels.pick(i for i, name in enumerate(labels.column) if name in mine)))
        return every


def _crossed(part: Part, model: Model, records: pa.Table, labels: Labels, seed: int) -> list[HeldAnswer]:
    labels = labels.ordered()
    keys = labels.keys
    if len(keys) < 2:
        return []
    fold = folds_of(np.arange(len(keys)), np.zeros(len(keys), dtype=np.int64), min(FOLDS, len(keys)), seed)
    found: list[HeldAnswer] = []
    for number in range(int(fold.max()) + 1):
        out = [key for key, of in zip(keys, fold.tolist(), strict=True) if of == number]
        trained = part.fit(records, labels.without(out), seed)
        found += _answers(part, model, trained, records, labels.only(out))
    return sorted(found, key=lambda one: (one.key, one.column))


def _answers(part: Part, judge: Model, model: Model, records: pa.Table, labels: Labels) -> list[HeldAnswer]:
    """`judge` says what counts as right."""
    first = {key: place for place, key in reversed(list(enumerate(labels.key)))}
    asked = labels.pick(sorted(first.values()))
    shown, known = shown_records(records, asked, KEY)
    row_of = {asked.key[place]: row for row, place in enumerate(known)}
    said = model.predict(shown)
    found = []
    for key, column, truth in zip(labels.key, labels.column, labels.value, strict=True):
        row = row_of.get(key)
        if row is not None:
            answer = said.values[column][row].as_py()
            sure = float(said.confidence[column][row].as_py())
            found.append(HeldAnswer(key, column, answer, sure, part.right(judge, answer, truth)))
    return found


def teacher_of(node: LearnedNode, reads: Sequence[str], embed: Embed) -> Teacher:
    """The learners for a declaration. `reads`: the columns of the records that it may look at."""
    return Teacher(tuple(_part_of(task, columns, node, tuple(reads), embed) for task, columns in tasks_of(node)))


def _part_of(task: str, columns: tuple[Column, ...], node: LearnedNode, reads: tuple[str, ...], embed: Embed) -> Part:
    names = tuple(column.name for column in columns)
    rule = f"{RULE_COLUMN}{names[0]}" if node.has_rule else None
    if task == "repair":
        return Repaired(RepairLearner(names, reads, KEY), names)
    if task == "regression":
        seen = (*reads, rule) if rule else reads
        return Regressed(RegressLearner(names[0], seen, embed, type=columns[0].type, key=KEY), names)
    choices = columns[0].choices if columns[0].choices is not None else (False, True)
    learner = ClassifyLearner(names[0], tuple(choices), reads, embed, rule, node.costs, KEY)
    return Classified(learner, names)
