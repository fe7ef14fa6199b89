"""What a studio says of itself when it starts: where it answers. It asks nobody for that, here or elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EVERY = ("", "0.0.0.0", "::")


def welcome(option: Callable[[str], Any]) -> str:
    """A line with the address of the server with these options."""
    named, path = option("server.address") or "", (option("server.baseUrlPath") or "").strip("/")
    host = "127.0.0.1" if named in EVERY else f"[{named}]" if ":" in named else named
    scheme = "https" if option("server.sslCertFile") else "http"
    more = ", and at every other address of this machine" if named in EVERY else ""
    return f"The studio answers at {scheme}://{host}:{option('server.port')}/{path}{more}"
