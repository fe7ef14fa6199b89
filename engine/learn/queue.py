"""Which records a person should answer next, and why each is asked.

Without a model: records typical of parts of the data that nobody has answered for. With one: those where it wavers,
spread out so that no two ask the same thing, covering as many doubtful records as possible while labels are few,
weighed by how much hangs on them. Special reasons (contradictions, second opinions, outdated corrections, failed
checks) go first. One in five is drawn at random: only those judge a model without bias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Bools, Doubles, Floats, Ints, one_thread

RANDOM_SHARE = 0.2
WIDE = 3
MOST_ROWS = 20_000
TYPICAL = 10
EARLY = 4
NARROW = 8
MOST_ASKED = 4_000


@dataclass(frozen=True)
class Ask:
    """One record to ask about: its row, the reason in words, and whether it was drawn at random."""

    row: int
    why: str
    at_random: bool = False


def next_questions(
    vectors: Floats,
    open_rows: Bools,
    many: int,
    seed: int = 0,
    chances: Doubles | None = None,
    weight: Doubles | None = None,
    special: Mapping[int, str] | None = None,
) -> list[Ask]:
    """The next `many` records.

    vectors: one row a record. open_rows: records that nobody answered. chances: of every answer, by the present model
    (None: there is no model). weight: how much hangs on each record (1 where nothing is said). special: rows with a
    reason of their own, most urgent first; these may have been answered before.
    """
    asked = [Ask(row, why) for row, why in list((special or {}).items())[:many]]
    rng = np.random.default_rng([seed, int((~open_rows).sum())])
    free = np.flatnonzero(open_rows & ~np.isin(np.arange(len(open_rows)), [ask.row for ask in asked]))
    left = min(many - len(asked), len(free))
    drawn = round(left * RANDOM_SHARE)
    pool = np.sort(rng.choice(free, MOST_ROWS, replace=False)) if len(free) > MOST_ROWS else free
    weight = np.ones(len(open_rows)) if weight is None else weight
    with one_thread():
        chosen = _chosen(vectors, ~open_rows, pool, left - drawn, chances, weight, seed)
    asked += chosen
    rest = np.setdiff1d(free, [ask.row for ask in chosen])
    at_random = rng.choice(rest, min(drawn, len(rest)), replace=False)
    return asked + [Ask(int(row), "drawn at random, to judge the model", True) for row in at_random.tolist()]


def _chosen(
    vectors: Floats, answered: Bools, pool: Ints, many: int, chances: Doubles | None, weight: Doubles, seed: int
) -> list[Ask]:
    if many <= 0 or not len(pool):
        return []
    done = np.flatnonzero(answered)
    if chances is None:
        return _typical(vectors, done, pool, many, weight, seed)
    if len(done) < EARLY * chances.shape[1]:
        return _covering(vectors, done, pool, many, chances, weight, seed)
    return _uncertain(vectors, pool, many, chances, weight, seed)


def margins(chances: Doubles) -> Doubles:
    """How far the best answer is ahead of the second."""
    if chances.shape[1] < 2:
        return np.ones(len(chances))
    two = np.partition(chances, -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def _typical(vectors: Floats, done: Ints, pool: Ints, many: int, weight: Doubles, seed: int) -> list[Ask]:
    """Cut all into as many parts as there will be answers; the most typical record of the largest parts without one."""
    here = np.concatenate([pool, done])
    parts = _parts(vectors[here], min(many + len(done), len(here)), seed)
    part_of, taken = parts[: len(pool)], set(parts[len(pool) :].tolist())
    size = np.bincount(part_of, weights=weight[pool], minlength=int(parts.max()) + 1)
    order = [part for part in np.argsort(-size, kind="stable").tolist() if size[part] > 0]
    order = [part for part in order if part not in taken] + [part for part in order if part in taken]
    asked: list[Ask] = []
    for part in order[:many]:
        members = pool[part_of == part]
        row = int(members[_most_typical(vectors[members])])
        like_it = f"{len(members)} records" if len(members) > 1 else "1 record"
        asked.append(Ask(row, f"typical of {like_it} that nobody has answered for"))
    return asked


def _covering(
    vectors: Floats, done: Ints, pool: Ints, many: int, chances: Doubles, weight: Doubles, seed: int
) -> list[Ask]:
    """Records that, together with the answered ones, are near to as much doubt as possible (greedy facility
    location)."""
    doubt = (1.0 - margins(chances[pool])) * weight[pool]
    rng = np.random.default_rng(seed)
    places = np.arange(len(pool))
    around = places if len(pool) <= MOST_ASKED else np.sort(rng.choice(places, MOST_ASKED, replace=False))
    offered = places if len(pool) <= MOST_ASKED else np.sort(np.argsort(-doubt, kind="stable")[:MOST_ASKED])
    near = _nearness(vectors[pool[around]], vectors[pool[offered]])
    covered = np.zeros(len(around), dtype=np.float32)
    for start in range(0, len(done), MOST_ASKED):
        answered = _nearness(vectors[pool[around]], vectors[done[start : start + MOST_ASKED]])
        covered = np.maximum(covered, answered.max(axis=1))
    need = doubt[around].astype(np.float32)
    asked = []
    for _ in range(min(many, len(offered))):
        gain = need @ np.maximum(near - covered[:, None], 0)
        best = int(np.argmax(gain))
        fresh = int(((near[:, best] > covered) & (near[:, best] > 0.5**NARROW)).sum())
        row = int(pool[offered[best]])
        asked.append(Ask(row, _doubt_words(chances[row], fresh)))
        covered = np.maximum(covered, near[:, best])
        near[:, best] = 0
    return asked


def _nearness(some: Floats, others: Floats) -> Floats:
    """Likeness from 0 to 1, sharpened so that only near ones count."""
    return np.asarray(np.maximum(some @ others.T, 0) ** NARROW, dtype=np.float32)


def _uncertain(vectors: Floats, pool: Ints, many: int, chances: Doubles, weight: Doubles, seed: int) -> list[Ask]:
    """The least certain, cut into parts that differ; the least certain of each."""
    doubt = (1.0 - margins(chances[pool])) * weight[pool]
    near = np.argsort(-doubt, kind="stable")[: WIDE * many]
    part_of = _parts(vectors[pool[near]], min(many, len(near)), seed)
    asked = []
    for part in range(int(part_of.max()) + 1):
        members = near[part_of == part]
        if len(members):
            row = int(pool[members[int(np.argmax(doubt[members]))]])
            asked.append(Ask(row, _doubt_words(chances[row], len(members))))
    return asked


def _doubt_words(chance: Doubles, like_it: int) -> str:
    two = np.sort(chance)[::-1][:2]
    others = f"; {like_it - 1} like it" if like_it > 1 else ""
    return f"the model wavers ({two[0]:.0%} against {two[-1]:.0%}){others}"


def _most_typical(vectors: Floats) -> int:
    """The place of the record nearest to its nearest neighbours."""
    alike = vectors @ vectors.T
    near = np.partition(alike, -min(TYPICAL, len(vectors)), axis=1)[:, -min(TYPICAL, len(vectors)) :]
    return int(np.argmax(near.mean(axis=1)))


def _parts(vectors: Floats, many: int, seed: int) -> Ints:
    """Cut records into parts by k-means; big sets in small batches."""
    from sklearn.cluster import KMeans, MiniBatchKMeans

    if many >= len(vectors):
        return np.arange(len(vectors))
    if len(vectors) <= 5_000:
        many = min(many, len({row.tobytes() for row in vectors}))  # k-means warns of parts that stay empty
    made: Any = (
        KMeans(many, n_init=1, max_iter=30, random_state=seed)
        if len(vectors) <= 5_000
        else MiniBatchKMeans(many, n_init=1, batch_size=2048, max_iter=30, random_state=seed)
    )
    return np.asarray(made.fit_predict(vectors.astype(np.float64)), dtype=np.int64)


def suspects(chances: Doubles, given: Ints, keys: Sequence[int], least: float = 0.5) -> dict[int, str]:
    """Answers that people gave and that the others' answers speak against: held-out chances (each row by a model that
    never saw its record) and the answer given. Confident learning: a given answer is doubted where another reaches
    the mean chance that its own records have. Returns rows (of `keys`), most doubtful first, with the reason. Source:
    Northcutt et al. 2021.
    """
    rows = np.arange(len(given))
    own = chances[rows, given]
    usual = np.array([own[given == k].mean() if (given == k).any() else 1.0 for k in range(chances.shape[1])])
    best = np.argmax(np.where(chances >= usual, chances, -1.0), axis=1)
    over = (chances >= usual).any(axis=1) & (best != given)
    doubt = chances[rows, np.argmax(chances, axis=1)] - own
    doubted = np.flatnonzero(over & (doubt >= least * 0.2))
    order = doubted[np.argsort(-doubt[doubted], kind="stable")]
    return {int(keys[i]): f"others like it were answered differently ({doubt[i]:.0%} apart)" for i in order.tolist()}
