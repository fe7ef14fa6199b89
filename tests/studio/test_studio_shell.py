"""The shell: which project is shown, what its answers carry, what it loads, what the studio's files are."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import packyak.studio
import pytest
import streamlit as st
from packyak.studio.shell import projects
from packyak.studio.shell.headers import HEADERS, SecurityHeaders

STUDIO = Path(packyak.studio.__path__[0])


@pytest.fixture(autouse=True)
def _fresh_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})


def project(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "packyak.toml").write_text('name = "x"\n')
    return folder


def test_the_environment_wins_then_the_nearest_then_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, near, last = (project(tmp_path / name) for name in ("named", "near", "last"))
    assert projects.current_root() is None
    projects.remember(last)
    assert projects._from_environment() is None and projects.current_root() == last
    st.session_state.clear()
    (near / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(near / "deep" / "er")
    assert projects.current_root() == near
    st.session_state.clear()
    monkeypatch.setenv("PACKYAK_PROJECT", str(named))
    assert projects.current_root() == named


def test_recent_projects_are_newest_first_without_those_gone(tmp_path: Path) -> None:
    a, b = project(tmp_path / "a"), project(tmp_path / "b")
    for root in (a, b, a):
        projects.remember(root)
    assert projects.recent() == [a, b]
    (b / "packyak.toml").unlink()
    assert projects.recent() == [a]


def test_a_list_that_cannot_be_written_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    projects.remember(tmp_path)
    assert projects.recent() == []


def test_the_stamp_sees_sources_and_nothing_else(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    before = projects.stamp(root)
    for name in (".packyak/x.py", "__pycache__/y.py", "notes.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("1")
    assert projects.stamp(root) == before
    (root / "pipeline.py").write_text("1")
    assert projects.stamp(root) != before


def test_every_answer_carries_the_security_headers() -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    with pytest.raises(StopIteration):  # nothing in it waits: no event loop is needed
        SecurityHeaders(app)({"type": "http", "headers": []}, receive, send).send(None)
    given = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    assert given == {name.lower(): value for name, value in HEADERS.items()}
    assert "frame-ancestors 'none'" in given["content-security-policy"]
    assert "http" not in given["content-security-policy"].replace("http-", "")


def test_the_studio_loads_neither_prefect_nor_the_cloud() -> None:
    modules = [f"packyak.studio.components.{name}" for name in ("pipeline.page", "records.page", "home", "shell")]
    heavy = "('prefect', 'aws_cdk', 'torch')"
    code = f"import sys, {', '.join(modules)}\nprint([m for m in sys.modules if m.partition('.')[0] in {heavy}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_views_do_not_know_streamlit() -> None:
    for path in (STUDIO / "views").glob("*.py"):
        assert "streamlit" not in path.read_text(encoding="utf-8").replace("Streamlit reads", ""), path.name


def test_record_text_is_never_given_out_as_html() -> None:
    for path in STUDIO.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "unsafe_allow_html" not in text and "unsafe_allow_javascript" not in text, path.name
        assert "st.html(" not in text, path.name
    for path in (STUDIO / "components").rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not any(word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(")), path.name


def test_the_config_keeps_to_this_machine() -> None:
    config = tomllib.loads((STUDIO / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1" and config["server"]["allowedHosts"] == ["127.0.0.1", "localhost"]
    assert config["browser"]["gatherUsageStats"] is False and config["client"]["showErrorDetails"] == "none"
    for face in config["theme"]["fontFaces"]:
        assert (STUDIO / "shell" / "static" / face["url"].removeprefix("app/static/")).is_file()
    assert "http" not in (STUDIO / ".streamlit" / "config.toml").read_text(encoding="utf-8")


def test_fonts_come_with_their_licences() -> None:
    fonts = STUDIO / "shell" / "static" / "fonts"
    for family in ("inter", "jetbrains-mono"):
        assert "SIL Open Font License" in (fonts / f"{family}-LICENSE.txt").read_text(encoding="utf-8")
