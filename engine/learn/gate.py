"""May this candidate replace the present model? Only if it is not worse on the same held-out corrections.

Every judged answer is paired: the present model's and the candidate's, on the same record, neither having trained on
it (`cross_answers` makes the candidate's; what the present model said of records corrected since is its own).
Records, not cells, are the units. With too few records that tell the two apart, the gate says so.

A mean hides some ways of being broken, so a candidate is also held for: confidence that lies, an answer that it gives
up, many changed records without a gain, and being far surer of labelled records than of others, as a learner is that
sees the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import binom, norm, rankdata

from .arrays import Bools, Doubles, Ints
from .calibrate import expected_error
from .head import folds_of

Outcome = Literal["promote", "hold", "cannot tell"]
Answering = Callable[[Ints, Ints], tuple[Ints, Doubles]]
ENOUGH = 8
CHANCE = 0.2
CLEARLY = 0.02
CHURN = 0.35
SURER = 0.58
MORE = 0.06


@dataclass(frozen=True)
class Judged:
    """One model's held-out answers: which (as numbers), how sure, and whether right."""

    answer: Ints
    confidence: Doubles
    right: Bools

    @staticmethod
    def of(answer: Ints, confidence: Doubles, truth: Ints) -> Judged:
        """Compare with the truth."""
        return Judged(answer, confidence, np.equal(answer, truth))


@dataclass(frozen=True)
class Elsewhere:
    """What the two would say of records that nobody labelled: share of changed answers, and the candidate's
    confidence."""

    changed: float
    confidence: Doubles


@dataclass(frozen=True)
class Verdict:
    """What the gate says and why. `difference` is candidate minus present in the share of right answers, with its 90 %
    interval; `better` and `worse` count records."""

    outcome: Outcome
    reason: str
    better: int
    worse: int
    records: int
    difference: float
    interval: tuple[float, float]

    @property
    def promoted(self) -> bool:
        """Whether the candidate replaces the present model."""
        return self.outcome == "promote"


def cross_answers(answering: Answering, truth: Ints, groups: Ints, seed: int = 0, folds: int = 8) -> Judged:
    """Held-out answers of a learner: `answering(train rows, asked rows)` gives answers and confidence; rows of one
    group are never on both sides."""
    answer = np.full(len(truth), -1, dtype=np.int64)
    confidence = np.zeros(len(truth))
    fold = folds_of(groups, truth, max(2, min(folds, len(np.unique(groups)))), seed)
    for part in np.unique(fold).tolist():
        out = np.flatnonzero(fold == part)
        answer[out], confidence[out] = answering(np.flatnonzero(fold != part), out)
    return Judged.of(answer, confidence, truth)


def judge(present: Judged, candidate: Judged, truth: Ints, groups: Ints, elsewhere: Elsewhere | None = None) -> Verdict:
    """Compare two models answer by answer; `groups` tells which record each answer is of."""
    score = _by_record(candidate.right.astype(float) - present.right.astype(float), groups)
    better, worse = int((score > 0).sum()), int((score < 0).sum())
    difference, interval = _interval(score)

    def say(outcome: Outcome, reason: str) -> Verdict:
        return Verdict(outcome, reason, better, worse, len(score), difference, interval)

    if len(score) < ENOUGH:
        return say("cannot tell", f"{len(score)} corrected records to compare on, {ENOUGH} are needed")
    broken = _broken(present, candidate, truth, difference, elsewhere)
    if broken:
        return say("hold", broken)
    counts = f"better on {better} records, worse on {worse}"
    if difference >= 0:
        return say("promote", counts if better or worse else "the same answers on all records")
    chance = float(binom.cdf(better, better + worse, 0.5))
    if chance <= CHANCE or difference <= -CLEARLY:
        return say("hold", counts)
    return say("cannot tell", f"{counts}: too close to call")


def _by_record(values: Doubles, groups: Ints) -> Doubles:
    """Mean of the values of each record."""
    kinds, place = np.unique(groups, return_inverse=True)
    return np.bincount(place, weights=values, minlength=len(kinds)) / np.maximum(np.bincount(place), 1)


def _interval(score: Doubles) -> tuple[float, tuple[float, float]]:
    if len(score) < 2:
        return float(score.sum()), (-1.0, 1.0)
    mean = float(score.mean())
    spread = float(norm.ppf(0.95) * score.std(ddof=1) / np.sqrt(len(score)))
    return mean, (mean - spread, mean + spread)


def _broken(present: Judged, candidate: Judged, truth: Ints, difference: float, elsewhere: Elsewhere | None) -> str:
    """What is wrong with the candidate beyond its mean; empty when nothing is."""
    if not np.isfinite(candidate.confidence).all():
        return "its confidence is not a number"
    off = [expected_error(judged.confidence, judged.right, 10) for judged in (present, candidate)]
    if off[1] > off[0] + 0.1 and difference < 0.1:
        return f"its confidence is off by {off[1]:.0%}, the present model's by {off[0]:.0%}"
    lost = _lost(present, candidate, truth)
    if lost and difference < 0.05:
        return f"{len(lost)} of the answers that the present model gives rightly are lost"
    if elsewhere is None:
        return ""
    if elsewhere.changed > CHURN and difference < 0.05:
        return f"it would change {elsewhere.changed:.0%} of all records and is hardly better on those people judged"
    surer, noise = _surer(candidate.confidence, elsewhere.confidence)
    if surer > SURER + 2 * noise:
        return f"it is surer of a labelled record than of another in {surer:.0%} of cases, as if it saw the answers"
    more, noise = _more(candidate.confidence, elsewhere.confidence)
    if more > MORE + 2 * noise:
        return f"its confidence is {more:.0%} higher on labelled records than on others, as if it saw the answers"
    return ""


def _more(labelled: Doubles, others: Doubles) -> tuple[float, float]:
    """How much higher the mean confidence of held-out labelled records is, and the standard error of that."""
    if len(labelled) < 2 or len(others) < 2:
        return 0.0, 1.0
    noise = np.sqrt(labelled.var() / len(labelled) + others.var() / len(others))
    return float(labelled.mean() - others.mean()), float(noise)


def _surer(labelled: Doubles, others: Doubles) -> tuple[float, float]:
    """How often a held-out labelled record gets more confidence than one that nobody labelled (ties half), and the
    standard error of that. Labelled records are drawn or chosen for being hard: an honest learner gives about a half,
    or less."""
    if not len(labelled) or not len(others):
        return 0.5, 0.5
    rank = rankdata(np.concatenate([labelled, others]))[: len(labelled)].sum()
    share = (rank - len(labelled) * (len(labelled) + 1) / 2) / (len(labelled) * len(others))
    return float(share), float(np.sqrt((1 / len(labelled) + 1 / len(others)) / 12))


def _lost(present: Judged, candidate: Judged, truth: Ints) -> list[int]:
    """Answers of which the present model has at least three right and the candidate at most a third of those."""
    lost = []
    for answer in np.unique(truth).tolist():
        here = truth == answer
        had, has = int((present.right & here).sum()), int((candidate.right & here).sum())
        if had >= 3 and has * 3 <= had:
            lost.append(answer)
    return lost
