"""A team signs in: nothing is seen before, the address that the provider vouches for is the name, roles hold."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
pytest.importorskip("authlib", reason='to run these tests: pip install "packyak-studio[team]"')
expect = playwright.expect
expect.set_options(timeout=30_000)

Browse = Callable[..., Any]
Serve = Callable[..., str]
PROVIDER = Path(__file__).with_name("oidc_provider.py")


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Starts a provider that vouches for an address, and tells the studio of this test about it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(email: str, verified: bool = True) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, str(PROVIDER), str(port), email, "yes" if verified else "no"]
        started.append(subprocess.Popen(command))
        address = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(OSError), urllib.request.urlopen(address, timeout=2):
                break
            time.sleep(0.1)
        secrets = tmp_path / ".streamlit" / "secrets.toml"
        secrets.parent.mkdir()
        secrets.write_text(
            f"""[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "a secret of at least thirty-two letters, made up"
client_id = "packyak"
client_secret = "made up"
server_metadata_url = "{address}"
"""
        )

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


def with_roles(folder: Path) -> Path:
    with (folder / "packyak.toml").open("a") as toml:
        toml.write(
            '\n[roles]\nadmin = ["ana@example.com"]\nreviewer = ["rob@example.com"]\nviewer = ["vic@example.com"]\n'
        )
    return folder


def test_a_reviewer_signs_in_corrects_under_their_name_and_cannot_run(
    studio: Serve, ran: Path, browse: Browse, provider: Callable[..., None]
) -> None:
    provider("Rob@example.com")
    page = browse(f"{studio(with_roles(ran))}/records?asset=topic")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text("N-000")).to_have_count(0)
    assert "topic" not in page.locator("body").inner_text()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Rob@example.com", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Projects")).to_have_count(0)
    page.goto(page.url.split("/?")[0].rstrip("/") + "/records?asset=topic&key=N-000")
    panel = page.locator(".st-key-record_panel")
    panel.get_by_text("Correct a field").click()
    page.wait_for_timeout(600)  # the fields come to rest: a list whose field moves away closes
    panel.get_by_label("Value").click()
    page.get_by_role("option", name="other").click()
    panel.get_by_role("button", name="Save correction").click()
    expect(page.get_by_text("1 correction saved")).to_be_visible()
    said = Project.open(ran).acting("ana@example.com").corrections("topic")
    assert [(each.by, each.value) for each in said] == [("Rob@example.com", "other")]
    page.get_by_role("link", name="Pipeline").click()
    expect(page.get_by_role("button", name="Run")).to_be_disabled()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_an_address_that_nobody_vouches_for_has_no_role(
    studio: Serve, ran: Path, browse: Browse, provider: Callable[..., None]
) -> None:
    provider("ana@example.com", verified=False)
    page = browse(f"{studio(with_roles(ran))}/records?asset=topic")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Your role does not allow this")).to_be_visible()
    expect(page.get_by_text("somebody without an e-mail address has no role")).to_be_visible()
