"""A page says from the start where its server is and what to load; with another Streamlit it is the page as it was."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from packyak.studio.shell import quick
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

INDEX = quick.SCRIPTS.parent.parent / "index.html"
LINKED = re.compile(r'<link rel="modulepreload" crossorigin href="\./static/js/([^"]+)">')


def page(_: object) -> Response:
    return FileResponse(INDEX)


def other(_: object) -> Response:
    return JSONResponse({"head": "</head>"}, headers={"ETag": '"kept"'})


@pytest.fixture
def site() -> Iterator[TestClient]:
    quick.parts.cache_clear()
    quick.head.cache_clear()
    paths = ["/", "/records", "/elsewhere", "/_stcore/elsewhere"]
    routes = [*(Route(path, page) for path in paths), Route("/runs", other)]
    yield TestClient(Starlette(routes=routes, middleware=[Middleware(quick.QuickStart), Middleware(GZipMiddleware)]))
    quick.parts.cache_clear()
    quick.head.cache_clear()


def test_every_page_names_the_parts_that_draw_a_component_and_all_that_they_import_once(site: TestClient) -> None:
    text = site.get("/records").text
    files = LINKED.findall(text)
    assert len(files) == len(set(files))
    for part in ("BidiComponent.", "Button."):
        assert any(name.startswith(part) for name in files), part
    for name in files:
        imported = quick.IMPORTED.findall((quick.SCRIPTS / name).read_text())
        assert set(imported) <= set(files) | set(re.findall(r"static/js/([\w.-]+\.js)", INDEX.read_text()))
    assert not any(name.startswith("Selectbox.") for name in files), "what comes later is not waited for"
    assert LINKED.findall(site.get("/").text) == files


def test_streamlit_connects_without_a_ping_where_its_cookie_is_there_already(site: TestClient) -> None:
    assert "...(false ?" in site.get("/records").text
    site.cookies.set("_streamlit_xsrf", "2|made|up")
    text = site.get("/records").text
    assert "...(true ?" in text and "document.cookie" not in text


def test_a_page_comes_whole_even_to_who_has_an_older_one(site: TestClient) -> None:
    known = site.get("/_stcore/elsewhere").headers["etag"]
    answer = site.get("/records", headers={"If-None-Match": known, "Accept-Encoding": "gzip"})
    assert answer.status_code == 200 and "etag" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)
    told = quick.head("/records", False).decode()
    assert answer.text == INDEX.read_text().replace("</head>", told + "</head>")
    assert 'const own = "/records"' in told and answer.text.index("window.__streamlit") < answer.text.index("<body>")


def test_a_page_comes_with_its_looks_and_so_does_one_that_is_not_there(site: TestClient) -> None:
    style = f"<style>{quick.STYLE.read_text()}</style>"
    assert style in site.get("/records").text
    text = site.get("/elsewhere").text
    assert style in text and "window.__streamlit =" not in text
    answer = site.get("/elsewhere", headers={"If-None-Match": '"old"'})
    assert answer.status_code == 200 and answer.headers["content-length"] == str(len(text.encode()))


def test_what_is_no_page_of_ours_passes_as_it_is(site: TestClient) -> None:
    assert site.get("/_stcore/elsewhere").text == INDEX.read_text()
    answer = site.get("/runs")
    assert answer.json() == {"head": "</head>"} and answer.headers["etag"] == '"kept"'
    assert site.get("/models").status_code == 404


def test_a_streamlit_without_these_parts(site: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quick, "SCRIPTS", tmp_path / "static" / "static" / "js")
    plain, text = LINKED.findall(INDEX.read_text()), site.get("/records").text
    assert LINKED.findall(text) == plain and "window.__streamlit" in text


def test_what_follows_the_records_waits_once_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(quick, "time", SimpleNamespace(sleep=waits.append))
    app = AppTest.from_string("from packyak.studio.shell import quick\nquick.ahead()")
    app.run()
    app.run()
    assert waits == [quick.AHEAD_SECONDS]
    AppTest.from_string("from packyak.studio.shell import quick\nquick.ahead()").run()
    assert len(waits) == 2


def test_what_is_loaded_is_left_out_of_the_search_for_garbage_once() -> None:
    quick.settle.cache_clear()
    gc.unfreeze()
    try:
        quick.settle()
        frozen = gc.get_freeze_count()
        assert frozen > 10_000
        later: list[object] = [[number] for number in range(100)]
        quick.settle()
        assert len(later) == 100 and gc.get_freeze_count() <= frozen
    finally:
        gc.unfreeze()
