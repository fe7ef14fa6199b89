"""The Models page in a browser: how a model fares, what promoting another would change, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from barriers import barriers
from packyak.engine.project import Project
from packyak.engine.run.correct.saving import Said

pytestmark = [pytest.mark.browser, pytest.mark.slow]
playwright = pytest.importorskip("playwright.sync_api", reason="to run these tests: pip install playwright")
expect = playwright.expect
expect.set_options(timeout=20_000)

Browse = Callable[..., Any]
Serve = Callable[..., str]
SHOTS = Path(__file__).parent / "shots"
WRONG = {"Bern": "Berne", "Basel": "Basle", "Chur": "Coire"}
SOURCE = """
    from packyak import asset, learned

    WRONG = {"Bern": "Berne", "Basel": "Basle", "Chur": "Coire"}

    @asset(key="id")
    def places():
        for n in range(180):
            city = ("Bern", "Basel", "Chur")[n % 3]
            yield {"id": f"p{n:03}", "code": f"{n % 3 + 3}000", "city": WRONG[city] if n % 4 == 0 else city}

    @learned(places)
    def city(city: str, code: str) -> str:
        "The city as its own people write it."
"""


@pytest.fixture
def taught(project_folder: Callable[..., Path]) -> Path:
    """A project with a model that answers and a newer one that waits."""
    folder = project_folder(SOURCE, settings={"learn": "off"})
    project = Project.open(folder)
    project.run()
    right = {wrong: own for own, wrong in WRONG.items()}
    rows = project.page("city", limit=180).rows.to_pylist()
    for first, last, promote in ((0, 24, True), (24, 40, False)):
        project.correct_many(
            Said("city", row["_key"], "city", right.get(row["city"], row["city"])) for row in rows[first:last]
        )
        project.learn(["city"], promote=promote)
        project.run()
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_model_is_judged_promoted_and_taken_back(studio: Serve, taught: Path, browse: Browse, dark: bool) -> None:
    current = Project.open(taught).models("city")[0].current
    page = browse(f"{studio(taught)}/models", dark=dark, width=1440, height=900)
    expect(page.get_by_text("In force")).to_be_visible()
    assert "asset=city" in page.url
    for title in ("How it grew", "Whether its confidence can be believed", "What it got wrong", "Decisions"):
        expect(page.get_by_text(title).first).to_be_visible()
    facts = page.locator(".st-key-model_facts")
    expect(facts).to_contain_text(current[:8])
    expect(facts).to_contain_text("40")
    newest = Project.open(taught).models("city")[0].cards[0].id
    assert newest != current
    page.get_by_role("button", name=f"Promote {newest[:8]}").click()
    expect(page.get_by_role("button", name="Let it answer")).to_be_visible()
    page.screenshot(path=SHOTS / f"models_promotion{'_dark' if dark else ''}.png")
    page.get_by_label("Why (optional)").fill("it knows more")
    page.get_by_role("button", name="Let it answer").click()
    expect(facts).to_contain_text(newest[:8])
    found = Project.open(taught).models("city")[0]
    assert found.current == newest and "it knows more" in {each.why for each in found.promotions}
    page.get_by_role("button", name="Roll back").click()
    expect(facts).to_contain_text(current[:8])
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("button", name="Pin", exact=True)).to_be_hidden()
    assert Project.open(taught).models("city")[0].pinned
    page.reload()
    expect(facts).to_contain_text(current[:8])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_barrier(studio: Serve, taught: Path, browse: Browse, dark: bool) -> None:
    page = browse(f"{studio(taught)}/models?asset=city", dark=dark, width=2560, height=1440)
    expect(page.get_by_text("What it got wrong").first).to_be_visible()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    found = barriers(page)
    assert not found, "\n".join(found)
