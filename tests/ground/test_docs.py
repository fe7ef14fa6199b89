"""What is written is true: README and docs compile, their links lead somewhere, and they name what exists."""

import re
from pathlib import Path

import pytest
from layout import ROOT
from packyak.engine.settings import SETTINGS

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_compile(page: Path) -> None:
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            compile(block, str(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z][a-z-]+)", code_of(page), re.MULTILINE)) <= targets


def code_of(page: Path) -> str:
    """Only what is set as code: prose may say "make sure"."""
    text = page.read_text(encoding="utf-8")
    return "\n".join([block for _, block in BLOCK.findall(text)] + re.findall(r"(?<=`)[^`\n]+(?=`)", text))


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    wanted = [f"| `{setting.name}` | {shown(setting.default)} | {setting.help} |" for setting in SETTINGS]
    assert rows == wanted, "the table in docs/settings.md should be:\n" + "\n".join(wanted)


def shown(default: object) -> str:
    return "" if default is None else f"`{default}`"
