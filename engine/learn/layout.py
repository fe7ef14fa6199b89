"""Places in two dimensions for vectors, so that a person can look at them: alike records lie near one another.

Two ways. "directions" projects on the two directions in which the vectors differ most (PCA). "neighbours" keeps what is
near together: t-SNE of up to `LANDMARKS` vectors, and every other one between the landmarks most like it. Both are
deterministic: one thread, seeded, begun from the directions.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .arrays import Floats, one_thread

Way = Literal["neighbours", "directions"]
WAYS: tuple[Way, ...] = ("neighbours", "directions")
LANDMARKS = 4_000  # t-SNE of so many takes 8 CPU seconds; it grows faster than their number (measured)
FITTED = 20_000
WIDTH = 30
NEAREST = 6
SHARPNESS = 30.0
FEWEST = 12  # below, there are no neighbourhoods to keep
_CHUNK = 2_000


def lay_out(vectors: Floats, way: Way) -> Floats:
    """A place for each row, within -1 to 1. The first rows are the landmarks, so their order should mean nothing.

    Methods: PCA (Hotelling 1933); Barnes-Hut t-SNE (van der Maaten 2014), both scikit-learn's.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(rows) < 2 or rows.shape[1] < 2 or not np.ptp(rows, axis=0).any():
        return np.zeros((len(rows), 2), np.float32)
    with one_thread():
        narrow = _directions(rows)
        if way == "directions" or len(rows) < FEWEST:
            return _within(narrow[:, :2])
        landmarks = _neighbourhoods(narrow[:LANDMARKS])
        rest = _between(rows[:LANDMARKS], landmarks, rows[LANDMARKS:])
        return _within(np.vstack([landmarks, rest]))


def _directions(rows: Floats) -> Floats:
    from sklearn.decomposition import PCA

    made = PCA(min(WIDTH, rows.shape[1], len(rows)), svd_solver="covariance_eigh").fit(rows[:FITTED])
    return np.asarray(made.transform(rows), dtype=np.float32)


def _neighbourhoods(narrow: Floats) -> Floats:
    from sklearn.manifold import TSNE

    near = min(30.0, (len(narrow) - 1) / 3)
    method: Any = TSNE(2, perplexity=near, init="pca", max_iter=500, angle=0.6, random_state=0, n_jobs=1)
    return np.asarray(method.fit_transform(narrow), dtype=np.float32)


def _between(rows: Floats, places: Floats, others: Floats) -> Floats:
    """Others where the landmarks lie that are most like them, the more alike the nearer."""
    found = np.zeros((len(others), 2), np.float32)
    lengths = np.linalg.norm(rows, axis=1)
    for start in range(0, len(others), _CHUNK):
        part = others[start : start + _CHUNK]
        scale = np.maximum(np.outer(np.linalg.norm(part, axis=1), lengths), 1e-9)
        alike = (part @ rows.T) / scale
        best = np.argpartition(-alike, NEAREST - 1, axis=1)[:, :NEAREST]
        weight = np.exp(SHARPNESS * (np.take_along_axis(alike, best, axis=1) - alike.max(axis=1, keepdims=True)))
        weight /= weight.sum(axis=1, keepdims=True)
        found[start : start + len(part)] = np.einsum("nk,nkd->nd", weight, places[best])
    return found


def _within(places: Floats) -> Floats:
    """Moved and scaled alike in both directions, so that all lie within -1 to 1."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = float((high - low).max()) or 1.0
    return np.asarray((places - (low + high) / 2) * (2 / room), dtype=np.float32)
