"""From raw scores to chances that hold: temperature for many classes, a slope and an offset for yes or no, and honest
thresholds.

All are fitted on held-out scores of labelled records only. References: Guo et al. 2017 (temperature, expected
calibration error); Platt 1999 (slope and offset); Vovk et al. (conformal threshold).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, logit, softmax

from .arrays import Bools, Doubles, Ints


@dataclass(frozen=True)
class Temperature:
    """Divide scores by `value` before the softmax."""

    value: float = 1.0

    @staticmethod
    def fit(scores: Doubles, truth: Ints, weight: Doubles | None = None) -> Temperature:
        """The temperature under which the truth is most likely."""
        if not len(truth):
            return Temperature()
        weight = np.ones(len(truth)) if weight is None else weight
        rows = np.arange(len(truth))

        def loss(log_t: float) -> float:
            return -float((weight * log_softmax(scores / np.exp(log_t), axis=1)[rows, truth]).sum() / weight.sum())

        found = minimize_scalar(loss, bounds=(-3.5, 3.0), method="bounded", options={"xatol": 1e-4})
        return Temperature(float(f"{float(np.exp(found.x)):.6g}"))

    def chances(self, scores: Doubles) -> Doubles:
        """Calibrated chances, rows summing to one."""
        chances: Doubles = softmax(scores / self.value, axis=1)
        return chances


@dataclass(frozen=True)
class Slope:
    """For yes or no: chance' = expit(slope * logit(chance) + offset), drawn towards leaving the chance as it is."""

    slope: float = 1.0
    offset: float = 0.0

    @staticmethod
    def fit(chance: Doubles, right: Bools, trust: float = 1.0) -> Slope:
        """Slope and offset that fit what was right; `trust` is the weight of the belief that nothing needs changing."""
        if len(chance) < 2:
            return Slope()
        raw = logit(np.clip(chance, 1e-4, 1 - 1e-4))
        sign = np.where(right, 1.0, -1.0)

        def loss(at: Doubles) -> float:
            slope, offset = at
            fit = np.logaddexp(0, -sign * (slope * raw + offset)).sum()
            return float(fit + trust * ((slope - 1) ** 2 * 4 + offset**2))

        found = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.2, 5.0), (-4.0, 4.0)])
        return Slope(float(f"{found.x[0]:.6g}"), float(f"{found.x[1]:.6g}"))

    def chances(self, chance: Doubles) -> Doubles:
        """Calibrated chances."""
        made: Doubles = expit(self.slope * logit(np.clip(chance, 1e-4, 1 - 1e-4)) + self.offset)
        return made


def expected_error(confidence: Doubles, right: Bools, bins: int = 15) -> float:
    """Expected calibration error over equal-width bins."""
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, weights=np.asarray(right, float) - confidence, minlength=bins)
    return float(np.abs(gap).sum() / max(count.sum(), 1))


def threshold_for(confidence: Doubles, right: Bools, wanted: float, margin: float = 0.0) -> float:
    """The lowest confidence above which the share of right answers is at least `wanted`, by held-out answers.

    A bound that is met by luck is not taken: the share is lowered by `margin` standard errors. Returns a number above
    1 where no threshold does.
    """
    if not len(confidence):
        return 1.01
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(np.asarray(right, float)[order])
    many = np.arange(1, len(order) + 1)
    share = (hits + 0.5) / (many + 0.5 / wanted)
    good = share - margin * np.sqrt(share * (1 - share) / many) >= wanted
    last = np.ones(len(order), dtype=bool)
    last[:-1] = confidence[order][:-1] != confidence[order][1:]
    good &= last
    return float(confidence[order][np.flatnonzero(good)[-1]]) if good.any() else 1.01


def conformal(scores_of_truth: Doubles, miss: float) -> float:
    """The least chance that an answer needs to be in a set that holds the truth but for a share `miss` of records.

    Holds only for records exchangeable with those given: use those that were asked at random.
    """
    if not len(scores_of_truth):
        return 0.0
    rank = int(np.floor(miss * (len(scores_of_truth) + 1))) - 1
    return float(np.sort(scores_of_truth)[rank]) if rank >= 0 else 0.0
