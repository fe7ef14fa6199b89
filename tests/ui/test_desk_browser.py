"""What holds on every page: palette, keys, Back, addresses, two windows that agree, no barriers, no open doors."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from barriers import barriers
from packyak.engine.project import Project as Opened

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)

Browse = Callable[..., Any]
Serve = Callable[..., str]
# Streamlit's own furniture, which no page of ours can mend: the canvas of its tables, its empty landmarks, its menus.
NOT_OURS = re.compile(
    r"stDataFrame|glide|stToolbar|stHeader|stLogo|stSidebar|gdg|stStatusWidget|data-baseweb|react-aria"
)
PAGES = (
    "?asset=topic",
    "?asset=topic&columns=1",
    "?of=topic&key=N-007",
    "?at=2100-01-01&asset=topic",
    "records?asset=topic&key=N-000",
    "records?asset=topic&view=columns",
    "records?asset=topic&view=sql&q=from topic",
    "review?asset=topic",
    "map",
    "runs",
    "home",
)


LEARNED = """
    from typing import Literal
    from packyak import asset, learned

    @asset(key="id")
    def notes():
        for n in range(9):
            yield {"id": f"n{n}", "body": f"note {n}"}

    @learned(notes)
    def topic(body: str) -> Literal["billing", "delivery"] | None:
        return "billing" if "3" in body else None
"""


def idle(page: Any) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def test_the_palette_leads_anywhere_and_back_leads_back(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(studio(ran))
    expect(page.locator('button.card[data-name="topic"]')).to_be_visible()
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Command palette")
    expect(palette).to_be_visible()
    page.keyboard.type("records of topic")
    expect(palette.get_by_role("option").first).to_contain_text("Records of topic")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 to 50 of 120 records")).to_be_visible()
    assert "/records?asset=topic" in page.url
    expect(page.locator(".bar")).to_contain_text("packyak show topic")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("edit the cell")
    page.keyboard.press("Escape")
    page.go_back()
    expect(page.locator('button.card[data-name="topic"]')).to_be_visible()


def test_what_a_page_shows_is_copied_as_a_command(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/models?asset=topic")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as command: packyak models topic").click()
    expect(page.locator(".bar")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "packyak models topic"
    page.evaluate("navigator.clipboard.writeText('')")
    page.keyboard.press("Control+k")
    page.keyboard.type("copy as command")
    page.keyboard.press("Enter")
    page.wait_for_function("navigator.clipboard.readText().then((text) => text === 'packyak models topic')")


def test_an_address_opens_the_same_view_and_two_windows_agree(studio: Serve, ran: Path, browse: Browse) -> None:
    url = studio(ran)
    page = browse(f"{url}/records?asset=topic&text=parcel&sort=id&down=1")
    expect(page.get_by_text("39 records")).to_be_visible()
    expect(page.get_by_role("columnheader", name="id")).to_have_attribute("aria-sort", "descending")
    page.reload()
    expect(page.get_by_text("39 records")).to_be_visible()
    other = browse(f"{url}/?focus=topic&steps=1")
    expect(other.locator("button.card")).to_have_count(4)
    Opened.open(ran).correct("topic", "N-000", "topic", "other")
    expect(other.locator('button.card[data-name="topic"]')).to_contain_text("1 corrected")
    runs = browse(f"{url}/runs")
    expect(runs.get_by_role("navigation", name="Runs, newest first")).to_contain_text("Run finished")
    runs.get_by_role("button", name=re.compile("^Open .* records? of topic that fail")).click()
    expect(runs.get_by_text("1 record").first).to_be_visible()


def press(name: str, role: str = "button") -> Callable[[Any], None]:
    return lambda page: page.get_by_role(role, name=name).first.click()


def ask(words: str) -> Callable[[Any], None]:
    def type_it(page: Any) -> None:
        page.keyboard.press("Control+k")
        page.keyboard.type(words)
        page.keyboard.press("Enter")

    return type_it


def test_one_step_back_is_enough_whatever_led_there(
    studio: Serve, project_folder: Callable[..., Path], browse: Browse
) -> None:
    folder = project_folder(LEARNED, settings={"learn": "off"})
    Opened.open(folder).run()
    url = studio(folder)
    page = browse(url, width=1440, height=900)
    for start, act, there in (
        ("/?asset=topic", press("Open records", "link"), "/records?asset=topic"),
        ("/runs", press("Open topic in the pipeline"), "/?asset=topic"),
        ("/records?asset=topic", ask("records of notes"), "/records?asset=notes"),
        ("/?asset=topic&columns=1", press("Runs", "link"), "/runs"),
        ("/records?asset=topic&text=note", press("See the pipeline"), "/?asset=topic"),
        ("/records?asset=notes&text=note", ask("retry failed"), "/"),
        ("/review?asset=topic", press("Open this record"), re.compile(r"/records\?asset=topic&key=n\d$")),
    ):
        page.goto(f"{url}{start}")
        idle(page)
        page.locator(".desk .bar").wait_for()
        steps, left = page.evaluate("history.length"), page.url  # a page may note in its address what it shows
        act(page)
        expect(page).to_have_url(there if isinstance(there, re.Pattern) else f"{url}{there}")
        idle(page)
        assert page.evaluate("history.length") == steps + 1, (start, there)
        page.go_back()
        expect(page).to_have_url(left)


def answer(url: str, path: str, headers: dict[str, str]) -> int:
    """The status of a bare request."""
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)) as connection:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as found:
            return found.status


def test_strangers_are_refused(studio: Serve, ran: Path) -> None:
    url = studio(ran)
    own = url.removeprefix("http://")
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert answer(url, "/", {"Host": own}) == 200
    assert answer(url, "/_stcore/stream", {"Host": own, "Origin": url, **upgrade}) == 101
    for name in ("evil.example", "192.168.0.9"):
        assert answer(url, "/", {"Host": name}) == 400
        assert answer(url, "/_stcore/stream", {"Host": name, **upgrade}) in (400, 403)
        assert answer(url, "/_stcore/stream", {"Host": own, "Origin": f"http://{name}", **upgrade}) == 403


@pytest.mark.slow
def test_a_launch_with_a_token_opens_for_its_address_only(studio: Serve, ran: Path, browse: Browse) -> None:
    url = studio(ran, token="secret-of-this-launch")
    page = browse(f"{url}/records?asset=topic&token=secret-of-this-launch")
    expect(page.get_by_text("1 to 50 of 120 records")).to_be_visible()
    assert "token" not in page.url and "asset=topic" in page.url
    stranger = browse(f"{url}/records?asset=topic")
    expect(stranger.get_by_text("asks for the token")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_no_serious_barrier_on_any_page(studio: Serve, ran: Path, browse: Browse, dark: bool) -> None:
    url = studio(ran)
    found = []
    page = browse(url, dark=dark)
    for place in PAGES:
        page.goto(f"{url}/{place}")
        idle(page)
        page.locator(".desk, .sheet, .board").first.wait_for(state="attached")
        found += barriers(page, but=NOT_OURS)
    assert not found, "\n".join(found)
