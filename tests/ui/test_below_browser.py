"""The studio below a path of a proxy, one that takes the path off and one that leaves it: every page, a correction."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from packyak.engine.project import Project

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=30_000)

Browse = Callable[..., Any]
PROXY = Path(__file__).with_name("proxy.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def below(browser_path: str, tmp_path: Path) -> Iterator[Callable[..., tuple[str, str]]]:
    """Starts `packyak studio` and a proxy before it; answers the studio's address behind it, and with its token."""
    with ExitStack() as stack:

        def start(project: Path, keep: bool) -> tuple[str, str]:
            port, front = free_port(), free_port()
            base = f"/jupyterlab/default/proxy/{'absolute/' if keep else ''}{port}"
            command = [sys.executable, "-m", "packyak", "studio", "--no-browser", "--json", "--port", str(port)]
            environment = {**os.environ, "PACKYAK_WORKER": "off", "XDG_STATE_HOME": str(tmp_path)}
            studio = stack.enter_context(
                subprocess.Popen(
                    [*command, "--base-path", base], cwd=project, env=environment, stdout=subprocess.PIPE, text=True
                )
            )
            stack.callback(studio.terminate)
            proxy = stack.enter_context(
                subprocess.Popen([sys.executable, str(PROXY), str(front), str(port), base, "yes" if keep else "no"])
            )
            stack.callback(proxy.terminate)
            url = json.loads(_document(studio))["url"]
            assert url.startswith(f"http://127.0.0.1:{port}{base}/?token=")
            site = f"http://127.0.0.1:{front}"
            until = time.monotonic() + 60
            while time.monotonic() < until:
                with suppress(OSError), urllib.request.urlopen(f"{site}{base}/_stcore/health", timeout=2):
                    break
                time.sleep(0.1)
            return f"{site}{base}", url.replace(f"http://127.0.0.1:{port}", site)

        yield start


def _document(studio: subprocess.Popen[str]) -> str:
    assert studio.stdout is not None
    text = ""
    for line in studio.stdout:
        text += line
        if line == "}\n" or (line.startswith("{") and line.endswith("}\n")):
            break
    return text


SHOWN = {  # what only a page that was drawn shows
    "Records": "Change many",
    "Review": "People differ",
    "Map": "No index to draw a map of",
    "Models": "This project has no learned transform",
    "Runs": "Retry 1 record",
    "Export": "short retention",
    "Projects": "Start with the sample",
    "Pipeline": "4 fresh",
}


@pytest.mark.parametrize("keep", [False, True], ids=["taken-off", "kept"])
def test_pages_links_and_a_correction(
    below: Callable[..., tuple[str, str]], ran: Path, browse: Browse, keep: bool
) -> None:
    site, launch = below(ran, keep)
    answered: dict[str, int] = {}
    page = browse(launch)
    page.on("response", lambda answer: answered.update({answer.url: answer.status}))
    expect(page.get_by_role("link", name="Records")).to_be_visible()
    assert page.url == f"{site}/"  # the token left the address
    base = urlsplit(site).path
    paths = [each["path"] for each in page.context.cookies() if each["name"].startswith("packyak_studio")]
    assert paths == [base]
    for name, words in SHOWN.items():
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_text(words).first).to_be_visible()
    page.keyboard.press("Control+k")  # another way to a page: the browser's own history
    page.keyboard.type("models")
    page.keyboard.press("Enter")
    expect(page.get_by_text(SHOWN["Models"])).to_be_visible()
    assert page.url.partition("?")[0] == f"{site}/models"
    page.goto(f"{site}/records?asset=topic&key=N-000")  # a deep link
    panel = page.locator(".st-key-record_panel")
    expect(page.get_by_role("button", name="Change many")).to_be_visible()  # what comes last
    panel.get_by_text("Correct a field").click()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.wait_for_timeout(600)  # the fields come to rest: a list whose field moves away closes
    panel.get_by_label("Value").click()
    page.get_by_role("option", name="other").click()
    panel.get_by_role("button", name="Save correction").click()
    expect(page.get_by_text("1 correction saved")).to_be_visible()
    assert [each.value for each in Project.open(ran).corrections("topic")] == ["other"]
    page.wait_for_event("response", lambda answer: "/packyak/pulse/" in answer.url)
    told = [url for url in answered if "/packyak/pulse/" in url]
    assert told and {status for url, status in answered.items() if not url.startswith("blob:")} <= {200, 304}, answered
    assert all(url.startswith((f"{site}/", "blob:", "data:")) for url in answered), answered
