"""Many short texts at once: letters, pairs of letters, shapes and words as flat arrays.

Counting is done over one array of code points for all texts, so that 200,000 distinct values cost array work and no
Python loop. Texts are read up to `LONGEST` letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Doubles, Ints

LONGEST = 300
Hashes = NDArray[np.uint64]
_DIGIT, _UPPER, _LOWER, _SPACE = 1, 2, 3, 4
_SHIFT = 1 << 21


def _classes() -> Ints:
    """The class of each of the first 128 letters: digit, upper, lower, space, or itself."""
    table = np.arange(128, dtype=np.int64)
    table[[ord(c) for c in "0123456789"]] = _DIGIT
    table[ord("A") : ord("Z") + 1] = _UPPER
    table[ord("a") : ord("z") + 1] = _LOWER
    table[[9, 10, 13, 32]] = _SPACE
    return table


_CLASSES = _classes()
_PRIME = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Letters:
    """Texts as one array of code points. `starts` and `lengths` are those of each text; every text has at least one
    letter: an empty one is a single zero, which no other text holds."""

    flat: Ints
    starts: Ints
    lengths: Ints

    @staticmethod
    def of(values: Sequence[str]) -> Letters:
        """The letters of each value."""
        cut = [(value[:LONGEST].replace("\0", " ") or "\0") for value in values]
        lengths = np.fromiter((len(value) for value in cut), dtype=np.int64, count=len(cut))
        data = "".join(cut).encode("utf-32-le", "surrogatepass")
        flat = np.frombuffer(data, dtype=np.uint32).astype(np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64) if len(cut) else np.zeros(0, np.int64)
        return Letters(flat, starts, lengths)

    def classes(self) -> Ints:
        """The class of each letter; letters beyond ASCII count as lower case."""
        return np.where(self.flat < 128, _CLASSES[np.minimum(self.flat, 127)], _LOWER)

    def place(self) -> Ints:
        """The position of each letter in its text."""
        return np.arange(len(self.flat), dtype=np.int64) - np.repeat(self.starts, self.lengths)

    def pairs(self) -> tuple[Ints, Ints, Ints]:
        """Pairs of neighbouring letters, with one before the first: (pair code, first letter, start of each text)."""
        before = np.concatenate([[0], self.flat[:-1]]) if len(self.flat) else self.flat
        before = before.copy()
        before[self.starts] = 1
        return before * _SHIFT + self.flat, before, self.starts

    def shapes(self) -> Hashes:
        """A hash of each text's classes letter by letter."""
        return _hash_spans(self.classes(), self.place(), self.starts)

    def outlines(self) -> Hashes:
        """A hash of each text's classes with runs of one class told once."""
        kinds = self.classes()
        first = np.ones(len(kinds), dtype=bool)
        first[1:] = kinds[1:] != kinds[:-1]
        first[self.starts] = True
        rank = np.cumsum(first) - 1
        place = rank - np.repeat(rank[self.starts], self.lengths) if len(kinds) else rank
        return _hash_spans(np.where(first, kinds, 0), np.where(first, place, 0), self.starts, first)

    def words(self) -> tuple[Hashes, Ints]:
        """Words (runs of letters and digits) as hashes, and the text that each is in."""
        kinds = self.classes()
        inside = (kinds >= _DIGIT) & (kinds <= _LOWER)
        first = inside.copy()
        first[1:] &= ~inside[:-1]
        first[self.starts] = inside[self.starts]
        begins = np.flatnonzero(first)
        if not len(begins):
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        word = np.cumsum(first) - 1
        place = np.arange(len(kinds)) - begins[np.maximum(word, 0)]
        place = np.where(inside, place, 0)
        hashes = _hash_spans(self.flat, place, begins, inside)
        text = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return hashes, text[begins]


def _hash_spans(codes: Ints, place: Ints, starts: Ints, keep: NDArray[np.bool_] | None = None) -> Hashes:
    """A hash of the codes of each span, position by position. Spans begin at `starts` and fill the array."""
    if not len(codes):
        return np.zeros(0, np.uint64)
    powers = np.ones(LONGEST + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        powers[1:] = np.cumprod(np.full(LONGEST, np.uint64(1_000_003)), dtype=np.uint64)
        mixed = (codes.astype(np.uint64) + np.uint64(7)) * _PRIME
        mixed ^= mixed >> np.uint64(29)
        mixed *= powers[np.minimum(place, LONGEST)]
        if keep is not None:
            mixed = np.where(keep, mixed, np.uint64(0))
        return np.add.reduceat(mixed, starts).astype(np.uint64)


@dataclass(frozen=True)
class Tally:
    """How often each code was seen: sorted codes and their weights."""

    codes: NDArray[Any]
    weights: Doubles

    @staticmethod
    def of(codes: NDArray[Any], weights: Doubles) -> Tally:
        """Count `codes`, each with its weight."""
        seen, place = np.unique(codes, return_inverse=True)
        return Tally(
            seen.astype(codes.dtype), np.bincount(place, weights=weights, minlength=len(seen)).astype(np.float64)
        )

    def look_up(self, codes: NDArray[Any]) -> Doubles:
        """The weight of each code, 0 where it was never seen."""
        if not len(self.codes) or not len(codes):
            return np.zeros(len(codes), dtype=np.float64)
        at = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[at] == codes, self.weights[at], 0.0)
