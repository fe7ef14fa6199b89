"""A forest of extremely randomised trees as plain arrays: grown by scikit-learn, kept and asked without it.

The arrays are the model's bytes. Asking walks all rows through one tree at a time, level by level; equal rows are
asked once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Doubles, Floats, Ints

_ROWS = 100_000


@dataclass(frozen=True)
class Forest:
    """All trees end to end. `left` and `right` are places in these arrays; at a leaf `left` is -1 and `value` is the
    answer."""

    roots: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    value: Floats
    depth: int

    @staticmethod
    def grow(
        x: Floats, y: Ints, weight: Doubles, seed: int, trees: int = 120, leaf: int = 2, share: float = 0.35
    ) -> Forest:
        """Trees that tell the chance of y being 1."""
        from sklearn.ensemble import ExtraTreesClassifier

        grown = ExtraTreesClassifier(
            n_estimators=trees, min_samples_leaf=leaf, max_features=share, random_state=seed, n_jobs=1, max_depth=16
        ).fit(x, y, sample_weight=weight)
        return Forest._of(grown)

    @staticmethod
    def _of(grown: Any) -> Forest:
        parts: list[list[NDArray[Any]]] = [[] for _ in range(5)]
        roots, at, depth = [], 0, 0
        one = list(grown.classes_).index(1) if 1 in grown.classes_ else None
        for estimator in grown.estimators_:
            tree = estimator.tree_
            shift = np.where(tree.children_left >= 0, at, 0)
            chance = tree.value[:, 0, :]
            chance = chance / np.maximum(chance.sum(axis=1, keepdims=True), 1e-12)
            answer = chance[:, one] if one is not None else np.zeros(len(chance))
            columns = (tree.children_left + shift, tree.children_right + shift, tree.feature, tree.threshold, answer)
            for part, column in zip(parts, columns, strict=True):
                part.append(column)
            roots.append(at)
            at += tree.node_count
            depth = max(depth, int(tree.max_depth))
        left, right, feature, threshold, value = (np.concatenate(part) for part in parts)
        return Forest(
            np.array(roots, np.int32),
            left.astype(np.int32),
            right.astype(np.int32),
            np.maximum(feature, 0).astype(np.int16),
            threshold.astype(np.float32),
            value.astype(np.float32),
            depth,
        )

    def ask(self, x: Floats) -> Floats:
        """The chance of 1 for each row."""
        out = np.empty(len(x), dtype=np.float32)
        for start in range(0, len(x), _ROWS):
            out[start : start + _ROWS] = self._ask(x[start : start + _ROWS])
        return out

    def _ask(self, x: Floats) -> Floats:
        total = np.zeros(len(x), dtype=np.float64)
        for root in self.roots.tolist():
            node = np.full(len(x), root, dtype=np.int32)
            live = np.arange(len(x))
            for _ in range(self.depth):
                here = node[live]
                inner = self.left[here] >= 0
                live, here = live[inner], here[inner]
                if not len(live):
                    break
                goes_left = x[live, self.feature[here]] <= self.threshold[here]
                node[live] = np.where(goes_left, self.left[here], self.right[here])
            total += self.value[node]
        return (total / max(len(self.roots), 1)).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as named arrays."""
        return {
            "roots": self.roots,
            "left": self.left,
            "right": self.right,
            "feature": self.feature,
            "threshold": self.threshold,
            "value": self.value,
            "depth": np.array(self.depth),
        }

    @staticmethod
    def from_arrays(arrays: dict[str, NDArray[Any]]) -> Forest:
        """From the arrays of `arrays`."""
        return Forest(**{name: array for name, array in arrays.items() if name != "depth"}, depth=int(arrays["depth"]))
