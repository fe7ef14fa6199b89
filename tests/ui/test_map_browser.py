"""The map in a browser: point, click, pick with lasso and box, go on with what is picked, a link, 50,000 dots."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barriers import barriers
from test_desk_browser import NOT_OURS

pytestmark = pytest.mark.browser
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)

Browse = Callable[..., Any]
Serve = Callable[..., str]
SHOTS = Path(__file__).parent / "shots"
EVIL = "<img src=x onerror=\"document.title='owned'\"> **bold**"
SOURCE = """
    from typing import Literal
    from packyak import Index, asset, learned

    @asset(key="id")
    def notes():
        for n in range(MANY):
            yield {"id": f"N-{n:05}", "body": f"{('parcel', 'invoice', 'login')[n % 3]} {n}" if n else EVIL, "size": n}

    @learned(notes)
    def topic(body: str) -> Literal["parcel", "invoice", "login"] | None:
        return next((word for word in ("parcel", "invoice") if word in body), None)

    search = Index(notes, on="body")
"""
# Vectors made up here, so that no model is loaded: three heaps, one for each word, each a little spread.
INDEX = """
import sys
import numpy as np, pyarrow as pa
from packyak.engine.project import Project
from packyak.engine.store.vectors import Embedder, SearchTable

project = Project.open(sys.argv[1])
project.run(["topic"])
rows = pa.table({"_key": project.read("notes")["id"], "text": project.read("notes")["body"]})
noise = np.random.default_rng(0)

def embed(texts):
    heaps = np.array([[word in text for word in ("parcel", "invoice", "login")] for text in texts], float) * 3
    return np.hstack([heaps, noise.normal(size=(len(texts), 5))]).astype(np.float32)

SearchTable(project.home, "search").update(rows, Embedder("made up", embed))
if len(sys.argv) > 2:
    project.map(way=sys.argv[2])
"""


def make(folder: Path, many: int, *way: str) -> Path:
    folder.mkdir()
    source = textwrap.dedent(SOURCE).replace("MANY", str(many)).replace("EVIL", repr(EVIL))
    (folder / "pipeline.py").write_text(source)
    settings = '[settings]\nprefect = "off"\nworker = "off"\n'
    (folder / "packyak.toml").write_text(f'name = "notes"\nmodules = ["pipeline"]\n{settings}')
    done = subprocess.run(
        [sys.executable, "-c", INDEX, str(folder), *way], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("map") / "notes", 300)


def idle(page: Any) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def plot(page: Any, many: int) -> Any:
    found = page.locator(".scatter")
    expect(found).to_have_attribute("data-drawn", str(many), timeout=90_000)
    idle(page)
    return found


def drag(page: Any, *corners: tuple[float, float]) -> None:
    """Draw along corners given as shares of the map's width and height."""
    box = page.locator(".scatter").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=8)
    page.mouse.up()


INK = """root => { const canvas = root.querySelector("canvas"), pen = canvas.getContext("2d");
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height), seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size; }"""


def test_a_map_is_laid_out_pointed_at_and_picked_from(studio: Serve, indexed: Path, browse: Browse) -> None:
    page = browse(f"{studio(indexed)}/map")
    dots = plot(page, 300)  # laid out in the background, by a process of the command line
    assert dots.evaluate(INK) > 20
    legend = dots.get_by_role("group", name="Colours of topic")
    expect(legend).to_contain_text("parcel")
    expect(legend).to_contain_text("no value")
    page.keyboard.press("b")
    expect(dots.get_by_role("button", name="Pick with a box (B)")).to_have_attribute("aria-pressed", "true")
    drag(page, (0.004, 0.004), (0.996, 0.996))
    expect(dots).to_have_attribute("data-picked", "300")
    panel = page.locator(".st-key-map_panel")
    expect(panel).to_contain_text("300 records picked")
    page.keyboard.press("l")
    drag(page, (0.05, 0.1), (0.5, 0.1), (0.5, 0.97), (0.05, 0.97))
    expect(panel.get_by_role("heading").first).not_to_contain_text("300")
    some = int(re.search(r"\d+", panel.get_by_role("heading").first.inner_text())[0])  # type: ignore[index]
    expect(dots).to_have_attribute("data-picked", str(some))  # the browser and the engine count alike
    assert 0 < some < 300 and "inside=" in page.url
    page.reload()
    plot(page, 300)
    expect(panel).to_contain_text(f"{some} records picked")
    panel.get_by_role("button", name="Open in Records").click()
    expect(page.get_by_text(f"of {some} records")).to_be_visible()
    expect(page.get_by_role("button", name=f"{some} from the map").first).to_be_visible()
    page.go_back()
    panel.get_by_role("button", name="Review these").click()
    expect(page.locator(".question, .deck").first).to_be_visible(timeout=90_000)  # the first one loads what ranks them
    assert "/review?" in page.url and "map=search" in page.url


def test_what_is_picked_is_corrected_together_and_back(studio: Serve, indexed: Path, browse: Browse) -> None:
    page = browse(f"{studio(indexed)}/map?asset=topic&inside=-2,-2 2,-2 2,2 -2,2")
    plot(page, 300)
    page.get_by_role("button", name="Change many").click()
    form = page.get_by_test_id("stPopoverBody")
    expect(form.get_by_role("combobox", name="Column")).to_have_value("topic")  # what is looked at comes first
    form.get_by_label("Value").click()
    page.get_by_role("option", name="login").click()
    form.get_by_role("button", name="Look first").click()
    expect(form).to_contain_text("300 records would change")
    form.get_by_role("button", name="Change 300 records").click()
    expect(page.get_by_text("300 records changed")).to_be_visible()
    expect(page.locator(".legend")).to_contain_text("login")
    expect(page.locator(".legend")).not_to_contain_text("no value")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".legend")).to_contain_text("no value")


def test_a_dot_tells_its_record_as_text_and_opens_it(studio: Serve, indexed: Path, browse: Browse) -> None:
    url = studio(indexed)
    page = browse(f"{url}/map?asset=topic&key=N-00000", dark=True)
    dots = plot(page, 300)
    panel = page.locator(".st-key-map_panel")
    expect(panel).to_contain_text("**bold**")
    box = dots.bounding_box()
    found = None
    for step in range(400):  # over the map in rows, until a dot is under the pointer
        x, y = box["x"] + 30 + (step * 37) % (box["width"] - 60), box["y"] + 80 + (step * 53) % (box["height"] - 160)
        page.mouse.move(x, y)
        if "on-dot" in (dots.get_attribute("class") or ""):
            found = (x, y)
            break
    assert found is not None
    hint = page.get_by_role("tooltip")
    expect(hint).to_contain_text("N-0")
    page.screenshot(path=SHOTS / "map-hint-dark.png")
    named = hint.locator("strong").inner_text()
    page.mouse.click(*found)
    expect(panel.get_by_role("heading").first).to_have_text(named)
    assert f"key={named}" in page.url
    assert page.title() != "owned" and page.locator(".scatter img").count() == 0


def test_where_the_window_stands_and_the_colour_are_in_the_address(
    studio: Serve, indexed: Path, browse: Browse
) -> None:
    url = studio(indexed)
    page = browse(f"{url}/map")
    dots = plot(page, 300)
    dots.focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("view="))
    stands = dots.get_attribute("data-view")
    other = browse(page.url.replace("/map?", "/map?color=size&"), width=2560, height=1440)
    wide = plot(other, 300)
    expect(wide).to_have_attribute("data-view", stands)
    expect(other.locator(".legend .ends")).to_contain_text("293")
    other.get_by_text("Directions").click()
    expect(other).to_have_url(re.compile("way=directions"))
    plot(other, 300)


@pytest.mark.slow
def test_fifty_thousand_dots_move_smoothly(studio: Serve, tmp_path: Path, browse: Browse) -> None:
    folder = make(tmp_path / "large", 60_000, "directions")
    page = browse(f"{studio(folder)}/map?way=directions&color=size", width=1440, height=900)
    dots = plot(page, 50_000)
    expect(page.locator(".st-key-map_panel")).to_contain_text("A sample: 50,000 records of 60,000")
    spent = []
    box = dots.bounding_box()
    page.mouse.move(box["x"] + 400, box["y"] + 400)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(box["x"] + 400 + 4 * step, box["y"] + 400 + 2 * step)
        spent.append(float(dots.get_attribute("data-spent")))
    page.mouse.up()
    for _ in range(20):
        page.mouse.wheel(0, -60)
        spent.append(float(dots.get_attribute("data-spent")))
    spent.sort()
    print(f"\n50,000 dots: {spent[len(spent) // 2]:.1f} ms of script a frame, at worst {spent[-1]:.1f} ms")
    drag_from = dots.get_attribute("data-view")
    assert drag_from != "0.000,0.000,1.000"


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_no_serious_barrier_on_the_map(studio: Serve, indexed: Path, browse: Browse, dark: bool) -> None:
    url = studio(indexed)
    page = browse(url, dark=dark)
    found = []
    for place in ("?asset=topic", "?color=size", "?inside=-2,-2 2,-2 2,2 -2,2", "?asset=topic&key=N-00003"):
        page.goto(f"{url}/map{place}")
        plot(page, 300)
        found += barriers(page, but=NOT_OURS)
    assert not found, "\n".join(found)
