"""Publications: whole or not at all, one after the other, each asset's history readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine.errors import HomeError
from packyak.engine.store.home import Home
from packyak.engine.store.published import AssetVersion, Published, Vector


def test_before_the_first(home: Home) -> None:
    published = Published(home)
    assert published.load() == Vector()
    assert published.seq() == 0
    assert published.history("a") == ()


def test_a_vector_comes_back(home: Home) -> None:
    published = Published(home)
    facts = {"inputs": {"b": "abc"}, "checks": [{"passed": True}]}
    one = AssetVersion(3, 4, "abc", 10, "ff", "run-1", "2024-01-01T00:00:00+00:00", facts)
    given = published.publish(Vector(0, "run-1", "2024-01-01T00:00:00+00:00", {"a": one}, {"code": "x"}))
    assert given.seq == 1
    assert Published(home).load() == published.load() == given


def test_history_of_an_asset(home: Home) -> None:
    published = Published(home)
    vector = published.load()
    for name in ("x", "x", "y", "x"):
        vector = published.publish(replace(vector, assets={"a": AssetVersion(1, version=name)}))
    vector = published.publish(replace(vector, assets={}))
    assert [one.version for one in published.history("a")] == ["x", "y", "x"]
    assert published.load(3).assets["a"].version == "y"
    published.prune(2)
    assert published.numbers() == [4, 5]
    assert Published(home).load().seq == 5
    with pytest.raises(HomeError, match=r"publication 3 is no longer kept. Valid: 4, 5"):
        Published(home).load(3)


def test_a_stretch_has_its_first_run_and_its_newest_table(home: Home) -> None:
    published, vector = Published(home), Vector()
    for table, name, run in ((1, "x", "first"), (2, "y", "second"), (7, "y", "third"), (8, "z", "fourth")):
        vector = published.publish(replace(vector, assets={"a": AssetVersion(table, version=name, run=run)}))
    assert [(one.table, one.run) for one in published.history("a")] == [(8, "fourth"), (7, "second"), (1, "first")]
    assert [one.version for one in Published(home).history("a", limit=2)] == ["z", "y"]
    assert published.history("a", limit=0) == ()


def test_a_small_history_reads_few_files(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    published, vector = Published(home), Vector()
    for number in range(20):
        vector = published.publish(replace(vector, assets={"a": AssetVersion(1, version=str(number))}))
    real, read = Home.read, []
    monkeypatch.setattr(Home, "read", lambda self, name: read.append(name) or real(self, name))
    assert len(Published(home).history("a", limit=3)) == 3
    assert len(read) == 4


def test_two_runs_from_the_same_start(home: Home) -> None:
    published = Published(home)
    start = published.load()
    published.publish(replace(start, run="first"))
    with pytest.raises(HomeError, match="another run published number 1 while this one was working from 0"):
        Published(home).publish(replace(start, run="second"))
    assert published.load().run == "first"


def test_what_a_newer_version_wrote(home: Home) -> None:
    data = b'{"seq": 1, "mood": 1, "assets": {"a": {"table": 2, "colour": "red"}}}'
    home.write("published/000000000001.json", data)
    assert Published(home).load().assets == {"a": AssetVersion(2)}


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"assets": {"a": 1}}', b'{"assets": {"a": {}}}'])
def test_a_damaged_publication_is_named(home: Home, damaged: bytes) -> None:
    home.write("published/000000000002.json", damaged)
    with pytest.raises(HomeError, match=r"000000000002.json is no publication.*the one before it then counts"):
        Published(home).load()


PUBLISHER = """
import sys
from packyak.engine.errors import HomeError
from packyak.engine.store.home import Home
from packyak.engine.store.published import Published
published, done = Published(Home(sys.argv[1])), 0
while done < 30:
    try:
        published.publish(published.load())
        done += 1
    except HomeError:
        pass
"""


def test_two_processes_publish(home: Home, python: Callable[..., Any]) -> None:
    both = [python(PUBLISHER, home.uri) for _ in range(2)]
    assert [(one.communicate()[1], one.returncode) for one in both] == [("", 0)] * 2
    assert Published(home).numbers() == list(range(1, 61))


@given(st.dictionaries(st.text(), st.integers(0), max_size=4))
def test_any_asset_name(tables: dict[str, int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        vector = Vector(assets={name: AssetVersion(number) for name, number in tables.items()})
        assert Published(Home(folder)).publish(vector) == Published(Home(folder)).load()
