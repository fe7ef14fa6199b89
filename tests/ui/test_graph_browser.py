"""The graph in a browser: find and fly, focus and steps, columns and their threads, export, groups of a large one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)

Browse = Callable[..., Any]
Serve = Callable[..., str]


def card(page: Any, name: str) -> Any:
    return page.locator(f'button.card[data-name="{name}"]')


def test_find_focus_columns_and_export(studio: Serve, ran: Path, browse: Browse, tmp_path: Path) -> None:
    page = browse(studio(ran), width=1440, height=900)
    expect(card(page, "topic")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("slo")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-asset_panel")).to_contain_text("The length of a note")
    assert "asset=slow" in page.url
    near = page.get_by_role("group", name="Show only what is near the chosen asset")
    near.get_by_role("button", name="Only what is one step from slow").click()
    expect(page.locator("button.card")).to_have_count(2)
    near.get_by_role("button", name="One step more").click()
    expect(page.locator("button.card")).to_have_count(3)
    assert "focus=slow" in page.url and "steps=2" in page.url
    near.get_by_role("button", name="The whole graph").click()
    expect(page.locator("button.card")).to_have_count(5)
    page.get_by_role("button", name="Show columns and where they come from (C)").click()
    column = page.get_by_role("button", name="Column topic of topic_counts", exact=True)
    column.click()
    expect(page.get_by_role("button", name="Column body of notes")).to_have_class(re.compile("lit"))
    expect(page.get_by_role("button", name="Column amount of notes")).to_have_class(re.compile("dim"))
    page.get_by_role("button", name="Open and close groups of assets").is_hidden()
    page.get_by_role("button", name="Save the graph as a file").click()
    with page.expect_download() as asked:
        page.get_by_role("button", name="As SVG").click()
    asked.value.save_as(tmp_path / "graph.svg")
    drawn = (tmp_path / "graph.svg").read_text()
    assert drawn.startswith("<svg") and drawn.count("<path") >= 4 and ">topic_counts<" in drawn
    page.get_by_role("button", name="Save the graph as a file").click()
    with page.expect_download() as asked:
        page.get_by_role("button", name="As PNG").click()
    asked.value.save_as(tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_large_graph_is_folded_and_opens(studio: Serve, project_folder: Callable[..., Path], browse: Browse) -> None:
    lines = ["from packyak import asset, transform"]
    for family in range(9):
        lines.append(f"@asset(key='id')\ndef root{family}():\n    yield {{'id': 'a', 'v0': 1}}")
        source = column = f"root{family}"
        for step in range(1, 9):
            column = "v0" if step == 1 else source
            lines.append(f"@transform({source})\ndef f{family}_{step}({column}: int) -> int:\n    return 1")
            source = f"f{family}_{step}"
    page = browse(studio(project_folder("\n".join(lines))), width=1440, height=900)
    expect(page.locator('button.card[data-kind="group"]')).to_have_count(9)
    page.locator('button.card[data-kind="group"]').first.press("Enter")
    expect(page.locator("button.card")).to_have_count(8 + 9)
    page.keyboard.press("/")
    page.keyboard.type("f4_7")
    page.keyboard.press("Enter")
    expect(card(page, "f4_7")).to_be_visible()
    expect(page.locator(".st-key-asset_panel")).to_contain_text("f4_7")
    page.go_back()
    page.get_by_role("button", name="Open and close groups of assets").click()
    page.get_by_role("button", name="Close all").click()
    expect(page.locator("button.card")).to_have_count(9)


def test_a_record_is_traced_on_the_graph(studio: Serve, ran: Path, browse: Browse) -> None:
    page = browse(f"{studio(ran)}/?asset=topic", width=1440, height=900)
    page.get_by_label("Trace a record").fill("N-007")
    page.keyboard.press("Enter")
    trail = page.locator(".trail")
    expect(trail.locator(".part.here")).to_contain_text("N-007")
    expect(card(page, "topic").locator(".mark.trail")).to_have_text("this record")
    expect(card(page, "notes").locator(".mark.trail")).to_have_text("1 record")
    expect(card(page, "inbox/*.jsonl").locator(".mark.trail")).to_have_text("1 file")
    expect(trail.locator('[data-asset="topic_counts"]')).to_contain_text("1 record")
    assert "of=topic" in page.url and "key=N-007" in page.url
    expect(page.locator(".desk")).to_contain_text("packyak trace topic N-007")
    page.reload()
    expect(trail.locator(".part.here")).to_contain_text("N-007")
    trail.locator('[data-asset="notes"]').get_by_role("button", name="Open N-007 of notes").click()
    expect(page.locator(".st-key-record_panel")).to_contain_text("N-007")
    page.go_back()
    expect(trail.locator(".part.here")).to_contain_text("N-007")
    page.locator(".st-key-leave_trace button").first.click()
    expect(page.locator(".mark.trail")).to_have_count(0)
    page.goto(f"{page.url.partition('?')[0]}?of=topic&key=nobody")
    expect(page.get_by_text("topic has no record 'nobody'")).to_be_visible()


def test_the_graph_as_it_was(studio: Serve, ran: Path, browse: Browse) -> None:
    project = Project.open(ran)
    old = project.runs()[0].id
    project.correct("topic", "N-007", "topic", "other")
    project.run()
    url = studio(ran)
    page = browse(url, width=1440, height=900)
    expect(card(page, "topic")).to_contain_text("1 corrected")
    page.get_by_role("button", name="Time", exact=True).click()
    page.get_by_label("The graph as it was after a run").click()
    page.get_by_role("option").nth(1).click()
    board = page.locator(".board")
    expect(board).to_have_attribute("data-past", "true")
    expect(card(page, "topic")).to_contain_text("changed since")
    expect(card(page, "notes")).to_contain_text("the same today")
    assert f"at={old}" in page.url
    expect(page.locator(".st-key-run_all")).to_have_count(0)
    expect(page.locator(".desk")).to_contain_text(f"packyak status --at {old}")
    card(page, "topic").click()
    panel = page.locator(".st-key-asset_panel")
    expect(panel).to_contain_text("Fresh: changed since.")
    panel.get_by_text("What changed since").click()
    expect(panel).to_contain_text("0 added, 0 removed, 1 changed")
    panel.get_by_role("link", name="Open its records of that time").click()
    expect(page.get_by_text("1 to 50 of 120 records")).to_be_visible()
    assert "version=" in page.url
    page.go_back()
    expect(board).to_have_attribute("data-past", "true")
    page.get_by_role("button", name="Back to now").click()
    expect(board).to_have_attribute("data-past", "false")
    page.goto(f"{url}/?at=nonsense")
    expect(page.get_by_text("The present is shown.")).to_be_visible()
