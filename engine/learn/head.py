"""The heads of classification: logistic regression on vectors, with the answers' names as examples while labels are
few.

An answer's name ("lost_or_stolen_card") means something to the embedder, so each name is one more labelled text:
measured on banking77 with one label an intent, accuracy .55 without names and .71 with them; the gain fades as labels
come.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from .arrays import Doubles, Floats, Ints, one_thread

ABSENT = -12.0


@dataclass(frozen=True)
class Head:
    """Scores = vectors @ weights + bias, one column an answer."""

    weights: Floats
    bias: Floats

    def scores(self, vectors: Floats) -> Doubles:
        """Raw scores of each answer."""
        return np.asarray(vectors @ self.weights + self.bias, dtype=np.float64)


@dataclass(frozen=True)
class Shape:
    """What sort of head: strength of fit, and the weight of the answers' names as examples (0: none)."""

    strength: float = 30.0
    names: float = 1.0


def fit_head(vectors: Floats, truth: Ints, answers: int, shape: Shape, names: Floats | None) -> Head:
    """A head on labelled vectors; an answer that nobody gave and whose name says nothing gets no chance."""
    weight = np.ones(len(truth))
    if names is not None and shape.names > 0:
        vectors = np.vstack([vectors, names])
        truth = np.concatenate([truth, np.arange(answers)])
        weight = np.concatenate([weight, np.full(answers, shape.names)])
    seen = np.unique(truth)
    weights = np.zeros((vectors.shape[1], answers), dtype=np.float32)
    bias = np.full(answers, ABSENT, dtype=np.float32)
    if len(seen) < 2:
        bias[seen] = 0.0
        return Head(weights, bias)
    coefficients, offsets = _logistic(vectors, truth, weight, shape.strength)
    weights[:, seen] = coefficients
    bias[seen] = offsets
    return Head(weights, bias)


def _logistic(vectors: Floats, truth: Ints, weight: Doubles, strength: float) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # Many answers and few labels are the usual case here, not a sign of numbers mistaken for classes.
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        with one_thread():
            fitted = LogisticRegression(C=strength, max_iter=400, tol=1e-3).fit(
                vectors.astype(np.float64), truth, sample_weight=weight
            )
    coefficients, offsets = fitted.coef_.T, fitted.intercept_
    if coefficients.shape[1] == 1:
        coefficients = np.hstack([-coefficients / 2, coefficients / 2])
        offsets = np.array([-offsets[0] / 2, offsets[0] / 2])
    return coefficients.astype(np.float32), offsets.astype(np.float32)


def folds_of(groups: Ints, truth: Ints, many: int, seed: int) -> Ints:
    """A fold for each row: rows of one group together, each answer spread over the folds."""
    rng = np.random.default_rng(seed)
    kinds, first = np.unique(groups, return_index=True)
    order = rng.permutation(len(kinds))
    order = order[np.argsort(truth[first][order], kind="stable")]
    fold = np.empty(len(kinds), dtype=np.int64)
    fold[order] = np.arange(len(kinds)) % many
    return fold[np.searchsorted(kinds, groups)]


def held_out_scores(
    vectors: Floats,
    truth: Ints,
    groups: Ints,
    answers: int,
    shape: Shape,
    names: Floats | None,
    seed: int,
    many: int = 5,
) -> Doubles:
    """Scores of each labelled row by heads that never saw its group."""
    many = max(2, min(many, len(np.unique(groups))))
    fold = folds_of(groups, truth, many, seed)
    scores = np.zeros((len(truth), answers))
    for part in range(many):
        out = fold == part
        if out.any() and (~out).any():
            scores[out] = fit_head(vectors[~out], truth[~out], answers, shape, names).scores(vectors[out])
    return scores
