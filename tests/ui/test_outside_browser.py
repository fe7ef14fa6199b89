"""Other tools on the graph, in a browser: their cards, the switch and its address, the search and the panel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)

Browse = Callable[..., Any]
Serve = Callable[..., str]
SHOTS = Path(__file__).parent / "shots"
FIXTURES = Path(__file__).parents[1] / "lineage" / "fixtures"
HOSTILE = "<img src=x onerror=document.title='taken'>"


def card(page: Any, title: str) -> Any:
    return page.locator("button.card").filter(has=page.locator(".name", has_text=title))


def take_in(folder: Path) -> None:
    """Events of dbt, Airflow and Spark, the last of which reads topic_counts; and one whose name is no mere name."""
    project = Project.open(folder)
    home = str(project.home.uri).rstrip("/")
    for name in ("dbt.jsonl", "airflow.jsonl", "spark.jsonl", "marquez.json"):
        text = (FIXTURES / name).read_text().replace("@HOME@", home).replace("@PROJECT@", project.name)
        project.import_lineage(text.replace('"per"', '"topic_counts"').encode())
    hostile = {"job": {"namespace": "**bold**", "name": HOSTILE}, "inputs": [
        {"namespace": f"packyak://{project.name}", "name": "topic"}]}  # fmt: skip
    project.import_lineage(
        json.dumps({**hostile, "eventTime": "2026-09-01T06:00:20Z", "producer": "https://x"}).encode()
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_outside_on_the_graph(studio: Serve, ran: Path, browse: Browse, dark: bool) -> None:
    url = studio(ran)
    page = browse(url, width=1440, height=900, dark=dark)
    expect(card(page, "notes").first).to_be_visible()
    switch = page.get_by_role("button", name="Show jobs and data of other tools (O)")
    expect(switch).to_be_hidden()
    take_in(ran)  # an open page sees it
    expect(page.locator('button.card[data-state="outside"]')).to_have_count(7)
    expect(card(page, "raw.customers")).to_have_css("border-top-style", "dashed")
    expect(card(page, "write_tickets")).to_contain_text("job of airflow")
    expect(page.get_by_role("button", name="Everything is fresh")).to_be_disabled()
    switch.click()
    expect(page.locator('button.card[data-state="outside"]')).to_have_count(0)
    assert "outside=0" in page.url
    page.reload()
    expect(card(page, "notes").first).to_be_visible()
    expect(page.locator('button.card[data-state="outside"]')).to_have_count(0)
    page.go_back()
    expect(page.locator('button.card[data-state="outside"]')).to_have_count(7)
    page.keyboard.press("/")
    page.keyboard.type("customer_pl")
    page.get_by_role("option").filter(has_text="outside data").click()
    panel = page.locator(".st-key-asset_panel")
    expect(panel).to_contain_text("postgres://warehouse.example.org:5432")
    for said in ("COMPLETE", "Feeds", "inbox/*.jsonl", "Sep 2026"):
        expect(panel).to_contain_text(said)
    near = page.get_by_role("group", name="Show only what is near the chosen asset")
    near.get_by_text("\u00b11", exact=True).click()
    expect(page.locator("button.card")).to_have_count(3)
    page.screenshot(path=SHOTS / f"outside_in_focus{'_dark' if dark else ''}.png")
    near.get_by_role("button", name="The whole graph").click()
    card(page, "onerror").press("Enter")
    expect(panel).to_contain_text(HOSTILE)
    expect(panel).to_contain_text("**bold**")
    expect(panel).not_to_contain_text("COMPLETE")  # nothing is left of the one before
    assert page.title() != "taken"
    panel.get_by_role("button", name="topic").click()
    expect(panel).to_contain_text("topic")
    expect(panel.get_by_role("button", name=f"{HOSTILE} (outside job)")).to_be_visible()  # among what reads it
    page.go_back()
    expect(panel).to_contain_text(HOSTILE)
    page.screenshot(path=SHOTS / f"outside_chosen{'_dark' if dark else ''}.png")
    page.goto(f"{page.url.partition('?')[0]}?of=topic&key=N-007")
    expect(card(page, "write_tickets").locator(".mark.trail")).to_have_text("as a whole")
    expect(page.locator("div.trail")).to_contain_text("write_tickets (another tool)")
    page.goto(f"{page.url.partition('?')[0]}?asset=topic_counts")
    panel.get_by_role("button", name="(outside job)").first.click()
    expect(panel).to_contain_text("Fed by")
    run = Project.open(ran).published.load().run
    page.goto(f"{page.url.partition('?')[0]}?at={run}")
    expect(page.get_by_role("button", name="Back to now")).to_be_visible()
    expect(page.locator('button.card[data-state="outside"]')).to_have_count(7)
    expect(page.get_by_text("packyak status --at")).to_be_visible()
    card(page, "write_tickets").press("Enter")
    expect(panel).to_contain_text("As it is known today")
    expect(page.get_by_text("packyak status --at")).to_be_visible()  # which knows nothing of other tools
    corner, room = page.locator(".minimap").bounding_box(), page.locator(".board").bounding_box()
    for each in page.locator("button.card").all():
        box = each.bounding_box()
        right, low = box["x"] + box["width"], box["y"] + box["height"]
        if corner is None:  # all of the graph is in sight
            assert room["x"] <= box["x"] and right <= room["x"] + room["width"], each.inner_text()
            assert room["y"] <= box["y"] and low <= room["y"] + room["height"], each.inner_text()
        else:
            assert right <= corner["x"] or low <= corner["y"], each.inner_text()
    page.screenshot(path=SHOTS / f"outside_in_the_past{'_dark' if dark else ''}.png")
    card(page, "topic_counts").press("Enter")
    expect(panel).to_contain_text("read only")
