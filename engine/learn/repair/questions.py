"""Which records should a person look at next, so that the corrections teach most.

Cells that look wrong, or could go either way, are gathered into kinds: same column, same sort of answer, same size of
edit. A record is worth the kinds that it shows and nobody has shown yet; one record in five is drawn at random, so
that a model can be judged on records that nobody picked. Before the first label a forest grown on spoiled cells alone
gives the first guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..arrays import Doubles, Ints
from ..calibrate import Slope
from ..protocol import Labels
from .knowledge import Knowledge
from .learner import RepairLearner, RepairModel, examples_of
from .profile import Cells, Profile
from .ranker import Prepared, material, vote_weights
from .synthesis import Example

RANDOM_SHARE = 0.2
FADE = 0.3
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Question:
    """One record to look at, and why, in words. columns: those that may be wrong."""

    key: str
    why: str
    at_random: bool = False
    columns: tuple[str, ...] = ()


def questions(
    learner: RepairLearner,
    records: pa.Table,
    labels: Labels,
    many: int,
    seed: int = 0,
    prepared: Prepared | None = None,
) -> list[Question]:
    """The next `many` records, best first. Labelled records are never asked again."""
    prepared = prepared or learner.prepare(records)
    keys = np.array(records[learner.key].cast(pa.string()).to_pylist(), dtype=object)
    done = np.isin(keys, list(labels.keys))
    rng = np.random.default_rng([seed, len(labels.keys)])
    open_rows = np.flatnonzero(~done)
    pool = np.sort(rng.choice(open_rows, MOST_ROWS, replace=False)) if len(open_rows) > MOST_ROWS else open_rows
    if not len(pool):
        return []
    examples = examples_of(prepared.profile, records, labels, learner.key)
    found = Suspects.find(_quick_model(prepared, examples, seed), pool)
    chosen = _spread(found, len(pool), many, rng)
    return [
        Question(
            str(keys[pool[row]]),
            why,
            drawn,
            tuple(dict.fromkeys(found.names[c] for c in found.column[found.row == row])),
        )
        for row, why, drawn in chosen
    ]


def _quick_model(prepared: Prepared, examples: Sequence[Example], seed: int) -> RepairModel:
    """A smaller forest, good enough to choose by."""
    knowledge = Knowledge.of(len(prepared.profile.columns), examples)
    weights = vote_weights(prepared, examples)
    found = material(prepared, knowledge, weights, seed)
    return RepairModel(prepared, knowledge, weights, found.grow(seed=seed, trees=60), Slope(), ())


@dataclass(frozen=True)
class Suspects:
    """Cells worth asking: row of the pool, column, kind, worth, and the chance of being wrong."""

    row: Ints
    column: Ints
    kind: Ints
    worth: Doubles
    wrong: Doubles
    names: tuple[str, ...]

    @staticmethod
    def find(model: RepairModel, pool: Ints) -> Suspects:
        """All suspects among these rows of the profile."""
        profile = model.prepared.profile
        cells = Cells(profile.codes[pool], tuple(list(c.values) for c in profile.columns))
        parts = [_of_column(model, cells, column) for column in model.prepared.targets]
        row, column, sort, worth, wrong = (np.concatenate(p) for p in zip(*parts, strict=True))
        _, kind = np.unique(sort, return_inverse=True)
        return Suspects(row, column, kind.astype(np.int64), worth, wrong, _names(profile))


def _names(profile: Profile) -> tuple[str, ...]:
    return profile.names


def _of_column(model: RepairModel, cells: Cells, column: int) -> tuple[Ints, Ints, Ints, Doubles, Doubles]:
    answer = model.answer(cells, column)
    options = answer.options
    keep = answer.chosen.keep
    wrong = np.clip(1.0 - keep, 0.0, 1.0)
    unsure = 1.0 - np.abs(2 * keep - 1.0)
    sort = _sort(options.cell, options.source, options.value == options.own[options.cell], len(keep))
    size = np.minimum(np.floor(np.log2(1 + np.abs(_lengths(options.values)[options.own]))), 7).astype(np.int64)
    sure = (wrong > 0.5).astype(np.int64)
    code = ((column * 16 + sort) * 8 + size) * 2 + sure
    rows = np.flatnonzero((wrong > 0.15)[answer.kind])
    at = answer.kind[rows]
    return rows, np.full(len(rows), column), code[at], (0.5 * wrong + unsure)[at], wrong[at]


def _lengths(values: Sequence[str]) -> Ints:
    return np.fromiter((len(value) for value in values), dtype=np.int64, count=len(values))


def _sort(cell: Ints, source: Ints, keep: np.ndarray[tuple[int], np.dtype[np.bool_]], cells: int) -> Ints:
    """Which ways lead to other answers for each cell, as bits."""
    sort = np.zeros(cells, dtype=np.int64)
    np.bitwise_or.at(sort, cell[~keep], source[~keep])
    return sort


def _spread(found: Suspects, rows: int, many: int, rng: np.random.Generator) -> list[tuple[int, str, bool]]:
    """Greedy choice: each pick fades the kinds that it showed. Every fifth is drawn at random."""
    kinds = int(found.kind.max(initial=-1)) + 1
    mass = np.log1p(np.bincount(found.kind, weights=found.wrong, minlength=kinds))
    fade = np.ones(kinds)
    free = np.ones(rows, dtype=bool)
    chosen: list[tuple[int, str, bool]] = []
    drawn = round(many * RANDOM_SHARE)
    for turn in range(min(many, rows)):
        at_random = turn >= many - drawn
        value = np.bincount(found.row, weights=found.worth * (mass * fade)[found.kind], minlength=rows)
        value[~free] = -1.0
        at_random = at_random or value.max() <= 0
        row = int(rng.choice(np.flatnonzero(free))) if at_random else int(value.argmax())
        here = found.row == row
        chosen.append((row, _why(found, here, at_random), at_random))
        free[row] = False
        fade[np.unique(found.kind[here])] *= FADE
    return chosen


def _why(found: Suspects, here: np.ndarray[tuple[int], np.dtype[np.bool_]], at_random: bool) -> str:
    if at_random or not here.any():
        return "drawn at random, to judge the model"
    order = np.argsort(-found.worth[here], kind="stable")[:3]
    told = dict.fromkeys(found.names[c] for c in found.column[here][order].tolist())
    chance = float(found.wrong[here].max())
    return f"{', '.join(told)} may be wrong ({chance:.0%}), a kind of error not shown enough yet"
