"""Makes the pictures of README and docs: the sample project, brought up to date, page by page in a real browser.

python tests/ui/tour.py docs/pictures
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SIZE = (1440, 900)
STOPS = (
    ("pipeline", "?asset=topic", "button.card"),
    ("trace", "?of=topic&key=T-10006", ".trail"),
    ("columns", "?columns=1&column=topic.topic", "button.column"),
    ("records", "records?asset=topic&key=T-10006", "section.field"),
    ("review", "review?asset=topic", ".question"),
    ("runs", "runs", ".run"),
    ("map", "map?asset=topic", ".scatter[data-drawn]"),
    ("export", "export", ".st-key-bill"),
)
DARK = ("pipeline",)
ASSETS = ("city", "topics_per_day", "search")
LONG = 240_000  # a map is laid out first
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        sample = Path(place) / "coffee"
        subprocess.run([sys.executable, "-m", "packyak.sample_data", str(sample)], check=True, capture_output=True)
        subprocess.run([sys.executable, "-m", "packyak", "run", *ASSETS], cwd=sample, check=True)
        port = free_port()
        environment = {**os.environ, "PACKYAK_PROJECT": str(sample), "XDG_STATE_HOME": place, "HOME": place}
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "studio"), "--server.port", str(port)]
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait(port)
            take(f"http://127.0.0.1:{port}", folder)
        finally:
            server.terminate()
            server.wait(20)
            subprocess.run([sys.executable, "-m", "packyak", "stop", "--force"], cwd=sample, check=False)


def take(url: str, folder: Path) -> None:
    """Every stop, and some of them in the dark."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name, address, seen in STOPS:
            for dark in (False, True) if name in DARK else (False,):
                scheme = "dark" if dark else "light"
                window = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme=scheme)
                page = window.new_page()
                page.goto(f"{url}/{address}")
                settle(page, seen)
                path = folder / f"{name}{'-dark' if dark else ''}.png"
                page.screenshot(path=path)
                print(path)
                window.close()
        browser.close()


def settle(page: Page, seen: str) -> None:
    page.locator(seen).first.wait_for(timeout=LONG)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")  # parts that load when first shown
    page.wait_for_timeout(1500)  # fonts and the last transitions


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.3)
    raise SystemExit("the studio does not answer")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
