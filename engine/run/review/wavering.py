"""Which records of a learned transform a person should answer next: where its answer helps most, and some drawn at
random.

Works from what is stored: the memo's confidence, the vectors that the home keeps, the model in force; before there is
a model, records typical of parts of the data. Of many records only a pool is looked at closely: the least sure ones
and a fair draw. The draw is one fixed order of the keys, so that a list stays the same while nothing else changes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import Column, LearnedNode
from packyak.engine.learn.tasks import tasks_of
from packyak.engine.run.due.work import record_inputs
from packyak.engine.run.questions import Reason
from packyak.engine.run.read.view import KEY
from packyak.engine.run.review.reach import Downstream
from packyak.engine.run.review.space import Space, keeps_vectors, space_of
from packyak.engine.store.tables import among

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

POOL = 8_000
REPAIR_ROWS = 20_000
RANDOM_SHARE = 0.2
MOST_ANSWERED = 5_000
MOST_COVERED = 300  # answered records that the choice keeps away from, the newest; more only cost time
ALIKE = 0.65
NEAR = 3
SEED = 0


@dataclass(frozen=True)
class Asked:
    """One field of a record to ask about (column "": the whole record). suspects: its columns that look wrong."""

    key: str
    column: str
    reason: Reason
    why: str
    worth: float = 0.0
    at_random: bool = False
    suspects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What is asked of one learned transform: one classified or valued column, or the repaired ones together."""

    down: Downstream
    node: LearnedNode
    task: str
    columns: tuple[Column, ...]
    left_out: Collection[tuple[str, str, str]] = ()

    @property
    def column(self) -> str:
        """The column asked for; "" for several at once."""
        return self.columns[0].name if len(self.columns) == 1 else ""

    def answered(self) -> list[str]:
        """Keys of records that people decided, for any of the columns."""
        names = {column.name for column in self.columns}
        scope = self.down.reader.scope
        return list(
            dict.fromkeys(key for asset, key, name in scope.in_force if asset == self.node.name and name in names)
        )

    def open(self) -> pa.Table:
        """Records that nobody decided: `_key`, `decided`, `confidence`, in the one order in which they are drawn."""
        reader = self.down.reader
        good = reader.published.load().assets.get(self.node.name)
        if good is None or good.memo is None:
            return pa.table({KEY: pa.array([], pa.string()), "decided": [], "confidence": pa.array([], pa.float32())})
        skipped = [key for asset, key, column in self.left_out if (asset, column) == (self.node.name, self.column)]
        out = pa.table({KEY: pa.array([*self.answered(), *skipped], pa.string())})
        sql = (
            f"select m.{KEY}, m.decided, m.confidence from m anti join out_keys as o on o.{KEY} = m.{KEY} "
            f"where m.error is null order by md5(m.{KEY}), m.{KEY}"
        )
        memo = reader.scope.memo(self.node.name).dataset(good.memo)
        return reader.scope.query.run(sql, {"m": memo, "out_keys": out})


def tasks_on(down: Downstream, node: LearnedNode, left_out: Collection[tuple[str, str, str]]) -> list[Task]:
    """What can be asked of a learned transform."""
    return [Task(down, node, task, columns, left_out) for task, columns in tasks_of(node)]


def drawn(task: Task, open_records: pa.Table, many: int) -> list[Asked]:
    """The next records of the draw: they alone judge without bias."""
    keys = open_records[KEY].slice(0, many).to_pylist()
    return [Asked(key, task.column, "random", "drawn at random, to judge without bias", at_random=True) for key in keys]


def most_telling(task: Task, open_records: pa.Table, many: int) -> list[Asked]:
    """The records whose answers are expected to help most, best first."""
    if many <= 0 or not open_records.num_rows:
        return []
    if task.task == "repair":
        return _repairs(task, many)
    pool = _pool(open_records)
    keys = pool[KEY].to_pylist()
    weight = task.down.weights(task.node.name, task.columns[0].name, keys)
    sure = pc.fill_null(pool["confidence"], float("nan")).to_numpy().astype(np.float64)
    answered = task.answered()[-MOST_ANSWERED:]
    contrary = _contrary(task, pool, answered, many // 2)
    taken = {each.key for each in contrary}
    chosen = _chosen(task, keys, sure, weight, answered[-MOST_COVERED:], many + len(taken))
    return [*contrary, *(each for each in chosen if each.key not in taken)][:many]


def _pool(open_records: pa.Table) -> pa.Table:
    """All, or of very many the least sure half and a drawn one."""
    if open_records.num_rows <= POOL:
        return open_records
    fair = open_records.slice(0, POOL // 2)
    rest = open_records.slice(POOL // 2)
    sure = pc.fill_null(rest["confidence"], 2.0).to_numpy()
    order = np.argsort(sure, kind="stable")[: POOL - POOL // 2]
    return pa.concat_tables([fair, rest.take(pa.array(order))])


def _chosen(
    task: Task, keys: Sequence[str], sure: Doubles, weight: Doubles, answered: Sequence[str], many: int
) -> list[Asked]:
    """By the model's chances over vectors; by typical records while there is no model; by confidence alone where
    nothing else is known."""
    by_model = _chances(task, [*keys, *answered])
    space: Space | None
    chances: Doubles | None
    if by_model is not None:
        space, chances = by_model
    else:
        space = space_of(task.down.reader, task.down.snapshot, task.node.name, [*keys, *answered], rough=True)
        chances = None
    if space is None or find_spec("sklearn") is None:
        return _by_confidence(task, keys, sure, weight, many)
    from packyak.engine.learn.queue import next_questions

    place = {key: at for at, key in enumerate(keys)}
    told = [place.get(key, -1) for key in space.keys]
    open_rows = np.array([at >= 0 for at in told])
    weights = np.array([weight[at] if at >= 0 else 1.0 for at in told])
    confident = np.array([sure[at] if at >= 0 else 1.0 for at in told])
    real = chances is not None
    if chances is None and not np.isnan(confident[open_rows]).any():
        chances = np.stack([confident, 1.0 - confident], axis=1)
    asks = next_questions(space.vectors, open_rows, round(many / (1 - RANDOM_SHARE)) + 1, SEED, chances, weights)
    found: list[Asked] = []
    for ask in sorted(asks, key=lambda each: each.at_random):  # those that it drew itself only fill up
        key, doubt = space.keys[ask.row], 1.0 - float(np.nan_to_num(confident[ask.row], nan=0.5))
        why = ask.why if real or chances is None else f"the model is only {confident[ask.row]:.0%} sure"
        why = "nobody has answered for it" if ask.at_random else why
        reason: Reason = "typical" if chances is None else "uncertain"
        found.append(Asked(key, task.column, reason, why, doubt * float(weights[ask.row])))
    return found[:many]


def _by_confidence(task: Task, keys: Sequence[str], sure: Doubles, weight: Doubles, many: int) -> list[Asked]:
    worth = (1.0 - np.nan_to_num(sure, nan=0.0)) * weight
    found = []
    for at in np.argsort(-worth, kind="stable")[:many].tolist():
        known = not np.isnan(sure[at])
        why = f"the model is only {sure[at]:.0%} sure" if known else "nobody has answered for a record like it"
        found.append(Asked(keys[at], task.column, "uncertain" if known else "typical", why, float(worth[at])))
    return found


def _chances(task: Task, keys: Sequence[str]) -> tuple[Space, Doubles] | None:
    """What the model in force gives each answer, for the records whose texts have vectors."""
    model = _classifier(task)
    if model is None:
        return None
    from packyak.engine.learn.vectors import joined
    from packyak.engine.run.teach.examples import ask_rule, by_field, named, with_rule

    reader, node = task.down.reader, task.node
    part = record_inputs(reader.scope, node)
    part = part.filter(pc.is_in(part[KEY], pa.array(keys, pa.string())))
    if model.encoder.texts:
        from packyak.engine.learn.text_vectors import text_vectors

        if not keeps_vectors(reader):
            return None
        there = text_vectors(reader.scope.home).has(joined(named(node, part), model.encoder.texts))
        if there.mean() < 0.5:
            return None
        part = part.filter(pa.array(there))
    arguments = [part[f"a{place}"].to_pylist() for place in range(len(node.parameters))] if node.has_rule else []
    opinions = by_field(node, ask_rule(node, arguments, part.num_rows, lambda done: None).values)
    vectors = model.encoder.encode(with_rule(node, named(node, part), opinions), model.embed)
    return Space(tuple(part[KEY].to_pylist()), vectors), model.chances(vectors)


def _classifier(task: Task) -> Any:
    if task.task != "classification" or not task.down.reader.scope.model_of(task.node.name):
        return None
    from packyak.engine.learn.classify import ClassifyModel
    from packyak.engine.run.teach.answering import taught

    loaded = taught(task.down.reader.scope, task.node)
    models = loaded.models if loaded else ()
    return next((each for each in models if isinstance(each, ClassifyModel) and each.column == task.column), None)


def _contrary(task: Task, pool: pa.Table, answered: Sequence[str], many: int) -> list[Asked]:
    """Records whose answer differs from what people said of all that are most like them."""
    reader, node, column = task.down.reader, task.node, task.columns[0].name
    if len(answered) < NEAR or many <= 0:
        return []
    keys = pool[KEY].to_pylist()
    space = space_of(reader, task.down.snapshot, node.name, [*keys, *answered])
    if space is None:
        return []
    in_force = reader.scope.in_force
    said = {key: in_force[name].value for key in answered if (name := (node.name, key, column)) in in_force}
    known = [key for key in said if key in space.place]
    mine = [key for key in keys if key in space.place]
    if len(known) < NEAR or not mine:
        return []
    alike = space.vectors[[space.place[key] for key in mine]] @ space.vectors[[space.place[key] for key in known]].T
    near = np.argpartition(-alike, NEAR - 1, axis=1)[:, :NEAR]
    least = np.take_along_axis(alike, near, axis=1).min(axis=1)
    answers = _answers(task, [mine[at] for at in np.flatnonzero(least >= ALIKE).tolist()])
    found = []
    for at in np.flatnonzero(least >= ALIKE).tolist():
        values = [said[known[other]] for other in near[at].tolist()]
        answer = answers.get(mine[at])
        if answer is not None and all(value == values[0] for value in values) and values[0] != answer:
            why = f"it says {answer!r}, but the {NEAR} records most like it were said to be {values[0]!r}"
            found.append(Asked(mine[at], task.column, "suspect", why, float(least[at])))
    return sorted(found, key=lambda each: (-each.worth, each.key))[:many]


def _answers(task: Task, keys: Sequence[str]) -> dict[str, Any]:
    data = task.down.snapshot.table(task.node.name)
    if data is None or not keys:
        return {}
    column = task.columns[0].name
    found = among(task.down.reader.scope.table(task.node.name).dataset(), pa.array(keys, pa.string()), [KEY, column])
    return dict(zip(found[KEY].to_pylist(), found[column].to_pylist(), strict=True))


def _repairs(task: Task, many: int) -> list[Asked]:
    """Records with cells that look wrong in ways that nobody has shown yet."""
    if any(find_spec(name) is None for name in ("sklearn", "rapidfuzz")):
        return []
    from packyak.engine.learn.repair.questions import questions
    from packyak.engine.learn.teacher import Repaired, teacher_of
    from packyak.engine.run.teach.answering import embed_in
    from packyak.engine.run.teach.examples import all_records, labels_of, reads_of

    scope, node = task.down.reader.scope, task.node
    records = all_records(scope, node, lambda done: None)
    if records.num_rows > REPAIR_ROWS:
        rng = np.random.default_rng(SEED)
        records = records.take(pa.array(np.sort(rng.choice(records.num_rows, REPAIR_ROWS, replace=False))))
    teacher = teacher_of(node, reads_of(node, records), embed_in(scope.home))
    learner = next(part.learner for part in teacher.parts if isinstance(part, Repaired))
    names = {column.name for column in task.columns}
    labels, _ = labels_of(scope, node)
    labels = labels.pick(place for place, name in enumerate(labels.column) if name in names)
    skipped = {key for asset, key, column in task.left_out if (asset, column) == (node.name, task.column)}
    asks = questions(learner, records, labels, round((many + len(skipped)) / (1 - RANDOM_SHARE)) + 1, SEED)
    return [
        Asked(ask.key, task.column, "uncertain", ask.why, 1.0, suspects=ask.columns)
        for ask in asks
        if not ask.at_random and ask.key not in skipped
    ][:many]
