"""The Runs page in a browser: what each asset did, what fails and the way to it, running on, a run under way."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barriers import barriers
from packyak.engine.project import Project as Opened

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)

Browse = Callable[..., Any]
Serve = Callable[[Path | None], str]
Project = Callable[..., Path]
SHOTS = Path(__file__).parent / "shots"
CUT = """detail => [...detail.querySelectorAll('*')].filter(each => each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).overflowX === 'hidden' && !each.title && !each.className.includes('unseen'))
    .map(each => each.className + ': ' + each.textContent)"""
SOURCE = """
    from collections.abc import Iterator
    from pathlib import Path
    from packyak import Bucket, File, asset, check, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def notes(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    @transform(notes)
    def shout(body: str) -> str:
        if "refuse" in body:
            raise ValueError("this note is refused")
        return body.upper()

    @transform(shout, key_in_parent="n")
    def words(body: str) -> Iterator[dict]:
        if body.endswith("7"):
            raise LookupError("no seven")
        yield from ({"n": n, "word": word} for n, word in enumerate(body.split()))

    lengths = sql("select id, length(shout) as size from shout")

    @check(lengths)
    def some(lengths):
        "Every note says something."
        return sql("select * from lengths where size < 1")

    @asset(key="id")
    def report(lengths):
        if Path(__file__).with_name("stop").exists():
            raise RuntimeError("no report today")
        return lengths

    last = sql("select count(*) as n from report")
"""


def line(number: int) -> str:
    body = "refuse this one" if number in (3, 5, 8) else f"note number {number}"
    return json.dumps({"id": f"N-{number:03}", "body": body})


@pytest.fixture(scope="module")
def troubled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: the first whole but for three records, the second with more notes; in the third two files cannot be
    read and an asset fails."""
    folder = tmp_path_factory.mktemp("troubled") / "notes"
    inbox = folder / ".packyak" / "buckets" / "inbox"
    inbox.mkdir(parents=True)
    (folder / "pipeline.py").write_text(textwrap.dedent(SOURCE))
    (folder / "packyak.toml").write_text('name = "notes"\n\n[settings]\nprefect = "off"\nworker_idle_minutes = 1\n')
    (inbox / "a.jsonl").write_text("\n".join(line(number) for number in range(90)))
    Opened.open(folder).run(here=True)
    (inbox / "b.jsonl").write_text("\n".join(line(number) for number in range(100, 190)))
    Opened.open(folder).run(here=True)
    (inbox / "c.jsonl").write_text(line(200))
    for name in ("broken", "cut off"):
        (inbox / f"{name}.jsonl").write_text('{"id": ')
    (folder / "stop").touch()
    assert Opened.open(folder).run(here=True).state == "failed"
    return folder


@pytest.fixture
def troubled(troubled_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(troubled_once, tmp_path / "notes"))


def row(page: Any, asset: str) -> Any:
    return page.locator("tbody tr", has=page.get_by_role("button", name=f"Open {asset} in the pipeline"))


def fact(page: Any, label: str) -> Any:
    return page.locator(".facts div", has_text=re.compile(f"^{label}"))


def ids(folder: Path) -> list[str]:
    return [run.id for run in Opened.open(folder).runs()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_run_is_told_asset_by_asset(studio: Serve, troubled: Path, browse: Browse, dark: bool) -> None:
    _, second, _ = ids(troubled)
    url = studio(troubled)
    page = browse(f"{url}/runs?run={second}", dark=dark)
    expect(page.locator(".detail h2")).to_have_text("Run finished")
    expect(row(page, "notes")).to_contain_text("files1")
    expect(row(page, "shout")).to_contain_text("90")
    expect(fact(page, "Planned")).to_contain_text(re.compile(r"\d s"))
    expect(page.get_by_role("columnheader", name="Planned")).to_be_visible()
    lanes = [row(page, name).locator(".lane i").bounding_box() for name in ("notes", "shout", "words")]
    assert lanes[0]["x"] < lanes[1]["x"] < lanes[2]["x"] and all(lane["width"] >= 3 for lane in lanes)
    log = page.locator(".log")
    expect(log).to_contain_text("Began, to bring everything up to date.")
    expect(log).to_contain_text("check some passed.")
    expect(log.locator("li").last).to_contain_text("Run finished after")
    page.get_by_role("button", name="Lineage events").click()
    expect(page.get_by_text(re.compile(r"OpenLineage events"))).to_be_visible()
    expect(page.get_by_test_id("stCode")).to_contain_text('"eventType"')
    page.keyboard.press("Escape")
    page.goto(f"{url}/runs")
    expect(page.locator(".detail h2")).to_have_text("Run failed")
    tops = {each["y"] for each in (fact.bounding_box() for fact in page.locator(".facts > div").all())}
    assert len(tops) == 1, "the facts stand in one row"
    assert not page.locator(".runs").evaluate(CUT)
    assert page.locator(".detail").evaluate("e => e.scrollWidth <= e.clientWidth")
    found = barriers(page)
    assert not found, "\n".join(found)


def test_what_fails_is_listed_and_leads_to_its_place(studio: Serve, troubled: Path, browse: Browse) -> None:
    url = studio(troubled)
    page = browse(f"{url}/runs", width=2560, height=1440)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(fact(page, "Failing")).to_contain_text("2 files")
    expect(page.get_by_role("heading", name=re.compile("^Failing now: 2 files and "))).to_be_visible()
    files = page.get_by_role("region", name="2 files of notes")
    expect(files).to_contain_text("broken.jsonl:1: Line 1 is no JSON")
    expect(files.get_by_role("button", name=re.compile("^cut off.jsonl is read by notes"))).to_be_visible()
    files.get_by_role("button", name="Copy as command").click()
    expect(files).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "packyak show notes --only failed"
    refused = page.get_by_role("region", name="3 records of shout")
    expect(refused).to_contain_text("ValueError: this note is refused (pipeline.py:")
    expect(refused).to_contain_text("since an earlier run")
    refused.get_by_role("button", name="Open N-005 of shout").click()
    expect(page.locator(".st-key-record_panel")).to_contain_text("this note is refused")
    page.go_back()
    many = page.get_by_role("region", name=re.compile("records of words"))
    many.get_by_role("button", name=re.compile("more records")).click()
    many.get_by_role("button", name="Open N-187 of shout").click()  # it fails before it has words: its note is opened
    expect(page.locator(".st-key-record_panel")).to_contain_text("note number 187")
    page.goto(f"{url}/runs?run={ids(troubled)[-1]}")
    page.locator(".log").get_by_role("button", name="Open what fails of shout").click()
    expect(page.get_by_text("3 records", exact=False).first).to_be_visible()
    assert "only=failed" in page.url and "asset=shout" in page.url
    page.goto(f"{url}/runs")
    page.get_by_role("button", name="Open notes in the pipeline").first.click()
    expect(page.locator(".st-key-asset_panel")).to_contain_text("notes")


def test_a_run_goes_on_from_where_it_failed(studio: Serve, troubled: Path, browse: Browse) -> None:
    page = browse(f"{studio(troubled)}/runs")
    (troubled / "stop").unlink()
    for number, name in enumerate(("broken", "cut off")):
        (troubled / ".packyak" / "buckets" / "inbox" / f"{name}.jsonl").write_text(line(300 + number))
    before = ids(troubled)
    page.get_by_role("button", name="Run on from failure").click()
    expect(page.locator(".detail h2")).to_have_text("Run finished", timeout=60_000)
    expect(row(page, "last")).to_contain_text("done")
    expect(fact(page, "Files read")).to_contain_text("2")
    expect(page.get_by_role("region", name="2 files of notes")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile(r"^Retry \d+ records$"))).to_be_enabled()
    assert ids(troubled)[1:] == before
    assert Opened.open(troubled).failures("notes") == ()
    page.locator(".run").nth(1).click()  # what it left was made since
    expect(page.locator(".detail h2")).to_have_text("Run failed")
    expect(page.get_by_role("button", name="Run on from failure")).to_have_count(0)


def test_an_address_holds_a_run(studio: Serve, troubled: Path, browse: Browse) -> None:
    newest, _, oldest = ids(troubled)
    url = studio(troubled)
    page = browse(f"{url}/runs")
    current = page.locator('.run[aria-current="true"]')
    expect(current).to_have_attribute("data-run", newest)
    page.locator(f'.run[data-run="{oldest}"]').click()
    expect(current).to_have_attribute("data-run", oldest)
    assert page.url.endswith(f"/runs?run={oldest}")
    page.reload()
    expect(current).to_have_attribute("data-run", oldest)
    expect(page.get_by_text(f"packyak history {oldest}")).to_be_visible()
    page.go_back()
    expect(current).to_have_attribute("data-run", newest)
    page.goto(f"{url}/runs?run=20200101-000000-000000-0000")
    expect(page.get_by_text("There is no run 20200101-000000-000000-0000 here.")).to_be_visible()
    expect(current).to_have_attribute("data-run", newest)


def test_a_run_under_way_moves_and_is_stopped(studio: Serve, browse: Browse, project: Project) -> None:
    folder = project(slowness=0.2)
    page = browse(f"{studio(folder)}/runs", dark=True)
    expect(page.get_by_text("Nothing has run yet.", exact=False)).to_be_visible()
    page.get_by_role("button", name="Run everything").click()
    far = page.get_by_role("progressbar", name="How far slow is")
    expect(far).to_be_visible(timeout=60_000)
    expect(fact(page, "Under way for")).to_be_visible()
    page.screenshot(path=SHOTS / "a_run_under_way.png")
    begun = int(far.get_attribute("aria-valuenow"))
    expect(far).not_to_have_attribute("aria-valuenow", str(begun))
    assert int(far.get_attribute("aria-valuenow")) > begun
    page.reload()
    expect(far).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".detail h2")).to_have_text("Run cancelled", timeout=60_000)
    expect(row(page, "slow")).to_contain_text("cancelled")
    expect(page.get_by_role("button", name="Run on", exact=True)).to_be_enabled()
    assert Opened.open(folder).runs()[0].state == "cancelled"


def test_pages_that_were_open_see_a_run_of_a_terminal(studio: Serve, browse: Browse, project: Project) -> None:
    """Also those that do not follow runs: what they show is what was published."""
    folder = project(slowness=0.06)
    url = studio(folder)
    records, runs, pipeline = (browse(f"{url}/{place}") for place in ("records?asset=topic", "runs", "?asset=topic"))
    expect(records.get_by_text("topic has no records yet")).to_be_visible()
    expect(runs.get_by_text("Nothing has run yet")).to_be_visible()
    expect(pipeline.get_by_role("button", name="Run all 4 assets")).to_be_visible()
    with subprocess.Popen([sys.executable, "-m", "packyak", "run", "--here"], cwd=folder) as process:
        expect(runs.locator(".detail")).to_contain_text("Running", timeout=60_000)
        expect(pipeline.get_by_role("button", name="Cancel")).to_be_visible()
        expect(records.get_by_text("a run is under way")).to_be_visible()
        assert process.wait(60) == 0
    expect(records.get_by_text("1 to 50 of 120 records")).to_be_visible()
    expect(runs.locator(".detail")).to_contain_text("Run finished")
    expect(pipeline.get_by_role("button", name="Everything is fresh")).to_be_visible()
