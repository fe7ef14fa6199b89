"""`packyak studio`: the installed studio on this machine's own address, in a window of its own or the browser.

Streamlit runs as a process of its own, so that this command imports nothing of it, works from any folder, and ends it
when it is told to end.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from packyak.cli import team as teams
from packyak.cli.place import Place
from packyak.cli.team import Team
from packyak.engine.errors import MissingExtra, PackyakError
from packyak.engine.settings import PROJECT_VARIABLE

HOST = "127.0.0.1"
STDERR = 2
PORT = 8501
START_SECONDS = 60.0
HANDED_ON_SECONDS = 5.0
TOKEN_VARIABLE = "PACKYAK_STUDIO_TOKEN"
BASE_VARIABLE = "PACKYAK_STUDIO_BASE_PATH"
WINDOW_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge")


def serve(
    place: Place | None,
    port: int | None,
    browser: bool,
    ready: Callable[[str, int], None],
    *,
    base: str = "",
    hosts: Sequence[str] = (),
    team: Team | None = None,
) -> int:
    """Runs the studio until it ends or is told to; answers its exit code.

    ready: told the address and the process once the studio answers. base: the path of a proxy that it lies below;
    hosts: the proxy's names; team: who signs in, and where.
    """
    folder = studio_folder()
    port = _chosen(port)
    told = environment(place) | ({BASE_VARIABLE: base} if base else {})
    options: dict[str, object] = {"server.address": HOST, "server.port": port}
    with contextlib.ExitStack() as stack:
        if team is not None and place is not None:
            options |= {"server.address": team.address, "secrets.files": stack.enter_context(teams.told(team, place))}
            token, hosts = told.setdefault(TOKEN_VARIABLE, "off"), [*hosts, team.host]
            told.pop(team.variable, None)  # the project's code need not know it
        else:
            token = told.setdefault(TOKEN_VARIABLE, secrets.token_urlsafe(24))
        # What it prints is no part of this command's answer, which with --json is one document.
        command = _command(folder, options, hosts)
        started = subprocess.Popen(command, env=told, stdin=subprocess.DEVNULL, stdout=STDERR)
        site = f"http://{HOST}:{port}"
        url = f"{team.site if team else site}{base}/" + (f"?token={token}" if token != "off" else "")
        return _served(started, site, url, browser, ready)


def _served(
    started: subprocess.Popen[bytes], site: str, url: str, browser: bool, ready: Callable[[str, int], None]
) -> int:
    """The studio's exit code, once it ended. site: where it answers here; url: where people see it."""
    with _ending(started) as process:
        if not _wait(site, process):
            raise PackyakError(
                "the studio did not start", next_step="what it printed above says why; `packyak doctor` looks further"
            )
        ready(url, process.pid)
        window = _app_window(url) if browser else None
        if window is not None:
            threading.Thread(target=_end_with, args=(window, process, url), daemon=True).start()
        elif browser:
            threading.Thread(target=_open, args=(url,), daemon=True).start()
        ended = process.wait()
        return 0 if ended == -signal.SIGTERM else ended  # told to end, as by closing its window: no failure


def studio_folder() -> Path:
    """Where the studio is installed. Raises MissingExtra without Streamlit."""
    if importlib.util.find_spec("streamlit") is None:
        raise MissingExtra.of("studio", why="to open the studio")
    spec = importlib.util.find_spec("packyak.studio")
    if spec is None or not spec.submodule_search_locations:
        raise PackyakError("the studio is not installed", next_step='pip install "packyak-studio[studio]"')
    return Path(next(iter(spec.submodule_search_locations)))


def environment(place: Place | None) -> dict[str, str]:
    """What the studio is told: which project to open, and its home where the command named one."""
    told = {**os.environ, "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    if place is not None:
        told[PROJECT_VARIABLE] = str(place.root)
        if place.given is not None:
            told["PACKYAK_HOME"] = place.given
    return told


def _command(folder: Path, options: dict[str, object], hosts: Sequence[str]) -> list[str]:
    always = {
        "server.headless": "true",  # we open the browser; Streamlit would ask for an e-mail address first
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
    }
    told = [*(options | always).items()]
    if hosts:  # beside this machine's own names, which a list given here replaces
        told += [("server.allowedHosts", each) for each in (*teams.LOCAL, *hosts)]
    flags = [word for name, value in told for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", "streamlit", "run", str(folder), *flags]


def _chosen(port: int | None) -> int:
    """The port asked for, else the usual one, else a free one. Raises PackyakError when the one asked for is taken."""
    if port is not None and not _is_free(port):
        raise PackyakError(f"port {port} is taken", next_step="leave out --port to get a free one")
    if port is not None:
        return port
    if _is_free(PORT):
        return PORT
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


@contextlib.contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """However this command ends, its studio ends too."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield process
    except KeyboardInterrupt:
        pass  # the usual way to end a studio, and no error
    finally:
        signal.signal(signal.SIGTERM, before)
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(url: str, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with (
            contextlib.suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2),
        ):
            return True
        time.sleep(0.2)
    return False


def _app_window(url: str) -> subprocess.Popen[bytes] | None:
    """A window of its own, where a browser that can do that and a screen are there; None otherwise."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    program = next(filter(None, map(shutil.which, WINDOW_BROWSERS)), None)
    if program is None:
        return None
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "packyak" / "window"
    command = [program, f"--app={url}", f"--user-data-dir={state}", "--window-size=1440,900", "--no-first-run"]
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return None


def _end_with(window: subprocess.Popen[bytes], studio: subprocess.Popen[bytes], url: str) -> None:
    """Closing the window ends the studio. A browser that hands the address on ends at once: no closing; one that fails
    at once leaves it to the usual browser."""
    start = time.monotonic()
    failed = window.wait() != 0
    if time.monotonic() - start > HANDED_ON_SECONDS:
        studio.terminate()
    elif failed:
        _open(url)


def _open(url: str) -> None:
    import webbrowser

    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(url)
