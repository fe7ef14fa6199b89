"""What Lambda calls is the engine's own call: tried here as a plain call, on homes in folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.deploy import entry
from packyak.engine.errors import RunBusy, RunFailed, SettingError
from packyak.engine.project import Project
from packyak.engine.run.launch import LOCK
from packyak.engine.store.lease import Lease

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, function, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(rows, failures_allowed=0)
def size(word: str) -> int:
    assert word != "bad"
    return len(word)

sizes = sql("select size, count(*) as n from size group by all")

@function(cron="0 6 * * *")
async def greet() -> None:
    await inbox.put("greeting.txt", b"hello")
"""
IN_ORDER = ("rows", "size", "sizes")


@pytest.fixture
def folder(project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    made = project_folder(SOURCE, files={"inbox/a.csv": "id,word\n1,one\n2,three\n"})
    monkeypatch.chdir(made)
    monkeypatch.setenv("PACKYAK_PREFECT", "off")
    return made


def test_a_unit_runs_as_the_engine_runs_it(folder: Path, tmp_path: Path) -> None:
    for name in IN_ORDER:
        done = entry.run({"run": name})
        assert (done["unit"], done["state"]) == (name, "done")
    assert entry.run({"run": "size"})["state"] == "fresh"
    with Project.open(folder) as project, Project.open(folder, home=tmp_path / "other") as other:
        other.put_bytes("inbox", "a.csv", project.get_bytes("inbox", "a.csv"))
        other.run(list(IN_ORDER))
        one, two = (each.published.load().assets for each in (project, other))
        assert {name: each.version for name, each in one.items()} == {name: each.version for name, each in two.items()}


def test_the_environment_may_name_the_unit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKYAK_UNIT", "rows")
    assert entry.run({"source": "aws.s3"})["computed"] == 1
    monkeypatch.delenv("PACKYAK_UNIT")
    with pytest.raises(SettingError, match="which unit"):
        entry.run({})


def test_a_function_on_a_clock_is_called_when_the_account_says_so(folder: Path) -> None:
    assert entry.run({"run": "greet"})["state"] == "done"
    with Project.open(folder) as project:
        assert project.get_bytes("inbox", "greeting.txt") == b"hello"


def test_a_unit_that_fails_says_so_and_the_rest_stays(folder: Path) -> None:
    for name in IN_ORDER:
        entry.run({"run": name})
    with Project.open(folder) as project:
        project.put_bytes("inbox", "b.csv", b"id,word\n3,bad\n")
    entry.run({"run": "rows"})
    with pytest.raises(RunFailed, match="size"):
        entry.run({"run": "size"})
    with Project.open(folder) as project:
        assert project.read("sizes").num_rows == 2


def test_while_others_run_it_is_busy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "LAMBDA_WAITS", 0.0)
    with Project.open(folder) as project, Lease(project.home, LOCK, {"doing": "a run"}), pytest.raises(RunBusy):
        entry.run({"run": "rows"})


def test_roles_of_people_are_not_in_the_way(folder: Path) -> None:
    with (folder / "packyak.toml").open("a") as file:
        file.write('\n[roles]\nadmin = ["ana"]\n')
    assert entry.run({"run": "rows"})["state"] == "done"


@pytest.mark.slow
def test_tidying_keeps_what_is_there(folder: Path) -> None:
    for name in IN_ORDER:
        entry.run({"run": name})
    with Project.open(folder) as project:
        before = {name: project.read(name).to_pylist() for name in IN_ORDER}
        versions = {name: each.version for name, each in project.published.load().assets.items()}
        for number in range(40):  # many small files make many small pieces
            project.put_bytes("inbox", f"{number}.csv", f"id,word\n{number + 10},w{number}\n".encode())
            project.run(["rows"], alone=True)
        pieces = len(project.scope().table("rows").dataset().get_fragments())
    assert entry.run({"tidy": True}) == {"tidied": ["rows"]}
    with Project.open(folder) as project:
        assert len(project.scope().table("rows").dataset().get_fragments()) < pieces
        assert project.read("rows").num_rows == 42
        now = {name: each.version for name, each in project.published.load().assets.items()}
        assert [name for name in IN_ORDER if now[name] == versions[name]] == ["size", "sizes"]
        assert project.read("sizes").to_pylist() == before["sizes"]
        assert project.run(["rows"], alone=True).assets == ()  # nothing counts as changed


@pytest.mark.slow
def test_a_task_runs_it_from_the_command_line(folder: Path) -> None:
    command = [sys.executable, "-m", "packyak.deploy.entry", "rows", str(folder / ".packyak")]
    done = subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=True)
    assert "state='done'" in done.stdout
