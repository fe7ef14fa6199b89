"""What a person installs is what the checkout has: wheel and source archive, extras and pins, commands."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from layout import ROOT, TREES
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LEFT_OUT = {"__pycache__", ".mypy_cache"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a source archive built from a copy of the checkout, without a network."""
    copy = tmp_path_factory.mktemp("build") / "packyak"
    for name in (*TREES, "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
        else:
            shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "out"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next((copy / "out").glob("*.whl"))


def test_the_wheel_has_every_file_of_the_checkout(wheel: Path) -> None:
    """A new subpackage or a new kind of data file is left out silently until pyproject.toml lists it."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    here = {
        path.relative_to(ROOT).as_posix()
        for tree in TREES
        for path in (ROOT / tree).rglob("*")
        if path.is_file() and not LEFT_OUT & set(path.parts)
    }
    assert packed == {name if name.startswith("packyak/") else f"packyak/{name}" for name in here}


def test_the_installed_wheel_works_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    code = "import packyak, packyak.engine, packyak.sample_data as s; print(packyak.engine.__file__); s.create('here')"
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(target))
    assert (tmp_path / "here" / "pipeline.py").exists()


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_every_requirement_has_a_pin_that_fits() -> None:
    listed = [
        *project()["dependencies"],
        *(line for extra in project()["optional-dependencies"].values() for line in extra),
    ]
    wanted = [Requirement(line) for line in listed]
    wrong = [
        str(requirement)
        for requirement in wanted
        if canonicalize_name(requirement.name) != "packyak-studio"
        and not requirement.specifier.contains(pins().get(canonicalize_name(requirement.name), "0"))
    ]
    assert not wrong


def test_extras() -> None:
    extras = project()["optional-dependencies"]
    assert set(extras) == {"learn", "studio", "aws", "team", "prove", "all", "dev"}
    assert extras["all"] == ["packyak-studio[learn,studio,aws]"]
    assert "packyak-studio[all,prove]" in extras["dev"]


def test_both_commands_start_the_same_program() -> None:
    scripts = project()["scripts"]
    assert set(scripts) == {"packyak", "yak"}
    assert len(set(scripts.values())) == 1


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == targets


def test_a_python_that_is_too_old_is_refused_with_the_next_step(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run([ROOT / ".ci/find_python.sh", old], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr
    assert "Next:" in done.stderr
