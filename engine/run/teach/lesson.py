"""Learning: what people said becomes a model, the gate compares it with the one in force, and a decision is noted.

The candidate and the present model are compared on the same labelled fields, neither having learned from them; a
candidate that is not better is kept, but does not answer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from packyak.engine.declare.nodes import LearnedNode
from packyak.engine.errors import DataError
from packyak.engine.learn.calibrate import expected_error
from packyak.engine.learn.classify import ClassifyModel, shown_records
from packyak.engine.learn.gate import Elsewhere, Judged, Verdict, judge
from packyak.engine.learn.models import GATE, Act, Card, Promotion, Score
from packyak.engine.learn.protocol import Labels, model_id
from packyak.engine.learn.tasks import signature_of, tasks_of
from packyak.engine.learn.teacher import KEY, RULE_COLUMN, HeldAnswer, Taught, Teacher, teacher_of
from packyak.engine.run.compute.apply import Tick
from packyak.engine.run.lessons import Lesson, called
from packyak.engine.run.runs import now
from packyak.engine.run.scope import Scope
from packyak.engine.run.teach import held
from packyak.engine.run.teach.answering import embed_in, taught
from packyak.engine.run.teach.due import why_due
from packyak.engine.run.teach.examples import all_records, drawn_keys, labels_of, reads_of

SAMPLE = 500
CALIBRATED_BY = 30
AUTO_PRECISION = 0.95
SEED = 0
_locks: dict[tuple[str, str], Lock] = {}


def learn_if_due(scope: Scope, node: LearnedNode, tick: Tick = lambda done: None) -> Lesson | None:
    """Learns unless it need not; another thread of this process that is learning the same is waited for."""
    with _locks.setdefault((scope.home.uri, node.name), Lock()):
        scope.models.refresh()
        return learn(scope, node, tick) if why_due(scope, node) else None


def learn(
    scope: Scope, node: LearnedNode, tick: Tick = lambda done: None, *, by: str = "", promote: bool | None = None
) -> Lesson:
    """Learns from all that people said of a transform. promote: True or False decides in place of the gate, in the
    name of `by`. Raises DataError where there is nothing to learn, or nobody said anything yet.
    """
    began = time.process_time()
    labels, ids = labels_of(scope, node)
    _require_something(node, labels)
    records = all_records(scope, node, tick)
    teacher = teacher_of(node, reads_of(node, records), embed_in(scope.home))
    model = teacher.fit(records, labels, SEED, drawn_keys(scope, node.name))
    answers = teacher.held_out(records, labels, model, SEED)
    files = model.to_files()
    code = scope.codes.fingerprints[node.name].code
    name = model_id(files, code, signature_of(node), str(SEED), labels.fingerprint())
    present = scope.model_of(node.name)
    card = Card(
        name, node.name, " and ".join(dict.fromkeys(task for task, _ in tasks_of(node))), signature_of(node), code,
        ids, len(labels), len(labels.keys), SEED, present, now(), _weights(files), score_of(answers),
        _confusion(node, labels, answers), _threshold(model), round(time.process_time() - began, 2),
    )  # fmt: skip
    files |= {held.NAME: held.to_bytes(answers)}
    card = scope.models.save(card, files)
    verdict = _verdict(scope, node, teacher, model, records, labels, answers, present, card)
    scope.models.refresh()
    if promote is None and (meanwhile := scope.model_of(node.name)) != present:  # another process decided on one
        if meanwhile == card.id:
            return Lesson(node.name, card, scope.models.promotions(node.name)[-1])
        verdict = _verdict(scope, node, teacher, model, records, labels, answers, meanwhile, card)
    decided = _decide(scope, node, card, verdict, by, promote)
    _require_still_said(scope, card)
    return Lesson(node.name, card, decided)


def _require_still_said(scope: Scope, card: Card) -> None:
    """What was erased while it was learned from is not known to any model afterwards."""
    if not set(card.corrections) <= {each.id for each in scope.log.all()}:
        scope.models.erase(card.asset, [card.id])
        raise DataError(
            f"something that {card.asset} was just learning from was erased",
            next_step=f"`packyak learn {card.asset}` learns from what is left",
        )


def _require_something(node: LearnedNode, labels: Labels) -> None:
    if not tasks_of(node):
        raise DataError(
            f"nothing that {node.name} answers can be learned here: it writes new text, and has only its first rule",
            next_step="answer a Literal, a number, or a column that the function reads",
        )
    if not len(labels):
        raise DataError(
            f"nobody has corrected or accepted anything that {node.name} answers",
            next_step=f"`packyak review {node.name}` asks the records worth a person's time",
        )


def _decide(scope: Scope, node: LearnedNode, card: Card, verdict: Verdict, by: str, promote: bool | None) -> Promotion:
    facts = asdict(verdict)
    if promote is not None:
        act: Act = "promote" if promote else "hold"
        return scope.models.decide(node.name, act, card.id, by=by, at=now(), why=verdict.reason, verdict=facts)
    act, why = _by_gate(scope, node, card, verdict)
    return scope.models.decide(node.name, act, card.id, by=GATE, at=now(), why=why, verdict=facts)


def _by_gate(scope: Scope, node: LearnedNode, card: Card, verdict: Verdict) -> tuple[Act, str]:
    """What happens when nobody decides, and why."""
    keeps = f"{called(scope.model_of(node.name))} goes on answering"
    if not verdict.promoted:
        words = "it cannot tell" if verdict.outcome == "cannot tell" else "not better"
        return "hold", f"{words} ({verdict.reason}): {keeps}"
    if scope.models.rolled_back(node.name) == card.id:
        return "hold", f"{verdict.reason}, but a person rolled it back: {keeps}"
    if not scope.promotes:
        return "hold", f"{verdict.reason}: {keeps} until a person promotes it"
    if scope.models.pinned(node.name):
        return "hold", f"{verdict.reason}, but the present one was pinned: {keeps}"
    return "promote", verdict.reason


def score_of(answers: Sequence[HeldAnswer]) -> Score | None:
    """The share of right answers, with a 90 % interval whose unit is the record."""
    if not answers:
        return None
    right = np.array([one.right for one in answers], dtype=float)
    keys, place = np.unique([one.key for one in answers], return_inverse=True)
    by_record = np.bincount(place, weights=right) / np.bincount(place)
    spread = 1.645 * float(by_record.std(ddof=1)) / np.sqrt(len(keys)) if len(keys) > 1 else 1.0
    spread = max(spread, 1 / (2 * len(keys)))
    value = float(right.mean())
    off = None
    if len(answers) >= CALIBRATED_BY:
        off = round(expected_error(np.array([one.confidence for one in answers]), right > 0, 10), 4)
    low, high = round(max(0.0, value - spread), 4), round(min(1.0, value + spread), 4)
    return Score(round(value, 4), low, high, len(answers), len(keys), off)


def _confusion(node: LearnedNode, labels: Labels, answers: Sequence[HeldAnswer]) -> tuple[tuple[str, str, int], ...]:
    told = {column.name for task, columns in tasks_of(node) if task == "classification" for column in columns}
    if len(told) != 1:
        return ()
    truth = {(k, c): value for k, c, value in zip(labels.key, labels.column, labels.value, strict=True)}
    pairs = Counter((str(truth[one.key, one.column]), str(one.answer)) for one in answers if one.column in told)
    return tuple((right, said, count) for (right, said), count in sorted(pairs.items()))


def _threshold(model: Taught) -> float | None:
    """The confidence from which answers of the only model are right as often as is wanted without a person."""
    only = [each for each in model.models if each is not None]
    if len(only) != 1 or not isinstance(only[0], ClassifyModel) or not len(only[0].held_out.right):
        return None
    return round(only[0].threshold(AUTO_PRECISION), 4)


def _weights(files: dict[str, bytes]) -> str:
    """The embedder's weights, where the model looks at texts."""
    from packyak.engine.learn.embed import WEIGHTS

    return WEIGHTS[:16] if any(b'"texts":["' in data for name, data in files.items() if name.endswith(".json")) else ""


def _verdict(
    scope: Scope, node: LearnedNode, teacher: Teacher, model: Taught, records: pa.Table, labels: Labels,
    answers: Sequence[HeldAnswer], present: str, card: Card,
) -> Verdict:  # fmt: skip
    """The gate's word on the candidate against what answers now, paired answer by answer."""
    if present == card.id:
        return Verdict("hold", "the same model as the present one", 0, 0, card.records, 0.0, (0.0, 0.0))
    now_answering = taught(scope, node)
    if now_answering is None:
        theirs = rule_answers(node, records, labels)
    else:
        kept = held.read(scope.models, node.name, present)
        theirs = held.present_answers(teacher, now_answering, records, labels, kept)
    mine = {(one.key, one.column): one for one in answers}
    pairs = [(one, mine[one.key, one.column]) for one in theirs if (one.key, one.column) in mine]
    truth = {(k, c): repr(value) for k, c, value in zip(labels.key, labels.column, labels.value, strict=True)}
    _, codes = np.unique([truth[one.key, one.column] for one, _ in pairs] or [""], return_inverse=True)
    _, groups = np.unique([one.key for one, _ in pairs] or [""], return_inverse=True)
    if not pairs:
        return Verdict("cannot tell", "too few labelled records to hold any out", 0, 0, 0, 0.0, (-1.0, 1.0))
    before, after = (_judged([pair[side] for pair in pairs]) for side in (0, 1))
    elsewhere = _elsewhere(node, model, now_answering, records, labels)
    return judge(before, after, codes.astype(np.int64), groups.astype(np.int64), elsewhere)


def _judged(answers: Sequence[HeldAnswer]) -> Judged:
    sure = np.array([one.confidence for one in answers], dtype=np.float64)
    return Judged(np.zeros(len(answers), np.int64), sure, np.array([one.right for one in answers], dtype=bool))


def rule_answers(node: LearnedNode, records: pa.Table, labels: Labels) -> list[HeldAnswer]:
    """What the first rule says of the labelled fields: it never learned from any. Where it has no opinion its answer
    is null, or the value as it is where a column is repaired."""
    shown, known = shown_records(records, labels, KEY)
    row_of = {place: row for row, place in enumerate(known)}
    tasks = {column.name: task for task, columns in tasks_of(node) for column in columns}
    found = []
    for place, (key, column, truth) in enumerate(zip(labels.key, labels.column, labels.value, strict=True)):
        if place not in row_of or column not in tasks:
            continue
        name = column if tasks[column] == "repair" else f"{RULE_COLUMN}{column}"
        answer = shown[name][row_of[place]].as_py() if name in shown.column_names else None
        right = str(answer) == str(truth) if tasks[column] == "classification" else answer == truth
        found.append(HeldAnswer(key, column, answer, float(answer is not None), right))
    return found


def _elsewhere(
    node: LearnedNode, model: Taught, present: Taught | None, records: pa.Table, labels: Labels
) -> Elsewhere | None:
    """How the two differ on records that nobody labelled: those that the present one answers."""
    labelled = set(labels.keys)
    free = [row for row, key in enumerate(records[KEY].to_pylist()) if key not in labelled]
    if not free:
        return None
    drawn = np.sort(np.random.default_rng(SEED).choice(free, min(SAMPLE, len(free)), replace=False))
    sample = records.take(pa.array(drawn))
    said = model.predict(sample)
    answered = changed = 0
    for name in said.values.column_names:
        before = _before(node, present, sample, name)
        for old, new in zip(before, said.values[name].to_pylist(), strict=True):
            answered += old is not None
            changed += old is not None and str(old) != str(new)
    sure = np.concatenate([said.confidence[name].to_numpy() for name in said.confidence.column_names])
    return Elsewhere(changed / answered if answered else 0.0, sure.astype(np.float64))


def _before(node: LearnedNode, present: Taught | None, sample: pa.Table, name: str) -> list[Any]:
    if present is not None:
        values = present.predict(sample).values
        if name in values.column_names:
            return list(values[name].to_pylist())
    column = name if name in sample.column_names else f"{RULE_COLUMN}{name}"
    return sample[column].to_pylist() if column in sample.column_names else [None] * sample.num_rows
