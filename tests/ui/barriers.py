"""What axe-core finds on a page: barriers for people who cannot see or use a mouse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

AXE = "axe.run({resultTypes: ['violations'], rules: {region: {enabled: false}}})"
SETTLE_MS = 1500  # transitions of colour end


def barriers(page: Any, *, but: re.Pattern[str] | None = None) -> list[str]:
    """The serious ones, each with its rule and element. but: elements that no page of ours can mend."""
    axe = pytest.importorskip("axe_playwright_python", reason="to run this test: pip install axe-playwright-python")
    page.wait_for_timeout(SETTLE_MS)
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    return [
        f"{page.url}: {violation['id']}: {node['target']} {node['html'][:140]}"
        for violation in page.evaluate(AXE)["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
        if but is None or not but.search(f"{node['target']}{node['html']}")
    ]
