"""Classification of banking77 messages: accuracy by labels, calibration, and which records to ask."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import numpy as np
from bench_learn_messages import Messages, messages, some_of_each
from bench_learn_table import Line, show, timed
from packyak.engine.learn.arrays import Bools, Doubles, Floats, Ints
from packyak.engine.learn.calibrate import expected_error
from packyak.engine.learn.classify import ClassifyLearner, ClassifyModel
from packyak.engine.learn.embed import Embedder
from packyak.engine.learn.head import Shape, fit_head
from packyak.engine.learn.queue import next_questions
from packyak.engine.learn.vectors import Encoder
from scipy.special import softmax

PUBLISHED = {1: 0.53, 2: 0.67, 4: 0.77, 8: 0.84, 16: 0.88}
BUDGETS = (77, 154, 308, 616)
LEVELS = (77, 110, 154, 220, 308, 440, 616, 880, 1232, 1700)
_EMBED = Embedder()


def learned(data: Messages, rows: Ints, seed: int = 0, drawn: Collection[str] = ()) -> ClassifyModel:
    """The classifier on these labelled rows; `drawn`: the keys of those that were asked at random."""
    learner = ClassifyLearner("intent", data.names, ("text",), _EMBED)
    encoder = Encoder(("text",), (), ())
    return learner.fit_encoded(encoder, data.vectors[rows], data.truth[rows], _keys(rows), seed, drawn)


def _names(data: Messages) -> Floats:
    return _EMBED([" ".join(name.replace("_", " ").split()) for name in data.names])


def _keys(rows: Ints) -> list[str]:
    return [str(row) for row in rows.tolist()]


def classify(seeds: int = 3) -> bool:
    """Accuracy by labels an intent, five folds, against a plain logistic head on the same vectors."""
    data = messages()
    lines = []
    for each in PUBLISHED:
        ours, plain, cost = [], [], []
        for pool, test in data.folds():
            for seed in range(seeds if each < 8 else 1):
                rows = some_of_each(pool, data.truth, each, np.random.default_rng(seed))
                model, _, fit = timed(partial(learned, data, rows, seed))
                _, _, predict = timed(partial(model.predict_encoded, data.vectors))
                cost.append((fit, predict))
                ours.append(_right(model.head.scores(data.vectors[test]), data.truth[test]))
                head = fit_head(data.vectors[rows], data.truth[rows], len(data.names), Shape(30.0, 0.0), None)
                plain.append(_right(head.scores(data.vectors[test]), data.truth[test]))
        logistic = float(np.mean(plain))
        fit, predict = np.mean(cost, axis=0).tolist()
        anchor = f"logistic here {logistic:.3f}, on the full set {PUBLISHED[each]}; CPU s fit {fit:.1f}, "
        anchor += f"predict all 3,080 {predict:.3f}"
        lines.append(Line(f"accuracy, {each:>2} an intent", float(np.mean(ours)), ">=", round(logistic, 4), anchor))
    return show("classification: banking77, 77 intents, random labels, 5 folds x 3 seeds (1 seed from 8 on)", lines)


def _right(scores: np.ndarray[tuple[int, int], np.dtype[np.float64]], truth: Ints) -> float:
    return float((scores.argmax(axis=1) == truth).mean())


@dataclass
class Answered:
    """What calibrated models said of records that they never saw, over several folds."""

    sure: list[Doubles]
    right: list[Bools]
    raw: list[Doubles]
    applied: list[Bools]
    seconds: float = 0.0

    def add(self, data: Messages, rows: Ints, test: Ints, seed: int, drawn: Collection[str] = ()) -> None:
        """Learn from `rows`, answer `test`; `drawn`: the keys of those that were asked at random."""
        model, _, cpu = timed(partial(learned, data, rows, seed, drawn))
        self.seconds += cpu
        chances = model.chances(data.vectors[test])
        self.sure.append(chances.max(axis=1))
        self.right.append(chances.argmax(axis=1) == data.truth[test])
        self.raw.append(softmax(model.head.scores(data.vectors[test]), axis=1).max(axis=1))
        self.applied.append(self.sure[-1] >= model.threshold(0.95))

    def lines(self, what: str, held: bool) -> list[Line]:
        """Expected error and precision; `held`: these have targets."""
        right, applied = np.concatenate(self.right), np.concatenate(self.applied)
        error, raw = (expected_error(np.concatenate(part), right) for part in (self.sure, self.raw))
        precision = float(right[applied].mean()) if applied.any() else 1.0
        told = f"95 % asked; {applied.mean():.0%} of records answered so; prototype .93-.957"
        fit = f"raw {raw:.3f}; CPU s fit {self.seconds / len(self.sure):.1f}"
        return [
            Line(f"expected error, {what}", error, "<=" if held else "", 0.02, fit),
            Line(f"precision of automatic answers, {what}", precision, ">=" if held else "", 0.94, told),
        ]


def calibration() -> bool:
    """Expected calibration error, and the precision of what is applied without a person when 95 % is asked; labels at
    random, and labels that the queue chose, where the fifth drawn at random calibrates."""
    data = messages()
    names = _names(data)
    folds = list(enumerate(data.folds()))
    lines = []
    for each in (4, 8, 16):
        said = Answered([], [], [], [])
        for fold, (pool, test) in folds:
            said.add(data, some_of_each(pool, data.truth, each, np.random.default_rng(fold)), test, fold)
        lines += said.lines(f"{each:>2} an intent", each == 8)
    said = Answered([], [], [], [])
    for fold, (pool, test) in folds:
        have, drawn = asked_in_turn(data, pool, names, fold, BUDGETS[-1])
        rows = pool[have]
        said.add(data, np.sort(rows), test, fold, frozenset(_keys(rows[drawn])))
    lines += said.lines(f"{BUDGETS[-1]} by the queue", False)
    return show("calibration: banking77, five folds", lines)


@dataclass(frozen=True)
class Curves:
    """Accuracy by labels, mean of the folds: asked by the queue at BUDGETS, drawn at random at LEVELS; CPU seconds to
    choose and to learn, a fold."""

    asked: Doubles
    drawn: Doubles
    seconds: float


def curves(folds: int = 5) -> Curves:
    """Both, for the same learner."""
    data = messages()
    names = _names(data)
    asked, drawn, seconds = [], [], 0.0
    for fold, (pool, test) in enumerate(list(data.folds())[:folds]):
        order = np.random.default_rng(fold).permutation(len(pool))
        drawn.append([_accuracy(data, pool[order[:many]], test, names) for many in LEVELS])
        (have, _), _, cpu = timed(partial(asked_in_turn, data, pool, names, fold, BUDGETS[-1]))
        seconds += cpu / folds
        asked.append([_accuracy(data, pool[have[:many]], test, names) for many in BUDGETS])
    return Curves(np.mean(asked, axis=0), np.maximum.accumulate(np.mean(drawn, axis=0)), seconds)


def queue(folds: int = 5) -> bool:
    """How many labels chosen by the queue are worth how many drawn at random, for the same learner."""
    made = curves(folds)
    lines = []
    for budget, accuracy in zip(BUDGETS, made.asked.tolist(), strict=True):
        needed = float(np.exp(np.interp(accuracy, made.drawn, np.log(LEVELS))))
        at = made.drawn[LEVELS.index(budget)]
        told = f"accuracy {accuracy:.3f}, at random {at:.3f}; random needs {needed:.0f}"
        lines.append(Line(f"{budget} labels: of those that random needs", budget / needed, anchor=told))
    mean = float(np.exp(np.mean(np.log([line.value for line in lines]))))
    lines.append(Line("all four, geometric mean", mean, "<=", 0.5, f"prototype .5; CPU s a fold {made.seconds:.1f}"))
    return show(f"queue: banking77, steps of 77, a fifth at random, mean of {folds} folds", lines)


def _accuracy(data: Messages, rows: Ints, test: Ints, names: Floats) -> float:
    head = fit_head(data.vectors[rows], data.truth[rows], len(data.names), Shape(), names)
    return _right(head.scores(data.vectors[test]), data.truth[test])


def asked_in_turn(data: Messages, pool: Ints, names: Floats, seed: int, many: int) -> tuple[Ints, Bools]:
    """The first `many` records (places in the pool) in the order of the queue, asked 77 at a time and answered from
    the truth, and which of them were drawn at random."""
    have, drawn = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
    while len(have) < many:
        head = fit_head(data.vectors[pool[have]], data.truth[pool[have]], len(data.names), Shape(), names)
        chances = softmax(2 * head.scores(data.vectors[pool]), axis=1)
        free = np.ones(len(pool), dtype=bool)
        free[have] = False
        asks = next_questions(data.vectors[pool], free, min(77, many - len(have)), seed, chances)
        have = np.concatenate([have, [ask.row for ask in asks]])
        drawn = np.concatenate([drawn, [ask.at_random for ask in asks]])
    return have, drawn
