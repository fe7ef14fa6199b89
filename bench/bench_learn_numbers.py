"""Regression: an invented number of each message, learned from a hundred labels, beside ridge regression on the same
vectors. The number follows the text's vector, one direction of it, with noise."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
from bench_learn_messages import Messages, messages
from bench_learn_table import Line, show, timed
from packyak.engine.learn.arrays import Doubles
from packyak.engine.learn.protocol import Labels
from packyak.engine.learn.regress import RegressLearner

LABELS = (50, 100, 300)
NOISE = 0.3
DRAWS = 5


def numbers() -> bool:
    """The table: means of several draws of number and labels."""
    data = messages()
    found = [_draw(data, seed) for seed in range(DRAWS)]
    lines = []
    for place, many in enumerate(LABELS):
        ours, ridge, fit, predict = (float(np.mean([draw[place][at] for draw in found])) for at in range(4))
        cost = f"ridge with chosen strength {ridge:.3f}; CPU s fit {fit:.2f}, predict 2,080 {predict:.3f}"
        lines.append(Line(f"share of variance explained, {many} labels", ours, ">=", round(ridge - 0.02, 4), cost))
    return show(f"regression: an invented number, noise {NOISE}, mean of {DRAWS} draws", lines)


def _draw(data: Messages, seed: int) -> list[tuple[float, float, float, float]]:
    """For each number of labels: variance explained by ours and by ridge, CPU seconds of fit and predict."""
    from sklearn.linear_model import RidgeCV

    rng = np.random.default_rng(seed)
    raw = data.vectors.astype(np.float64) @ rng.normal(size=data.vectors.shape[1])
    truth = (raw - raw.mean()) / raw.std() + rng.normal(0, NOISE, len(raw))
    order = rng.permutation(len(truth))
    test = order[1_000:]
    kept = dict(zip(data.texts, data.vectors, strict=True))
    learner = RegressLearner("number", ("text",), lambda texts: np.stack([kept[text] for text in texts]))
    records = pa.table({"_key": [str(row) for row in range(len(truth))], "text": data.texts})
    asked = records.take(pa.array(test))
    found = []
    for many in LABELS:
        rows = order[:many]
        labels = Labels.from_rows([(str(row), "number", float(truth[row]), "correct", None) for row in rows.tolist()])
        model, _, fit = timed(partial(learner.fit, records, labels))
        said, _, predict = timed(partial(model.predict, asked))
        plain = RidgeCV(np.logspace(-2, 2, 9)).fit(data.vectors[rows], truth[rows]).predict(data.vectors[test])
        ours = _explained(said.values["number"].to_numpy(), truth[test])
        found.append((ours, _explained(plain, truth[test]), fit, predict))
    return found


def _explained(said: Doubles, truth: Doubles) -> float:
    return float(1 - ((said - truth) ** 2).mean() / truth.var())
