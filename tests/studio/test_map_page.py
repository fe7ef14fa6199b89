"""The Map page and what it draws, without a browser: colours, legend, selection, what is said when there is none."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import packyak.studio
import pyarrow as pa
import pytest
import streamlit as st
from packyak.engine.project import Project
from packyak.engine.run.maps import Map
from packyak.engine.store.vectors import Embedder, SearchTable
from packyak.studio.shell import layouts
from packyak.studio.views import desk
from packyak.studio.views import map as view
from streamlit.testing.v1 import AppTest

STUDIO = Path(packyak.studio.__path__[0])
SOURCE = """
    from packyak import Index, asset, learned

    @asset(key="id")
    def notes(): yield from ({"id": f"n{n:02}", "body": f"<b>note</b> {n}", "size": n} for n in range(40))

    @learned(notes)
    def kind(body: str) -> bool: return body.endswith("1")

    search = Index(notes, on="body")
"""


@pytest.fixture(autouse=True)
def _no_kept_project() -> Iterator[None]:
    yield
    st.cache_resource.clear()


def found(value: pa.Array | None, **more: Any) -> Map:
    many = 6 if value is None else len(value)
    rows = pa.table({"_key": [f"k{n}" for n in range(many)], "x": [n / many for n in range(many)],
                     "y": [-1.0] * many, "text": [f"text {n}" for n in range(many)]})  # fmt: skip
    rows = rows if value is None else rows.append_column("value", value)
    given = {"total": many, "laid": many, "color": "" if value is None else "c", **more}
    return Map("search", "notes", "body", "neighbours", rows=rows, **given)


def codes(cloud: view.Cloud) -> list[int]:
    return list(base64.b64decode(cloud.codes))


def test_few_values_are_categories_with_the_most_frequent_first() -> None:
    drawn = view.cloud(found(pa.array(["b", "a", "b", None, "c", "b"])))
    assert (drawn.scale, codes(drawn)) == ("values", [0, 1, 0, view.NONE, 2, 0])
    assert [(each.label, each.count) for each in drawn.legend] == [("b", 3), ("a", 1), ("c", 1), (view.NOTHING, 1)]
    flags = view.cloud(found(pa.array([True, False, True])))
    assert [each.label for each in flags.legend] == ["true", "false"]


def test_values_beyond_ten_share_one_colour() -> None:
    drawn = view.cloud(found(pa.array([f"v{n}" for n in range(12)] + ["v0"])))
    assert drawn.legend[0].label == "v0" and drawn.legend[-1] == view.Entry("2 others", view.OTHERS, 2)
    assert codes(drawn).count(view.OTHERS) == 2


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (pa.array([float(n) for n in range(100)] + [None, float("nan")]), "2", "97"),
        (pa.array([datetime(2026, 1, 1 + n % 28, tzinfo=UTC) for n in range(60)]), "1 Jan 2026", "28 Jan 2026"),
        (pa.array([date(2026, 1, 1), date(2026, 3, 1)]), "1 Jan 2026", "1 Mar 2026"),
        (pa.array(range(20), pa.int64()), "0", "19"),
    ],
)  # fmt: skip
def test_numbers_and_times_go_from_low_to_high(values: pa.Array, low: str, high: str) -> None:
    drawn = view.cloud(found(values))
    assert drawn.scale == "range" and drawn.low.startswith(low) and drawn.high.startswith(high)
    shown = [code for code in codes(drawn) if code != view.NONE]
    assert min(shown) == 0 and max(shown) == view.FULL
    assert codes(drawn).count(view.NONE) == sum(each.count for each in drawn.legend)


def test_odd_columns_are_drawn_too() -> None:
    for values in (
        pa.array([None, None], pa.float64()), pa.array([None, None], pa.null()), pa.array([[1], [2]]),
        pa.array([5] * 30, pa.int64()), pa.array([1e300, -1e300] * 20), pa.array([b"a", b"b"]),
    ):  # fmt: skip
        assert view.cloud(found(values)).many == len(values)
    assert view.cloud(found(None)).scale == "none"


def test_places_travel_in_four_bytes_each_and_the_name_tells_them_apart() -> None:
    one = view.cloud(found(None))
    flat = np.frombuffer(base64.b64decode(one.places), "<i2").reshape(-1, 2) / view.STEPS
    assert np.allclose(flat[:, 1], -1) and np.allclose(flat[:, 0], [n / 6 for n in range(6)], atol=1e-4)
    other = view.cloud(found(pa.array(["a"] * 6)))
    assert one.name == other.name and one.paint != other.paint


def test_words_of_a_map() -> None:
    sample = found(None, total=900_000, lag=2)
    assert view.facts(sample) == "A sample: 6 records of 900,000 · 2 records wait for the index"
    told = found(pa.array(["a", "a", "b", None, "c", "d"]))
    assert view.shares(told) == "a 2 · b 1 · no value 1 · 2 more"
    assert view.hint(told, 3) == {"name": "k3", "text": "text 3", "value": "no value"}
    assert view.listed(told)[0] == {"record": "k0", "c": "a", "body": "text 0"}


def test_the_command_of_a_map_can_be_typed() -> None:
    params = {"index": "search", "asset": "topic", "color": "-", "inside": "0,0 1,0 1,1", "view": "0,0,2"}
    assert desk.command("map", params) == "packyak map search --asset topic --inside '0,0 1,0 1,1'"


# The page


def shown(**params: str) -> AppTest:
    app = AppTest.from_file(str(STUDIO / "shell" / "main.py"), default_timeout=60)
    app.run()
    app.switch_page("../pages/map.py")
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def words_of(app: AppTest) -> str:
    found: list[Any] = [*app.subheader, *app.text, *app.caption, *app.error]
    return "\n".join(str(element.value) for element in found)


@pytest.fixture
def laid(project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Project:
    folder = project_folder(SOURCE)
    monkeypatch.setenv("PACKYAK_PROJECT", str(folder))
    project = Project.open(folder)
    project.run(["kind"])
    rows = pa.table({"_key": project.page("notes", limit=99).rows["_key"], "text": project.read("notes")["body"]})
    noise = np.random.default_rng(0).normal(size=(99, 8)).astype(np.float32)
    SearchTable(project.home, "search").update(rows, Embedder("made up", lambda texts: noise[: len(texts)]))
    project.map(way="directions")
    project.map()
    return project


def test_a_project_without_an_index_is_told_how_to_declare_one(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKYAK_PROJECT", str(project_folder("")))
    app = shown()
    assert "No index to draw a map of" in words_of(app) and "Index(" in app.code[0].value


def test_an_index_that_never_ran_offers_to_run(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKYAK_PROJECT", str(project_folder(SOURCE)))
    app = shown()
    assert "search has never run" in words_of(app)
    assert "Run search" in [button.label for button in app.button]


def test_the_map_begins_with_what_people_teach_and_its_colour(laid: Project) -> None:
    app = shown()
    assert (app.selectbox(key="map_asset").value, app.selectbox(key="map_color").value) == ("kind", "kind")
    assert "40 records" in words_of(app)
    app.selectbox(key="map_color").select("size").run()
    assert app.query_params["color"] in ("size", ["size"]) and not app.exception
    app.selectbox(key="map_asset").select("notes").run()
    assert app.query_params["asset"] in ("notes", ["notes"]) and "color" not in app.query_params


def test_what_an_address_picks_is_listed_with_what_can_be_done(laid: Project) -> None:
    every = "-2,-2 2,-2 2,2 -2,2"
    app = shown(inside=every, asset="kind", way="directions")
    assert "40 records picked" in words_of(app)
    assert {"Review these", "Open in Records"} <= {button.label for button in app.button}
    assert "No record lies within" in words_of(shown(inside="9,9 10,9 10,10"))
    assert "40 records" in words_of(shown(inside="no shape at all", asset="nonsense", color="nonsense", way="up"))


def test_a_record_in_the_address_is_shown(laid: Project) -> None:
    app = shown(key="n07")
    assert "n07" in words_of(app) and "Open in Records" in [button.label for button in app.button]
    assert "no record" in words_of(shown(key="gone"))


def test_a_map_that_was_read_is_read_again_after_the_index_changed(laid: Project) -> None:
    before, drawn, path = layouts.read(laid, "search", "kind", "kind", "neighbours")
    assert layouts.read(laid, "search", "kind", "kind", "neighbours")[0] is before
    SearchTable(laid.home, "search").table.delete(["n03"])
    assert not layouts.is_laid(laid, "search", "neighbours")
    laid.map()
    after, other, same = layouts.read(laid, "search", "kind", "kind", "neighbours")
    assert (before.total, after.total, same) == (40, 39, path) and drawn.name != other.name


def test_a_home_that_takes_no_maps_is_drawn_from_memory_and_says_so(laid: Project) -> None:
    for file in laid.home.names("maps"):
        laid.home.remove(f"maps/{file}")
    (laid.root / ".packyak" / "maps").rmdir()
    (laid.root / ".packyak" / "maps").write_text("no folder")
    layout = layouts.lay_out(laid, "search", "directions")
    assert layout.over.wait(60) and not layout.error, layout.error
    layouts.forget(laid, layout)
    assert layouts.is_laid(laid, "search", "directions") and not layouts.is_kept(laid, "search", "directions")
    words = words_of(shown(way="directions"))
    assert "40 records" in words and "for this studio alone" in words
    assert layouts.read(laid, "search", "kind", "kind", "directions")[0].rows.num_rows == 40
