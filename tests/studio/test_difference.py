"""How two texts differ: the parts make up both texts again, and show nothing as markup."""

from __future__ import annotations

import random

import pytest
from packyak.studio.views.difference import Part, as_markdown, difference, worth_showing

WORDS = ["a", "b", "parcel", " ", "\n", "[x](y)", "*", "é", "", "  "]


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_make_up_both_texts(seed: int) -> None:
    chance = random.Random(seed)
    was, now = ("".join(chance.choices(WORDS, k=chance.randint(0, 30))) for _ in range(2))
    parts = difference(was, now)
    assert "".join(part.text for part in parts if part.kind != "new") == was
    assert "".join(part.text for part in parts if part.kind != "gone") == now


def test_a_word_that_is_another_now() -> None:
    parts = difference("the old parcel", "the new parcel")
    assert parts == [Part("same", "the "), Part("gone", "old"), Part("new", "new"), Part("same", " parcel")]
    assert as_markdown(parts) == "the :red-background[~~old~~]:green-background[new] parcel"


def test_text_is_never_markup() -> None:
    assert "[link](" not in as_markdown(difference("a", "[link](http://evil.example) **b**"))


def test_long_equal_stretches_are_cut() -> None:
    text = "word " * 100
    shown = as_markdown(difference(f"{text}old {text}", f"{text}new {text}"))
    assert len(shown) < 260
    assert "old" in shown
    assert "new" in shown


def test_what_is_worth_showing() -> None:
    assert worth_showing("a" * 60, "b")
    assert not worth_showing("a", "b")
    assert not worth_showing(None, "b" * 60)
    assert not worth_showing(3, 4)
