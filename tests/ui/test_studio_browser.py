"""The studio in a browser: see the graph, choose, run, cancel, correct, break the code, follow a link, in the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project as Opened

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)  # the first page of a server waits for its imports

Browse = Callable[..., Any]
Serve = Callable[[Path | None], str]
Project = Callable[..., Path]
SHOTS = Path(__file__).parent / "shots"
TOPIC = 4  # the grid's columns: open, marks, id, topic, ...


def idle(page: Any) -> None:
    """Until the page's script has run to its end."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def card(page: Any, name: str) -> Any:
    return page.locator(f'button.card[data-name="{name}"]')


def board(page: Any) -> Any:
    found = page.locator(".board")
    expect(found).to_have_attribute("data-edges", re.compile(r"^[1-9]"))
    return found


def cell(page: Any, column: int, key: str) -> Any:
    return page.locator(f'.cells tr[data-key="{key}"] td:nth-child({column})')


def edit(page: Any, key: str, typed: str) -> None:
    """Type into the topic of a record, as a person would: click its id, go one to the right, Enter, type, Enter."""
    cell(page, TOPIC - 1, key).click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name=f"topic of {key}")).to_be_focused()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")


INK = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    .data.filter((value, place) => place % 4 === 3 && value > 0).length"""


def test_a_deep_link_finds_its_server_at_once(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/runs")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.locator(".run").first).to_be_visible()
    idle(page)
    assert page.evaluate("Boolean(window.__streamlit.HOST_CONFIG)")
    assert any("/static/js/BidiComponent." in url for url in asked)
    assert not [url for url in asked if "/runs/_stcore" in url]


def test_the_graph_shows_the_project_and_a_click_opens_its_panel(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(studio(ran))
    expect(board(page)).to_have_attribute("data-edges", "4")
    expect(card(page, "topic")).to_contain_text("fresh")
    expect(card(page, "topic")).to_contain_text("1 failed")
    expect(card(page, "notes")).to_contain_text("120")
    card(page, "topic").click()
    panel = page.locator(".st-key-asset_panel")
    expect(panel).to_contain_text("What a note is about.")
    expect(panel).to_contain_text("pipeline.py:")
    expect(panel.get_by_role("button", name="Retry 1 failed")).to_be_enabled()
    expect(panel.locator(".st-key-asset_failures")).to_contain_text("ValueError: this note is refused")
    expect(panel.locator(".st-key-asset_failures")).to_contain_text("packyak show topic --only failed")
    assert "asset=topic" in page.url
    card(page, "topic").press("Escape")
    expect(panel).to_have_count(0)


def test_the_graph_fills_the_window_and_draws_edges(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(studio(ran), width=1440, height=900)
    box = board(page).bounding_box()
    assert 900 - 48 <= box["y"] + box["height"] <= 900 and box["width"] > 1100  # the status bar stands below
    assert page.locator(".board > canvas").evaluate(INK) > 500  # edges are drawn with nothing chosen
    assert float(board(page).get_attribute("data-zoom")) >= 0.7
    board(page).hover(position={"x": 40, "y": 40})
    page.mouse.wheel(0, -400)
    expect(page.get_by_role("button", name="Zoom to 100 % (0)")).not_to_have_text("100 %")


def test_arrow_keys_walk_along_edges(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(studio(ran))
    board(page)
    card(page, "notes").focus()
    down = board(page).get_attribute("data-way") == "down"
    page.keyboard.press("ArrowDown" if down else "ArrowRight")
    expect(card(page, "topic")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-asset_panel")).to_be_visible()


@pytest.mark.slow
def test_a_run_shows_its_progress_and_its_end(studio: Serve, tmp_path: Path, browse: Browse, project: Project) -> None:
    page = browse(studio(project(slowness=0.03)))
    page.get_by_role("button", name="Run all 4 assets").click()
    expect(page.get_by_text("Running", exact=False).first).to_be_visible()
    expect(card(page, "slow")).to_have_attribute("data-state", "running")
    expect(card(page, "slow").locator(".bar")).to_be_visible()
    expect(card(page, "slow")).to_contain_text("of 120")
    expect(page.locator(".notice")).to_contain_text("Run finished", timeout=60_000)
    expect(page.get_by_role("button", name="Everything is fresh")).to_be_disabled()
    expect(card(page, "slow")).to_contain_text("120")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".notice")).to_be_hidden()


@pytest.mark.slow
def test_a_run_survives_a_reload_and_can_be_cancelled(studio: Serve, browse: Browse, project: Project) -> None:
    page = browse(studio(project(slowness=0.2)))
    page.get_by_role("button", name="Run all 4 assets").click()
    expect(card(page, "slow")).to_have_attribute("data-state", "running", timeout=60_000)
    page.reload()
    expect(card(page, "slow")).to_have_attribute("data-state", "running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".notice")).to_contain_text("Run cancelled", timeout=60_000)
    expect(card(page, "notes")).to_be_visible()


def test_a_correction_is_typed_previewed_saved_and_holds(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/records?asset=topic")
    expect(cell(page, TOPIC, "N-000")).to_have_text("billing")
    edit(page, "N-000", "delivery")
    page.get_by_role("button", name="Save 1 correction").click()
    preview = page.get_by_role("dialog", name="Save corrections")
    expect(preview).to_contain_text("1 value in 1 record")
    preview.get_by_label("Why (optional)").fill("it says parcel on the second page")
    page.screenshot(path=SHOTS / "preview.png")
    preview.get_by_role("button", name="Save now").click()
    expect(page.get_by_text("1 correction saved")).to_be_visible()
    expect(page.get_by_text("now stale", exact=False)).to_contain_text("topic_counts")
    expect(cell(page, TOPIC, "N-000")).to_have_text("delivery, corrected")
    log = ran / ".packyak" / "corrections"
    assert any("it says parcel" in path.read_text() for path in log.rglob("*") if path.is_file())
    page.goto(f"{page.url}&key=N-000")
    panel = page.locator(".st-key-record_panel")
    expect(panel).to_contain_text("Corrected by")
    expect(panel).to_contain_text("computed: billing")
    panel.get_by_role("button", name="Undo the correction of topic").click()
    expect(page.get_by_text("correction undone")).to_be_visible()
    expect(panel).not_to_contain_text("Corrected by")


def test_drafts_survive_paging_and_can_be_discarded(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/records?asset=topic")
    edit(page, "N-000", "delivery")
    save = page.get_by_role("button", name="Save 1 correction")
    expect(save).to_be_enabled()
    page.get_by_role("button", name="Page 2").click()
    expect(page.get_by_text("51 to 100 of 120 records")).to_be_visible()
    expect(save).to_be_enabled()
    page.get_by_role("button", name="Page 1").click()
    expect(cell(page, 2, "N-000")).to_have_text("topic not saved")
    expect(cell(page, TOPIC, "N-000")).to_have_text("delivery, not saved")
    page.get_by_role("button", name="Discard").click()
    expect(cell(page, TOPIC, "N-000")).to_have_text("billing")
    expect(save).to_have_count(0)


def test_record_text_stays_text(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/records?asset=topic&key=N-004")
    panel = page.locator(".st-key-record_panel")
    expect(panel).to_contain_text("<img src=x onerror=")
    expect(panel).to_contain_text("**bold** [link](http://evil.example)")
    assert panel.locator("img, a[href*=evil]").count() == 0
    assert page.title() != "owned"
    page.goto(page.url.replace("N-004", "N-005"))
    expect(panel).to_contain_text("this note is refused")


def test_a_syntax_error_is_a_page_that_mends_itself(studio: Serve, ran: Path, browse: Browse) -> None:
    file = ran / "pipeline.py"
    good = file.read_text()
    file.write_text(good.replace("def topic(body: str)", "def topic(body: str"))
    page = browse(studio(ran))
    expect(page.get_by_role("heading", name="The project's code has an error")).to_be_visible()
    expect(page.get_by_text(re.compile(r"pipeline\.py:\d+")).first).to_be_visible()
    page.screenshot(path=SHOTS / "syntax_error.png")
    file.write_text(good)
    expect(card(page, "topic")).to_be_visible()


def test_a_deep_link_opens_inside_the_shell_with_its_fonts(studio: Serve, ran: Path, browse: Browse) -> None:
    url = studio(ran)
    page = browse("about:blank")
    fonts: dict[str, str] = {}
    page.on(
        "response",
        lambda answer: (
            fonts.update({answer.url: answer.headers.get("content-type", "")})
            if answer.url.endswith(".woff2")
            else None
        ),
    )
    page.goto(f"{url}/records?asset=topic")
    expect(page.get_by_role("link", name="Pipeline")).to_be_visible()
    expect(cell(page, TOPIC, "N-000")).to_have_text("billing")
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('14px Inter'))")
    own = {address: kind for address, kind in fonts.items() if "/app/static/" in address}
    assert own and set(own.values()) == {"font/woff2"}, fonts
    icon = page.locator("link[rel='shortcut icon'], link[rel=icon]").first.get_attribute("href")
    answer = page.request.get(icon if icon.startswith("http") else f"{url}/{icon.lstrip('./')}")
    assert answer.headers["content-type"] == "image/png"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1280, 720), (2560, 1440)])
@pytest.mark.parametrize("where", ["?asset=topic", "records?asset=topic&key=N-000", "home"])
def test_dark(studio: Serve, ran: Path, browse: Browse, where: str, size: tuple[int, int]) -> None:
    page = browse(f"{studio(ran)}/{where}", dark=True, width=size[0], height=size[1])
    idle(page)
    if "home" not in where:
        expect(page.locator(".board, .cells td").first).to_be_visible()
    background = page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", background)[:3]) < 60
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_project_the_sample_is_one_press_away(studio: Serve, browse: Browse, tmp_path: Path) -> None:
    page = browse(studio(None))
    page.get_by_label("Folder").first.fill(str(tmp_path / "sample"))
    page.get_by_role("button", name="Create the sample project").click()
    expect(card(page, "topics_per_day")).to_contain_text("never run")
    expect(page.get_by_role("button", name="Run all 7 assets")).to_be_enabled()


def test_who_may_not_undo_is_told_why(studio: Serve, ran: Path, browse: Browse) -> None:
    Opened.open(ran).correct("topic", "N-001", "topic", "billing")
    url = studio(ran)
    page = browse(f"{url}/records?asset=topic&key=N-001")
    undo = page.get_by_role("button", name="Undo the correction of topic")
    expect(undo).to_be_enabled()
    with (ran / "packyak.toml").open("a") as file:
        file.write('\n[roles]\nviewer = ["*"]\nadmin = ["somebody else"]\n')
    page.reload()
    expect(undo).to_be_disabled()
    assert "is a viewer and may not" in (undo.get_attribute("title") or "")
