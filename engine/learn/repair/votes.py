"""What other records say: columns (or pairs of columns) that almost determine another, found by leaving each row out.

A table of votes tells, for each value of the determining columns, which values of the target were seen with it and
how often. Its reliability starts at its accuracy over all rows, each row judged by the others only, and is re-weighed
by what people corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ..arrays import Doubles, Ints
from .profile import Profile

MOST_TABLES = 5
PRIOR = 6.0


@dataclass(frozen=True)
class VoteTable:
    """For target column `target`, the votes of rows that share the values of the columns `by`."""

    target: int
    by: tuple[int, ...]
    sizes: tuple[int, ...]
    width: int
    rows: int
    groups: Ints
    totals: Ints
    pairs: Ints
    counts: Ints
    top: Ints
    top_count: Ints
    second: Ints
    second_count: Ints
    accuracy: float
    coverage: float

    def group(self, codes: Ints) -> Ints:
        """The place of each row's group, -1 where none is known."""
        key = _combine(codes, self.by, self.sizes)
        if not len(self.groups):
            return np.full(len(codes), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.groups, key), len(self.groups) - 1)
        return np.where(self.groups[at] == key, at, -1)

    def count(self, group: Ints, value: Ints) -> Ints:
        """How many rows of the group have the value."""
        if not len(self.pairs):
            return np.zeros(len(group), dtype=np.int64)
        key = np.where((group >= 0) & (value < self.width), group * self.width + value, -1)
        at = np.minimum(np.searchsorted(self.pairs, key), len(self.pairs) - 1)
        return np.where(self.pairs[at] == key, self.counts[at], 0)

    def proposal(self, group: Ints, counted: Ints) -> Ints:
        """The value that the other rows of the group favour, -1 where there are none. `counted` is the value with which
        each row itself is among them."""
        if not len(self.groups):
            return np.full(len(group), -1, dtype=np.int64)
        safe = np.maximum(group, 0)
        top, second = self.top[safe], self.second[safe]
        mine = top == counted
        weak = mine & (self.second_count[safe] >= self.top_count[safe])
        alone = mine & (self.top_count[safe] < 2)
        said = np.where(weak, second, np.where(alone, -1, top))
        return np.where(group >= 0, said, -1)


def _combine(codes: Ints, by: Sequence[int], sizes: Sequence[int]) -> Ints:
    """One number for the values of several columns; -1 where a value is not of the profile."""
    key = np.zeros(len(codes), dtype=np.int64)
    known = np.ones(len(codes), dtype=bool)
    for column, size in zip(by, sizes, strict=True):
        known &= codes[:, column] < size
        key = key * size + codes[:, column]
    return np.where(known, key, -1)


def build_table(profile: Profile, by: tuple[int, ...], target: int) -> VoteTable:
    """Count the votes of `by` for `target`."""
    sizes = tuple(len(profile.columns[k].values) for k in by)
    width = len(profile.columns[target].values)
    groups, place = np.unique(_combine(profile.codes, by, sizes), return_inverse=True)
    pairs, counts = np.unique(place * width + profile.codes[:, target], return_counts=True)
    return from_counts(profile, by, target, groups, pairs, counts, len(profile.codes))


def from_counts(
    profile: Profile, by: tuple[int, ...], target: int, groups: Ints, pairs: Ints, counts: Ints, rows: int
) -> VoteTable:
    """The table whose groups, and (group, value) pairs with their counts, are known; `rows` were counted."""
    sizes = tuple(len(profile.columns[k].values) for k in by)
    width = len(profile.columns[target].values)
    owner = pairs // width
    starts = np.searchsorted(owner, np.arange(len(groups)))
    totals = np.add.reduceat(counts, starts) if len(starts) else counts
    top_at, top_count = _largest(counts, owner, starts)
    rest = counts.copy()
    rest[top_at] = 0
    second_at, second_count = _largest(rest, owner, starts)
    second = np.where(second_count > 0, pairs[second_at] % width, -1)
    accuracy, coverage = _left_out(counts, owner, totals, top_at, top_count, second_count, rows)
    return VoteTable(
        target=target,
        by=by,
        sizes=sizes,
        width=width,
        rows=rows,
        groups=groups,
        totals=totals,
        pairs=pairs,
        counts=counts,
        top=pairs[top_at] % width,
        top_count=top_count,
        second=second,
        second_count=second_count,
        accuracy=accuracy,
        coverage=coverage,
    )


def _largest(counts: Ints, owner: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """Per group the place of its largest count (the first on a tie) and that count."""
    if not len(starts):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    best = np.maximum.reduceat(counts, starts)
    hits = np.flatnonzero(counts == best[owner])
    first = np.ones(len(hits), dtype=bool)
    first[1:] = owner[hits[1:]] != owner[hits[:-1]]
    return hits[first], best


def _left_out(
    counts: Ints, owner: Ints, totals: Ints, top_at: Ints, top_count: Ints, second_count: Ints, rows: int
) -> tuple[float, float]:
    """The share of rows whose value the others of their group name, and the share of rows that have others."""
    if not len(counts):
        return 0.0, 0.0
    is_top = np.zeros(len(counts), dtype=bool)
    is_top[top_at] = True
    rival = np.where(is_top, second_count[owner], top_count[owner])
    judged = totals[owner] >= 2
    covered = int(counts[judged].sum())
    right = int(counts[judged & (counts - 1 > rival)].sum())
    return (right / covered if covered else 0.0), covered / max(rows, 1)


def find_tables(profile: Profile, target: int) -> tuple[VoteTable, ...]:
    """The best few tables for a column; none for one that is constant or nearly unique."""
    column = profile.columns[target]
    if len(column.values) < 2 or len(column.values) > 0.9 * column.rows:
        return ()
    base = _majority(column.counts, column.rows)
    singles = [build_table(profile, (k,), target) for k in _possible(profile, target)]
    ranked = sorted(singles, key=lambda table: (-_worth(table, base), table.by))
    kept = [table for table in ranked if _worth(table, base) > 0.25][:MOST_TABLES]
    if len(kept) < 2 or _worth(kept[0], base) < 0.9:
        pairs = [build_table(profile, by, target) for by in combinations(sorted(t.by[0] for t in ranked[:4]), 2)]
        floor = _worth(kept[0], base) + 0.1 if kept else 0.3
        better = sorted((t for t in pairs if _worth(t, base) > floor), key=lambda t: (-_worth(t, base), t.by))
        kept = [*better[:2], *kept][:MOST_TABLES]
    return tuple(kept)


def _possible(profile: Profile, target: int) -> list[int]:
    """Columns whose groups can say anything: not constant, not nearly unique."""
    sizes = [(k, len(column.values), column.rows) for k, column in enumerate(profile.columns)]
    return [k for k, size, rows in sizes if k != target and 1 < size <= 0.7 * rows]


def _majority(counts: Ints, rows: int) -> float:
    """How often the most frequent value is right by itself."""
    return float(counts.max()) / max(rows, 1)


def _worth(table: VoteTable, base: float) -> float:
    """How much better than the majority, times how many rows it speaks of."""
    return table.coverage * (table.accuracy - base) / max(1 - base, 1e-6)


@dataclass(frozen=True)
class Said:
    """What the tables say of (cell, value) pairs: weighted share, best share, agreement, support, and weight of all
    that spoke."""

    share: Doubles
    best: Doubles
    agree: Doubles
    support: Doubles
    mass: Doubles


def ask(tables: Sequence[VoteTable], weights: Sequence[float], codes: Ints, counted: Ints, values: Ints) -> Said:
    """Votes for `values` in rows `codes`, which are themselves among the voters with the value `counted`."""
    n = len(values)
    share, best, agree, support, mass = (np.zeros(n) for _ in range(5))
    for table, weight in zip(tables, weights, strict=True):
        group = table.group(codes)
        mine = table.count(group, counted)
        less = (mine > 0).astype(np.int64)
        total = np.where(group >= 0, table.totals[np.maximum(group, 0)], 0) - less if len(table.totals) else less * 0
        count = table.count(group, values) - np.where(values == counted, less, 0)
        part = np.where(total > 0, count / np.maximum(total, 1), 0.0)
        spoke = np.where(total > 0, weight, 0.0)
        share += spoke * part
        mass += spoke
        best = np.maximum(best, np.where(total >= 2, part, part * 0.7))
        agree += (part > 0.5) * (total > 0)
        support = np.maximum(support, count)
    return Said(np.where(mass > 0, share / np.maximum(mass, 1e-9), 0.0), best, agree, np.log1p(support), mass)


def weigh(tables: Sequence[VoteTable], codes: Ints, own: Ints, truth: Ints) -> list[float]:
    """The weight of each table of one target, given labelled rows (`own`: value in the record, `truth`: the right
    one)."""
    weights = []
    for table in tables:
        right, asked = 0.0, 0.0
        if len(codes):
            said = np.array(table.proposal(table.group(codes), own))
            spoke = said >= 0
            against = spoke & (own != truth)
            right = float((said[against] == truth[against]).sum())
            asked = float(spoke.sum())
        reliability = (PRIOR * table.accuracy + right) / (PRIOR + asked)
        weights.append(float(np.clip(np.log(reliability / max(1 - reliability, 1e-3)), 0.05, 5.0)))
    return weights
