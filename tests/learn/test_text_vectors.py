"""A text is embedded once, whoever asks: other assets, other runs, other processes, the search index."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from packyak.engine.learn import text_vectors as module
from packyak.engine.learn.arrays import Floats
from packyak.engine.learn.classify import ClassifyLearner
from packyak.engine.learn.embed import Embedder
from packyak.engine.learn.text_vectors import TextVectors, text_vectors
from packyak.engine.store.home import Home, open_home
from words import TOPICS, embed, messages, told


class Counting(Embedder):
    """Counts letter triples instead of asking the language model, and remembers what it was asked."""

    width = 64

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        return embed(texts).astype(np.float16).astype(np.float32)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


TEXTS = [f"message {i % 700} of somebody" for i in range(1000)]


def test_each_text_is_embedded_once_across_runs(home: Home) -> None:
    first = Counting()
    made = TextVectors(home, first).of(TEXTS)
    assert sorted(first.asked) == sorted(set(TEXTS))
    assert np.array_equal(made, Counting().embed(TEXTS))
    second = Counting()
    again = TextVectors(home, second)
    assert np.array_equal(again.of(TEXTS), made)
    assert not second.asked
    more = again.of([*TEXTS[:5], "something new", *TEXTS[5:9]])
    assert second.asked == ["something new"]
    assert np.array_equal(more[6:], made[5:9])
    assert again.table.count() == 701


def test_a_large_table_is_read_in_parts(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 100)
    monkeypatch.setattr(module, "SLICE", 150)
    monkeypatch.setattr(module, "_ROWS", 64)
    vectors = TextVectors(home, Counting())
    right = Counting().embed(TEXTS)
    assert np.array_equal(vectors.of(TEXTS), right)
    for rows in (range(100, 200), [900, 3, 450, 3], range(999, 0, -50)):
        assert np.array_equal(vectors.of([TEXTS[row] for row in rows]), right[list(rows)])
    assert len(set(vectors.embedder.asked)) == len(vectors.embedder.asked) == 700  # type: ignore[attr-defined]


def test_many_small_writes_are_put_together(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRAGMENTS", 3)
    vectors = TextVectors(home, Counting())
    for start in range(0, 60, 6):
        vectors.of(TEXTS[start : start + 6])
    assert len(vectors.table.dataset().get_fragments()) <= 4
    assert np.array_equal(vectors.of(TEXTS[:60]), Counting().embed(TEXTS[:60]))
    assert len(vectors.embedder.asked) == 60  # type: ignore[attr-defined]


def test_empty_and_odd_texts(home: Home) -> None:
    vectors = TextVectors(home, Counting())
    assert vectors.of([]).shape == (0, 64)
    odd = ["", " ", "\0", "🙂 " * 400, "é"]
    assert vectors.of(odd).shape == (5, 64)
    assert np.array_equal(TextVectors(home, Counting()).of(odd), vectors.of(odd))


def test_other_weights_are_other_vectors(home: Home) -> None:
    class Other(Counting):
        weights = "another model"

    TextVectors(home, Counting()).of(TEXTS[:10])
    other = Other()
    TextVectors(home, other).of(TEXTS[:10])
    assert len(other.asked) == 10


def test_a_forgotten_text_is_gone(home: Home) -> None:
    vectors = TextVectors(home, Counting())
    vectors.of(TEXTS)
    assert vectors.forget([TEXTS[3], "never seen"]) == 1
    assert vectors.table.count() == 699
    assert np.array_equal(vectors.of(TEXTS), Counting().embed(TEXTS))
    assert vectors.embedder.asked[700:] == [TEXTS[3]]  # type: ignore[attr-defined]


_WRITER = """
import sys
from test_text_vectors import TEXTS, Counting
from packyak.engine.learn import text_vectors as module
from packyak.engine.learn.text_vectors import TextVectors
from packyak.engine.store.home import open_home
module.SLICE = 25
start, stop = int(sys.argv[2]), int(sys.argv[3])
vectors = TextVectors(open_home(sys.argv[1]), Counting())
for at in range(start, stop, 50):
    vectors.of(TEXTS[at : at + 50])
"""


def test_two_processes_write_at_once(home: Home) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ["PYTHONPATH"]])}
    jobs = [
        subprocess.Popen([sys.executable, "-c", _WRITER, home.uri, *span], env=env)
        for span in (("0", "500"), ("250", "700"))
    ]
    assert [job.wait(120) for job in jobs] == [0, 0]
    reader = Counting()
    vectors = TextVectors(home, reader)
    assert np.array_equal(vectors.of(TEXTS), Counting().embed(TEXTS))
    assert not reader.asked
    assert vectors.table.count() == len(set(TEXTS))


def test_learning_and_predicting_share_the_vectors(home: Home) -> None:
    records, topics = messages(200)
    counting = Counting()
    vectors = TextVectors(home, counting)
    model = ClassifyLearner("topic", TOPICS, ("text",), vectors).fit(records, told(topics, range(40)))
    model.predict(records)
    assert len(counting.asked) == len(set(counting.asked))
    before = len(counting.asked)
    ClassifyLearner("topic", TOPICS, ("text",), vectors).fit(records, told(topics, range(60))).predict(records)
    assert len(counting.asked) == before


def test_a_home_has_one(home: Home, tmp_path: Path) -> None:
    assert text_vectors(home) is text_vectors(Home(home.uri))
    assert text_vectors(home) is not text_vectors(open_home(tmp_path / "other"))
    assert text_vectors(home).embedder is text_vectors(open_home(tmp_path / "other")).embedder


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_language_model_is_quiet_and_asked_once(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sentence_transformers")
    texts = ["The parcel is late.", "I forgot my password.", "The parcel is late."]
    made = TextVectors(home, Embedder()).of(texts)
    assert capfd.readouterr() == ("", "")

    class Silent(Embedder):
        def embed(self, texts: Sequence[str]) -> Floats:
            raise AssertionError(f"embedded again: {texts}")

    assert np.array_equal(TextVectors(home, Silent()).of(texts), made)
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-3)
