"""One forest weighs every possible answer of every column: the chance that it is the right one.

People's labels count fully, cells spoiled on purpose a little. Among the answers of a cell the chances are made to
sum to one, the best is taken, and its share is the confidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ..arrays import Bools, Doubles, Floats, Ints
from ..forest import Forest
from .candidates import Near, collect
from .features import NAMES, features
from .knowledge import Knowledge
from .profile import Cells, Profile
from .rehearse import rehearse
from .spoil import Spoiled, single, spoil
from .synthesis import Example
from .votes import VoteTable, find_tables, weigh

SPOILED = 900
SPOILED_WEIGHT = 0.15
REHEARSALS = 3
TREES = 120
LEAST = 0.5
DOUBT = 0.6


@dataclass(frozen=True)
class Prepared:
    """All that is known of the records before anybody labels: made once, used by every refit. `targets` are the
    columns to repair; `tables` and `near` are empty for the others."""

    profile: Profile
    targets: tuple[int, ...]
    tables: tuple[tuple[VoteTable, ...], ...]
    near: tuple[Near, ...]

    @staticmethod
    def of(profile: Profile, targets: Sequence[int]) -> Prepared:
        """Profile, votes and near values of the records."""
        columns = range(len(profile.columns))
        tables = tuple(find_tables(profile, column) if column in targets else () for column in columns)
        near = tuple(Near.find(profile, column) if column in targets else Near.none() for column in columns)
        return Prepared(profile, tuple(targets), tables, near)


@dataclass(frozen=True)
class Chosen:
    """The best answer of each cell: the place of its option, its share of the cell's chances, and the share of
    leaving the cell."""

    option: Ints
    confidence: Doubles
    keep: Doubles


@dataclass(frozen=True)
class Material:
    """Everything to train on, a row an option: features, whether it is right, weight, labelled record (-1: spoiled),
    cell, and whether it leaves the cell as it is."""

    x: Floats
    y: Ints
    weight: Doubles
    record: Ints
    cell: Ints
    keep: Bools

    def grow(self, rows: Bools | None = None, seed: int = 0, trees: int = TREES) -> Forest:
        """A forest on these rows."""
        rows = np.ones(len(self.y), dtype=bool) if rows is None else rows
        return Forest.grow(self.x[rows], self.y[rows], self.weight[rows], seed, trees)


def vote_weights(prepared: Prepared, examples: Sequence[Example]) -> tuple[tuple[float, ...], ...]:
    """The weight of every table, re-weighed by the examples."""
    weights = []
    for column, tables in enumerate(prepared.tables):
        here = [e for e in examples if e.column == column and e.before != e.after]
        cells, truth = _cells(prepared.profile, here, column)
        weights.append(tuple(weigh(tables, cells.codes, cells.codes[:, column], truth)))
    return tuple(weights)


def _cells(profile: Profile, examples: Sequence[Example], column: int) -> tuple[Cells, Ints]:
    """The examples' records in codes, and the codes of the right values (-1: not a value of the column)."""
    rows = [[e.before if k == column else e.row.get(k, "") for k in range(len(profile.columns))] for e in examples]
    cells = Cells.from_rows(profile, rows)
    place = {value: code for code, value in enumerate(cells.values[column])}
    return cells, np.array([place.get(e.after, -1) for e in examples], dtype=np.int64)


def material(prepared: Prepared, knowledge: Knowledge, weights: Sequence[Sequence[float]], seed: int) -> Material:
    """Everything to train on, column by column."""
    parts: list[Material] = []
    rng = np.random.default_rng(seed)
    active = [c for c in prepared.targets if knowledge.asked[c] > 0 or not knowledge.examples]
    for column in active:
        here = [e for e in knowledge.examples if e.column == column]
        if here:
            parts.append(_from_people(prepared, knowledge, weights[column], column, here))
        spoiled = spoil(prepared.profile, column, max(10, SPOILED // len(active)), rng)
        if spoiled is not None and len(spoiled.truth):
            parts.append(_from_spoiled(prepared, knowledge, weights[column], spoiled))
        alone = single(prepared.profile, column, max(10, SPOILED // len(active)), rng)
        if alone is not None:
            parts.append(_only_near(_from_spoiled(prepared, knowledge, weights[column], alone)))
        for _ in range(REHEARSALS):
            tried = rehearse(prepared.profile, column, rng)
            if tried is not None:
                played = Spoiled(column, tried.cells, tried.truth)
                parts.append(_from_spoiled(prepared, tried.knowledge, weights[column], played))
    return _joined(parts)


def _joined(parts: Sequence[Material]) -> Material:
    """All parts as one, their cells numbered on."""
    shift = np.cumsum([0, *(int(p.cell.max(initial=-1)) + 1 for p in parts)])
    empty = Material(np.zeros((0, len(NAMES)), np.float32), *(np.zeros(0, t) for t in (int, float, int, int, bool)))
    joined = [empty, *parts]
    return Material(
        np.concatenate([p.x for p in joined]),
        np.concatenate([p.y for p in joined]),
        np.concatenate([p.weight for p in joined]),
        np.concatenate([p.record for p in joined]),
        np.concatenate([empty.cell, *(p.cell + s for p, s in zip(parts, shift, strict=False))]),
        np.concatenate([p.keep for p in joined]),
    )


def _from_people(
    prepared: Prepared, knowledge: Knowledge, weights: Sequence[float], column: int, here: Sequence[Example]
) -> Material:
    cells, _ = _cells(prepared.profile, here, column)
    tables, near = prepared.tables[column], prepared.near[column]
    options = collect(prepared.profile, cells, column, tables, near, knowledge)
    record = np.array([e.record for e in here], dtype=np.int64)
    x = features(prepared.profile, options, tables, weights, knowledge, near.crowd, record)
    right = [
        options.values[v] == here[c].after for c, v in zip(options.cell.tolist(), options.value.tolist(), strict=True)
    ]
    y = np.array(right, dtype=np.int64)
    return Material(x, y, np.ones(len(x)), record[options.cell], options.cell, options.keep)


def _from_spoiled(prepared: Prepared, knowledge: Knowledge, weights: Sequence[float], spoiled: Spoiled) -> Material:
    column = spoiled.column
    tables, near = prepared.tables[column], prepared.near[column]
    options = collect(prepared.profile, spoiled.cells, column, tables, near, knowledge, spoiled.truth)
    x = features(prepared.profile, options, tables, weights, knowledge, near.crowd)
    right = (options.value == spoiled.truth[options.cell]).astype(np.int64)
    nobody = np.full(len(x), -1, dtype=np.int64)
    return Material(x, right, np.full(len(x), SPOILED_WEIGHT), nobody, options.cell, options.keep)


def ask_forest(forest: Forest, x: Floats) -> Doubles:
    """The chance of each option; equal rows of a large batch are asked once."""
    if len(x) <= 50_000:
        return forest.ask(x).astype(np.float64)
    kinds, at = np.unique(x, axis=0, return_inverse=True)
    return forest.ask(kinds)[at].astype(np.float64)


def _only_near(found: Material) -> Material:
    """The cells against which a value nearby speaks, and nothing else."""
    other = (found.x[:, NAMES.index("is vote")] > 0) | (found.x[:, NAMES.index("is program")] > 0)
    most = int(found.cell.max(initial=-1)) + 1
    doubted = np.bincount(found.cell[other & ~found.keep], minlength=most) > 0
    near = np.bincount(found.cell[~found.keep], minlength=most) > 0
    kept = (near & ~doubted)[found.cell]
    return Material(*(getattr(found, part.name)[kept] for part in fields(found)))


def choose(chance: Doubles, cell: Ints, keep: Bools) -> Chosen:
    """The best answer of each cell (cells numbered from 0, options sorted by cell). A change must have more than half
    of the chances, else the cell is left as it is."""
    cells = int(cell[-1]) + 1 if len(cell) else 0
    chance = chance + 1e-6
    total = np.bincount(cell, weights=chance, minlength=cells)
    share = chance / np.maximum(total[cell], DOUBT)
    ranked = np.where(keep, np.maximum(share, LEAST), share)
    order = np.lexsort((~keep, -ranked, cell))
    first = np.ones(len(order), dtype=bool)
    first[1:] = cell[order][1:] != cell[order][:-1]
    kept = np.zeros(cells)
    kept[cell[keep]] = share[keep]
    best = order[first]
    return Chosen(best, share[best], kept)


def held_out(found: Material, seed: int, folds: int = 3) -> tuple[Chosen, Material] | None:
    """The labelled cells, each answered by a forest that never saw its record; None with too few records."""
    people = found.record >= 0
    records = np.unique(found.record[people])
    if len(records) < 2 * folds:
        return None
    fold_of = np.random.default_rng(seed).permutation(len(records)) % folds
    chance = np.zeros(len(found.y))
    for fold in range(folds):
        out = np.isin(found.record, records[fold_of == fold])
        chance[out] = found.grow(~out, seed, TREES // 3).ask(found.x[out])
    _, cell = np.unique(found.cell[people], return_inverse=True)
    here = Material(
        found.x[people], found.y[people], found.weight[people], found.record[people], cell, found.keep[people]
    )
    return choose(chance[people], cell, here.keep), here
