"""What each column looks like: its distinct values and what is usual among their letters, words and shapes.

A profile is made once from all records, without labels, and frozen into the model: an answer is a function of the
record's values and the model alone. A value that the profile has seen counts itself once less (`own`), so that
nothing is its own witness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Bools, Doubles, Ints
from .texts import Letters, Tally

FACTS = ("count", "shape", "outline", "odd_least", "odd_mean", "rare_word", "length", "blank", "number")


def as_text(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Any column as plain strings; null is the empty string, as is a blank."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    text = array if pa.types.is_string(array.type) else pc.cast(array, pa.string())
    return pc.fill_null(text, "")


@dataclass(frozen=True)
class ColumnProfile:
    """The distinct values of one column, most frequent first, and its tallies."""

    name: str
    values: tuple[str, ...]
    counts: Ints
    pairs: Tally
    firsts: Tally
    shapes: Tally
    outlines: Tally
    words: Tally
    rows: int

    @staticmethod
    def of(name: str, column: pa.Array) -> tuple[ColumnProfile, Ints]:
        """The profile of a column of strings, and each row's value as a code (its place in `values`)."""
        encoded = pc.dictionary_encode(column)
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        found = encoded.dictionary.to_pylist()
        counts = np.bincount(codes, minlength=len(found))
        order = sorted(range(len(found)), key=lambda i: (-int(counts[i]), found[i]))
        rank = np.empty(len(found), dtype=np.int64)
        rank[order] = np.arange(len(found))
        values = tuple(found[i] for i in order)
        return ColumnProfile.counted(name, values, counts[order].astype(np.int64)), rank[codes]

    @staticmethod
    def counted(name: str, values: tuple[str, ...], counts: Ints) -> ColumnProfile:
        """The profile of values that occur so often."""
        letters = Letters.of(values)
        weights = counts.astype(np.float64)
        pairs, firsts, _ = letters.pairs()
        per_letter = np.repeat(weights, letters.lengths)
        words, text = letters.words()
        return ColumnProfile(
            name,
            values,
            counts,
            Tally.of(pairs, per_letter),
            Tally.of(firsts, per_letter),
            Tally.of(letters.shapes(), weights),
            Tally.of(letters.outlines(), weights),
            Tally.of(words, weights[text]),
            int(counts.sum()),
        )

    def encode(self, column: pa.Array) -> tuple[Ints, list[str]]:
        """Each row's code, and all values by code: the profile's own, then those that it has never seen."""
        known = pc.index_in(column, value_set=pa.array(self.values, pa.string()))
        codes = pc.fill_null(known, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        strange = codes < 0
        if not strange.any():
            return codes, list(self.values)
        encoded = pc.dictionary_encode(column.filter(pa.array(strange)))
        new = encoded.dictionary.to_pylist()
        order = sorted(range(len(new)), key=new.__getitem__)
        rank = np.empty(len(new), dtype=np.int64)
        rank[order] = np.arange(len(new))
        codes[strange] = len(self.values) + rank[encoded.indices.to_numpy(zero_copy_only=False)]
        return codes, [*self.values, *(new[i] for i in order)]

    def facts(self, values: Sequence[str], counts: Doubles, own: Bools) -> Doubles:
        """What is usual about each value: one row a value, columns `FACTS`. `counts` are its occurrences in the
        profile; `own` marks values that are counted among them and so are taken out once."""
        letters = Letters.of(values)
        less = (own & (counts > 0)).astype(np.float64)
        pairs, firsts, starts = letters.pairs()
        per_letter = np.repeat(less, letters.lengths)
        seen = np.maximum(self.pairs.look_up(pairs) - per_letter, 0) + 0.3
        of = np.maximum(self.firsts.look_up(firsts) - per_letter, 0) + 6.0
        surprise = np.log(seen / of)
        total = max(self.rows, 1)
        blank = np.fromiter((not value.strip() for value in values), dtype=np.float64, count=len(values))
        return np.column_stack(
            [
                np.log1p(np.maximum(counts - less, 0)),
                np.log((np.maximum(self.shapes.look_up(letters.shapes()) - less, 0) + 0.5) / total),
                np.log((np.maximum(self.outlines.look_up(letters.outlines()) - less, 0) + 0.5) / total),
                np.minimum.reduceat(surprise, starts) if len(starts) else np.zeros(0),
                np.add.reduceat(surprise, starts) / letters.lengths if len(starts) else np.zeros(0),
                self._rarest_word(letters, less),
                np.log1p(letters.lengths),
                blank,
                _numbers(letters),
            ]
        )

    def _rarest_word(self, letters: Letters, less: Doubles) -> Doubles:
        words, text = letters.words()
        rarest = np.full(len(letters.lengths), np.log1p(self.rows))
        np.minimum.at(rarest, text, np.log1p(np.maximum(self.words.look_up(words) - less[text], 0)))
        return rarest

    @property
    def spread(self) -> Doubles:
        """Facts of the column as a whole: how distinct, how often blank, how peaked."""
        share = self.counts / max(self.rows, 1)
        blanks = sum(int(n) for value, n in zip(self.values, self.counts, strict=True) if not value.strip())
        entropy = float(-(share * np.log(np.maximum(share, 1e-12))).sum())
        single = float((self.counts == 1).sum()) / max(self.rows, 1)
        return np.array([len(self.values) / max(self.rows, 1), blanks / max(self.rows, 1), entropy, single])


def _numbers(letters: Letters) -> Doubles:
    """The share of digits in each text."""
    digits = (letters.classes() == 1).astype(np.float64)
    return np.add.reduceat(digits, letters.starts) / letters.lengths if len(letters.starts) else np.zeros(0)


@dataclass(frozen=True)
class Profile:
    """All columns, and how the rows it was made from read in codes (one column of `codes` per column)."""

    columns: tuple[ColumnProfile, ...]
    codes: Ints

    @staticmethod
    def of(records: pa.Table, names: Sequence[str]) -> Profile:
        """The profile of these columns of the records."""
        made = [ColumnProfile.of(name, as_text(records[name])) for name in names]
        codes = np.column_stack([codes for _, codes in made]) if made else np.zeros((len(records), 0), np.int64)
        return Profile(tuple(column for column, _ in made), codes)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in their order."""
        return tuple(column.name for column in self.columns)

    def at(self, name: str) -> int:
        """The place of a column."""
        return self.names.index(name)


@dataclass(frozen=True)
class Cells:
    """Records in codes: `codes` (records x columns) and, per column, the values that the codes stand for."""

    codes: Ints
    values: tuple[list[str], ...]

    @staticmethod
    def of(profile: Profile, records: pa.Table) -> Cells:
        """The records in the codes of the profile."""
        coded = [column.encode(as_text(records[column.name])) for column in profile.columns]
        codes = np.column_stack([codes for codes, _ in coded]) if coded else np.zeros((len(records), 0), np.int64)
        return Cells(codes, tuple(values for _, values in coded))

    @staticmethod
    def from_rows(profile: Profile, rows: Sequence[Sequence[Any]]) -> Cells:
        """The same for a few rows of strings."""
        table = {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(profile.names)}
        return Cells.of(profile, pa.table(table))

    def take(self, rows: Ints) -> Cells:
        """Some of the records."""
        return Cells(self.codes[rows], self.values)
