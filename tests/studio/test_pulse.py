"""The pulse: it changes when something happened to the project, and tells nothing to those who cannot name one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from packyak.engine.project import Project
from packyak.studio.shell import pulse
from starlette.applications import Starlette
from starlette.testclient import TestClient

SOURCE = "from packyak import asset\n@asset(key='id')\ndef notes():\n    yield {'id': 'a', 'n': 1}"


def test_the_pulse_beats_on_a_run_and_on_a_correction(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    path = pulse.watch(project)
    site = TestClient(Starlette(routes=[pulse.ROUTE]))
    beats = [site.get(path).json()["beat"]]
    project.run()
    beats.append(site.get(path).json()["beat"])
    project.correct("notes", "a", "n", 2)
    beats.append(site.get(path).json()["beat"])
    assert len(set(beats)) == 3 and site.get(path).json()["beat"] == beats[-1]
    assert site.get(path).json()["run"]["text"] == "No run under way"
    assert pulse.watch(Project.open(project.root)) == path and path != pulse.PATH
    assert site.get(f"{pulse.PATH}/guess").status_code == 404
