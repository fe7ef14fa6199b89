"""A real studio in a real browser: a project that has run, a server on a free port, pages that watch themselves.

Every page fails its test when it asks for anything outside this machine, and leaves a picture in `tests/ui/shots/`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import packyak.studio
import pytest

STUDIO = Path(packyak.studio.__path__[0])
SHOTS = Path(__file__).parent / "shots"
SLOW_STUDIO = Path(__file__).parent / "slow_studio.py"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
EVIL = "<img src=x onerror=\"document.title='owned'\"> **bold** [link](http://evil.example) $x^2$"
SOURCE = """
    import time
    from collections.abc import Iterator
    from typing import Literal
    from packyak import Bucket, File, check, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def notes(file: File) -> Iterator[dict]:
        "Notes as they were written."
        yield from read_jsonl(file)

    @transform(notes)
    def topic(body: str) -> Literal["billing", "delivery", "other"] | None:
        "What a note is about."
        if "refuse" in body:
            raise ValueError("this note is refused")
        return "billing" if "invoice" in body else "delivery" if "parcel" in body else None

    @transform(topic)
    def slow(body: str) -> int:
        "The length of a note, counted with care."
        time.sleep(SLOWNESS)
        return len(body)

    topic_counts = sql("select topic, count(*) as n from topic group by all")

    @check(topic_counts)
    def enough(topic_counts):
        "Every topic has notes."
        return sql("select * from topic_counts where n < 2")
"""


def note(number: int) -> dict[str, Any]:
    body = ("my invoice is wrong", "the parcel is late", "hello there")[number % 3]
    if number == 4:
        body = EVIL
    if number == 5:
        body = "refuse this one"
    return {"id": f"N-{number:03}", "body": f"{body} ({number})" if number > 5 else body, "amount": number * 1000.5}


def write_project(folder: Path, slowness: float = 0.0, notes: int = 120) -> Path:
    """A small project with one note that is hostile and one that fails; no worker and no Prefect unless asked for."""
    inbox = folder / ".packyak" / "buckets" / "inbox"
    inbox.mkdir(parents=True)
    source = textwrap.dedent(SOURCE).replace("SLOWNESS", str(slowness))
    (folder / "pipeline.py").write_text(source)
    (folder / "packyak.toml").write_text('name = "notes"\n\n[settings]\nprefect = "off"\nworker_idle_minutes = 1\n')
    lines = "\n".join(json.dumps(note(number)) for number in range(notes))
    (inbox / "notes.jsonl").write_text(lines)
    return folder


def run_project(folder: Path) -> None:
    """Bring a project up to date in a process of its own."""
    command = [sys.executable, "-m", "packyak", "run", "--here"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("ran") / "notes")
    run_project(folder)
    return folder


@pytest.fixture
def ran(ran_once: Path, tmp_path: Path) -> Path:
    """A project that is fresh, for this test alone."""
    return Path(shutil.copytree(ran_once, tmp_path / "notes"))


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Writes a project that never ran."""
    return lambda **options: write_project(tmp_path / "notes", **options)


@pytest.fixture
def studio(browser_path: str, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Serves the studio on a project (None: none) and answers its address. Ended, with its workers, after the test.

    slow: what people answer and type takes the server two seconds more.
    """
    started: list[tuple[subprocess.Popen[bytes], Path | None]] = []

    def serve(project: Path | None, *, slow: bool = False, token: str = "") -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
        if project is not None:
            environment["PACKYAK_PROJECT"] = str(project)
        if token:
            environment["PACKYAK_STUDIO_TOKEN"] = token
        program = [str(SLOW_STUDIO)] if slow else ["-m", "streamlit"]
        command = [sys.executable, *program, "run", str(STUDIO), "--server.port", str(port)]
        with (tmp_path / "studio.log").open("ab") as log:
            process = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=log, stderr=log)
        started.append((process, project))
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, tmp_path / "studio.log")
        return f"http://127.0.0.1:{port}"

    yield serve
    for process, project in started:
        process.terminate()
        process.wait(20)
        if project is not None:
            _end_worker(project)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[str]:
    """A Streamlit page that shows two words, to compare ours with."""
    script = tmp_path / "bare.py"
    script.write_text("import streamlit as st\nst.write('ready now')\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    options += ["--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    with (tmp_path / "bare.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, tmp_path / "bare.log")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    pause = time.monotonic() + 60
    while time.monotonic() < pause:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
            if answer.status == 200:
                return
        with suppress(subprocess.TimeoutExpired):
            pytest.fail(f"the studio ended with {process.wait(0.1)}:\n{log.read_text()}")
    pytest.fail(f"the studio does not answer:\n{log.read_text()}")


def _end_worker(project: Path) -> None:
    with suppress(OSError, ValueError, KeyError):
        worker = json.loads((project / ".packyak" / "worker.json").read_text())
        os.kill(worker["pid"], signal.SIGTERM)


@pytest.fixture(scope="module")
def chromium(browser_path: str) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="to run this test: pip install playwright")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Opens an address in a fresh window. At the end: a picture, and no request may have gone outside."""
    opened: list[Any] = []
    outside: list[str] = []

    def watch(asked: Any) -> None:
        if not asked.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")):
            outside.append(asked.url)

    def browse(url: str, *, dark: bool = False, width: int = 1280, height: int = 720) -> Any:
        scheme = "dark" if dark else "light"
        window = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        window.set_default_timeout(30_000)
        page = window.new_page()
        page.on("request", watch)
        page.goto(url)
        opened.append(page)
        return page

    yield browse
    SHOTS.mkdir(exist_ok=True)
    name = request.node.name.removeprefix("test_").replace("[", "-").replace("]", "")
    for number, page in enumerate(opened):
        page.screenshot(path=SHOTS / f"{name}{f'-{number}' if number else ''}.png")
        page.context.close()
    assert not outside, outside
