"""The correction log: nothing is lost, the order of reading does not matter, merging changes nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine.errors import CorrectionError
from packyak.engine.store.corrections import Correction, CorrectionLog, decode, encode, in_force
from packyak.engine.store.home import Home


def one(key: str = "k", value: Any = "v", **more: Any) -> Correction:
    return Correction(**{"id": "", "asset": "topic", "key": key, "column": "topic", "value": value, **more})


def test_a_save_comes_back(home: Home) -> None:
    log = CorrectionLog(home)
    saved = log.append([one("a", by="ada", why="read it", seen={"text": "x"}, computed="w"), one("b")])
    assert CorrectionLog(home).all() == saved
    assert len(home.names("corrections")) == 1
    assert [each.key for each in saved] == ["a", "b"]
    assert all(each.id and each.at.endswith("+00:00") for each in saved)
    assert log.append([]) == ()


def test_the_latest_wins_and_undo_takes_it_back(home: Home) -> None:
    log = CorrectionLog(home)
    (first,) = log.append([one(value="first")])
    (second,) = log.append([one(value="second")])
    field = ("topic", "k", "topic")
    assert log.effective() == {field: second}
    (undo,) = log.append([one(value=second.id, kind="undo")])
    assert log.effective() == {field: first}
    log.append([one(value=undo.id, kind="undo")])
    assert log.effective() == {field: second}
    log.append([one(value=first.id, kind="undo")])
    assert log.effective() == {field: second}


def test_comments_and_skips_hold_nothing_and_a_save_has_a_group(home: Home) -> None:
    log = CorrectionLog(home)
    first, comment, skip = log.append([one("a"), one("a", "hm", kind="comment"), one("a", "seen", kind="skip")])
    assert log.effective() == {first.field: first}
    assert {each.group for each in (first, comment, skip)} == {first.id.rpartition("-")[0]}
    assert [each.counts for each in (first, comment, skip)] == [True, False, False]
    (alone,) = log.append([one("b")])
    assert alone.group == ""
    undo, other = log.append([one(value=comment.id, kind="undo", origin="comment"), one(value=first.id, kind="undo")])
    assert (undo.counts, other.counts) == (False, True)
    assert log.effective() == {alone.field: alone}
    assert log.all() is log.all()


def test_the_position_tells_news_and_finds_them(home: Home) -> None:
    log = CorrectionLog(home)
    start = log.position()
    first = log.append([one("a"), one("b")])
    middle = log.position()
    second = log.append([one("c")])
    assert len({start, middle, log.position()}) == 3
    assert log.since(start) == log.since(None) == log.all() == first + second
    assert log.since(middle) == second
    assert log.since(log.position()) == ()
    assert log.since("7.0000000000000000") == first + second


def test_a_save_that_arrives_late_is_not_overlooked(home: Home) -> None:
    log = CorrectionLog(home)
    log.append([one("b", id="2")])
    position = log.position()
    log.append([one("a", id="1")])
    assert {each.id for each in log.since(position)} >= {"1"}


def test_merging_changes_nothing(home: Home) -> None:
    log, reader = CorrectionLog(home), CorrectionLog(home)
    log.append([one("a")])
    early = log.position()
    for number in range(9):
        log.append([one(f"k{number % 4}", number), one("z", number)])
    before, position, news = reader.all(), reader.position(), reader.since(early)
    log.tidy(5)
    assert len(home.names("corrections")) == 1
    for fresh in (reader, CorrectionLog(home)):
        assert (fresh.all(), fresh.position(), fresh.since(early)) == (before, position, news)


@pytest.mark.parametrize("removed", [0, 1, 5])
def test_a_merge_cut_short_loses_and_doubles_nothing(home: Home, monkeypatch: pytest.MonkeyPatch, removed: int) -> None:
    log = CorrectionLog(home)
    for number in range(8):
        log.append([one(f"k{number}")])
    before, position = log.all(), log.position()
    left = [removed]

    def die_after(self: Home, name: str) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(self, name)

    real = Home.remove
    with monkeypatch.context() as patch:
        patch.setattr(Home, "remove", die_after)
        with pytest.raises(KeyboardInterrupt):
            log.tidy(3)
    again = CorrectionLog(home)
    assert again.all() == before
    again.tidy(0)
    assert (again.all(), again.position()) == (before, position)


def test_what_cannot_be_stored_stores_nothing(home: Home) -> None:
    log = CorrectionLog(home)
    with pytest.raises(CorrectionError, match="cannot be stored"):
        log.append([one("a"), one("b", date(2020, 1, 1))])
    with pytest.raises(CorrectionError, match="cannot be stored"):
        log.append([one("a", math.nan)])
    assert log.all() == ()


def test_a_damaged_file_is_named(home: Home) -> None:
    home.write("corrections/1.jsonl", b'{"id": 1}\n')
    with pytest.raises(CorrectionError, match=r"line 1 of .*corrections/1.jsonl is no correction"):
        CorrectionLog(home).all()


def test_fields_of_a_newer_version_are_passed_over(home: Home) -> None:
    line = b'{"id": "1", "asset": "a", "key": "k", "column": "c", "value": 1, "at": "2020", "mood": "good"}\n'
    home.write("corrections/1.jsonl", line)
    assert CorrectionLog(home).all()[0].value == 1


def test_polling_reads_no_file_twice(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    log = CorrectionLog(home)
    log.append([one("a")])
    log.all()
    monkeypatch.setattr(Home, "read", lambda *_: pytest.fail("read again"))
    assert len(log.all()) == 1
    assert log.position().startswith("1.")


WRITER = """
import sys
from packyak.engine.store.corrections import Correction, CorrectionLog
from packyak.engine.store.home import Home
log = CorrectionLog(Home(sys.argv[1]))
for number in range(100):
    log.append([Correction("", "a", f"{sys.argv[2]}-{number}", "c", number)])
"""


def test_two_processes_append_and_a_third_merges(home: Home, python: Callable[..., Any]) -> None:
    writers = [python(WRITER, home.uri, name) for name in "xy"]
    log, seen = CorrectionLog(home), 0
    while any(writer.poll() is None for writer in writers):
        log.tidy(10)
        now = len(log.all())
        assert now >= seen
        seen = now
    assert [writer.returncode for writer in writers] == [0, 0]
    assert {each.key for each in log.all()} == {f"{name}-{number}" for name in "xy" for number in range(100)}


RECORDS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.integers(0, 3), st.sampled_from(["correct", "accept", "undo"]), st.integers(0, 9)
    ),
    max_size=10,
)


@given(RECORDS, st.randoms())
def test_what_is_in_force_does_not_depend_on_reading_order(
    rows: list[tuple[str, int, str, int]], shuffle: random.Random
) -> None:
    records = [
        one(key, str(target) if kind == "undo" else place, id=str(place), at=str(at), kind=kind)
        for place, (key, at, kind, target) in enumerate(rows)
    ]
    mixed = records + records[:3]
    shuffle.shuffle(mixed)
    assert in_force(mixed) == in_force(records)


class Colour(Enum):
    RED = "red"


VALUES = [
    (None, ""), ("text", "string"), (5, "int64"), (2.5, "float64"), (True, "bool"),
    (math.inf, "float64"), (-math.inf, "float64"), (b"\x00\xff", "binary"), (date(2024, 2, 29), "date"),
    (datetime(2024, 1, 2, 3, 4, 5, 6, UTC), "timestamp"), (time(1, 2, 3, 4), "time"),
    (Decimal("1.200"), "decimal"), ([1, None, 3], "list<int64>"), ([date(2020, 1, 1)], "list<date>"),
    ({"a": 1, "b": [{"c": Decimal("1")}]}, "struct<a: int64, b: list<struct<c: decimal>>>"), ({"$": "date", "v": 1},
    ""),
    (timedelta(days=1, microseconds=3), ""),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind"), VALUES)
def test_values_come_back(home: Home, value: Any, kind: str) -> None:
    log = CorrectionLog(home)
    log.append([one(value=encode(value))])
    stored = CorrectionLog(home).all()[0].value
    back = decode(stored, kind)
    assert back == value
    assert type(back) is type(value)
    assert decode(stored) == value


def test_values_that_are_alike_become_one() -> None:
    assert math.isnan(decode(encode(math.nan), "float64"))
    assert encode(Colour.RED) == "red"
    assert encode((1, 2)) == [1, 2]
    moment = datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    assert decode(encode(moment), "timestamp") == datetime(2024, 1, 1, tzinfo=UTC)
    numpy = pytest.importorskip("numpy")
    assert encode(numpy.float64(1.5)) == 1.5
    assert encode(numpy.int64(7)) == 7


@pytest.mark.parametrize(
    ("typed", "kind", "value"),
    [
        ("2024-02-29", "date", date(2024, 2, 29)),
        ("2024-01-01T10:00", "timestamp", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        (" 42 ", "int64", 42), (3.0, "int64", 3), ("2.5", "float64", 2.5), (2, "float64", 2.0), ("true", "bool", True),
        ("1.50", "decimal", Decimal("1.50")), ("12:30", "time", time(12, 30)), ({"a": 1}, "json", '{"a": 1}'),
        ("aGk=", "binary", b"hi"),
    ],
)  # fmt: skip
def test_what_a_person_types_becomes_the_columns_type(typed: Any, kind: str, value: Any) -> None:
    back = decode(typed, kind)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("abc", "int64"), (1.5, "int64"), (math.nan, "int64"), (True, "int64"), (2**63, "int64"), ("x", "float64"),
        (True, "float64"), ("maybe", "bool"), (1, "bool"), (5, "string"), ("yesterday", "date"), ("x", "timestamp"),
        ("25:00", "time"), ("?", "binary"), ("abc", "decimal"), ("{", "json"), ("a", "list<string>"), ({"b": 1},
        "struct<a: int64>"),
        ({"$": "pickle", "v": "x"}, "string"),
        ({"$": "decimal", "v": "x"}, "string"), ({"$": "date"}, "string"), ({"$": "dict", "v": 3}, "json"),
        (math.inf, "int64"), ("NaN", "decimal"), (math.inf, "json"), ("0001-01-01T00:00+14:00", "timestamp"),
        ({"a": 1}, "float64"), ([1], "decimal"), ({"a": 1}, "timestamp"), ([1], "date"), ({}, "time"), (1, "double"),
    ],
)  # fmt: skip
def test_what_is_none_of_the_columns_type_is_refused(typed: Any, kind: str) -> None:
    with pytest.raises(ValueError):
        decode(typed, kind)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.floats(allow_nan=False)
        | st.binary()
        | st.decimals(allow_nan=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    )
)
def test_any_value_survives_the_log(value: Any) -> None:
    import json

    assert decode(json.loads(json.dumps(encode(value), allow_nan=False))) == value


def test_what_no_column_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):
        encode(object())


def test_erased_corrections_are_in_no_file_and_the_others_are_as_they_were(home: Home) -> None:
    log = CorrectionLog(home)
    log.append([one("a", "Zebulon"), one("b", "kept")])
    (his,) = log.append([one("a", "Quartzfeather", why="Zebulon rang")])
    log.append([one("a", his.id, kind="undo"), one("c", "kept too")])
    log.tidy(few=0)
    (last,) = log.append([one("a", "Zebulon")])
    before = log.all()
    wanted = {each.id for each in before if each.key == "a" and each.kind != "undo"}
    position = log.position()
    assert log.erase(wanted) == 4  # the undo of one goes with it
    kept = [each for each in before if each.key != "a"]
    assert list(log.all()) == list(CorrectionLog(home).all()) == kept
    assert log.position() != position and last.id not in {each.id for each in log.since(position)}
    assert not any(b"Zebulon" in (home.read(name) or b"") for name, _, _ in home.walk("."))
    assert log.erase(wanted) == 0


def test_erasing_leaves_a_save_made_meanwhile(home: Home) -> None:
    log, other = CorrectionLog(home), CorrectionLog(home)
    (his,) = log.append([one("a")])
    log.all()
    (fresh,) = other.append([one("b")])
    log.erase([his.id])
    assert list(log.all()) == [fresh]
