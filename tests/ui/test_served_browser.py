"""The studio in the account, as its container runs it: the home on S3 behind a gate that knows its role alone, people
sign in, and what they correct is in the home."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from packyak.deploy.grants.declared import CloudHome
from packyak.deploy.grants.grant import document_of
from packyak.deploy.grants.local_s3 import LocalS3, local_s3
from packyak.deploy.plan import plan_of
from packyak.deploy.served import Served
from packyak.deploy.stacks.container import HEALTH, PORT, command, variable_of
from packyak.deploy.stacks.drawing import blueprint_of
from packyak.deploy.wanted import STUDIO, Wanted
from packyak.engine.project import Project

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
pytest.importorskip("authlib", reason='to run these tests: pip install "packyak-studio[team]"')
pytest.importorskip("werkzeug", reason='to run these tests: pip install "packyak-studio[prove]"')
expect = playwright.expect
expect.set_options(timeout=60_000)

HOME = CloudHome("lake", "place", "arn:aws:kms:us-east-1:123456789012:key/home")
STUDIO_S = Served("studio.example.com", "arn:aws:acm:us-east-1:1:certificate/1", "https://login.example.com",
                  "packyak", "studio/oidc")  # fmt: skip
PROVIDER = Path(__file__).with_name("oidc_provider.py")
ROLES = '\n[roles]\nadmin = ["ana@example.com"]\nreviewer = ["rob@example.com"]\n'
KEPT_HERE = ("worker", "prefect", "secrets", "cloud")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    until = time.monotonic() + 100
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    pytest.fail(f"nothing answers at {url}")


@pytest.fixture
def lake(ran: Path) -> Iterator[LocalS3]:
    """The home of a project that ran, on S3: the key of the studio's role opens what the plan grants it, no more."""
    with (ran / "packyak.toml").open("a") as file:
        file.write(ROLES)
    with local_s3(key=HOME.key) as server:
        server.make_bucket(HOME.bucket)
        here = ran / ".packyak"
        for file_ in here.rglob("*"):
            name = file_.relative_to(here).as_posix()
            if file_.is_file() and not name.startswith(KEPT_HERE):
                server.put(HOME.bucket, HOME.path(name), file_.read_bytes())
        yield server


def as_deployed(ran: Path, port: int, issuer: str) -> tuple[list[str], dict[str, Any]]:
    """The container's command for this machine's addresses, and the policy of its role."""
    project = Project.open(ran)
    plan = plan_of(project.name, project.graph, HOME, root=ran, wanted=Wanted(studio=STUDIO_S))
    studio, role = blueprint_of(plan, "dev").studio, plan.role(STUDIO)
    assert studio is not None and role is not None
    here = {f"https://{STUDIO_S.domain}": f"http://127.0.0.1:{port}", STUDIO_S.issuer: issuer, str(PORT): str(port)}
    return [here.get(word, word) for word in command(studio, HOME.uri)], document_of(role.grants)


def test_people_sign_in_and_correct_what_lies_in_the_account(
    lake: LocalS3, ran: Path, browse: Callable[..., Any], tmp_path: Path
) -> None:
    port, provider = free_port(), free_port()
    issuer, site = f"http://127.0.0.1:{provider}", f"http://127.0.0.1:{port}"
    words, policy = as_deployed(ran, port, issuer)
    lake.gate.roles["AKIASTUDIO"] = policy
    environment = {
        **os.environ, **lake.environment("AKIASTUDIO"), variable_of(STUDIO_S.client_secret): "made up",
        "PACKYAK_WORKER": "off", "PACKYAK_PREFECT": "off", "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path),
    }  # fmt: skip
    with ExitStack() as stack:
        asked = [sys.executable, str(PROVIDER), str(provider), "rob@example.com", "yes"]
        stack.callback(stack.enter_context(subprocess.Popen(asked)).terminate)
        wait_for(f"{issuer}/.well-known/openid-configuration")
        started = subprocess.Popen([sys.executable, "-m", "packyak", *words], cwd=ran, env=environment)
        stack.callback(stack.enter_context(started).terminate)
        wait_for(f"{site}{HEALTH}")
        lake.gate.take()

        by_number = urllib.request.Request(f"{site}{HEALTH}", headers={"Host": "10.78.0.9:8501"})
        with urllib.request.urlopen(by_number, timeout=20) as answer:  # as a load balancer asks
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(urllib.request.Request(f"{site}/", headers={"Host": "evil.example"}), timeout=20)
        through = urllib.request.Request(f"{site}/", headers={"X-Forwarded-Proto": "https"})
        with urllib.request.urlopen(through, timeout=20) as answer:
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=")

        page = browse(f"{site}/records?asset=topic&key=N-000")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_text("N-000")).to_have_count(0)
        assert not lake.gate.take(), "nothing is read for who has not signed in"
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("rob@example.com").first).to_be_visible()
        page.goto(f"{site}/records?asset=topic&key=N-000")
        panel = page.locator(".st-key-record_panel")
        panel.get_by_text("Correct a field").click()
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        page.wait_for_timeout(600)  # the fields come to rest: a list whose field moves away closes
        panel.get_by_label("Value").click()
        page.get_by_role("option", name="other").click()
        panel.get_by_role("button", name="Save correction").click()
        expect(page.get_by_text("1 correction saved")).to_be_visible()
        for name, shown in (("Review", "People differ"), ("Runs", "finished"), ("Pipeline", "topic_counts")):
            page.get_by_role("link", name=name, exact=True).click()
            expect(page.get_by_text(shown).first).to_be_visible()

    said = [json.loads(line) for name in lake.names(HOME.bucket, HOME.path("corrections/"))
            for line in (lake.get(HOME.bucket, name) or b"").splitlines() if line.startswith(b"{")]  # fmt: skip
    assert "rob@example.com" in json.dumps(said) and "other" in json.dumps(said), said
    decided = lake.gate.take()
    assert decided and not [str(each.request) for each in decided if not each.allowed]
