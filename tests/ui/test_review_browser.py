"""The review deck in a browser: keys answer, the next card is there at once, nothing is lost or misplaced."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project as Opened

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect

Browse = Callable[..., Any]
Serve = Callable[..., str]
STORM = 200
APART = 0.030
TOPICS = ("billing", "delivery", "account", "other")
SOURCE = '''
from typing import Literal
from packyak import asset, learned

@asset(key="id")
def notes():
    for n in range(NUMBER):
        yield {"id": f"n{n:03}", "body": f"note {n} <b>bold</b> " + ("invoice" if n % 5 == 0 else "thing")}

@learned(notes)
def topic(body: str) -> Literal["billing", "delivery", "account", "other"] | None:
    """What a note is about."""
    return "billing" if "invoice" in body else None
'''


@pytest.fixture
def taught(project_folder: Callable[..., Path]) -> Callable[[int], Path]:
    """A project of so many notes with a learned transform that nobody taught yet."""

    def make(number: int) -> Path:
        folder = project_folder(SOURCE.replace("NUMBER", str(number)), settings={"learn": "off"})
        Opened.open(folder).run()
        return folder

    return make


def deck(page: Any) -> Any:
    found = page.locator(".deck")
    expect(found).to_have_attribute("data-card", re.compile(r"."), timeout=60_000)
    return found


def said(folder: Path) -> dict[str, Any]:
    """What holds by people's word: record to value."""
    found = Opened.open(folder).scope().in_force
    return {key: each.value for (_, key, column), each in found.items() if column == "topic"}


def test_keys_answer_undo_and_skip(studio: Serve, taught: Callable[[int], Path], browse: Browse) -> None:
    folder = taught(30)
    page = browse(f"{studio(folder)}/review?asset=topic")
    found = deck(page)
    keys = []
    for press in ("2", "3", "1"):
        keys.append(found.get_attribute("data-card"))
        page.keyboard.press(press)
    expect(found).to_have_attribute("data-answered", "3")
    page.keyboard.press("u")
    expect(found).to_have_attribute("data-card", keys[2])
    page.keyboard.press("/")
    page.keyboard.type("acc")
    page.keyboard.press("Enter")
    skipped = found.get_attribute("data-card")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(found).to_have_attribute("data-open", "0", timeout=60_000)
    assert said(folder) == {keys[0]: "delivery", keys[1]: "account", keys[2]: "account"}
    page.reload()
    assert deck(page).get_attribute("data-card") not in {*keys, skipped}
    assert page.locator(".deck b").count() == 0  # a record's text is text


def test_second_opinions_are_blind_and_differences_a_queue(
    studio: Serve, taught: Callable[[int], Path], browse: Browse
) -> None:
    folder = taught(12)
    for key, value in (("n001", "delivery"), ("n002", "account")):
        Opened.open(folder).correct("topic", key, "topic", value, by="bo")
    page = browse(f"{studio(folder)}/review?asset=topic&queue=second")
    found = deck(page)
    expect(page.locator(".answer")).to_contain_text("hidden until you have answered")
    expect(page.get_by_role("button", name="Accept A")).to_have_count(0)
    expect(page.locator(".desk")).to_contain_text("packyak review topic --only second")
    page.keyboard.press("a")  # nothing can be accepted that is not shown
    expect(found).to_have_attribute("data-answered", "0")
    first = found.get_attribute("data-card")
    page.keyboard.press("4")
    expect(found).to_have_attribute("data-open", "0", timeout=60_000)
    (differ,) = Opened.open(folder).disagreements()
    assert (differ.key, {each.value for each in differ.opinions}) == (first, {"other", said_by_bo(first)})
    page.get_by_role("radio", name="People differ (1)").click(
        timeout=60_000
    )  # counted once the page noticed the answer
    expect(found).to_have_attribute("data-card", str(first), timeout=60_000)
    page.get_by_role("button", name="Trace").click()
    expect(page.locator(".part.here")).to_contain_text(str(first), timeout=60_000)
    page.go_back()
    assert deck(page).get_attribute("data-card") == first and "queue=disagreement" in page.url


def said_by_bo(key: str | None) -> str:
    return {"n001": "delivery", "n002": "account"}[str(key)]


@pytest.mark.slow
def test_a_storm_of_keys_on_a_slow_server(studio: Serve, taught: Callable[[int], Path], browse: Browse) -> None:
    folder = taught(STORM + 60)
    page = browse(f"{studio(folder, slow=True)}/review?asset=topic")
    found = deck(page)
    meant: dict[str, str] = {}
    due = time.perf_counter()
    for number in range(STORM):
        key = found.get_attribute("data-card")
        assert key and key not in meant
        meant[key] = TOPICS[number % len(TOPICS)]
        page.keyboard.press(str(number % len(TOPICS) + 1))
        due += APART
        time.sleep(max(0.0, due - time.perf_counter()))
    expect(found).to_have_attribute("data-answered", str(STORM))
    expect(found).to_have_attribute("data-open", "0", timeout=120_000)
    assert said(folder) == meant
    saved = Opened.open(folder).corrections("topic")
    assert len(saved) == STORM
