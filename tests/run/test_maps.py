"""Maps of an index: where records lie, what is shown there, which lie within a shape, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from packyak.engine.errors import DataError, MissingExtra, PackyakError, QueryError
from packyak.engine.learn.layout import lay_out
from packyak.engine.project import Project
from packyak.engine.run import maps
from packyak.engine.run.maps import shapes_of, within
from packyak.engine.store.vectors import Embedder, SearchTable

Vectors = npt.NDArray[np.float32]
SOURCE = """
    from packyak import Index, asset, sql, transform

    @asset(key="id")
    def notes(): yield from ({"id": f"n{n:03}", "body": f"{'parcel' if n % 2 else 'invoice'} {n}"} for n in range(60))

    @transform(notes)
    def topic(body: str) -> str: return body.split()[0]

    counts = sql("select topic, count(*) as n from topic group by all")
    search = Index(notes, on="body")
"""


def embed(texts: Sequence[str]) -> Vectors:
    """Parcels lie in one direction and invoices in another, each a little apart."""
    rows = [[float("parcel" in text), float("invoice" in text), *_noise(text)] for text in texts]
    return np.asarray(rows, dtype=np.float32)


def _noise(text: str) -> list[float]:
    return list(np.random.default_rng(len(text) * 1000 + sum(map(ord, text))).normal(0, 0.1, 14))


def index(project: Project) -> None:
    rows = pa.table({"_key": project.page("notes", limit=100).rows["_key"], "text": project.read("notes")["body"]})
    SearchTable(project.home, "search").update(rows, Embedder("made up", embed))


@pytest.fixture
def project(project_folder: Callable[..., Path]) -> Project:
    made = Project.open(project_folder(SOURCE))
    made.run(["topic", "counts"])
    index(made)
    return made


def places(found: maps.Map) -> Vectors:
    return np.column_stack([found.rows[name].to_numpy() for name in ("x", "y")])


@pytest.mark.parametrize("way", maps.WAYS)
def test_alike_records_lie_near_one_another(project: Project, way: str) -> None:
    found = project.map("search", asset="topic", color="topic", way=way)
    assert (found.total, found.laid, found.rows.num_rows, found.asset) == (60, 60, 60, "topic")
    where, value = places(found), np.array(found.rows["value"].to_pylist())
    assert np.abs(where).max() <= 1.0001
    gaps = np.linalg.norm(where[:, None] - where[None], axis=2)
    nearest = value[np.argsort(gaps, axis=1)[:, 1:6]]
    assert (nearest == value[:, None]).mean() > 0.9


def test_a_map_is_the_same_each_time_and_computed_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    first = project.map()
    monkeypatch.setattr(maps, "_vectors", lambda *_: pytest.fail("computed again"))
    again = Project.open(project.root).map("search")
    assert again.rows.equals(first.rows)
    monkeypatch.undo()
    project.home.remove("maps/search-neighbours.arrow")
    assert project.map().rows.equals(first.rows)


def test_a_home_that_takes_no_maps_leaves_them_with_this_process(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a cloud home under a role that may not write `maps/*`."""
    (project.root / ".packyak" / "maps").write_text("no folder")
    first = project.map()
    assert first.laid == 60 and maps.is_remembered(project.home, "search", "neighbours")
    monkeypatch.setattr(maps, "_vectors", lambda *_: pytest.fail("computed again"))
    assert project.map().rows.equals(first.rows)
    monkeypatch.undo()
    SearchTable(project.home, "search").table.delete(["n000"])
    assert project.map().total == 59
    (project.root / ".packyak" / "maps").unlink()
    SearchTable(project.home, "search").table.delete(["n001"])
    assert project.map().total == 58
    assert not maps.is_remembered(project.home, "search", "neighbours")


def test_another_version_of_the_index_is_laid_out_anew(project: Project) -> None:
    project.map()
    SearchTable(project.home, "search").table.delete(["n000"])
    assert project.map().total == 59


def test_a_run_drops_the_maps_of_what_is_indexed_no_more(project: Project) -> None:
    """Keys of records that are gone stay in no file of the home; a map of the present index stays."""
    project.map()
    project.map(way="directions")
    laid = project.home.read("maps/search-neighbours.arrow") or b""
    assert b"n059" in laid
    project.home.write("maps/gone-neighbours.arrow", laid)
    changed(project, "body.split()[0]", "body.split()[0].upper()").run(["topic"])
    assert project.home.names("maps") == ["search-directions.arrow", "search-neighbours.arrow"]
    SearchTable(project.home, "search").table.delete(["n059"])
    changed(project, ".upper()", ".title()").run(["topic"])
    assert project.home.names("maps") == []
    assert project.map().total == 59


def changed(project: Project, old: str, new: str) -> Project:
    file = project.root / "pipeline.py"
    file.write_text(file.read_text().replace(old, new))
    return Project.open(project.root)


def test_what_is_shown_is_what_holds_now(project: Project) -> None:
    project.map()
    project.correct("topic", "n001", "topic", "other")
    rows = {row["_key"]: row for row in project.map(asset="topic", color="topic").rows.to_pylist()}
    assert rows["n001"]["value"] == "other" and rows["n001"]["text"] == "parcel 1"


def test_records_within_a_shape(project: Project) -> None:
    found = project.map(color="body")
    half = project.map(inside="-2,-2 0,-2 0,2 -2,2")
    assert half.rows["_key"].to_pylist() == [
        key for key, x in zip(found.rows["_key"].to_pylist(), found.rows["x"].to_pylist(), strict=True) if x < 0
    ]
    assert project.map(inside="-2,-2 0,-2 0,2 -2,2;0,-2 2,-2 2,2 0,2").rows.num_rows == 60


def test_a_ring_holds_what_it_surrounds_and_not_its_hole() -> None:
    there = pa.table({"x": [0.5, 2.0, 5.0, -1.0], "y": [0.5, 2.0, 0.5, 0.5]})
    ring = shapes_of("0,0 4,0 4,4 0,4 0,0 1,1 3,1 3,3 1,3 1,1")
    assert within(there, ring).tolist() == [True, False, False, False]


@pytest.mark.parametrize("text", ["", "1,2", "1,2 3,4", "a,b c,d e,f", "0,0 nan,1 1,1", "0,0,0 1,1,1 2,2,2", "; ;"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="corners"):
        shapes_of(text)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"index": "serch"}, "did you mean 'search'"), ({"asset": "counts"}, "Valid: notes, topic"),
        ({"color": "nothing"}, "no column 'nothing'"), ({"way": "up"}, "Valid: neighbours, directions"),
        ({"asset": "topics"}, "no asset 'topics'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_says_what_can(project: Project, asked: dict[str, str], told: str) -> None:
    with pytest.raises(DataError) as caught:
        project.map(**asked)
    assert told in str(caught.value)


def test_without_an_index_or_before_it_ran(project_folder: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="has no index"):
        Project.open(project_folder("", name="none")).map()
    with pytest.raises(PackyakError, match="never run"):
        Project.open(project_folder(SOURCE, name="never")).map()


def test_an_index_of_words_alone_says_what_it_lacks(project_folder: Callable[..., Path]) -> None:
    made = Project.open(project_folder(SOURCE))
    made.run(["notes"])
    rows = pa.table({"_key": ["n000"], "text": ["invoice 0"]})
    SearchTable(made.home, "search").update(rows, None)
    with pytest.raises(DataError, match="words alone"):
        made.map()


def test_without_its_library_it_says_which_part_to_install(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"packyak-studio\[learn\]"):
        project.map()


def test_of_a_large_index_the_same_sample_each_time(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MOST", 25)
    found = project.map()
    assert (found.total, found.laid, found.rows.num_rows) == (60, 25, 25)
    kept = set(found.rows["_key"].to_pylist())
    gone = sorted(kept)[0]
    SearchTable(project.home, "search").table.delete([gone])
    assert kept - {gone} < set(project.map().rows["_key"].to_pylist())


def test_places_between_landmarks_lie_with_their_like(monkeypatch: pytest.MonkeyPatch) -> None:
    from packyak.engine.learn import layout

    monkeypatch.setattr(layout, "LANDMARKS", 40)
    rows = embed([f"{'parcel' if n % 2 else 'invoice'} {n}" for n in range(200)])
    laid = lay_out(rows, "neighbours")
    left, right = laid[40::2].mean(axis=0), laid[41::2].mean(axis=0)
    mine = np.linalg.norm(laid[40::2] - left, axis=1) < np.linalg.norm(laid[40::2] - right, axis=1)
    assert mine.mean() > 0.95 and np.isfinite(laid).all()


@pytest.mark.parametrize("many", [0, 1, 2, 3, 11, 12])
@pytest.mark.parametrize("way", maps.WAYS)
def test_few_or_equal_vectors_have_places_too(many: int, way: str) -> None:
    rows = embed([f"parcel {n}" for n in range(20)])[:many]
    for vectors in (rows, np.zeros_like(rows), np.ones((many, 1), np.float32)):
        laid = lay_out(vectors, way)  # type: ignore[arg-type]
        assert laid.shape == (many, 2) and np.isfinite(laid).all()
