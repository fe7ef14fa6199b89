"""What another site's page may not do to the studio."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from packyak.studio.shell.origins import OwnOrigin


def ask(origin: str | None, *, kind: str = "websocket", method: str = "GET") -> Any:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent.append("through")

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8501"), *([(b"origin", origin.encode())] if origin is not None else [])]
    scope = {"type": kind, "path": "/", "method": method, "headers": headers}
    asyncio.run(OwnOrigin(app, ["127.0.0.1", "localhost"])(scope, receive, send))
    return sent[0]


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:8501", "http://localhost:8501"])
def test_own_pages_and_programs_pass(origin: str | None) -> None:
    assert ask(origin) == ask(origin, kind="http", method="PUT") == "through"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1.evil.example", "file://"])
def test_others_may_read_what_anybody_may_and_no_more(origin: str) -> None:
    assert ask(origin)["type"] == "websocket.close"
    assert ask(origin, kind="http", method="POST")["status"] == 403
    assert ask(origin, kind="http") == "through"
