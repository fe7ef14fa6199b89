"""What needs learners is asked of the project's worker: the studio's own process loads none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import packyak.studio
import pytest
from packyak.engine.errors import NoWorker
from packyak.engine.project import Project
from packyak.engine.run.worker.client import connect
from packyak.studio.shell import asking

STUDIO = Path(packyak.studio.__path__[0])
SOURCE = """
    from collections.abc import Iterator
    from packyak import Bucket, File, learned, read_jsonl, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def notes(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    @learned(notes)
    def city(city: str, code: str) -> str:
        "The city that a code stands for."
"""
PLACES = (("Bern", "3000"), ("Basel", "4000"), ("Basle", "4000"))
NOTES = "\n".join(
    json.dumps({"id": f"n{number:03}", "city": PLACES[number % 3][0], "code": PLACES[number % 3][1]})
    for number in range(60)
)
OPEN = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=100).run()
app.switch_page(sys.argv[2]).run()
assert not app.exception, app.exception
heavy = {"sklearn", "rapidfuzz", "scipy", "torch", "sentence_transformers", "prefect"}
print("loaded", sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
print("asked", len(app.session_state["review_desk"].found.questions))
"""


def test_review_opens_without_a_learner_in_the_studio(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project_folder(SOURCE, files={"inbox/notes.jsonl": NOTES}, settings={"worker": "auto"})
    Project.open(folder).run()
    monkeypatch.setenv("PACKYAK_PROJECT", str(folder))
    command = [sys.executable, "-c", OPEN, str(STUDIO / "shell" / "main.py"), str(STUDIO / "pages" / "review.py")]
    project = Project.open(folder)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        assert said["loaded"] == "[]" and int(said["asked"]) == len(project.review(limit=240).questions) > 0
        asked = connect(project.home.uri).call("review", limit=240)
        assert asked == project.review(limit=240)
    finally:
        connect(project.home.uri).stop()


def test_without_a_worker_it_is_asked_here(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(SOURCE, files={"inbox/notes.jsonl": NOTES})
    project = Project.open(folder)
    project.run()
    assert asking.ask(project, "review", limit=5, wake=True) == project.review(limit=5)
    with pytest.raises(NoWorker):
        connect(project.home.uri)
