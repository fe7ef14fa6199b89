"""The gate: learners broken on purpose must be held back, honest improvements must pass. All on banking77."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from bench_learn_messages import Messages, messages
from bench_learn_table import Line, show
from packyak.engine.learn.arrays import Doubles, Floats, Ints
from packyak.engine.learn.calibrate import Temperature
from packyak.engine.learn.embed import Embedder
from packyak.engine.learn.gate import Elsewhere, Judged, Verdict, cross_answers, judge
from packyak.engine.learn.head import Shape, fit_head, held_out_scores

Change = Callable[[Floats], Floats]
ANSWERS = 77
FOLDS = 6
SHAPE = Shape()


def _same(values: Floats) -> Floats:
    return values


@dataclass(frozen=True)
class Way:
    """One way of learning, sound or broken: which vectors it trains on and is asked with, which labels it believes,
    how it changes its chances, which answers it says."""

    vectors: Floats
    labels: Ints
    names: Floats | None
    shape: Shape = SHAPE
    asked_with: Floats | None = None
    trains_on: Ints | None = None
    chances: Callable[[Doubles], Doubles] = lambda chances: chances
    says: Ints | None = None
    remembers: bool = False
    calibrated: bool = True

    def answer(self, train: Ints, asked: Ints) -> tuple[Ints, Doubles]:
        """Train on some rows, answer others."""
        known = train if self.trains_on is None else train[np.isin(train, self.trains_on)]
        truth = self.labels[known]
        head = fit_head(self.vectors[known], truth, ANSWERS, self.shape, self.names)
        temperature = self._temperature(known, truth)
        vectors = self.vectors if self.asked_with is None else self.asked_with
        chances = self.chances(temperature.chances(head.scores(vectors[asked])))
        answer = chances.argmax(axis=1)
        confidence = chances.max(axis=1)
        if self.remembers:
            answer, confidence = self.labels[asked], np.full(len(asked), 0.97)
        return (answer if self.says is None else self.says[answer]), confidence

    def _temperature(self, known: Ints, truth: Ints) -> Temperature:
        if not self.calibrated:
            return Temperature()
        scores = held_out_scores(
            self.vectors[known], truth, np.arange(len(known)), ANSWERS, self.shape, self.names, 0, many=2
        )
        return Temperature.fit(scores, truth)


@dataclass(frozen=True)
class Case:
    """A present model, with the rows that it knew, and a candidate, with all rows labelled by now."""

    name: str
    present: Way
    old: Ints
    candidate: Way
    labelled: Ints


def decide(case: Case, data: Messages, pool: Ints, test: Ints, known: dict[int, Judged]) -> tuple[Verdict, float]:
    """The gate's verdict, and the true gain on records that nobody labelled and nothing was judged on. `known` keeps
    the present models' answers, which several cases share."""
    rows = case.labelled
    truth = data.truth[rows]
    groups = np.arange(len(rows))
    told = cross_answers(lambda a, b: case.candidate.answer(rows[a], rows[b]), truth, groups, folds=FOLDS)
    name = hash((id(case.present), case.old.tobytes(), rows.tobytes()))
    if name not in known:
        known[name] = _said_before(case, data)
    others = np.setdiff1d(pool, rows)
    before, _ = case.present.answer(case.old, others)
    asked = np.concatenate([others, test])
    after, sure = replace(case.candidate, remembers=False).answer(rows, asked)
    there = len(others)
    elsewhere = Elsewhere(float((before != after[:there]).mean()), sure[:there])
    verdict = judge(known[name], told, truth, groups, elsewhere)
    now, _ = case.present.answer(case.old, test)
    right = data.truth[test]
    return verdict, float((after[there:] == right).mean() - (now == right).mean())


def _said_before(case: Case, data: Messages) -> Judged:
    """The present model's answers on all labelled records: held out for those it was trained on, its own for the
    newer."""
    rows, old = case.labelled, case.old
    new = np.setdiff1d(rows, old)
    said = cross_answers(
        lambda a, b: case.present.answer(old[a], old[b]), data.truth[old], np.arange(len(old)), folds=FOLDS
    )
    later = _asked(case.present, old, new)
    answer, confidence = np.empty(len(rows), dtype=np.int64), np.empty(len(rows))
    place = np.searchsorted(rows, np.concatenate([old, new]))
    answer[place] = np.concatenate([said.answer, later[0]])
    confidence[place] = np.concatenate([said.confidence, later[1]])
    return Judged.of(answer, confidence, data.truth[rows])


def _asked(way: Way, train: Ints, asked: Ints) -> tuple[Ints, Doubles]:
    return way.answer(train, asked) if len(asked) else (np.zeros(0, np.int64), np.zeros(0))


def broken_cases(data: Messages, pool: Ints, names: Floats, seed: int) -> list[Case]:
    """Twenty learners with a defect, against a sound present model with four fifths of the labels."""
    rng = np.random.default_rng([seed, 0])
    rows = np.sort(rng.choice(pool, 616, replace=False))
    old = np.sort(rng.choice(rows, 500, replace=False))
    sound = Way(data.vectors, data.truth, names)
    x, y = data.vectors, data.truth
    leak = np.zeros((len(x), ANSWERS), dtype=np.float32)
    leak[rows, y[rows]] = 1.0
    half = leak.copy()
    half[rows[::2]] = 0.0
    wide = np.hstack([names, np.zeros((ANSWERS, ANSWERS), np.float32)])
    zeroed = x.copy()
    zeroed[:, 24:] = 0.0
    dropped = np.arange(ANSWERS)
    dropped[:20] = dropped[20:40]
    turned = np.roll(np.arange(ANSWERS), 1)
    half_turned = np.where(np.arange(ANSWERS) < 38, turned, np.arange(ANSWERS))
    noise = rng.normal(0, 0.08, x.shape).astype(np.float32)

    def wrong(share: float) -> Ints:
        return np.where(rng.random(len(y)) < share, rng.integers(0, ANSWERS, len(y)), y)

    def sharp(power: float) -> Callable[[Doubles], Doubles]:
        return lambda c: np.asarray(c**power / (c**power).sum(axis=1, keepdims=True))

    ways = {
        "30 % wrong labels": replace(sound, labels=wrong(0.3), names=None),
        "60 % wrong labels": replace(sound, labels=wrong(0.6), names=None),
        "labels of the next record": replace(sound, labels=np.roll(y, 40), names=None),
        "ten answers merged": replace(sound, labels=np.where(y < 20, y // 2 * 2, y), names=None),
        "answers numbered anew": replace(sound, says=turned),
        "half of the answers numbered anew": replace(sound, says=half_turned),
        "most of the vector lost": replace(sound, vectors=zeroed),
        "vector mixed up when asked": replace(sound, asked_with=x[:, rng.permutation(x.shape[1])]),
        "vectors of another record": replace(sound, asked_with=np.roll(x, 40, axis=0)),
        "noise in the vectors": replace(sound, vectors=x + noise),
        "hardly fitted": replace(sound, shape=Shape(1e-4, 0.0), names=None),
        "one answer for all": replace(sound, says=np.zeros(ANSWERS, np.int64)),
        "far too sure": replace(sound, chances=sharp(12.0)),
        "never sure": replace(sound, chances=sharp(0.15)),
        "confidence not a number": replace(sound, chances=lambda c: np.where(c == c.max(), np.nan, c)),
        "sees the answer of labelled records": replace(sound, vectors=np.hstack([x, leak]), names=wide),
        "sees half of the answers": replace(sound, vectors=np.hstack([x, half]), names=wide),
        "remembers what it is judged on": replace(sound, remembers=True),
        "trained on a fifth, the oldest": replace(sound, trains_on=rows[:123], names=None),
        "never saw half of the intents": replace(sound, trains_on=rows[y[rows] < 38], names=None),
    }
    return [Case(name, sound, old, way, rows) for name, way in ways.items()]


def honest_cases(data: Messages, pool: Ints, names: Floats, seed: int) -> list[Case]:
    """Twenty improvements: more labels, names, a better head, repaired features or labels, better confidence."""
    order = np.random.default_rng([seed, 1]).permutation(pool)
    plain = Way(data.vectors, data.truth, None, Shape(30.0, 0.0))
    named = Way(data.vectors, data.truth, names)
    rng = np.random.default_rng([seed, 2])
    wrong = np.where(rng.random(len(data.truth)) < 0.2, rng.integers(0, ANSWERS, len(data.truth)), data.truth)
    zeroed, short = data.vectors.copy(), data.vectors.copy()
    zeroed[:, ::2], short[:, 48:] = 0.0, 0.0

    def rows(many: int) -> Ints:
        return np.sort(order[:many])

    cases = [
        Case(f"{what}: {a} to {b} labels", way, rows(a), way, rows(b))
        for what, way in (("plain", plain), ("named", named))
        for a, b in ((77, 154), (154, 231), (154, 308), (308, 462), (308, 616))
    ]
    cases += [Case(f"names, {n} labels", plain, rows(n), named, rows(n)) for n in (100, 154, 308)]
    changes = {
        "a head that fits": replace(plain, shape=Shape(0.05, 0.0)),
        "labels put right": replace(plain, labels=wrong),
        "whole vectors": replace(plain, vectors=zeroed),
        "longer vectors": replace(plain, vectors=short),
        "confidence calibrated": replace(plain, calibrated=False),
    }
    cases += [Case(name, worse, rows(308), plain, rows(308)) for name, worse in changes.items()]
    return [*cases, Case("all at once", changes["longer vectors"], rows(154), named, rows(308)),
            Case("confidence and names", changes["confidence calibrated"], rows(231), named, rows(231))]  # fmt: skip


def gate(seed: int = 0) -> bool:
    """Both tables."""
    data = messages()
    names = Embedder()([" ".join(name.replace("_", " ").split()) for name in data.names])
    pool, test = next(data.folds(seed=seed))
    counts = {}
    known: dict[int, Judged] = {}
    for kind, cases in (
        ("broken", broken_cases(data, pool, names, seed)),
        ("honest", honest_cases(data, pool, names, seed)),
    ):
        print(f"\n  {kind:<36}  verdict       gain on fresh records   why")
        counts[kind] = 0
        for case in cases:
            verdict, gain = decide(case, data, pool, test, known)
            counts[kind] += verdict.promoted
            print(f"  {case.name:<36}  {verdict.outcome:<12}  {gain:>+20.3f}   {verdict.reason}", flush=True)
    return show(
        "gate: 20 broken learners, 20 honest improvements",
        [
            Line(
                "broken learners promoted",
                counts["broken"],
                "<=",
                0,
                "without it a bug took F1 from .91 to .43",
            ),
            Line("honest improvements promoted", counts["honest"], ">=", 15),
        ],
    )
