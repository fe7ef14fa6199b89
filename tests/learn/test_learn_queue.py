"""What is asked next, calibration, and the embedder with the real weights."""

from __future__ import annotations

import numpy as np
import pytest
from packyak.engine.learn.calibrate import Slope, Temperature, conformal, expected_error, threshold_for
from packyak.engine.learn.embed import WEIGHTS, Embedder, Remembered, text_hash
from packyak.engine.learn.queue import next_questions, suspects
from words import TOPICS, embed, messages

RECORDS, TRUE_TOPICS = messages(200)
VECTORS = embed(RECORDS["text"].to_pylist())
TRUTH = np.array([TOPICS.index(topic) for topic in TRUE_TOPICS])


def test_without_a_model_all_kinds_are_asked_and_a_fifth_is_random() -> None:
    asks = next_questions(VECTORS, np.ones(200, dtype=bool), 15)
    assert len({ask.row for ask in asks}) == 15
    assert sum(ask.at_random for ask in asks) == 3
    assert {TRUTH[ask.row] for ask in asks if not ask.at_random} == {0, 1, 2}
    assert all(ask.why for ask in asks)


def test_answered_records_are_not_asked_again() -> None:
    free = np.ones(200, dtype=bool)
    free[:190] = False
    chances = np.full((200, 3), 1 / 3)
    for given in (None, chances):
        assert {ask.row for ask in next_questions(VECTORS, free, 20, chances=given)} == set(range(190, 200))


def test_texts_that_are_often_the_same_are_asked_without_a_warning() -> None:
    same = VECTORS[[0, 1, 2] * 60]
    asks = next_questions(same, np.ones(180, dtype=bool), 12)
    assert sorted(ask.row % 3 for ask in asks if not ask.at_random) == [0, 1, 2]


@pytest.mark.parametrize("answered", [0, 60])
def test_where_the_model_wavers_is_asked(answered: int) -> None:
    chances = np.tile([0.98, 0.01, 0.01], (200, 1))
    chances[100:120] = [0.5, 0.49, 0.01]
    free = np.arange(200) >= answered
    asks = next_questions(VECTORS, free, 10, chances=chances)
    assert sum(100 <= ask.row < 120 for ask in asks if not ask.at_random) >= 6


def test_what_much_hangs_on_is_asked_first() -> None:
    chances = np.tile([0.5, 0.4, 0.1], (200, 1))
    weight = np.ones(200)
    weight[50:70] = 100.0
    free = np.arange(200) >= 20
    asks = next_questions(VECTORS, free, 10, chances=chances, weight=weight)
    assert sum(50 <= ask.row < 70 for ask in asks if not ask.at_random) >= 6


def test_special_reasons_go_first_even_for_answered_records() -> None:
    free = np.ones(200, dtype=bool)
    free[7] = False
    asks = next_questions(VECTORS, free, 5, special={7: "two people disagree"})
    assert (asks[0].row, asks[0].why) == (7, "two people disagree")
    assert len(asks) == 5


def test_same_seed_same_questions() -> None:
    free = np.ones(200, dtype=bool)
    assert next_questions(VECTORS, free, 20, seed=3) == next_questions(VECTORS, free, 20, seed=3)


def test_answers_that_others_speak_against_come_back() -> None:
    given = TRUTH.copy()
    given[:10] = (given[:10] + 1) % 3
    chances = np.full((200, 3), 0.05)
    chances[np.arange(200), TRUTH] = 0.9
    assert list(suspects(chances, given, list(range(200)))) == list(range(10))


def test_temperature_finds_how_sure_to_be() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 1, (4000, 5))
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(5, p=row) for row in chances])
    fitted = Temperature.fit(scores * 4, truth)
    assert fitted.value == pytest.approx(4, rel=0.15)
    made = fitted.chances(scores * 4)
    assert expected_error(made.max(axis=1), made.argmax(axis=1) == truth) < 0.03


def test_slope_leaves_good_chances_alone_and_mends_bad_ones() -> None:
    rng = np.random.default_rng(0)
    chance = rng.uniform(0.05, 0.95, 3000)
    right = rng.random(3000) < chance
    assert Slope.fit(chance, right).slope == pytest.approx(1, abs=0.15)
    lying = 1 / (1 + np.exp(-3 * np.log(chance / (1 - chance))))
    assert expected_error(Slope.fit(lying, right).chances(lying), right) < 0.04 < expected_error(lying, right)


def test_threshold_and_conformal() -> None:
    sure = np.linspace(0, 1, 1001)
    right = sure > 0.5
    assert threshold_for(sure, right, 0.99) == pytest.approx(0.5, abs=0.02)
    assert threshold_for(sure, np.zeros(1001, dtype=bool), 0.9) > 1
    assert conformal(sure, 0.1) == pytest.approx(0.1, abs=0.01)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    pytest.importorskip("sentence_transformers")
    return Embedder()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_texts_are_embedded_once_and_by_meaning(embedder: Embedder) -> None:
    kept: list[str] = []

    class Counting(Remembered):
        def keep(self, weights: str, vectors: dict[str, np.ndarray]) -> None:  # type: ignore[override, type-arg]
            assert weights == WEIGHTS
            kept.extend(vectors)
            super().keep(weights, vectors)

    embedder.store = Counting()
    texts = ["The parcel is late.", "My package has not arrived yet.", "I forgot my password.", "The parcel is late."]
    vectors = embedder(texts)
    assert sorted(kept) == sorted({text_hash(text) for text in texts})
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    assert np.array_equal(vectors[0], vectors[3])
    embedder(texts)
    assert len(kept) == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_end_of_a_long_text_counts(embedder: Embedder) -> None:
    start = "We write about the weather in the mountains. " * 60
    end = "The invoice was charged twice to my credit card. " * 60
    alone, both = embedder([start, start + end])
    assert alone @ both < 0.95
