"""Search tables: nothing embedded twice, answers equal to a plain search, words alone where there is no model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from packyak.engine.errors import DataError, QueryError
from packyak.engine.store import vectors as module
from packyak.engine.store.home import Home
from packyak.engine.store.vectors import Embedder, Indexed, SearchTable, text_hash


class Toy:
    """A model that counts what it is asked: texts with the same words are near each other."""

    def __init__(self, size: int = 64) -> None:
        self.size = size
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        return np.stack([self.one(text) for text in texts])

    def one(self, text: str) -> Any:
        found = np.zeros(self.size, np.float32)
        for word in text.lower().split():
            found[int(hashlib.md5(word.encode()).hexdigest(), 16) % self.size] += 1
        return found


TEXTS = {
    "a": ("Late fee on my invoice", "en"),
    "b": ("The parcel never arrived", "en"),
    "c": ("Die Rechnung ist falsch", "de"),
    "d": ("late fees again, it's wrong", "en"),
}


def rows(texts: dict[str, tuple[str | None, str]]) -> pa.Table:
    found = [{"_key": key, "text": text, "lang": lang} for key, (text, lang) in texts.items()]
    return pa.Table.from_pylist(
        found, schema=pa.schema([("_key", pa.string()), ("text", pa.string()), ("lang", pa.string())])
    )


@pytest.fixture
def search(home: Home) -> SearchTable:
    return SearchTable(home, "search")


def keys(search: SearchTable, text: str, **more: Any) -> list[str]:
    return [hit.key for hit in search.search(text, **more)]


def test_before_the_first_update(search: SearchTable) -> None:
    assert search.search("anything") == ()
    assert search.hashes().num_rows == 0
    assert search.update(rows({}), None, gone=["x"]) == Indexed()
    assert search.changed_at() is None


def test_it_says_when_it_was_last_brought_up_to_date(search: SearchTable) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    search.update(rows(TEXTS), None)
    first = datetime.fromisoformat(str(search.changed_at()))
    assert before <= first <= datetime.now(UTC) and first.utcoffset() == timedelta(0)
    search.update(rows({"e": ("one more", "en")}), None)
    assert datetime.fromisoformat(str(search.changed_at())) > first


def test_words_alone(search: SearchTable) -> None:
    assert search.update(rows(TEXTS), None) == Indexed(4, 0, 0)
    assert keys(search, "late fee") == ["a", "d"]
    assert keys(search, 'LATE: "fee" (it\'s)', k=1) in (["a"], ["d"])
    assert keys(search, "rechnung", where="lang = 'de'") == ["c"]
    assert keys(search, "rechnung", where="lang = 'en'") == []
    assert keys(search, "zebra") == keys(search, " ") == keys(search, "late", k=0) == []
    (hit,) = search.search("parcel")
    assert (hit.text, hit.similarity, hit.text_hash) == (TEXTS["b"][0], None, text_hash(TEXTS["b"][0]))


def test_nothing_is_embedded_twice(search: SearchTable) -> None:
    toy = Toy()
    model = Embedder("toy-1", toy)
    told: list[tuple[int, int]] = []
    assert search.update(rows(TEXTS), model, meter=lambda *now: told.append(now)) == Indexed(4, 0, 4)
    assert told == [(4, 4)]
    assert search.update(rows(TEXTS), model) == Indexed(0, 0, 0)
    assert search.update(rows({"a": (TEXTS["a"][0], "fr"), "e": TEXTS["b"], "f": TEXTS["b"]}), model) == Indexed(
        3, 0, 0
    )
    assert search.update(rows({"a": ("quite new", "en"), "g": ("quite new", "en")}), model).embedded == 1
    assert len(toy.asked) == 5
    assert search.update(rows(TEXTS), Embedder("toy-2", toy)).embedded == 4
    assert search.hashes().num_rows == 7


def test_by_meaning_and_by_words_apart(search: SearchTable) -> None:
    """A text that says the same in other letters is found by words; one that shares a word only, by vectors."""
    model = Embedder("toy", Toy())
    search.update(rows(TEXTS), model)
    words, meaning = (search.search("late fee", embedder=model, how=how) for how in ("text", "vector"))
    assert [hit.key for hit in words] == ["a", "d"]
    assert {hit.similarity for hit in words} == {None}
    assert meaning[0].key == "a"
    assert len(meaning) == 4
    assert [hit.similarity for hit in meaning] == sorted((hit.similarity for hit in meaning), reverse=True)  # type: ignore[type-var]
    with pytest.raises(QueryError, match="cannot go by 'magic'"):
        search.search("late", how="magic")  # type: ignore[arg-type]


def test_the_fused_ranking_is_the_sum_of_both(search: SearchTable) -> None:
    model = Embedder("toy", Toy())
    search.update(rows(TEXTS), model)
    expected: dict[str, float] = {}
    for how in ("text", "vector"):
        for place, hit in enumerate(search.search("fees late wrong", k=4, embedder=model, how=how)):  # type: ignore[arg-type]
            expected[hit.key] = expected.get(hit.key, 0) + 1 / (61 + place)
    found = {hit.key: hit.score for hit in search.search("fees late wrong", k=4, embedder=model)}
    assert found == pytest.approx(expected)


def test_vectors_asked_for_where_there_are_none(search: SearchTable) -> None:
    search.update(rows(TEXTS), None)
    with pytest.raises(QueryError, match=r"finds by words alone.*learn"):
        search.search("late", how="vector")
    with pytest.raises(QueryError, match="finds by words alone"):
        search.search("late", how="vector", embedder=Embedder("toy", Toy()))


def test_more_like_one_record(search: SearchTable) -> None:
    """By its stored vector, embedding nothing; by its words where it has none."""
    toy = Toy()
    search.update(rows(TEXTS), Embedder("toy", toy))
    asked = len(toy.asked)
    found = search.like("d", k=2)
    assert len(toy.asked) == asked
    alike = {key: float(toy.one(text) @ toy.one(TEXTS["d"][0])) for key, (text, _) in TEXTS.items() if key != "d"}
    alike = {key: value / np.linalg.norm(toy.one(TEXTS[key][0])) for key, value in alike.items()}
    assert [hit.key for hit in found] == sorted(alike, key=lambda key: (-alike[key], key))[:2]
    assert [hit.key for hit in search.like("d", where="lang = 'de'")] == ["c"]
    assert search.like("nobody") == search.like("d", k=0) == ()


def test_more_like_one_record_by_words(search: SearchTable) -> None:
    assert search.like("a") == ()
    search.update(rows(TEXTS), None)
    assert [hit.key for hit in search.like("a")] == ["d"]


def test_words_and_meaning_together(search: SearchTable) -> None:
    model = Embedder("toy", Toy())
    search.update(rows(TEXTS), model)
    found = search.search("late fee", embedder=model)
    assert {hit.key for hit in found[:2]} == {"a", "d"}
    assert found[0].score >= found[1].score > found[2].score
    assert found[0].similarity is not None
    assert found[0].similarity == pytest.approx(2 / (2**0.5 * 5**0.5), abs=0.01)
    assert keys(search, "late fee", embedder=model, where="lang = 'de'") == ["c"]


def test_changed_blank_and_gone_records(search: SearchTable) -> None:
    model = Embedder("toy", Toy())
    search.update(rows(TEXTS), model)
    assert search.update(rows({"a": ("zebra crossing", "en"), "b": (None, "en"), "c": ("  ", "de")}), model) == Indexed(
        1, 2, 1
    )
    assert keys(search, "zebra", k=1) == ["a"]
    assert keys(search, "zebra", k=1, embedder=model) == ["a"]
    search.update(rows({}), model, gone=["a"])
    assert keys(search, "zebra") == []
    assert search.hashes()["_key"].to_pylist() == ["d"]


def test_where_records_only_leave_the_vectors_of_the_others_stay(search: SearchTable) -> None:
    toy = Toy()
    search.update(rows(TEXTS), Embedder("toy", toy))
    assert search.update(rows({}), Embedder("toy", toy), gone=["b"]) == Indexed(0, 1, 0)
    assert search.update(rows({"c": (" ", "de")}), Embedder("toy", toy)) == Indexed(0, 1, 0)
    assert [hit.key for hit in search.search("late fee", how="vector", embedder=Embedder("toy", toy))] == ["a", "d"]
    assert search.table.read(["vector"])["vector"].null_count == 0


def test_a_model_that_comes_later(search: SearchTable) -> None:
    search.update(rows(TEXTS), None)
    model = Embedder("toy", Toy())
    assert keys(search, "late fee", embedder=model) == ["a", "d"]
    search.update(rows({"b": TEXTS["b"]}), model)
    assert {*keys(search, "late parcel", embedder=model)} == {"a", "b", "d"}
    assert search.update(rows(TEXTS), model).embedded == 3
    search.update(rows({"b": ("words again", "en")}), None)
    assert "b" in keys(search, "words again", k=2, embedder=model)


def test_a_model_of_another_size(search: SearchTable) -> None:
    search.update(rows(TEXTS), Embedder("small", Toy(8)))
    large = Embedder("large", Toy(64))
    with pytest.raises(QueryError, match="was made by another model"):
        search.search("late", embedder=large)
    search.update(rows({"a": TEXTS["a"]}), large)
    assert search.update(rows(TEXTS), large).embedded == 3
    assert keys(search, "late fee", k=2, embedder=large) in (["a", "d"], ["d", "a"])


def test_bad_conditions_and_names(search: SearchTable) -> None:
    model = Embedder("toy", Toy())
    search.update(rows(TEXTS), model)
    for embedder in (None, model):
        with pytest.raises(QueryError, match="No field named colour"):
            search.search("late", where="colour = 'red'", embedder=embedder)
    with pytest.raises(DataError, match="cannot filter on 'vector'"):
        search.update(rows(TEXTS).rename_columns(["_key", "text", "vector"]), model)


def test_a_text_of_nothing_known(search: SearchTable) -> None:
    """A vector of zeros has no direction: it must not become NaN."""
    model = Embedder("zero", lambda texts: np.zeros((len(texts), 4), np.float32))
    search.update(rows(TEXTS), model)
    assert keys(search, "parcel", k=1, embedder=model) == ["b"]


@pytest.mark.slow
def test_a_large_index_finds_what_comparing_all_finds(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_MEMORY", 5_000)
    words = [f"w{number}" for number in range(300)]
    chosen = np.random.default_rng(7).choice(words, (6_000, 8))
    texts = {f"k{place}": (" ".join(row), "en" if place % 2 else "de") for place, row in enumerate(chosen)}
    model = Embedder("toy", Toy(128))
    search = SearchTable(home, "large")
    search.update(rows(texts), model)
    data = search.table.dataset()
    assert module._has_index(data, "vector")
    toy = Toy(128)
    matrix = np.stack([toy.one(text) for text, _ in texts.values()])
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    hits = 0
    for key in list(texts)[:40]:
        query = toy.one(texts[key][0])
        best = sorted(matrix @ (query / np.linalg.norm(query)))[-5:]
        near = search._near(data, texts[key][0], 50, None, model)
        assert next(iter(near)) == key or near[key] > 0.99
        hits += sum(value >= best[0] - 1e-3 for value in list(near.values())[:5])
    assert hits >= 0.9 * 200
    assert {texts[key][1] for key in search._near(data, "w1 w2", 50, "lang = 'de'", model)} == {"de"}
