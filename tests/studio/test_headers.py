"""What every answer of the studio carries, and what one that came through TLS carries beside."""

from __future__ import annotations

import asyncio
from typing import Any

from packyak.studio.shell.headers import HEADERS, ONLY_TLS, SecurityHeaders

COOKIES = ["a=1; Path=/; HttpOnly", "b=2; Secure; HttpOnly", "c=secure"]


def ask(proto: str | None) -> list[tuple[str, str]]:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"set-cookie", each.encode()) for each in COOKIES]
        headers.append((b"access-control-allow-origin", b"*"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    given = [(b"x-forwarded-proto", proto.encode())] if proto else []
    asyncio.run(SecurityHeaders(app)({"type": "http", "headers": given}, receive, send))
    return [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]


def test_through_tls_cookies_go_through_tls_alone() -> None:
    answer = ask("https")
    assert [value for name, value in answer if name == "set-cookie"] == [
        "a=1; Path=/; HttpOnly; Secure", "b=2; Secure; HttpOnly", "c=secure; Secure",
    ]  # fmt: skip
    assert dict(answer)["strict-transport-security"] == ONLY_TLS
    assert "access-control-allow-origin" not in dict(answer)


def test_on_this_machine_they_are_as_they_are() -> None:
    for answer in (ask(None), ask("http")):
        assert [value for name, value in answer if name == "set-cookie"] == COOKIES
        assert "strict-transport-security" not in dict(answer)
        assert {name.lower() for name in HEADERS} <= {name for name, _ in answer}
