"""The Export page in a browser, with an account on this machine: one press, its stages, a second in red for more."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "deploy"))  # the account on this machine
pytest.importorskip("moto")
if find_spec("aws_cdk") is None:  # not imported here: that starts a Node of its own choice
    pytest.skip("to run these tests: pip install aws-cdk-lib", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
from local_cloud import local_cloud  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(2400)]
expect = playwright.expect
expect.set_options(timeout=60_000)
SHOTS = Path(__file__).parent / "shots"
LONG = 900_000  # CDK takes its time, most of all on a busy machine

Browse = Callable[..., Any]
Serve = Callable[[Path | None], str]


def test_one_press_publishes_and_more_rights_need_a_second_in_red(
    studio: Serve, ran: Path, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_cloud() as cloud:
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        page = browse(f"{studio(ran)}/export", width=1440, height=900)
        changes, attempt = page.locator(".st-key-what_changes"), page.locator(".st-key-attempt")
        expect(changes).to_contain_text("topic is new: a transform that reads notes", timeout=LONG)
        expect(page.locator(".st-key-bill")).to_contain_text("a month, nothing running")
        expect(page.locator(".st-key-account")).to_contain_text("Signed in by variables of the environment")
        page.get_by_role("button", name="Export to AWS").click()
        expect(attempt).to_contain_text("Publishing")
        expect(page.get_by_role("button", name="Export to AWS")).to_be_disabled()
        page.reload()  # it goes on without the page
        expect(attempt).to_contain_text("Publishing")
        page.screenshot(path=SHOTS / "export_live.png")
        expect(attempt).to_contain_text("Published", timeout=LONG)
        expect(attempt).to_contain_text("stateMachine:packyak-notes-flow")
        expect(changes).to_contain_text("nothing", timeout=LONG)
        assert len(cloud.builds) == 1

        code = ran / "pipeline.py"
        code.write_text(code.read_text().replace("def slow(body: str)", "def slow(body: str, topic: str | None)"))
        page.reload()
        expect(changes).to_contain_text("slow gains read of topic", timeout=LONG)
        expect(changes).to_contain_text("May do more than before")
        page.get_by_role("button", name="Export to AWS").click()
        widening = page.locator(".st-key-widening")
        expect(widening).to_contain_text("slow gains read of topic")
        expect(page.locator(".st-key-bill")).to_be_visible()
        expect(page.locator(".st-key-problem")).to_have_count(0)
        page.screenshot(path=SHOTS / "export_widening.png")
        page.get_by_role("button", name="That is meant: export").click()
        expect(widening).to_have_count(0)
        expect(attempt).to_contain_text("Publishing")
        expect(attempt).to_contain_text("Published", timeout=LONG)


def test_without_credentials_it_teaches_and_says_so_when_pressed(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/export", dark=True, width=1440, height=900)
    expect(page.locator(".st-key-account")).to_contain_text("Connect an AWS account", timeout=LONG)
    page.get_by_role("button", name="Export to AWS").click()
    expect(page.locator(".st-key-attempt")).to_contain_text("There are no AWS credentials", timeout=LONG)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".st-key-attempt")).to_have_count(0)
