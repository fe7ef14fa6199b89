"""A reverse proxy for tests that has another server below a path, as SageMaker Studio's JupyterLab does.

python proxy.py PORT TARGET_PORT BASE KEEP

It hands on the browser's own Host and Origin. KEEP: "yes" leaves the path there, "no" takes it off before it hands on.
Whoever asks beside the path is answered 404.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import httpx
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PORT, TARGET, BASE, KEEP = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].rstrip("/"), sys.argv[4] == "yes"
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"]
BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "content-encoding"}
client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{TARGET}", timeout=60)


def place_of(path: str, query: str) -> str:
    return (f"{BASE}/{path}" if KEEP else f"/{path}") + (f"?{query}" if query else "")


async def pages(request: Request) -> Response:
    headers = [(name, value) for name, value in request.headers.raw if name.decode() not in BY_HOP]
    headers.append((b"x-forwarded-prefix", BASE.encode()))
    place = place_of(request.path_params["path"], request.url.query)
    found = await client.request(request.method, place, headers=headers, content=await request.body())
    answer = Response(found.content, found.status_code)
    kept = [(name.lower(), value) for name, value in found.headers.raw if name.decode().lower() not in BY_HOP]
    answer.raw_headers = [*kept, (b"content-length", b"%d" % len(found.content))]
    return answer


async def sockets(near: WebSocket) -> None:
    asked = near.scope["subprotocols"]
    place = f"ws://127.0.0.1:{TARGET}{place_of(near.path_params['path'], near.url.query)}"
    own = {name: near.headers[name] for name in ("cookie", "user-agent") if name in near.headers}
    # The library writes a Host of its own; the address that it connects to is another thing.
    where = f"ws://{near.headers['host']}{place.partition(str(TARGET))[2]}"
    async with websockets.connect(
        where, host="127.0.0.1", port=TARGET, subprotocols=asked, origin=near.headers.get("origin"),
        additional_headers=own, user_agent_header=None, max_size=None, proxy=None,
    ) as far:  # fmt: skip
        await near.accept(far.subprotocol)

        async def out() -> None:
            with suppress(WebSocketDisconnect):
                while True:
                    await far.send(await near.receive_bytes())

        async def back() -> None:
            with suppress(WebSocketDisconnect):
                async for message in far:
                    await (near.send_bytes(message) if isinstance(message, bytes) else near.send_text(message))

        waiting = {asyncio.create_task(out()), asyncio.create_task(back())}
        _, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in rest:
            each.cancel()


ROUTES = [Route(f"{BASE}/{{path:path}}", pages, methods=METHODS), WebSocketRoute(f"{BASE}/{{path:path}}", sockets)]
uvicorn.run(Starlette(routes=ROUTES), host="127.0.0.1", port=PORT, log_level="warning")
