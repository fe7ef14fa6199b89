"""The Records page in a browser: searching the index, records like one another, texts and what changes in them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)  # the first page of a server waits for its imports

Browse = Callable[..., Any]
Serve = Callable[..., str]
Project = Callable[..., Path]


def idle(page: Any) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


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
