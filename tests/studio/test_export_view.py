"""The Export page's data, and the page itself without a browser and without an account."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import packyak.studio
import pytest
import streamlit as st
from packyak.studio.views import export
from streamlit.testing.v1 import AppTest

STUDIO = Path(packyak.studio.__path__[0])
SOURCE = """
    from collections.abc import Iterator
    from packyak import Bucket, File, read_csv, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.csv"), key="id")
    def patients(file: File) -> Iterator[dict]:
        yield from read_csv(file)

    @transform(patients)
    def age(born: int) -> int:
        return 2026 - born
"""
DIFF: dict[str, Any] = {"added": [], "removed": [], "changed": [], "widened": [], "refused": [], "first": False}
STAGES = {"plan": "what there will be", "image": "images", "outputs": "where it is"}


def stage(name: str, state: str, line: str = "", seconds: float = 1.0) -> str:
    return json.dumps({"stage": {"stage": name, "state": state, "line": line, "seconds": seconds, "of": None}})


def event(state: str, reason: str = "") -> str:
    told = {"stack": "s", "resource": "AgeRole", "type": "AWS::IAM::Role", "state": state, "reason": reason,
            "place": "flow.py:3"}  # fmt: skip
    return json.dumps({"event": told})


def outcome(state: str, **diff: Any) -> str:
    outputs = [{"name": "home", "value": "s3://b/home", "link": "https://console/x"}]
    said = {"state": state, "diff": {**DIFF, **diff}, "outputs": outputs if state == "published" else [],
            "account": "123", "region": "eu-west-1"}  # fmt: skip
    return json.dumps({"outcome": said})


def attempt(*lines: str, running: bool = False) -> export.Attempt:
    return export.attempt_of(lines, running=running, at="2026-10-01T00:00:00+00:00", profile="dev")


def test_stages_as_they_go() -> None:
    found = attempt(stage("plan", "running"), stage("plan", "done", "2 roles"), stage("image", "running"), running=True)
    assert found.running
    assert [(each.name, each.state, each.line) for each in found.stages(STAGES)] == [
        ("plan", "done", "2 roles"), ("image", "running", ""), ("outputs", "waiting", ""),
    ]  # fmt: skip


def test_a_line_cut_off_in_the_middle_waits_for_its_rest() -> None:
    assert attempt(stage("plan", "done"), '{"stage": {"st', running=True).told.keys() == {"plan"}


def test_how_it_ended() -> None:
    done = attempt(stage("plan", "done"), event("CREATE_COMPLETE"), outcome("published"))
    assert done.state == "published" and done.outputs[0].link == "https://console/x" and done.account == "123"
    assert [each.failed for each in done.events] == [False]

    failed = attempt(
        stage("image", "failed", "no package"), event("CREATE_FAILED", "it exists"),
        json.dumps({"error": {"error": "PublishFailed", "message": "no package", "next_step": "mend it"}}),
    )  # fmt: skip
    assert (failed.state, failed.problem, failed.next_step) == ("failed", "no package", "mend it")
    assert failed.events[0].failed and failed.events[0].place == "flow.py:3"

    cut = attempt(stage("image", "running"))
    assert cut.state == "cut off" and cut.stages(STAGES)[1].state == "failed"


def test_what_has_to_be_confirmed_comes_first() -> None:
    gains = {"words": "age gains read of notes", "of": "age", "place": "flow.py:3"}
    found = attempt(outcome("unconfirmed", widened=[gains], added=[{"words": "notes is new", "of": "", "place": ""}]))
    assert [each.kind for each in found.sections] == ["widened", "added"]
    assert found.widened is not None and found.widened.tone == "red"
    assert found.widened.changes == (export.ChangeLine("age gains read of notes", "flow.py:3"),)


def test_the_button_as_a_command() -> None:
    assert export.command("dev", "dev", False) == "packyak export"
    assert export.command("gdpr", "dev", True) == "packyak export --profile gdpr --accept-widening"


@pytest.fixture(autouse=True)
def _no_kept_project() -> Iterator[None]:
    yield
    st.cache_resource.clear()


@pytest.fixture
def folder(project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    made = project_folder(SOURCE, files={"inbox/a.csv": "id,born\n1,1950\n"})
    monkeypatch.setenv("PACKYAK_PROJECT", str(made))
    return made


def shown() -> AppTest:
    """The page, once what would change is known."""
    app = AppTest.from_file(str(STUDIO / "shell" / "main.py"), default_timeout=60)
    app.run()
    app.switch_page("../pages/export.py")
    for _ in range(120):
        app.run()
        if any("What it costs" in each.value for each in app.subheader) or app.error:
            break
        time.sleep(0.25)
    assert not app.exception, [error.value for error in app.exception]
    return app


def text_of(app: AppTest) -> str:
    every: list[Any] = [*app.header, *app.subheader, *app.markdown, *app.text, *app.caption, *app.error]
    return "\n".join(str(each.value) for each in every)


def test_without_an_account_the_page_shows_all_and_teaches(folder: Path) -> None:
    app = shown()
    said = text_of(app)
    assert "age is new: a transform that reads patients" in said.replace("\\", "")
    assert "Connect an AWS account" in said
    assert [each.label for each in app.metric] == ["a month, nothing running", "a whole run"]
    assert any(each.label == "Export to AWS" and not each.disabled for each in app.button)


def test_a_publication_that_failed_is_told_with_its_next_step(folder: Path) -> None:
    place = folder / ".packyak" / "cloud"
    place.mkdir(parents=True)
    lines = [stage("plan", "running"), json.dumps({"error": {"error": "NoCredentials", "message": "nobody asks",
                                                              "next_step": "sign in"}})]  # fmt: skip
    (place / "export.jsonl").write_text("\n".join(lines))
    (place / "export.json").write_text(
        json.dumps({"pid": 2**22 + 1, "mark": "x", "at": "2026-10-01", "profile": "dev"})
    )
    app = shown()
    said = text_of(app)
    assert "It did not get through" in said and "Next: Sign in." in said
    next(each for each in app.button if each.label == "Dismiss").click().run()
    assert not (place / "export.json").exists()
    assert "It did not get through" not in text_of(app)


def test_more_rights_than_before_are_confirmed_apart(folder: Path) -> None:
    from packyak.deploy.publish.kept import Published, keep
    from packyak.deploy.publish.project import planned
    from packyak.engine.project import Project

    with Project.open(folder) as project:
        keep(Published(planned(project), "2026-10-01", "123456789012", "us-east-1", "dev", ("a",)), project.home)
    code = folder / "pipeline.py"
    code.write_text(code.read_text().replace('"*.csv"', '"*.tsv"'))
    app = shown()
    next(each for each in app.button if each.label == "Export to AWS").click().run()
    said = text_of(app).replace("\\", "")
    assert "Somebody may do more than before" in said and "This did not work" not in said
    assert said.count("patients gains read of files inbox/*.tsv") == 2  # among the changes, and to be confirmed
    assert any("What it costs" in each.value for each in app.subheader)
    assert not (folder / ".packyak" / "cloud" / "export.json").exists()
    next(each for each in app.button if each.label == "Not now").click().run()
    assert not any(each.label == "That is meant: export" for each in app.button)


def test_somebody_who_is_no_admin_may_not_press(folder: Path) -> None:
    with (folder / "packyak.toml").open("a") as file:
        file.write('\n[roles]\nviewer = ["*"]\nadmin = ["ana"]\n')
    app = shown()
    assert all(each.disabled for each in app.button if each.label == "Export to AWS")
