"""A small project with people in it, and the command line called as a terminal would call it, but in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from calling import MESSAGES, PIPELINE, Call, Ended


@pytest.fixture
def folder(project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, as the current folder; no worker and no Prefect server unless a test asks for them."""
    made = project_folder(PIPELINE, files={"inbox/a.jsonl": MESSAGES})
    monkeypatch.chdir(made)
    return made


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKYAK_PREFECT", "off")
    monkeypatch.setenv("PACKYAK_WORKER", "off")


@pytest.fixture
def packyak(capfd: pytest.CaptureFixture[str]) -> Call:
    """`packyak("run", "--json")`."""
    from packyak.cli.app import run_command

    def call(*arguments: str) -> Ended:
        capfd.readouterr()
        code = run_command(arguments)
        return Ended(code, *capfd.readouterr())

    return call
