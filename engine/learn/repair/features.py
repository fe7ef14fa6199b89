"""One row of numbers for every possible answer of a cell; no number tells which column it is or what the value says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ..arrays import Doubles, Floats, Ints
from .candidates import NEAR, PROGRAM, VOTE, Options
from .knowledge import NOBODY, Knowledge, edited_letters
from .profile import FACTS, Profile
from .votes import VoteTable, ask

_LONGEST = 200
NAMES = (
    *(f"answer {fact}" for fact in FACTS),
    *(f"value {fact}" for fact in FACTS),
    *("count gain", "shape gain", "outline gain", "odd gain", "word gain"),
    *("share", "best share", "agree", "support", "mass", "value share", "other share"),
    *(
        "keep",
        "alike",
        "edits",
        "length change",
        "letters",
        "other letters",
        "other alike",
        "alike rank",
        "nearer than usual",
    ),
    *("program right", "program wrong", "other program", "is vote", "is near", "is program"),
    *("known wrong", "known right", "answer known wrong", "answer known right", "dirt", "answers"),
    *("distinct", "blanks", "entropy", "single", "crowd"),
)


def features(
    profile: Profile,
    options: Options,
    tables: Sequence[VoteTable],
    weights: Sequence[float],
    knowledge: Knowledge,
    crowd: float,
    record: Ints | None = None,
) -> Floats:
    """Features of all options. `record` names, per cell, the labelled record that must not be its own witness."""
    cells = len(options.codes)
    record = np.full(cells, NOBODY, dtype=np.int64) if record is None else record
    blocks = [
        _usual(profile, options),
        _votes(options, tables, weights),
        _edits(options, knowledge, crowd, record),
        _programs(options, knowledge, record),
        _labels(options, knowledge, record),
        np.tile([*profile.columns[options.column].spread, crowd], (len(options.cell), 1)),
    ]
    return np.hstack(blocks).astype(np.float32)


def _usual(profile: Profile, options: Options) -> Doubles:
    """How usual the answer and the present value are in their column."""
    about = profile.columns[options.column]
    padded = np.concatenate([options.counts, np.zeros(len(options.values) - len(options.counts), np.int64)])
    used, answer_at = np.unique(options.value, return_inverse=True)
    texts = [options.values[code] for code in used]
    free = about.facts(texts, padded[used], np.zeros(len(used), dtype=bool))
    own, own_at = np.unique(options.own, return_inverse=True)
    mine = about.facts([options.values[code] for code in own], padded[own], np.ones(len(own), dtype=bool))
    value = mine[own_at][options.cell]
    keep = options.keep
    answer = np.where(keep[:, None], value, free[answer_at])
    gains = (answer - value)[:, [0, 1, 2, 3, 5]]
    return np.hstack([answer, value, gains])


def _votes(options: Options, tables: Sequence[VoteTable], weights: Sequence[float]) -> Doubles:
    """What other records say of the answer, of the present value, and of the best other answer."""
    said = ask(tables, weights, options.codes[options.cell], options.counted[options.cell], options.value)
    kept = _of_keep(options, said.share)
    return np.column_stack(
        [said.share, said.best, said.agree, said.support, said.mass, kept, _best_other(options, said.share)]
    )


def _of_keep(options: Options, score: Doubles) -> Doubles:
    """The score of the cell's own value, at each of its options."""
    kept = np.zeros(len(options.codes))
    keep = options.keep
    kept[options.cell[keep]] = score[keep]
    return kept[options.cell]


def _best_other(options: Options, score: Doubles) -> Doubles:
    """The best score among the cell's other options that are not its own value; 0 where there is none."""
    hidden = np.where(options.keep, -1.0, score)
    order = np.lexsort((-hidden, options.cell))
    cell = options.cell[order]
    first = np.ones(len(cell), dtype=bool)
    first[1:] = cell[1:] != cell[:-1]
    best = np.full(len(options.codes), -1.0)
    best[cell[first]] = hidden[order][first]
    best_at = np.zeros(len(cell), dtype=bool)
    best_at[order[first]] = True
    second_rows = np.flatnonzero(first) + 1
    second_rows = second_rows[second_rows < len(cell)]
    second_rows = second_rows[~first[second_rows]]
    second = np.full(len(options.codes), -1.0)
    second[cell[second_rows]] = hidden[order][second_rows]
    other = np.where(best_at & (hidden >= 0), second[options.cell], best[options.cell])
    return np.maximum(other, 0.0)


def _edits(options: Options, knowledge: Knowledge, crowd: float, record: Ints) -> Doubles:
    """How the answer differs from the present value, and how usual such an edit is."""
    own = options.own[options.cell]
    pair, at = np.unique(own * len(options.values) + options.value, return_inverse=True)
    before = [options.values[code] for code in pair // len(options.values)]
    after = [options.values[code] for code in pair % len(options.values)]
    alike = process.cpdist(
        [b[:_LONGEST] for b in before], [a[:_LONGEST] for a in after], scorer=OSA.normalized_similarity
    )
    edits = process.cpdist([b[:_LONGEST] for b in before], [a[:_LONGEST] for a in after], scorer=OSA.distance)
    longer = np.array([len(a) - len(b) for a, b in zip(after, before, strict=True)], dtype=np.float64)
    letters = _letters(before, after, at, knowledge, record[options.cell])
    close = np.asarray(alike, dtype=np.float64)[at]
    keep = options.keep.astype(np.float64)
    return np.column_stack(
        [
            keep,
            close,
            np.asarray(edits, dtype=np.float64)[at],
            longer[at],
            letters,
            _best_other(options, letters),
            _best_other(options, close),
            _rank(options, np.where(keep > 0, 2.0, close)),
            np.where(keep > 0, _best_other(options, close), close) - crowd,
        ]
    )


def _rank(options: Options, score: Doubles) -> Doubles:
    """How many options of the same cell score higher, ties counted half."""
    order = np.lexsort((-score, options.cell))
    cell = options.cell[order]
    start = np.searchsorted(cell, cell)
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order)) - start
    tied = np.zeros(len(order), dtype=bool)
    tied[1:] = (cell[1:] == cell[:-1]) & (score[order][1:] == score[order][:-1])
    tied[:-1] |= tied[1:]
    rank[order] += 0.5 * tied
    return rank


def _letters(before: list[str], after: list[str], at: Ints, knowledge: Knowledge, record: Ints) -> Doubles:
    """How usual the letters are that the edit takes away."""
    if not knowledge.gone:
        return np.zeros(len(at))
    gone = [edited_letters(b, a)[0] if a != b else "" for b, a in zip(before, after, strict=True)]
    usual = np.array([knowledge.letters(letters) for letters in gone])[at]
    for i in np.flatnonzero(record != NOBODY).tolist():
        usual[i] = knowledge.letters(gone[at[i]], int(record[i]))
    return usual


def _programs(options: Options, knowledge: Knowledge, record: Ints) -> Doubles:
    """How often the best program that makes the answer was right and wrong, and the same of the other answers."""
    tried = knowledge.programs[options.column]
    right = np.zeros(len(options.cell))
    wrong = np.zeros(len(options.cell))
    if tried:
        table = np.array([t.support() for t in tried])
        made = options.program >= 0
        right[made], wrong[made] = table[options.program[made]].T
        for i in np.flatnonzero(made & (record[options.cell] != NOBODY)).tolist():
            right[i], wrong[i] = tried[options.program[i]].support(int(record[options.cell[i]]))
    sources = [(options.source & bit > 0).astype(np.float64) for bit in (VOTE, NEAR, PROGRAM)]
    return np.column_stack([np.log1p(right), np.log1p(wrong), _best_other(options, np.log1p(right)), *sources])


def _labels(options: Options, knowledge: Knowledge, record: Ints) -> Doubles:
    """What people said of this very value and answer, how dirty the column is, how many answers there are."""
    codes, at = np.unique(options.value, return_inverse=True)
    known = np.array([knowledge.known(options.column, options.values[code]) for code in codes])[at]
    dirt = np.full(len(options.codes), knowledge.dirt(options.column))
    for cell in np.flatnonzero(record != NOBODY).tolist():
        dirt[cell] = knowledge.dirt(options.column, int(record[cell]))
    for i in np.flatnonzero(record[options.cell] != NOBODY).tolist():
        text = options.values[options.value[i]]
        known[i] = knowledge.known(options.column, text, int(record[options.cell[i]]))
    counted = np.bincount(options.cell, minlength=len(options.codes)).astype(np.float64)
    value_wrong, value_right = _of_keep(options, known[:, 0]), _of_keep(options, known[:, 1])
    columns = [value_wrong, value_right, known[:, 0], known[:, 1], dirt[options.cell], counted[options.cell]]
    return np.column_stack(columns)
