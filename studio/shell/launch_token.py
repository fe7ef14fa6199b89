"""The word that a launch of the studio asks for: on every route and on the WebSocket, as a cookie or once as `?token=`.

`packyak studio` makes one for each launch, and so does a studio that answers on more than this machine. A plain
`streamlit run studio` on the loopback address asks for none, unless `PACKYAK_STUDIO_TOKEN` is set ("auto": make one;
"off": none, which only a studio takes in which people sign in).
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import sys
from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlencode

from packyak.engine.errors import SettingError
from packyak.studio.shell.below import front_path
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

VARIABLE = "PACKYAK_STUDIO_TOKEN"
PARAMETER = "token"
OPEN_PATHS = frozenset({"/_stcore/health"})
REFUSED = "This studio asks for the token of its launch. Open the address that it printed, with ?token= in it."


def required(environment: Mapping[str, str], address: str | None, signs_in: bool = False) -> str | None:
    """The token of this launch; None where none is needed. A new one is printed."""
    said = environment.get(VARIABLE, "").strip()
    if said == "off":
        if signs_in:
            return None
        raise SettingError(
            f"{VARIABLE} is off, and nobody signs in: this studio would be open to everybody",
            next_step="have people sign in (docs/studio.md), or leave the variable out",
        )
    if said and said != "auto":
        return said
    if not said and is_loopback(address):
        return None
    token = secrets.token_urlsafe(24)
    print(f"The studio asks for a token: add ?{PARAMETER}={token} to its address", file=sys.stderr)
    return token


def is_loopback(address: str | None) -> bool:
    """Whether only this machine reaches the address. None is every address."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "0.0.0.0").is_loopback
    except ValueError:
        return False


def of_launch() -> str | None:
    """The token that this process asks for."""
    import streamlit as st
    from packyak.studio.shell.identity import signs_in

    return required(os.environ, st.get_option("server.address"), signs_in())


class Token:
    """Refuses every request without the token. With it in the address, a cookie is set and the address cleaned."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        free = self.token is None or kind not in ("http", "websocket") or scope["path"] in OPEN_PATHS
        if free or self._is(self._cookie(scope)):
            await self.app(scope, receive, send)
        elif kind == "http" and self._is(dict(_query(scope)).get(PARAMETER, "")):
            await self._welcome(scope, receive, send)
        elif kind == "http":
            await PlainTextResponse(REFUSED, 403)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    def _is(self, said: str) -> bool:
        return self.token is not None and secrets.compare_digest(said.encode(), self.token.encode())

    def _cookie(self, scope: Scope) -> str:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(_name(scope))
        return found.value if found else ""

    async def _welcome(self, scope: Scope, receive: Receive, send: Send) -> None:
        rest = urlencode([(name, value) for name, value in _query(scope) if name != PARAMETER])
        # Relative, as a proxy may have the studio below a path that it tells nobody of.
        answer = RedirectResponse(f"./{scope['path'].rpartition('/')[2]}" + (f"?{rest}" if rest else ""), 303)
        secure = scope.get("scheme") == "https"
        place = front_path() or "/"
        answer.set_cookie(_name(scope), self.token or "", path=place, httponly=True, samesite="lax", secure=secure)
        await answer(scope, receive, send)


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)


def _name(scope: Scope) -> str:
    """The cookie's name: cookies know no ports, so two studios on one machine need two names."""
    return f"packyak_studio_{(scope.get('server') or ('', 0))[1]}"
