"""Security headers on every answer of the studio.

The content policy names this server as the only place that anything may be loaded from or sent to, so that a page
cannot reach outside even by mistake. Streamlit needs inline styles, evaluated code (charts), blobs (components).
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' blob: data:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
ANY_ORIGIN = "Access-Control-Allow-Origin"
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


ONLY_TLS = "max-age=31536000"


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header; a cookie that does not say that it goes through TLS alone says so."""
    is_cookie = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_cookie else value


class SecurityHeaders:
    """Adds `HEADERS` to every HTTP answer; WebSockets pass untouched. What came through TLS comes so from then on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        through_tls = Headers(scope=scope).get("x-forwarded-proto") == "https"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if headers.get(ANY_ORIGIN) == "*":  # Streamlit's own files: other sites need not read even those
                    del headers[ANY_ORIGIN]
                if through_tls:
                    headers["Strict-Transport-Security"] = ONLY_TLS
                    message["headers"] = [_secured(*each) for each in headers.raw]
            await send(message)

        await self.app(scope, receive, send_with_headers)
