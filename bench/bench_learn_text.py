"""Classification of banking77 messages: accuracy by labels, calibration, and which records to ask."""

from __future__ import annotations

import numpy as np
from bench_learn_messages import Messages, messages, some_of_each
from bench_learn_table import Line, show
from packyak.engine.learn.arrays import Floats, Ints
from packyak.engine.learn.calibrate import expected_error
from packyak.engine.learn.classify import ClassifyLearner, ClassifyModel
from packyak.engine.learn.embed import Embedder
from packyak.engine.learn.head import Shape, fit_head
from packyak.engine.learn.queue import next_questions
from packyak.engine.learn.vectors import Encoder
from scipy.special import softmax

PUBLISHED = {1: 0.53, 2: 0.67, 4: 0.77, 8: 0.84, 16: 0.88}
BUDGETS = (77, 154, 308, 616)
_EMBED = Embedder()


def learned(data: Messages, rows: Ints, seed: int = 0) -> ClassifyModel:
    """The classifier on these labelled rows."""
    learner = ClassifyLearner("intent", data.names, ("text",), _EMBED)
    return learner.fit_encoded(Encoder(("text",), (), ()), data.vectors[rows], data.truth[rows], _keys(rows), seed)


def _keys(rows: Ints) -> list[str]:
    return [str(row) for row in rows.tolist()]


def classify(seeds: int = 3) -> bool:
    """Accuracy by labels an intent, five folds, against a plain logistic head on the same vectors."""
    data = messages()
    lines = []
    for each in PUBLISHED:
        ours, plain = [], []
        for pool, test in data.folds():
            for seed in range(seeds if each < 8 else 1):
                rows = some_of_each(pool, data.truth, each, np.random.default_rng(seed))
                model = learned(data, rows, seed)
                ours.append(_right(model.head.scores(data.vectors[test]), data.truth[test]))
                head = fit_head(data.vectors[rows], data.truth[rows], len(data.names), Shape(30.0, 0.0), None)
                plain.append(_right(head.scores(data.vectors[test]), data.truth[test]))
        logistic = float(np.mean(plain))
        anchor = f"logistic here {logistic:.3f}, on the full set {PUBLISHED[each]}"
        lines.append(Line(f"accuracy, {each:>2} an intent", float(np.mean(ours)), ">=", round(logistic, 4), anchor))
    return show("classification: banking77, 77 intents, random labels, 5 folds x 3 seeds (1 seed from 8 on)", lines)


def _right(scores: np.ndarray[tuple[int, int], np.dtype[np.float64]], truth: Ints) -> float:
    return float((scores.argmax(axis=1) == truth).mean())


def calibration() -> bool:
    """Expected calibration error, and the precision of what is applied without a person when 95 % is asked."""
    data = messages()
    lines = []
    for each in (4, 8, 16):
        off, raw, shares, precisions = [], [], [], []
        for fold, (pool, test) in enumerate(data.folds()):
            rows = some_of_each(pool, data.truth, each, np.random.default_rng(fold))
            model = learned(data, rows, fold)
            scores, truth = model.head.scores(data.vectors[test]), data.truth[test]
            chances = model.chances(data.vectors[test])
            sure, right = chances.max(axis=1), chances.argmax(axis=1) == truth
            off.append((sure, right))
            raw.append((softmax(scores, axis=1).max(axis=1), right))
            applied = sure >= model.threshold(0.95)
            shares.append(applied.mean())
            precisions.append((right[applied].sum(), applied.sum()))
        error = expected_error(*(np.concatenate(part) for part in zip(*off, strict=True)))
        before = expected_error(*(np.concatenate(part) for part in zip(*raw, strict=True)))
        precision = float(np.sum(precisions, axis=0)[0] / max(np.sum(precisions, axis=0)[1], 1))
        held = each == 8
        lines.append(
            Line(f"expected error, {each:>2} an intent", error, "<=" if held else "", 0.02, f"raw {before:.3f}")
        )
        lines.append(
            Line(
                f"precision of automatic answers, {each:>2} an intent",
                precision,
                ">=" if held else "",
                0.94,
                f"95 % asked; {np.mean(shares):.0%} of records answered so; prototype .93-.957",
            )
        )
    return show("calibration: banking77, five folds", lines)


def queue(folds: int = 5) -> bool:
    """How many labels chosen by the queue are worth how many drawn at random, for the same learner."""
    data = messages()
    names = _EMBED([" ".join(name.replace("_", " ").split()) for name in data.names])
    asked, drawn = np.zeros((folds, len(BUDGETS))), []
    levels = (77, 110, 154, 220, 308, 440, 616, 880, 1232, 1700)
    for fold, (pool, test) in enumerate(list(data.folds())[:folds]):
        order = np.random.default_rng(fold).permutation(len(pool))
        curve = [_accuracy(data, pool[order[:many]], test, names) for many in levels]
        drawn.append(curve)
        asked[fold] = _by_queue(data, pool, test, names, fold)
    random = np.maximum.accumulate(np.mean(drawn, axis=0))
    ratios = []
    print("\n  labels   queue  random  labels that random needs for the queue's accuracy")
    for budget, accuracy in zip(BUDGETS, asked.mean(axis=0).tolist(), strict=True):
        needed = float(np.exp(np.interp(accuracy, random, np.log(levels))))
        ratios.append(budget / needed)
        at = random[levels.index(budget)]
        print(f"  {budget:>6}   {accuracy:.3f}   {at:.3f}  {needed:>6.0f}  ({budget / needed:.2f}x)")
    return show(
        f"queue: banking77, steps of 77, a fifth at random, mean of {folds} folds",
        [
            Line(
                "labels needed against random, geometric mean",
                float(np.exp(np.mean(np.log(ratios)))),
                "<=",
                0.5,
                "prototype .5",
            ),
            *(Line(f"accuracy at {b}", a) for b, a in zip(BUDGETS, asked.mean(axis=0).tolist(), strict=True)),
        ],
    )


def _accuracy(data: Messages, rows: Ints, test: Ints, names: Floats) -> float:
    head = fit_head(data.vectors[rows], data.truth[rows], len(data.names), Shape(), names)
    return _right(head.scores(data.vectors[test]), data.truth[test])


def _by_queue(data: Messages, pool: Ints, test: Ints, names: Floats, seed: int) -> list[float]:
    have = np.zeros(0, dtype=np.int64)
    reached = []
    for budget in BUDGETS:
        while len(have) < budget:
            head = fit_head(data.vectors[pool[have]], data.truth[pool[have]], len(data.names), Shape(), names)
            chances = softmax(2 * head.scores(data.vectors[pool]), axis=1)
            free = np.ones(len(pool), dtype=bool)
            free[have] = False
            asks = next_questions(data.vectors[pool], free, min(77, budget - len(have)), seed, chances)
            have = np.concatenate([have, [ask.row for ask in asks]])
        reached.append(_accuracy(data, pool[have], test, names))
    return reached
