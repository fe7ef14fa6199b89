"""The studio below a path of a proxy, such as `/jupyterlab/default/proxy/8501`: `packyak studio --base-path`.

Some proxies take their path off before they hand a request on, others leave it there: both are understood. The browser
finds out by itself what stands before the studio's own paths (`quick.py`), and asks for everything below it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

VARIABLE = "PACKYAK_STUDIO_BASE_PATH"


def front_path(environment: Mapping[str, str] = os.environ) -> str:
    """The path of this launch: "" or `/some/path`, without a slash at its end."""
    said = environment.get(VARIABLE, "").strip("/ ")
    return f"/{said}" if said else ""


class BelowPath:
    """Takes the path off what comes with it; what comes without passes as it is."""

    def __init__(self, app: ASGIApp, base: str) -> None:
        self.app = app
        self.base = base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.base or scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif scope["path"] == self.base and scope["type"] == "http":  # without the slash, all below would be beside it
            query = scope.get("query_string", b"").decode("latin-1")
            to = f"./{self.base.rpartition('/')[2]}/" + (f"?{query}" if query else "")
            await RedirectResponse(to, 307)(scope, receive, send)
        else:
            await self.app(self._without(scope), receive, send)

    def _without(self, scope: Scope) -> Scope:
        if not scope["path"].startswith(f"{self.base}/"):
            return scope
        raw, base = scope.get("raw_path") or b"", self.base.encode()
        rest = raw[len(base) :] if raw.startswith(base + b"/") else raw
        return {**scope, "path": scope["path"][len(self.base) :], "raw_path": rest}
