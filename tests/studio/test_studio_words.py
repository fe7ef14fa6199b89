"""Numbers, times and states in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from packyak.engine.store.keys import encode_key
from packyak.studio.views import words

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(3, "just now"), (60, "1 min ago"), (59 * 60, "59 min ago"), (3600, "1 h ago"), (50 * 3600, "2 d ago")],
)
def test_age(seconds: float, said: str) -> None:
    assert words.age((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == said


def test_age_of_long_ago_is_a_date_and_of_nonsense_nothing() -> None:
    assert words.age("2025-01-04T12:00:00+00:00", NOW).endswith("2025")
    assert words.age("soon", NOW) == words.age(None, NOW) == words.age("", NOW) == ""


def test_a_time_without_a_zone_is_utc() -> None:
    assert words.age("2026-11-22T11:00:00", NOW) == "1 h ago"


def test_numbers_have_separators_and_signs() -> None:
    assert words.count(1204) == "1,204" and words.count(None) == words.EMPTY
    assert words.delta(1204) == "+1,204"
    assert words.delta(-3) == f"{words.MINUS}3"
    assert words.delta(0) == words.delta(None) == ""
    assert words.counted(1, "query") == "1 query" and words.counted(2, "query") == "2 queries"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0.0 s"),
        (0.01, "<0.1 s"),
        (0.42, "0.4 s"),
        (12.0, "12 s"),
        (75, "1 min 15 s"),
        (120, "2 min"),
        (3700, "1 h 1 min"),
        (86_400, "24 h"),
        (180_000, "2 d 2 h"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


def test_values_are_plain_text() -> None:
    assert words.value(None) == words.EMPTY
    assert words.value(True) == "true" and words.value(12345) == "12,345" and words.value(0.25) == "0.25"
    assert words.value({"a": [1]}) == '{"a": [1]}'
    assert words.value("x" * 30, 10) == "x" * 9 + "\N{HORIZONTAL ELLIPSIS}"
    assert words.value(b"12") == "2 bytes"


def test_listed() -> None:
    assert words.listed([]) == "" and words.listed(["a"]) == "a" and words.listed(["a", "b"]) == "a and b"
    assert words.listed(list("abcdef")) == "a, b and 4 more"


def test_literal_leaves_no_markdown_alive() -> None:
    hostile = "**b** [x](http://evil) <img src=x> :red[y] $a$ ~z~ `c`\n# h"
    said = words.literal(hostile)
    assert "\n" not in said
    assert all(said[place - 1] == "\\" for place, char in enumerate(said) if char in "*[]()<>:$~`#")


def test_a_sentence_keeps_the_name_that_it_begins_with() -> None:
    assert words.sentence("its code changed") == "Its code changed."
    assert words.sentence("abstain_below none to 0.8") == "abstain_below none to 0.8."
    assert words.sentence("") == ""


def test_a_vector_is_told_by_its_first_numbers() -> None:
    assert words.value([0.123456, -1.5, 2.0, 3.0, 4.0]) == "[0.1235, -1.5, 2, 3, \N{HORIZONTAL ELLIPSIS}] 5 numbers"
    assert words.value([0.5, 1.0]) == "[0.5, 1.0]"


def test_a_record_is_called_by_the_values_of_its_key() -> None:
    assert words.record("T-10042") == "T-10042"
    assert words.record(encode_key(("2026-06-01 00:00:00+00", "delivery"))) == "2026-06-01, delivery"
    assert words.record(encode_key((None, "a|b"))) == f"{words.EMPTY}, a|b"
    assert words.record(encode_key((encode_key(("a.csv", "7")), "x"))) == "a.csv, 7, x", "a part of a part"
    assert words.record(encode_key(("notes.csv", "0123456789abcdef.1"))) == "notes.csv, #012345"
    assert words.record("2026-06-01 00:00:00+00") == "2026-06-01"
