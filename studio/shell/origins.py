"""Refuses what is asked under another site's name, and what its page sends: a WebSocket, or anything but reading.

Streamlit refuses such a WebSocket too, but asks a service on the internet for this machine's address before it does.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from packyak.studio.shell.launch_token import OPEN_PATHS
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class OwnHost(TrustedHostMiddleware):
    """Refuses a foreign Host, but where is asked whether the studio is up: a load balancer asks for that by number."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class OwnOrigin:
    """Lets through what comes from this site's own pages, or from no page at all."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        writes = kind == "websocket" or (kind == "http" and scope["method"] not in READING)
        if not writes or self._is_own(Headers(scope=scope)):
            await self.app(scope, receive, send)
        elif kind == "http":
            await PlainTextResponse("This comes from another site.", 403)(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    def _is_own(self, headers: Headers) -> bool:
        said = headers.get("origin")
        if said is None:
            return True
        origin = urlsplit(said)
        return bool(origin.netloc) and (origin.netloc == headers.get("host") or origin.hostname in self.hosts)
