"""People who err: one label in twenty is wrong. How much is lost, and do the wrong ones come back to be looked at
again?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from bench_learn_messages import messages, some_of_each
from bench_learn_repair import STEP, hospital, score, truth_labels
from bench_learn_table import Line, show
from bench_learn_text import learned
from packyak.engine.learn.head import Shape, held_out_scores
from packyak.engine.learn.protocol import Labels
from packyak.engine.learn.queue import suspects
from packyak.engine.learn.repair.doubts import doubts
from packyak.engine.learn.repair.learner import RepairLearner
from packyak.engine.learn.repair.questions import questions
from scipy.special import softmax

WRONG = 0.05
Random = np.random.Generator


def _erring(labels: Labels, wrong: pa.Table, rng: Random) -> tuple[Labels, set[tuple[str, str]]]:
    """One label in twenty as a tired person gives it: an error left, a right cell replaced, a slip of the finger."""
    values = list(labels.value)
    spoiled = rng.choice(len(labels), round(WRONG * len(labels)), replace=False).tolist()
    for i in spoiled:
        column = wrong[labels.column[i]]
        if labels.kind[i] == "correct" and rng.random() < 0.5:
            values[i] = column[int(labels.key[i]) - 1].as_py()
        elif rng.random() < 0.5:
            values[i] = column[int(rng.integers(len(column)))].as_py()
        if values[i] == labels.value[i]:
            at = int(rng.integers(len(values[i])))
            values[i] = values[i][:at] + "w" + values[i][at + 1 :]
    kept = Labels(labels.key, labels.column, tuple(values), labels.kind, labels.snapshot)
    return kept, {(labels.key[i], labels.column[i]) for i in spoiled if values[i] != labels.value[i]}


def _hospital(seed: int) -> tuple[float, float, float, float]:
    """F1 on records nobody corrected with careful and erring people; share of wrong labels found, and of those
    listed."""
    wrong, right = hospital()
    columns = tuple(wrong.column_names[1:])
    learner = RepairLearner(columns, columns)
    prepared = learner.prepare(wrong)
    keys: list[str] = []
    while len(keys) < 20:
        labels = truth_labels(wrong, right, keys, columns)
        keys += [q.key for q in questions(learner, wrong, labels, STEP, seed, prepared)]
    careful = truth_labels(wrong, right, keys, columns)
    erring, false = _erring(careful, wrong, np.random.default_rng(seed))
    scores = []
    for labels in (careful, erring):
        said = learner.fit(wrong, labels, seed, prepared).predict(wrong).values
        scores.append(score(wrong, right, said, columns, keys, (0.0, 0.0, 0.0)).f1_others)
    listed = [(doubt.key, doubt.column) for doubt in doubts(learner, wrong, erring, seed, prepared)]
    found = len(false & set(listed))
    return scores[0], scores[1], found / len(false), found / max(len(listed), 1)


def _banking(fold: int) -> tuple[float, float, float, float]:
    data = messages()
    pool, test = list(data.folds())[fold]
    rng = np.random.default_rng(fold)
    rows = some_of_each(pool, data.truth, 8, rng)
    truth = data.truth.copy()
    spoiled = rng.choice(rows, round(WRONG * len(rows)), replace=False)
    truth[spoiled] = (truth[spoiled] + 1 + rng.integers(0, 75, len(spoiled))) % 77
    scores = []
    for labels in (data.truth, truth):
        told = type(data)(data.texts, data.vectors, labels, data.names)
        model = learned(told, rows, fold)
        scores.append(float((model.head.scores(data.vectors[test]).argmax(axis=1) == data.truth[test]).mean()))
    raw = held_out_scores(data.vectors[rows], truth[rows], rows, 77, Shape(30.0, 0.0), None, fold)
    listed = list(suspects(softmax(2 * raw, axis=1), truth[rows], rows.tolist()))
    found = len(set(listed) & set(spoiled.tolist()))
    return scores[0], scores[1], found / len(spoiled), found / max(len(listed), 1)


def noise(seeds: int = 3) -> bool:
    """Both tables."""
    lines = []
    for what, run in (("hospital F1", _hospital), ("banking77 accuracy", _banking)):
        done = np.mean([run(seed) for seed in range(seeds)], axis=0).tolist()
        anchor = f"{done[0]:.3f} with careful people, {done[1]:.3f} with erring ones"
        lines.append(Line(f"{what}: points lost", 100 * (done[0] - done[1]), "<=", 3.0, anchor))
        share = f"{done[3]:.0%} of those listed are wrong"
        lines.append(Line(f"{what}: wrong labels that come back", done[2], ">=", 0.5, share))
    return show(f"noisy people: 5 % of labels wrong, {seeds} seeds", lines)
