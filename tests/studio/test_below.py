"""Requests that come below a path of a proxy, with it and without."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from packyak.studio.shell.below import VARIABLE, BelowPath, front_path

BASE = "/jupyterlab/default/proxy/8501"


def ask(path: str, *, base: str = BASE, kind: str = "http", query: str = "") -> Any:
    """What reaches the studio (its scope), or what is answered before."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent.append(scope)

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": kind, "path": path, "raw_path": path.encode(), "query_string": query.encode(), "method": "GET",
             "headers": []}  # fmt: skip
    asyncio.run(BelowPath(app, base)(scope, receive, send))
    return sent[0]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("path", ["/", "/records", "/_stcore/stream", "/app/static/fonts/inter.woff2"])
def test_with_the_path_and_without_it_is_the_same(path: str, kind: str) -> None:
    for asked in (path, BASE + path):
        found = ask(asked, kind=kind)
        assert (found["path"], found["raw_path"]) == (path, path.encode())
    assert ask(BASE + path, base="", kind=kind)["path"] == BASE + path


def test_a_path_that_only_begins_so_is_another() -> None:
    assert ask(f"{BASE}1/records")["path"] == f"{BASE}1/records"


def test_without_its_slash_it_leads_to_the_one_with_it() -> None:
    answer = ask(BASE, query="token=x")
    assert answer["status"] == 307
    assert dict(answer["headers"])[b"location"] == b"./8501/?token=x"


def test_how_it_is_told() -> None:
    assert front_path({}) == front_path({VARIABLE: " / "}) == ""
    assert front_path({VARIABLE: "a/b/"}) == front_path({VARIABLE: "/a/b"}) == "/a/b"
