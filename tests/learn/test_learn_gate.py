"""The gate holds back what is worse or broken, lets improvements through, and says when it cannot tell."""

from __future__ import annotations

import numpy as np
from packyak.engine.learn.gate import Elsewhere, Judged, cross_answers, judge
from packyak.engine.learn.head import Shape, fit_head
from words import TOPICS, embed, messages

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 200)
GROUPS = np.arange(200)


def answers(right: float, sure: float = 0.8, seed: int = 0) -> Judged:
    rng = np.random.default_rng(seed)
    answer = np.where(rng.random(200) < right, TRUTH, (TRUTH + 1) % 3)
    return Judged.of(answer, np.clip(rng.normal(sure, 0.05, 200), 0, 1), TRUTH)


def test_better_is_promoted_and_worse_is_held() -> None:
    worse, better = answers(0.7, 0.7), answers(0.9, 0.9, 1)
    assert judge(worse, better, TRUTH, GROUPS).outcome == "promote"
    verdict = judge(better, worse, TRUTH, GROUPS)
    assert verdict.outcome == "hold"
    assert verdict.interval[0] < verdict.difference < verdict.interval[1]


def test_the_same_answers_pass() -> None:
    assert judge(answers(0.8), answers(0.8), TRUTH, GROUPS).promoted


def test_with_few_records_it_says_that_it_cannot_tell() -> None:
    few = slice(0, 5)
    parts = [Judged(a.answer[few], a.confidence[few], a.right[few]) for a in (answers(0.7), answers(0.9, 0.9, 1))]
    verdict = judge(parts[0], parts[1], TRUTH[few], GROUPS[few])
    assert verdict.outcome == "cannot tell"
    assert "5" in verdict.reason


def test_many_fields_of_few_records_are_few() -> None:
    assert judge(answers(0.7), answers(0.9, 0.9, 1), TRUTH, np.arange(200) % 6).outcome == "cannot tell"


def test_confidence_that_lies_is_held() -> None:
    assert judge(answers(0.8, 0.8), answers(0.8, 0.2), TRUTH, GROUPS).outcome == "hold"
    broken = answers(0.9, 0.9)
    nothing = Judged(broken.answer, np.full(200, np.nan), broken.right)
    assert judge(answers(0.8), nothing, TRUTH, GROUPS).outcome == "hold"


def test_an_answer_given_up_is_held() -> None:
    present = answers(0.9, 0.9)
    lost = np.where(TRUTH == 2, 0, TRUTH)
    candidate = Judged.of(lost, np.full(200, 0.7), TRUTH)
    assert judge(present, candidate, TRUTH, GROUPS).outcome == "hold"


def test_one_that_sees_the_answers_is_held() -> None:
    leak = Judged.of(TRUTH, np.full(200, 0.99), TRUTH)
    elsewhere = Elsewhere(0.1, np.clip(RNG.normal(0.8, 0.1, 500), 0, 0.98))
    verdict = judge(answers(0.8), leak, TRUTH, GROUPS, elsewhere)
    assert verdict.outcome == "hold"
    assert "saw the answers" in verdict.reason


def test_many_changes_without_gain_are_held() -> None:
    present, candidate = answers(0.8, 0.8), answers(0.8, 0.8, 0)
    elsewhere = Elsewhere(0.6, candidate.confidence)
    assert judge(present, candidate, TRUTH, GROUPS, elsewhere).outcome == "hold"


def test_a_learner_with_a_bug_is_held_back() -> None:
    records, topics = messages(240)
    vectors, truth = embed(records["text"].to_pylist()), np.array([TOPICS.index(t) for t in topics])
    rows = np.arange(90)

    def sound(train: np.ndarray, asked: np.ndarray, flip: int = 0) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        head = fit_head(vectors[train], (truth[train] + flip * (train % 2)) % 3, 3, Shape(10.0, 0.0), None)
        chances = np.exp(head.scores(vectors[asked]))
        chances /= chances.sum(axis=1, keepdims=True)
        return chances.argmax(axis=1), chances.max(axis=1)

    present = cross_answers(sound, truth[rows], rows)
    buggy = cross_answers(lambda a, b: sound(a, b, flip=1), truth[rows], rows)
    assert judge(present, buggy, truth[rows], rows).outcome == "hold"
    assert judge(buggy, present, truth[rows], rows).promoted


def test_rows_of_one_record_are_never_on_both_sides() -> None:
    groups = np.arange(60) // 3

    def check(train: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
        assert not set(groups[train]) & set(groups[asked])
        return np.zeros(len(asked), np.int64), np.full(len(asked), 0.5)

    cross_answers(check, TRUTH[:60], groups)
