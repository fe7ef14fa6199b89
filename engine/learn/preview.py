"""What else would one correction change? The records most like the corrected one, found before anything is learned.

The vectors of all records are held in half precision (768 MB for a million), and one product compares them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Halves, Ints
from .embed import products

LEAST = 0.8


@dataclass(frozen=True)
class Like:
    """Records like one, most alike first: their rows, and how alike they are (1: the same)."""

    rows: Ints
    likeness: Floats


@dataclass(frozen=True)
class Neighbours:
    """The vectors of all records, a row a record."""

    vectors: Halves

    @staticmethod
    def of(parts: Iterable[Floats]) -> Neighbours:
        """From the vectors of all records, in parts."""
        halves = [part.astype(np.float16) for part in parts]
        return Neighbours(np.concatenate(halves) if halves else np.zeros((0, 1), np.float16))

    def like(self, one: Floats, least: float = LEAST, most: int = 1_000, among: Bools | None = None) -> Like:
        """Up to `most` records that are at least so like the vector `one`; `among` marks those that may be found, such
        as those with the value that was corrected."""
        likeness = products(self.vectors, one)
        rows = np.flatnonzero(likeness >= least if among is None else (likeness >= least) & among)
        order = np.argsort(-likeness[rows], kind="stable")[:most]
        return Like(rows[order], likeness[rows[order]])
