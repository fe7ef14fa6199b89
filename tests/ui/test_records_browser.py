"""The Records page in a browser: its grid by keys and mouse, nothing typed is lost, searching, long texts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project as Opened

pytestmark = [pytest.mark.browser]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)  # the first page of a server waits for its imports

Browse = Callable[..., Any]
Serve = Callable[..., str]
Project = Callable[..., Path]


STORM = 60
TOPICS = ("billing", "delivery", "other")
KINDS = """
from datetime import date, datetime, time, UTC
from typing import Literal
from packyak import asset

@asset(key="id")
def things():
    for n in range(8):
        yield {"id": f"t{n}", "name": f"thing {n}", "size": n * 1204, "price": n * 1.5, "sold": n % 2 == 0,
               "day": date(2026, 1, 1 + n), "at": datetime(2026, 1, 1, n, 5, tzinfo=UTC), "tags": ["a", "b"],
               "story": "once upon a time " * 60}

@asset(key="id")
def wide():
    for n in range(60):
        yield {"id": f"w{n:02}", **{f"column_{c:02}": n * c for c in range(60)}}
"""


def idle(page: Any) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def cell(page: Any, key: str, column: str) -> Any:
    """A field of a record, by the number that the head of its column has."""
    place = page.locator(f'.cells th[data-column="{column}"]').get_attribute("aria-colindex")
    return page.locator(f'.cells tr[data-key="{key}"] td:nth-child({place})')


def focused(page: Any) -> tuple[str, int]:
    """The record and the number of the column that has the keys."""
    found = page.locator(".cells td:focus")
    return found.evaluate("td => [td.parentElement.dataset.key, td.cellIndex + 1]")


def settled(page: Any) -> None:
    """Until the server has taken everything that was typed."""
    expect(page.locator(".cells")).to_have_attribute("data-open", "0", timeout=60_000)


@pytest.fixture
def things(project_folder: Callable[..., Path]) -> Path:
    folder = project_folder(KINDS)
    Opened.open(folder).run()
    return folder


def test_the_grid_is_walked_typed_into_and_taken_back_by_keys(studio: Serve, things: Path, browse: Browse) -> None:
    page = browse(f"{studio(things)}/records?asset=things")
    cell(page, "t0", "name").click()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("Control+End")
    assert focused(page)[0] == "t7"
    page.keyboard.press("Control+Home")
    assert focused(page) == ["t0", 1]
    cell(page, "t0", "name").click()
    page.keyboard.type("a lamp")  # typing begins it
    page.keyboard.press("Tab")
    page.keyboard.type("1,5x")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("\u201c1,5x\u201d is no whole number")
    page.keyboard.press("Backspace")  # what was typed is still there
    page.keyboard.press("Enter")
    expect(cell(page, "t0", "size")).to_have_text("15, not saved")
    assert focused(page)[0] == "t1"
    page.keyboard.press("F2")
    page.keyboard.type("9")
    page.keyboard.press("Escape")
    expect(cell(page, "t1", "size")).to_have_text("1,204")
    page.keyboard.press("Delete")
    expect(cell(page, "t1", "size")).to_have_text("\N{EM DASH}, not saved")
    page.keyboard.press("Control+z")
    expect(cell(page, "t1", "size")).to_have_text("1,204")
    cell(page, "t1", "sold").click()
    page.keyboard.type("tr")
    page.keyboard.press("Enter")
    cell(page, "t1", "day").click()
    page.keyboard.type("2026-02-30")
    cell(page, "t2", "day").click()  # left as it is: it stays to be mended
    expect(cell(page, "t1", "day")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".foot")).to_contain_text("1 value does not fit")
    cell(page, "t1", "day").dblclick()
    expect(page.get_by_role("textbox", name="day of t1")).to_have_value("2026-02-30")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.type("28")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+s")
    preview = page.get_by_role("dialog", name="Save corrections")
    expect(preview).to_contain_text("4 values in 2 records")
    preview.get_by_role("button", name="Save now").click()
    expect(page.get_by_text("4 corrections saved")).to_be_visible()
    expect(cell(page, "t0", "name")).to_have_text("a lamp, corrected")
    said = {(each.key, each.column): each.value for each in Opened.open(things).corrections("things")}
    day = said.pop(("t1", "day"))
    assert "2026-02-28" in str(day)
    assert said == {("t0", "name"): "a lamp", ("t0", "size"): 15, ("t1", "sold"): True}


def test_a_head_sorts_and_a_record_opens(studio: Serve, things: Path, browse: Browse) -> None:
    page = browse(f"{studio(things)}/records?asset=things")
    head = page.get_by_role("columnheader", name="size")
    for way, first in (("ascending", "t0"), ("descending", "t7"), ("none", "t0")):
        head.click()
        expect(head).to_have_attribute("aria-sort", way)
        expect(page.locator(".cells tbody tr").first).to_have_attribute("data-key", first)
    cell(page, "t0", "size").click()
    page.keyboard.press("ArrowUp")  # to the head
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(head).to_be_focused()
    assert "sort=size" in page.url
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator(".st-key-record_panel")).to_contain_text("thing 1")
    assert "key=t1" in page.url and focused(page)[0] == "t1"
    page.go_back()
    expect(page.locator(".st-key-record_panel")).to_have_count(0)
    box = head.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 78, box["y"] + 10)
    page.mouse.up()
    assert head.bounding_box()["width"] == pytest.approx(box["width"] + 80, abs=2)
    page.reload()
    assert head.bounding_box()["width"] == pytest.approx(box["width"] + 80, abs=2)


def test_cells_are_copied_and_pasted_as_in_a_spreadsheet(studio: Serve, things: Path, browse: Browse) -> None:
    page = browse(f"{studio(things)}/records?asset=things")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cell(page, "t1", "name").click()
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "thing 1\t1204\nthing 2\t2408"
    page.evaluate("""navigator.clipboard.writeText('"two\\nlines"\\t7\\nplain\\tseven\\n')""")
    cell(page, "t4", "name").click()
    page.keyboard.press("Control+v")
    expect(cell(page, "t4", "name")).to_have_text("two\nlines, not saved")
    expect(cell(page, "t4", "size")).to_have_text("7, not saved")
    expect(cell(page, "t5", "name")).to_have_text("plain, not saved")
    expect(cell(page, "t5", "size")).to_have_text(re.compile("^seven, does not fit"))
    expect(page.locator(".status")).to_contain_text("t5, size: \u201cseven\u201d is no whole number")
    page.keyboard.press("Control+z")  # all of it at once
    expect(cell(page, "t4", "name")).to_have_text("thing 4")
    settled(page)
    box, end = cell(page, "t1", "price").bounding_box(), cell(page, "t3", "sold").bounding_box()
    page.mouse.move(box["x"] + 9, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(end["x"] + 9, end["y"] + 9, steps=4)
    page.mouse.up()
    expect(page.locator(".cells [aria-selected=true]")).to_have_count(6)
    page.keyboard.press("Backspace")
    expect(page.get_by_role("button", name="Save 6 corrections")).to_be_enabled()
    page.get_by_role("button", name="Discard").click()
    expect(cell(page, "t1", "price")).to_have_text("1.5")


def test_a_wide_table_keeps_its_key_in_sight_and_a_long_text_comes_whole(
    studio: Serve, things: Path, browse: Browse
) -> None:
    url = studio(things)
    page = browse(f"{url}/records?asset=wide")
    cell(page, "w00", "id").click()
    page.keyboard.press("Control+ArrowRight")
    assert focused(page) == ["w00", 63]
    key, far = cell(page, "w00", "id").bounding_box(), page.locator(".cells td:focus").bounding_box()
    assert 200 < key["x"] < 320 and far["x"] >= key["x"] + key["width"] and far["x"] + far["width"] < 1280
    page.keyboard.press("Control+ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    second = page.locator(".cells td:focus").bounding_box()
    assert second["x"] >= key["x"] + key["width"] - 1  # not under what stays in sight
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{url}/records?asset=things")
    cell(page, "t3", "story").click()
    page.keyboard.press("Enter")
    text = page.get_by_role("textbox", name="story of t3")
    expect(text).to_have_value("once upon a time " * 60)
    page.keyboard.press("End")
    page.keyboard.type("END")
    page.keyboard.press("Enter")
    settled(page)
    page.get_by_role("button", name="Save 1 correction").click()
    page.get_by_role("button", name="Save now").click()
    expect(page.get_by_text("1 correction saved")).to_be_visible()
    assert [each.value for each in Opened.open(things).corrections("things")] == ["once upon a time " * 60 + "END"]


@pytest.mark.slow
def test_a_storm_of_edits_on_a_slow_server(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran, slow=True)}/records?asset=topic")
    meant: dict[tuple[str, str], str] = {}
    start = "N-000"
    for number in range(STORM):
        if number == STORM // 2:
            page.keyboard.press("Alt+PageDown")
            expect(page.locator(".said")).to_have_text("51 to 100 of 120 records", timeout=60_000)
            start = "N-050"
        if number % (STORM // 2) == 0:
            cell(page, start, "topic").click()
        key = str(focused(page)[0])
        was = cell(page, key, "topic").text_content()
        value = TOPICS[(number + (was == TOPICS[number % 3])) % 3]
        meant[key, "topic"] = value
        page.keyboard.type(value)
        page.keyboard.press("Enter")
    expect(page.locator(".cells")).to_have_attribute("data-drafts", str(STORM))
    settled(page)
    page.keyboard.press("Control+s")
    page.get_by_role("button", name="Save now").click()
    expect(page.get_by_text(f"{STORM} corrections saved")).to_be_visible(timeout=60_000)
    assert {(each.key, each.column): each.value for each in Opened.open(ran).corrections("topic")} == meant
    assert len(meant) == STORM


def test_what_may_not_be_changed_says_so(studio: Serve, ran: Path, browse: Browse) -> None:
    with (ran / "packyak.toml").open("a") as file:
        file.write('\n[roles]\nviewer = ["*"]\nadmin = ["somebody else"]\n')
    page = browse(f"{studio(ran)}/records?asset=topic")
    cell(page, "N-000", "topic").click()
    page.keyboard.type("other")
    expect(page.locator(".status")).to_contain_text("may not")
    expect(cell(page, "N-000", "topic")).to_have_text("billing")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)


def test_two_windows_agree_on_what_was_saved(studio: Serve, ran: Path, browse: Browse) -> None:
    url = studio(ran)
    page, other = browse(f"{url}/records?asset=topic"), browse(f"{url}/records?asset=topic")
    cell(other, "N-003", "topic").click()
    other.keyboard.type("other")
    other.keyboard.press("Enter")  # a draft of that window alone
    Opened.open(ran).correct("topic", "N-000", "topic", "other")
    for window in (page, other):
        expect(cell(window, "N-000", "topic")).to_have_text("other, corrected")
    expect(cell(other, "N-003", "topic")).to_have_text("other, not saved")
    expect(cell(page, "N-003", "topic")).to_have_text("billing")
    other.reload()
    expect(cell(other, "N-003", "topic")).to_have_text("other, not saved")  # nor does a reload lose it


@pytest.mark.slow
def test_records_are_found_by_words_by_meaning_and_like_one_another(
    studio: Serve, project: Project, browse: Browse
) -> None:
    folder = project(notes=40)
    source = (folder / "pipeline.py").read_text().replace("import Bucket,", "import Bucket, Index,")
    (folder / "pipeline.py").write_text(source + '\nsearch = Index(notes, on="body")\n')
    subprocess.run([sys.executable, "-m", "packyak", "run", "--here"], cwd=folder, check=True, capture_output=True)
    page = browse(f"{studio(folder)}/records?asset=topic")
    expect(page.get_by_text("40 records")).to_be_visible()
    page.get_by_role("searchbox", name="Search").fill("wrong invoice")
    expect(page.get_by_text("No record matches")).to_be_visible()  # no text contains these letters in a row
    page.get_by_role("combobox", name="How to search").click()
    page.get_by_role("option", name="Words", exact=True).click()
    expect(page.get_by_text("The 14 nearest")).to_be_visible()
    assert "how=text" in page.url
    page.get_by_role("combobox", name="How to search").click()
    page.get_by_role("option", name="Words and meaning").click()
    expect(page.get_by_text("The 40 nearest")).to_be_visible(timeout=100_000)  # the language model is loaded first
    page.goto(f"{page.url.partition('?')[0]}?asset=topic&key=N-007&like=N-007")
    expect(page.get_by_role("button", name="Like N-007")).to_be_visible()
    page.get_by_role("button", name="Like N-007").click()
    expect(page.get_by_text("40 records")).to_be_visible()
    assert "like=" not in page.url


def test_a_view_that_shows_nothing_has_a_way_back(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/records?asset=topic&where=amont > 3")
    expect(page.get_by_text("did you mean 'amount'?")).to_be_visible()
    page.get_by_role("button", name="Show all records").click()
    expect(page.get_by_text("1 to 50 of 120 records")).to_be_visible()
    assert "where" not in page.url
    page.get_by_role("searchbox", name="Search").fill("nothing says this")
    expect(page.get_by_text("No record matches")).to_be_visible()
    page.get_by_role("button", name="Show all records").click()
    expect(page.get_by_text("1 to 50 of 120 records")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("")


def test_a_long_text_shows_what_changes_and_is_saved_once(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/records?asset=topic&key=N-004")  # the hostile note, which is a long one
    panel = page.locator(".st-key-record_panel")
    expect(panel.locator("section.field").first).to_be_visible()
    panel.get_by_text("Correct a field").click()
    panel.get_by_role("combobox", name="Field").click()
    page.get_by_role("option", name="body", exact=True).click()
    text = panel.get_by_label("Value", exact=True)
    expect(text).to_have_value(re.compile("bold"))
    idle(page)
    text.fill(text.input_value().replace("bold", "brave"))
    panel.get_by_role("button", name="Show the change").click()
    expect(panel.locator("s, del").filter(has_text="bold")).to_be_visible()
    assert page.title() != "owned"
    panel.get_by_role("button", name="Save correction").click()
    expect(page.get_by_text("1 correction saved")).to_be_visible()
    idle(page)
    panel.get_by_text("History", exact=True).click()
    expect(panel.locator("s, del").filter(has_text="bold")).to_have_count(1)
