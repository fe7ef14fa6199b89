"""The token of a launch: who is let in, how the cookie comes, and where none is asked for."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from packyak.engine.errors import SettingError
from packyak.studio.shell.launch_token import OPEN_PATHS, VARIABLE, Token, is_loopback, required


def ask(
    token: str | None, *, kind: str = "http", path: str = "/records", query: str = "", cookie: str = ""
) -> list[Any]:
    """What is answered; "through" where the request reaches the studio."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent.append("through")

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "server": ("127.0.0.1", 8501),
        "scheme": "http",
        "method": "GET",
        "headers": [(b"cookie", cookie.encode())] if cookie else [],
    }
    asyncio.run(Token(app, token)(scope, receive, send))
    return sent


def test_without_a_token_nobody_is_asked() -> None:
    assert ask(None) == ask(None, kind="websocket") == ["through"]


@pytest.mark.parametrize("cookie", ["", "packyak_studio_8501=wrong", "packyak_studio_9000=secret", "token=secret"])
def test_others_are_refused_on_every_route(cookie: str) -> None:
    for path in ("/", "/records", "/app/static/mark.svg", "/_stcore/upload_file/x"):
        assert ask("secret", path=path, cookie=cookie)[0]["status"] == 403
    closed = ask("secret", kind="websocket", path="/_stcore/stream", cookie=cookie, query="token=secret")
    assert closed == [{"type": "websocket.close", "code": 1008}]


def test_the_token_in_the_address_becomes_a_cookie_and_leaves_it() -> None:
    answer = ask("secret", query="asset=topic&token=secret&key=a%26b")[0]
    headers = {name.decode(): value.decode() for name, value in answer["headers"]}
    assert answer["status"] == 303 and headers["location"] == "./records?asset=topic&key=a%26b"
    assert "HttpOnly" in headers["set-cookie"] and "SameSite=lax" in headers["set-cookie"]
    cookie = headers["set-cookie"].partition(";")[0]
    assert ask("secret", cookie=cookie) == ask("secret", kind="websocket", cookie=cookie) == ["through"]
    assert ask("secret", query="token=wrong")[0]["status"] == 403


def test_the_launcher_may_ask_whether_the_studio_is_up() -> None:
    assert all(ask("secret", path=path) == ["through"] for path in OPEN_PATHS)


def test_a_redirect_stays_on_this_site() -> None:
    for path in ("//evil.example/", "//evil.example", "/https:evil.example", "/\\evil.example", "/"):
        headers = dict(ask("secret", path=path, query="token=secret")[0]["headers"])
        assert headers[b"location"].startswith(b"./"), path
        assert urlsplit(urljoin("http://127.0.0.1:8501/", headers[b"location"].decode())).netloc == "127.0.0.1:8501"


def test_the_cookie_is_for_the_path_that_a_proxy_has_it_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKYAK_STUDIO_BASE_PATH", "/lab/proxy/8501")
    headers = dict(ask("secret", query="token=secret")[0]["headers"])
    assert b"Path=/lab/proxy/8501;" in headers[b"set-cookie"]


def test_where_a_token_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert required({}, "127.0.0.1") is None and required({VARIABLE: "given"}, "127.0.0.1") == "given"
    made = required({VARIABLE: "auto"}, "localhost")
    assert made and made in capsys.readouterr().err
    assert required({VARIABLE: "off"}, "0.0.0.0", signs_in=True) is None
    for address in ("0.0.0.0", "127.0.0.1", None):
        with pytest.raises(SettingError, match="open to everybody"):
            required({VARIABLE: "off"}, address)
    assert required({}, "0.0.0.0") and required({}, None) and required({}, "10.0.0.7")
    assert is_loopback("::1") and is_loopback("127.0.0.9") and not is_loopback("example.org")
