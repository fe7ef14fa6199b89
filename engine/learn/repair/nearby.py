"""Frequent values that look almost like a rare one, by edit distance (rapidfuzz)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ..arrays import Ints

KEEP = 3
LEAST_ALIKE = 0.55
_CELLS = 8_000_000
_ALL_AGAINST_ALL = 60_000_000
_LONGEST = 200
_CROWD = 600


def nearest(values: Sequence[str], counts: Ints, asked: Ints) -> tuple[Ints, Ints]:
    """For the values at the places `asked`, up to `KEEP` values that are alike and at least twice as frequent:
    (place in `asked`, place of the near value). Never seen values have count 0."""
    targets = np.array([i for i in np.flatnonzero(counts >= 2).tolist() if len(values[i].strip()) > 1], dtype=np.int64)
    asked_at = np.array([i for i, place in enumerate(asked.tolist()) if len(values[place].strip()) > 1], dtype=np.int64)
    if not len(targets) or not len(asked_at):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    if len(targets) * len(asked_at) > _ALL_AGAINST_ALL:
        return _blocked(values, counts, asked, asked_at, targets)
    found_from: list[Ints] = []
    found_to: list[Ints] = []
    words = [values[i][:_LONGEST] for i in targets]
    step = max(1, _CELLS // len(targets))
    for at in range(0, len(asked_at), step):
        chunk = asked_at[at : at + step]
        queries = [values[asked[i]][:_LONGEST] for i in chunk]
        alike = process.cdist(
            queries, words, scorer=OSA.normalized_similarity, score_cutoff=LEAST_ALIKE, dtype=np.float32
        )
        alike[counts[targets][None, :] < 2 * counts[asked[chunk]][:, None]] = 0
        alike[targets[None, :] == asked[chunk][:, None]] = 0
        row, column = _best(alike)
        found_from.append(chunk[row])
        found_to.append(targets[column])
    return np.concatenate(found_from), np.concatenate(found_to)


def crowd(values: Sequence[str], counts: Ints) -> float:
    """How alike values that occur more than once are to their nearest such neighbour, on average: where they all
    resemble each other, as dates and numbers do, being near means nothing."""
    usual = [i for i in np.flatnonzero(counts >= 2).tolist() if len(values[i].strip()) > 1][:_CROWD]
    if len(usual) < 2:
        return 0.0
    words = [values[i][:_LONGEST] for i in usual]
    alike = process.cdist(words, words, scorer=OSA.normalized_similarity, dtype=np.float32)
    np.fill_diagonal(alike, 0)
    return float(alike.max(axis=1).mean())


def _best(alike: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> tuple[Ints, Ints]:
    """The `KEEP` most alike of each row; on ties the earlier, which is the more frequent."""
    row, column = np.nonzero(alike)
    order = np.lexsort((column, -alike[row, column], row))
    row, column = row[order], column[order]
    first = np.searchsorted(row, row)
    kept = np.arange(len(row)) - first < KEEP
    return row[kept].astype(np.int64), column[kept].astype(np.int64)


def _blocked(values: Sequence[str], counts: Ints, asked: Ints, asked_at: Ints, targets: Ints) -> tuple[Ints, Ints]:
    """The same in a large domain: only values that share their first or last half with the asked one are compared."""
    blocks: dict[tuple[int, str], list[int]] = {}
    for target in targets.tolist():
        for key in _halves(values[target], (len(values[target]),)):
            block = blocks.setdefault(key, [])
            if len(block) < 40:
                block.append(target)
    found_from: list[int] = []
    found_to: list[int] = []
    for i in asked_at.tolist():
        place = int(asked[i])
        text = values[place]
        keys = _halves(text, (len(text) - 1, len(text), len(text) + 1))
        near = dict.fromkeys(t for key in keys for t in blocks.get(key, ()))
        choices = {t: values[t][:_LONGEST] for t in near if t != place and counts[t] >= 2 * counts[place]}
        hits = process.extract(
            text[:_LONGEST], choices, scorer=OSA.normalized_similarity, limit=KEEP, score_cutoff=LEAST_ALIKE
        )
        found_from.extend(i for _ in hits)
        found_to.extend(int(hit[2]) for hit in hits)
    return np.array(found_from, dtype=np.int64), np.array(found_to, dtype=np.int64)


def _halves(text: str, lengths: tuple[int, ...]) -> dict[tuple[int, str], None]:
    """The first and last halves of a text as one of those lengths would have them."""
    halves = {length // 2 for length in lengths if length >= 2}
    return dict.fromkeys(key for half in sorted(halves) for key in ((0, text[:half]), (1, text[-half:])))
