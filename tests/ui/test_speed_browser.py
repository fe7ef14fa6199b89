"""What the pages cost on a million records, a hundred cards and five thousand: told as a table, with targets.

`make test-ui` prints it and fails where a target is missed; `make test` leaves it out. Server CPU is what the studio's
process used for one action, the least of three tries; "script" is what the browser's own work took per frame. Wall
times depend on what else the machine does and are only shown, except beside a bare page opened in turns with ours.
"""

from __future__ import annotations

import re
import statistics
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
TRIES, OPENED = 3, 9
PAGE, TURN, SAVE, BESIDE_BARE = 0.3, 0.3, 0.15, 1.5
MILLION = f"""
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from packyak import asset

@asset(key="id")
def notes() -> pa.Table:
    n = pa.array(range({RECORDS}), pa.int64())
    topic = pa.array(["billing", "delivery", "account", "other"]).take(pc.bit_wise_and(n, 3))
    text = pc.binary_join_element_wise("note number", pc.cast(n, pa.string()), topic, " ")
    chance = np.random.default_rng(7)
    vectors = pa.array(chance.standard_normal(32 * {RECORDS}, dtype=np.float32))
    return pa.table({{"id": pc.utf8_lpad(pc.cast(n, pa.string()), 7, "0"), "text": text, "topic": topic,
                      "amount": chance.random({RECORDS}), "size": pc.bit_wise_and(n, 1023),
                      "vector": pa.FixedSizeListArray.from_arrays(vectors, 32)}})
"""
Row = tuple[str, float, float, float | None]


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
def measured(rows: list[Row], name: str, url: str, target: float | None = None) -> Iterator[None]:
    """One line of the table: CPU of the studio's process, and time on the wall. The least of those of one name."""
    port = int(url.rpartition(":")[2])
    process = next(
        each.pid for each in psutil.net_connections("tcp") if each.status == "LISTEN" and each.laddr.port == port
    )
    server = psutil.Process(process)
    before, start = server.cpu_times(), time.perf_counter()
    yield
    after, wall = server.cpu_times(), time.perf_counter() - start
    spent = after.user + after.system - before.user - before.system
    known = next((place for place, row in enumerate(rows) if row[0] == name), None)
    if known is None:
        rows.append((name, spent, wall, target))
    elif spent < rows[known][1]:
        rows[known] = (name, spent, wall, target)


def tell(title: str, rows: list[Row]) -> None:
    """The table; a missed target fails the test."""
    print(f"\n{title:44} {'server CPU':>11} {'target':>8} {'wall':>8}")
    for name, cpu, wall, target in rows:
        print(f"{name:44} {cpu:9.2f} s {f'{target:6.2f} s' if target else '':>8} {wall:6.2f} s")
    missed = [f"{name}: {cpu:.2f} s" for name, cpu, _, target in rows if target and cpu > target]
    assert not missed, missed


def idle(page: Any) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def test_a_million_records(studio: Serve, made: Callable[..., Path], browse: Browse, tmp_path: Path) -> None:
    url = studio(made(MILLION))
    rows: list[Row] = []
    page = browse(f"{url}/records?asset=notes")
    first = page.get_by_text("1 to 50 of 1,000,000 records")
    expect(first).to_be_visible()
    idle(page)
    for _ in range(TRIES):
        with measured(rows, "page view, warm", url, PAGE):
            page.reload()
            expect(first).to_be_visible()
            idle(page)
    for number in range(2, 2 + TRIES):
        with measured(rows, "turn to the next page", url, TURN):
            page.get_by_role("button", name=f"Page {number}", exact=True).click()
            expect(page.get_by_text(f"{number * 50 - 49} to {number * 50} of 1,000,000 records")).to_be_visible()
            idle(page)
    with measured(rows, "turn to the last page", url, TURN):
        page.get_by_role("button", name="Page 20000", exact=True).click()
        expect(page.get_by_text("999,951 to 1,000,000 of 1,000,000 records")).to_be_visible()
        idle(page)
    for column in ("size", "amount", "text"):
        head = page.locator(f'.cells th[data-column="{column}"]')
        with measured(rows, f"sort by {column}, first time", url, TURN):
            head.click()
            expect(head).to_have_attribute("aria-sort", "ascending")
            idle(page)
    for name, address, seen, target in (
        ("open sorted by amount, largest first", "records?asset=notes&sort=amount&down=1", "1 to 50 of", PAGE),
        ("open filtered: topic is billing", 'records?asset=notes&filter=[["topic","=","billing"]]', "250,000", PAGE),
        ("open a search in text", "records?asset=notes&text=number 12345", "11 records", PAGE),
        ("columns, of a sample", "records?asset=notes&view=columns", "judged by", None),
        ("SQL: count by topic", f"records?asset=notes&view=sql&q={COUNTS}", "4 rows", None),
    ):
        for _ in range(TRIES):
            page.goto("about:blank")
            with measured(rows, name, url, target):
                page.goto(f"{url}/{address}")
                expect(page.get_by_text(seen).first).to_be_visible()
                idle(page)
    for number in range(7, 7 + TRIES):
        page.goto(f"{url}/records?asset=notes&key={number:07}")
        panel = page.locator(".st-key-record_panel")
        expect(panel.locator("section.field").first).to_be_visible()
        panel.get_by_text("Correct a field").click()
        panel.get_by_label("Value").fill(f"by hand {number}")
        with measured(rows, "a correction, saved and shown", url, SAVE):
            panel.get_by_role("button", name="Save correction").click()
            expect(page.get_by_text("1 correction saved")).to_be_visible()
            idle(page)
    tell(f"{RECORDS:,} records", rows)


def test_a_page_beside_a_bare_one(studio: Serve, ran: Path, bare: str, browse: Browse) -> None:
    """How long until a page is ready, against a Streamlit page that shows two words, opened in turns. Medians: of a few
    tries one lucky least, of the bare page or of ours, moved the ratio by a fifth."""
    url = studio(ran)
    places = (
        ("bare", f"{bare}/", "text=ready now"),
        ("runs", f"{url}/runs", ".run"),
        ("records", f"{url}/records?asset=topic", ".cells td"),
        ("pipeline", url, ".board .card"),
    )
    page = browse(f"{url}/records?asset=topic")
    walls: dict[str, list[float]] = {name: [] for name, _, _ in places}
    for _ in range(OPENED):
        for name, address, seen in places:
            page.goto("about:blank")
            start = time.perf_counter()
            page.goto(address)
            page.locator(seen).first.wait_for()
            walls[name].append(time.perf_counter() - start)
    ready = {name: statistics.median(found) for name, found in walls.items()}
    print(f"\n{'page ready, small project':44} {'wall':>8} {'beside a bare page':>20}")
    for name, wall in ready.items():
        print(f"{name:44} {wall:6.2f} s {wall / ready['bare']:18.2f} x")
    missed = {name: wall / ready["bare"] for name, wall in ready.items() if wall > BESIDE_BARE * ready["bare"]}
    assert not missed, missed


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
