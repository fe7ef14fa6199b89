"""The doors of a running studio, tried with real requests: who is let in, where from, what answers carry."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import packyak.studio
import pytest
from packyak.studio.shell.headers import HEADERS
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

pytestmark = pytest.mark.browser
Serve = Callable[..., str]
Browse = Callable[..., Any]
STUDIO = Path(packyak.studio.__path__[0])
ROUTES = (
    "/", "/records", "/map?index=search", "/app/static/mark.svg", "/app/static/fonts/inter.woff2",
    "/_stcore/host-config", "/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/upload_file/a/b",
    "/media/nothing", "/component/a/b", "/packyak/pulse/guess", "/packyak/map/guess/0", "/auth/login",
    "/oauth2callback",
)  # fmt: skip
UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
}  # fmt: skip
SOCKET = "/_stcore/stream"
PART = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.csv"\r\n\r\n'


def ask(url: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and the beginning of the answer to a bare request; nothing is added to it."""
    place = url.removeprefix("http://")
    with closing(http.client.HTTPConnection(place, timeout=20)) as connection:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        given = {"Host": place, **{name.replace("_", "-"): value for name, value in headers.items()}}
        for name, value in given.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, b"" if answer.status == 101 else answer.read(2000)


def test_a_plain_studio_on_this_machine(studio: Serve, ran: Path) -> None:
    url = studio(ran)
    own = url.removeprefix("http://")
    port = own.partition(":")[2]
    for path in ROUTES:
        _, headers, _ = ask(url, path)
        assert {name: headers.get(name) for name in HEADERS} == HEADERS, path
        assert headers.get("Access-Control-Allow-Origin") in (None, url), path
    assert ask(url, SOCKET, Origin=url, **UPGRADE)[0] == 101
    assert ask(url, SOCKET, Origin=f"http://localhost:{port}", Host=f"localhost:{port}", **UPGRADE)[0] == 101
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "", "192.168.0.9"):
        for path in (*ROUTES, SOCKET):
            assert ask(url, path, Host=host, **(UPGRADE if path == SOCKET else {}))[0] in (400, 403), (host, path)
    for origin in (
        "http://evil.example",
        "null",
        f"https://evil.example:{port}",
        f"http://127.0.0.1.evil.example:{port}",
    ):
        assert ask(url, SOCKET, Origin=origin, **UPGRADE)[0] == 403, origin
        for method in ("POST", "PUT", "DELETE"):
            assert ask(url, "/_stcore/upload_file/a/b", method, b"x", Origin=origin)[0] == 403, origin
    for path in ("/..%2f..%2fetc/passwd", "/app/static/..%2fmain.py", "/app/static/../main.py", "//evil.example/"):
        status, _, text = ask(url, path)
        assert status in (400, 404) and b"root:" not in text and b"import" not in text, path
    for path in ("/_stcore/agent/interact", "/_stcore/agent/mcp"):  # driving it by a program is off
        status, _, text = ask(url, path, "POST", b"{}")
        assert status in (403, 404, 405) or b"not_available" in text, path


def test_uploads_need_a_session_and_the_page_that_holds_its_secret(studio: Serve, ran: Path) -> None:
    url = studio(ran)
    assert ask(url, "/_stcore/upload_file/a/b", "PUT", b"x")[0] == 403
    secret = "2|00000000|" + "ab" * 16 + f"|{int(time.time())}"
    own = {"Cookie": f"_streamlit_xsrf={secret}", "X_Xsrftoken": secret}
    status, _, text = ask(url, "/_stcore/upload_file/a/b", "PUT", b"x", **own)
    assert status == 400 and b"session" in text


def sent_in_pieces(url: str, path: str, most: int, **headers: str) -> tuple[int, int]:
    """The status of a body sent without telling its length, and how many bytes had left when it was answered."""
    place, piece = url.removeprefix("http://"), b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with closing(http.client.HTTPConnection(place, timeout=20)) as connection:
        connection.putrequest("PUT", path, skip_accept_encoding=True)
        for name, value in {**headers, "Transfer_Encoding": "chunked"}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        assert connection.sock is not None
        connection.send(b"%x\r\n%s\r\n" % (len(PART), PART))
        sent = 0
        while sent < most and not select.select([connection.sock], [], [], 0.05)[0]:
            connection.send(piece)
            sent += 0x10000
        return connection.getresponse().status, sent


@pytest.mark.slow
def test_an_upload_ends_at_the_bound(studio: Serve, ran: Path, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tomllib.loads((STUDIO / ".streamlit" / "config.toml").read_text())["server"]["maxUploadSize"] == 200
    monkeypatch.setenv("STREAMLIT_SERVER_MAX_UPLOAD_SIZE", "1")
    url = studio(ran)
    page = browse("about:blank")
    sessions: list[str] = []

    def hear(frame: bytes | str) -> None:
        message = ForwardMsg()
        message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
        if message.WhichOneof("type") == "new_session":
            sessions.append(message.new_session.initialize.session_id)

    page.on("websocket", lambda socket: socket.on("framereceived", hear))
    page.goto(url)
    page.locator("button.card").first.wait_for()
    secret = next(each["value"] for each in page.context.cookies() if each["name"] == "_streamlit_xsrf")
    own = {"Cookie": f"_streamlit_xsrf={secret}", "X_Xsrftoken": secret}
    place = f"/_stcore/upload_file/{sessions[0]}"
    assert ask(url, f"{place}/told", "PUT", None, Content_Length=str(3 << 20), **own)[0] == 413
    form = {**own, "Content_Type": "multipart/form-data; boundary=b"}
    status, sent = sent_in_pieces(url, f"{place}/untold", 8 << 20, **form)
    assert status == 413 and sent < 4 << 20
    assert ask(url, f"{place}/small", "PUT", PART + b"id\n1\r\n--b--\r\n", **form)[0] in (200, 204)


@pytest.mark.slow
def test_on_an_address_that_others_reach_a_token_is_made_and_asked_for(
    studio: Serve, ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    monkeypatch.delenv("PACKYAK_STUDIO_TOKEN", raising=False)
    url = studio(ran)
    log = (tmp_path / "studio.log").read_text()
    assert f"answers at {url}/, and at every other address" in log
    token = re.search(r"[?]token=(\S+)", log)
    assert token is not None and len(token[1]) >= 32
    for path in ROUTES:
        assert ask(url, path)[0] == 403, path
    assert ask(url, SOCKET, Origin=url, **UPGRADE)[0] == 403
    status, headers, _ = ask(url, f"/?token={token[1]}")
    assert status == 303
    cookie = headers["Set-Cookie"].partition(";")[0]
    assert ask(url, "/", Cookie=cookie)[0] == 200
    assert ask(url, SOCKET, Origin=url, Cookie=cookie, **UPGRADE)[0] == 101
    assert ask(url, "/", Cookie=cookie, Host="192.168.0.9")[0] == 400  # named in server.allowedHosts, or refused
    monkeypatch.setenv("PACKYAK_STUDIO_TOKEN", "off")
    with pytest.raises(pytest.fail.Exception, match="this studio would be open to everybody"):
        studio(ran)


@pytest.mark.slow
def test_with_a_token_nothing_is_told_to_who_lacks_it(studio: Serve, ran: Path) -> None:
    token = "secret-of-this-launch"
    url = studio(ran, token=token)
    port = url.rpartition(":")[2]
    cookie = f"packyak_studio_{port}={token}"
    assert ask(url, "/_stcore/health")[2] == b"ok"
    for path in ROUTES:
        status, headers, text = ask(url, path)
        assert status == 403 and b"token" in text and {name: headers.get(name) for name in HEADERS} == HEADERS, path
        assert ask(url, path, Cookie=f"packyak_studio_{port}=wrong")[0] == 403, path
        assert ask(url, path, Cookie=cookie)[0] != 403, path
    assert ask(url, "/?token=wrong")[0] == 403 and ask(url, "/records", "POST", b"")[0] == 403
    for more in ({}, {"Cookie": "packyak_studio_1=secret-of-this-launch"}):
        assert ask(url, f"{SOCKET}?token={token}", Origin=url, **UPGRADE, **more)[0] == 403
    assert ask(url, SOCKET, Origin=url, Cookie=cookie, **UPGRADE)[0] == 101
    status, headers, _ = ask(url, f"/records?asset=topic&token={token}")
    assert status == 303 and headers["Location"] == "./records?asset=topic"
    assert re.search(r"HttpOnly;.*SameSite=lax", headers["Set-Cookie"])


@pytest.fixture
def launched(ran: Path, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """`packyak studio`, as a person starts it, without a browser."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "packyak", "studio", "--no-browser", "--json", "--port", str(port)]
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    process = subprocess.Popen(
        command, cwd=ran, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    text = ""
    while not text.rstrip().endswith("}"):
        line = process.stdout.readline()
        assert line, "the studio ended"
        text += line
    yield json.loads(text)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    process.stdout.close()


@pytest.mark.slow
def test_packyak_studio_asks_for_its_token_and_listens_here_only(launched: dict[str, Any]) -> None:
    site, _, token = launched["url"].partition("/?token=")
    assert len(token) >= 32 and site.startswith("http://127.0.0.1:")
    assert ask(site, "/")[0] == ask(site, SOCKET, Origin=site, **UPGRADE)[0] == 403
    assert ask(site, f"/?token={token}")[0] == 303
    psutil = pytest.importorskip("psutil")
    listening = {each.laddr.ip for each in psutil.Process(launched["pid"]).net_connections() if each.status == "LISTEN"}
    assert listening == {"127.0.0.1"}
