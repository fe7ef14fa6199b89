"""Secrets: where a value comes from, and that it is nowhere in what is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.errors import DeclarationError, SettingError
from packyak.engine.project import Project
from packyak.engine.store.secret import hidden, variable_of

from packyak import Secret

VALUE = "sk-very-secret-9041"
SOURCE = """
from packyak import Secret, asset, check, transform

key = Secret("llm/key")

@asset(key="id")
def rows() -> list[dict]:
    return [{"id": str(n), "n": n} for n in range(4)]

@transform(rows)
def asked(n: int) -> int:
    if n == 3:
        raise ValueError(f"refused for {key.value()}")
    return n + len(key.value())

@check(asked)
def some(asked) -> bool:
    raise RuntimeError("no answer for " + key.value())
"""


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    return project_folder(SOURCE)


def keep(folder: Path, value: str, mode: int = 0o600) -> Path:
    file = folder / ".packyak" / "secrets" / "llm" / "key"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value + "\n")
    file.chmod(mode)
    return file


def test_it_comes_from_the_environment_or_a_file_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Project.open(folder):
        with pytest.raises(SettingError) as none:
            Secret("llm/key").value()
        assert "PACKYAK_SECRET_LLM_KEY" in str(none.value) and "secrets/llm/key" in str(none.value)
        file = keep(folder, VALUE)
        assert Secret("llm/key").value() == VALUE
        monkeypatch.setenv(variable_of("llm/key"), "another-value")
        assert Secret("llm/key").value() == "another-value"
        monkeypatch.delenv(variable_of("llm/key"))
        file.chmod(0o640)
        with pytest.raises(SettingError, match="others can read") as open_to_all:
            Secret("llm/key").value()
        assert VALUE not in str(open_to_all.value)


def test_its_value_is_nowhere_in_what_a_run_leaves(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    keep(folder, VALUE)
    with Project.open(folder) as project:
        record = project.run()
        assert [each.failed for each in record.assets if each.asset == "asked"] == [1]
        failed = project.page("asked", only="failed").rows.to_pylist()
        assert len(failed) == 1
        said = str(project.record("asked", failed[0]["_key"]))
        assert "refused for ***" in said and VALUE not in said
        results = project.check_results()
        assert "no answer for ***" in results[0].message
    home = folder / ".packyak"
    holding = [file for file in home.rglob("*") if file.is_file() and VALUE.encode() in file.read_bytes()]
    assert holding == [home / "secrets" / "llm" / "key"]
    assert VALUE not in "".join(capfd.readouterr())
    assert VALUE not in repr(Secret("llm/key")) and hidden(f"x {VALUE} y") == "x *** y"


def test_another_value_is_no_other_code(folder: Path) -> None:
    keep(folder, VALUE)
    with Project.open(folder) as project:
        before = project.codes.fingerprints["asked"]
        project.run()
    keep(folder, "sk-quite-another")
    with Project.open(folder) as project:
        assert project.codes.fingerprints["asked"] == before
        assert not [each for each in project.run(["asked"]).assets if each.computed]


@pytest.mark.parametrize("name", ["", "../up", "a b", "/x", "a/../b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(DeclarationError, match="cannot name a secret"):
        Secret(name)


def test_two_of_one_name_are_the_same() -> None:
    assert Secret("a") == Secret("a") != Secret("b") and len({Secret("a"), Secret("a")}) == 1
    assert os.environ.get(variable_of("a")) is None
