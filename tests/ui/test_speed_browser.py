"""What the pages cost on a million records, a hundred cards and five thousand: told as a table, judged by nobody here.

`make test-ui` prints it. Server CPU is what the studio's process used for one action; "script" is what the browser's
own work took per frame. Wall times depend on what else the machine does.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
psutil = pytest.importorskip("psutil", reason="to run these tests: pip install psutil")
expect = playwright.expect
expect.set_options(timeout=90_000)

Browse = Callable[..., Any]
Serve = Callable[..., str]
RECORDS = 1_000_000
FRAMES = 60
COUNTS = "select topic, count(*) from notes group by all"
MILLION = f"""
import pyarrow as pa
import pyarrow.compute as pc
from packyak import asset

@asset(key="id")
def notes() -> pa.Table:
    n = pa.array(range({RECORDS}), pa.int64())
    topic = pa.array(["billing", "delivery", "account", "other"]).take(pc.bit_wise_and(n, 3))
    text = pc.binary_join_element_wise("note number", pc.cast(n, pa.string()), topic, " ")
    return pa.table({{"id": pc.utf8_lpad(pc.cast(n, pa.string()), 7, "0"), "text": text, "topic": topic,
                      "amount": pc.multiply(pc.cast(n, pa.float64()), 0.25), "size": pc.bit_wise_and(n, 1023)}})
"""
Row = tuple[str, float, float]


def cards(number: int) -> str:
    """A project of so many assets in families of ten, each reading the one before and one of another family."""
    lines = ["from packyak import asset, transform"]
    for family in range(number // 10):
        lines.append(f"@asset(key='id')\\ndef root_{family:03}(): yield {{'id': 'a', 'v0': 1}}".replace("\\n", "\n"))
        source, column = f"root_{family:03}", "v0"
        for step in range(1, 10):
            name = f"f{family:03}_{step}"
            lines.append(f"@transform({source})\ndef {name}({column}: int) -> int: return 1")
            source = column = name
    return "\n".join(lines)


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    def make(source: str, *, run: bool = True) -> Path:
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "pipeline.py").write_text(source)
        (folder / "packyak.toml").write_text('name = "large"\nmodules = ["pipeline"]\n[settings]\nprefect = "off"\n')
        if run:
            command = [sys.executable, "-m", "packyak", "run", "--here"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=250)
        return folder

    return make


@contextmanager
def measured(rows: list[Row], name: str, url: str) -> Iterator[None]:
    """One line of the table: CPU of the studio's process, and time on the wall."""
    port = int(url.rpartition(":")[2])
    process = next(
        each.pid for each in psutil.net_connections("tcp") if each.status == "LISTEN" and each.laddr.port == port
    )
    server = psutil.Process(process)
    before, start = server.cpu_times(), time.perf_counter()
    yield
    after = server.cpu_times()
    rows.append((name, after.user + after.system - before.user - before.system, time.perf_counter() - start))


def tell(title: str, rows: list[Row]) -> None:
    lines = [f"\n{title:44} {'server CPU':>11} {'wall':>8}"]
    lines += [f"{name:44} {cpu:9.2f} s {wall:6.2f} s" for name, cpu, wall in rows]
    print("\n".join(lines))


def idle(page: Any) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def test_a_million_records(studio: Serve, made: Callable[..., Path], browse: Browse, tmp_path: Path) -> None:
    url = studio(made(MILLION))
    rows: list[Row] = []
    page = browse(f"{url}/records?asset=notes")
    expect(page.get_by_text("1 to 50 of 1,000,000 records")).to_be_visible()
    idle(page)
    with measured(rows, "page view, warm", url):
        page.reload()
        expect(page.get_by_text("1 to 50 of 1,000,000 records")).to_be_visible()
        idle(page)
    with measured(rows, "turn to page 2", url):
        page.get_by_role("button", name="Page 2", exact=True).click()
        expect(page.get_by_text("51 to 100 of 1,000,000 records")).to_be_visible()
        idle(page)
    for name, address, seen in (
        ("sort by amount, largest first", "records?asset=notes&sort=amount&down=1", "1 to 50 of 1,000,000 records"),
        ("filter: topic is billing", 'records?asset=notes&filter=[["topic","=","billing"]]', "250,000 records"),
        ("search in text", "records?asset=notes&text=number 12345", "11 records"),
        ("columns, of a sample", "records?asset=notes&view=columns", "judged by"),
        (
            "SQL: count by topic",
            "records?asset=notes&view=sql&q=select topic, count(*) from notes group by all",
            "4 rows",
        ),
    ):
        page.goto("about:blank")
        with measured(rows, name, url):
            page.goto(f"{url}/{address}")
            expect(page.get_by_text(seen).first).to_be_visible()
            idle(page)
    page.goto(f"{url}/records?asset=notes&key=0000007")
    panel = page.locator(".st-key-record_panel")
    expect(panel.locator("section.field").first).to_be_visible()
    panel.get_by_text("Correct a field").click()
    panel.get_by_label("Value").fill("by hand")
    with measured(rows, "a correction, saved", url):
        panel.get_by_role("button", name="Save correction").click()
        expect(page.get_by_text("1 correction saved")).to_be_visible()
    tell(f"{RECORDS:,} records", rows)


def test_a_bare_page_beside_ours(studio: Serve, ran: Path, browse: Browse) -> None:
    """How long until a page is ready, against a Streamlit page that shows one word."""
    url = studio(ran)
    rows: list[Row] = []
    page = browse(f"{url}/records?asset=topic")
    expect(page.get_by_text("1 to 50 of 120 records")).to_be_visible()
    for name, place, seen in (
        ("runs", "runs", ".run"),
        ("records", "records?asset=topic", "[data-testid=data-grid-canvas]"),
        ("pipeline", "", ".board .card"),
    ):
        with measured(rows, name, url):
            page.goto(f"{url}/{place}")
            page.locator(seen).first.wait_for()
    tell("page ready, small project", rows)


def test_a_hundred_cards_pan_and_five_thousand_answer(studio: Serve, made: Callable[..., Path], browse: Browse) -> None:
    folder = made(cards(100))
    url = studio(folder)
    rows: list[Row] = []
    page = browse(f"{url}/?open={','.join(f'root_{n:03}' for n in range(10))}", width=1440, height=900)
    expect(page.locator("button.card")).to_have_count(100)
    idle(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def script() -> float:
        found = session.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in found if each["name"] == "ScriptDuration")

    box = page.locator(".board").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 300, box["y"] + box["height"] - 30)
    page.mouse.down()
    before = script()
    for step in range(FRAMES):
        page.mouse.move(box["x"] + box["width"] - 300 - step * 8, box["y"] + box["height"] - 30 - step * 4)
    spent = script() - before
    page.mouse.up()
    print(f"\n100 cards: a pan costs {spent / FRAMES * 1000:.1f} ms of script a frame")
    assert page.locator(".board").get_attribute("data-edges") != "0"
    with measured(rows, "100 cards: a click, until its panel", url):
        page.locator("button.card").nth(3).press("Enter")
        expect(page.locator(".st-key-asset_panel")).to_be_visible()
    folder.joinpath("pipeline.py").write_text(cards(5000))
    with measured(rows, "5,000 assets: open", url):
        page.goto(url)
        expect(page.get_by_role("group", name=re.compile("Pipeline graph, 5000 nodes"))).to_be_visible()
    with measured(rows, "5,000 assets: find one and fly there", url):
        page.keyboard.press("/")
        page.keyboard.type("f321_7")
        page.keyboard.press("Enter")
        expect(page.locator('button.card[data-name="f321_7"]')).to_be_visible()
    tell("large graphs", rows)
