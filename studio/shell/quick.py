"""What a page needs from the first moment, told in the page that Streamlit serves: the browser need not find it out.

Streamlit's page asks twice where its server is (on a deep link first in the wrong place) before it connects, and loads
the parts that draw one of our components only when the first of them arrives. Here the page is told where its server
is, and which of those parts to fetch meanwhile. Where another Streamlit names things otherwise, nothing is said. What
the theme cannot say of its looks comes with it too: handed over by a script, all of it is searched for danger first.
"""

from __future__ import annotations

import atexit
import gc
import json
import re
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import streamlit as st
from packyak.studio.shell import places
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPTS = Path(st.__file__).parent / "static" / "static" / "js"
STYLE = Path(__file__).with_name("studio.css")
EVERYWHERE = ("BidiComponent", "Button")
PATHS = frozenset(f"/{name}" if name != "pipeline" else "/" for name in places.BY_NAME)
NO_PAGES = ("/_stcore/", "/packyak/", "/media/")
UNASKED = frozenset({b"accept-encoding", b"if-none-match", b"if-modified-since"})  # the page comes whole and plain
IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*["'`]\./([\w.-]+\.js)["'`]""")
HEAD = b"</head>"
AHEAD, AHEAD_SECONDS = "ahead", 0.2
COOKIE = "_streamlit_xsrf="
# Told its host's settings Streamlit connects without a ping; the cookie that the ping brings has to be there already.
# Whether it is, the request for the page says: a page that looks at its cookies waits for another process.
TELL = """<script>{{
const own = {path}, at = location.pathname
if (at.endsWith(own)) window.__streamlit = {{
  BACKEND_BASE_URL: location.origin + at.slice(0, at.length - own.length) + "/",
  ...({known} ? {{ HOST_CONFIG: {{ allowedOrigins: [location.origin], useExternalAuthToken: false }} }} : {{}}),
}}
}}</script>
"""


@cache
def parts(names: tuple[str, ...]) -> tuple[str, ...]:
    """The files of Streamlit's parts of these names and all that they import, but for what its page loads anyway."""
    page = SCRIPTS.parent.parent / "index.html"
    known = set(re.findall(r"static/js/([\w.-]+\.js)", page.read_text(encoding="utf-8"))) if page.is_file() else set()
    found: list[str] = []
    ahead = [file.name for name in names for file in sorted(SCRIPTS.glob(f"{name}.*.js"))]
    while ahead:
        name = ahead.pop(0)
        if name in known or not (SCRIPTS / name).is_file():
            continue
        known.add(name)
        found.append(name)
        ahead += IMPORTED.findall((SCRIPTS / name).read_text(encoding="utf-8"))
    return tuple(found)


def links(files: Iterable[str]) -> str:
    """Tags that have the browser fetch and compile these."""
    return "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{file}">\n' for file in files)


@cache
def head(path: str, known: bool) -> bytes:
    """What comes into the head of the page at this path; where there is none of ours, Streamlit shows its first one.
    known: whether the browser has Streamlit's cookie."""
    style = f"<style>{STYLE.read_text(encoding='utf-8')}</style>\n"
    if path not in PATHS:
        return style.encode()
    told = TELL.format(path=json.dumps(path), known=json.dumps(known))
    return (told + links(parts(EVERYWHERE)) + style).encode()


def _may_be_page(path: str) -> bool:
    return path in PATHS or not ("." in path.rpartition("/")[2] or path.startswith(NO_PAGES))


class QuickStart:
    """Adds `head` to pages, when they are answered whole; everything else passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _may_be_page(scope["path"]):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def gather(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is None or message["type"] != "http.response.body":
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    own = scope["path"] if scope["path"] in PATHS else ""
                    whole = body.replace(HEAD, head(own, known) + HEAD, 1)
                    headers = MutableHeaders(scope=start)
                    headers["Content-Length"] = str(len(whole))
                    del headers["ETag"], headers["Last-Modified"]  # they tell of the page without what is added
                    await send(start)
                    await send({"type": "http.response.body", "body": whole})

        known = COOKIE in Headers(scope=scope).get("cookie", "")
        asked = [(name, value) for name, value in scope["headers"] if name not in UNASKED]
        await self.app({**scope, "headers": asked}, receive, gather)


def ahead() -> None:
    """Once a window: what follows waits until the browser has drawn what came before. Sent at once, all is laid out
    together, and what people wait for is seen as late as the least of it."""
    if AHEAD not in st.session_state:
        st.session_state[AHEAD] = True
        time.sleep(AHEAD_SECONDS)


@cache
def settle() -> None:
    """Once, when a first page is drawn: what is loaded by then stays. Streamlit looks for garbage after each run of a
    script, before its last words have left; that it looks through every library again only holds those up."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or a library that counts what is left at the end takes all that for lost


def _is_page(start: Message) -> bool:
    return start["status"] == 200 and Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")
