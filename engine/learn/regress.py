"""Regression: a number from a few labelled records, with the chance that it is close enough.

Ridge on the records' vectors, or the mean of the nearest labelled records: whichever the held-out labels prefer.
Close enough means within `tolerance`, by default a tenth of the labels' spread. Confidence comes from held-out
errors, larger ones far from any label.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .arrays import Doubles, Floats, Ints, json_bytes, one_thread
from .classify import shown_records
from .head import folds_of
from .protocol import Labels, Prediction
from .vectors import Embed, Encoder

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
NEAREST = 5
FOLDS = 20


@dataclass(frozen=True)
class RegressModel:
    """One trained version: the labelled vectors and values, and a line through them (`kind` tells which of the two
    answers)."""

    column: str
    type: str
    encoder: Encoder
    kind: str
    weights: Doubles
    offset: float
    vectors: Floats
    targets: Doubles
    errors: Doubles
    tolerance: float
    embed: Embed

    def predict(self, batch: pa.Table) -> Prediction:
        """A number for each record."""
        vectors = self.encoder.encode(batch, self.embed)
        made = self.answer(vectors)
        confidence = self._confidence(vectors)
        wanted = pa.type_for_alias(self.type)
        values = pa.array(np.round(made) if pa.types.is_integer(wanted) else made).cast(wanted)
        evidence = pa.nulls(len(made), pa.string())
        return Prediction(*(pa.table({self.column: part}) for part in (values, pa.array(confidence), evidence)))

    def answer(self, vectors: Floats) -> Doubles:
        """The numbers for encoded records."""
        if self.kind == "nearest":
            return _nearest_mean(vectors, self.vectors, self.targets)
        return np.asarray(vectors.astype(np.float64) @ self.weights + self.offset)

    def _confidence(self, vectors: Floats) -> Floats:
        """The share of held-out errors, stretched by the distance to the nearest label, that are within the
        tolerance."""
        if not len(self.errors):
            return np.full(len(vectors), 0.5, dtype=np.float32)
        reach = self.tolerance / _stretch(vectors, self.vectors)
        inside = np.searchsorted(np.sort(self.errors), reach, side="right")
        return ((inside + 0.5) / (len(self.errors) + 1)).astype(np.float32)

    def to_files(self) -> dict[str, bytes]:
        """The whole model as named bytes."""
        out = io.BytesIO()
        names = ("weights", "vectors", "targets", "errors")
        arrays: dict[str, NDArray[Any]] = {name: getattr(self, name) for name in names}
        np.savez(out, allow_pickle=False, **arrays)
        facts = {
            "column": self.column,
            "type": self.type,
            "encoder": self.encoder.to_json(),
            "kind": self.kind,
            "offset": self.offset,
            "tolerance": self.tolerance,
        }
        return {"arrays.npz": out.getvalue(), "model.json": json_bytes(facts)}

    @staticmethod
    def from_files(files: Mapping[str, bytes], embed: Embed) -> RegressModel:
        """The model of `to_files`."""
        facts = json.loads(files["model.json"])
        with np.load(io.BytesIO(files["arrays.npz"]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts["encoder"] = Encoder.from_json(facts["encoder"])
        return RegressModel(**facts, **arrays, embed=embed)


@dataclass(frozen=True)
class RegressLearner:
    """Learns the number `column` from the columns `reads`; `tolerance` is how far off an answer may be and still be
    right."""

    column: str
    reads: tuple[str, ...]
    embed: Embed
    type: str = "float64"
    tolerance: float | None = None
    key: str = "_key"

    def fit(self, records: pa.Table, labels: Labels, seed: int = 0) -> RegressModel:
        """Learn from the labels."""
        encoder = Encoder.of(records, self.reads)
        ordered = labels.of(self.column).ordered()
        usable = [i for i, value in enumerate(ordered.value) if value is not None]
        ordered = ordered.pick(usable)
        shown, found = shown_records(records, ordered, self.key)
        ordered = ordered.pick(found)
        vectors = encoder.encode(shown, self.embed)
        targets = np.array([float(value) for value in ordered.value])
        _, groups = np.unique(np.array(ordered.key, dtype=str), return_inverse=True)
        with one_thread():
            kind, strength, errors = _best(vectors, targets, groups, seed)
            weights, offset = _ridge(vectors, targets, strength)
            stretched = errors / _stretch_within(vectors)
        spread = float(np.std(targets)) if len(targets) else 1.0
        tolerance = self.tolerance if self.tolerance is not None else max(0.1 * spread, 1e-9)
        return RegressModel(
            self.column, self.type, encoder, kind, weights, offset, vectors, targets, stretched, tolerance, self.embed
        )


def _best(vectors: Floats, targets: Doubles, groups: Ints, seed: int) -> tuple[str, float, Doubles]:
    """The way of answering with the least squared error on held-out labels, and the errors."""
    if len(np.unique(groups)) < 4:
        return "nearest", STRENGTHS[-1], np.zeros(0)
    fold = folds_of(groups, np.zeros(len(groups), dtype=np.int64), min(FOLDS, len(np.unique(groups))), seed)
    found: list[tuple[float, str, float, Doubles]] = []
    for kind, strength in (*(("line", s) for s in STRENGTHS), ("nearest", STRENGTHS[-1])):
        made = np.empty(len(targets))
        for part in np.unique(fold).tolist():
            out = fold == part
            if kind == "nearest":
                made[out] = _nearest_mean(vectors[out], vectors[~out], targets[~out])
            else:
                weights, offset = _ridge(vectors[~out], targets[~out], strength)
                made[out] = vectors[out].astype(np.float64) @ weights + offset
        errors = np.abs(made - targets)
        found.append((float((errors**2).mean()), kind, strength, errors))
    _, kind, strength, errors = min(found, key=lambda one: one[0])
    return kind, strength, errors


def _ridge(vectors: Floats, targets: Doubles, strength: float) -> tuple[Doubles, float]:
    if not len(targets):
        return np.zeros(vectors.shape[1]), 0.0
    middle, mean = vectors.mean(axis=0).astype(np.float64), float(targets.mean())
    x = vectors.astype(np.float64) - middle
    alpha = np.linalg.solve(x @ x.T + strength * np.eye(len(x)), targets - mean)
    weights = x.T @ alpha
    return weights, mean - float(middle @ weights)


def _nearest_mean(vectors: Floats, labelled: Floats, targets: Doubles) -> Doubles:
    if not len(targets):
        return np.zeros(len(vectors))
    alike = vectors @ labelled.T
    many = min(NEAREST, len(targets))
    near = np.argpartition(-alike, many - 1, axis=1)[:, :many]
    weight = np.exp(10 * (np.take_along_axis(alike, near, axis=1) - alike.max(axis=1, keepdims=True)))
    return np.asarray((weight * targets[near]).sum(axis=1) / weight.sum(axis=1), dtype=np.float64)


def _stretch(vectors: Floats, labelled: Floats) -> Doubles:
    """1 at a labelled record, growing with the distance to the nearest."""
    square = (labelled**2).sum(axis=1)
    best = (2 * vectors @ labelled.T - square).max(axis=1)
    return np.asarray(1.0 + np.sqrt(np.maximum((vectors**2).sum(axis=1) - best, 0)), dtype=np.float64)


def _stretch_within(vectors: Floats) -> Doubles | float:
    """The same for labelled records, each by the others; 1 for a few."""
    if len(vectors) < 4:
        return 1.0
    square = (vectors**2).sum(axis=1)
    apart = square[:, None] + square[None, :] - 2 * vectors @ vectors.T
    np.fill_diagonal(apart, np.inf)
    return np.asarray(1.0 + np.sqrt(np.maximum(apart.min(axis=1), 0)), dtype=np.float64)
