"""A project whose home is on S3: started, run, corrected and run again, by the commands that a person types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local_s3 import KEYS, local_s3
from packyak.engine.project import Project

pytestmark = pytest.mark.slow

SOURCE = """
from typing import Iterator
from packyak import Bucket, File, check, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(rows)
def label(word: str) -> str:
    return "long" if len(word) > 3 else "short"

per_label = sql("select label, count(*) as n from label group by all")

@check(per_label, blocking=True)
def some(per_label): return sql("select * from per_label where n < 1")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("moto")
    with local_s3() as url:
        yield url


@pytest.fixture
def environment(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": server}).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
def test_a_whole_project_lives_on_s3(tmp_path: Path) -> None:
    home = "s3://home-bucket/shop/home"
    folder = tmp_path / "shop"
    packyak(tmp_path, "init", str(folder))
    (folder / "packyak.toml").write_text(f'name = "shop"\nmodules = ["pipeline"]\n[settings]\nhome = "{home}"\n')
    (folder / "pipeline.py").write_text(SOURCE)
    with Project.open(folder) as project:
        project.put_bytes("inbox", "a.csv", b"id,word\n1,one\n2,three\n3,four\n")

    assert packyak(folder, "run")["state"] == "done"
    assert counts(folder) == {"long": 2, "short": 1}
    assert packyak(folder, "run")["nothing_to_do"] is True

    packyak(folder, "correct", "label", "1", "label", "long")
    computed = {each["asset"]: each["computed"] for each in packyak(folder, "run")["assets"]}
    assert computed["label"] == 0 and computed["per_label"] == 1  # of what is counted, only "long" is left
    assert counts(folder) == {"long": 3}

    with Project.open(folder) as project:
        project.put_bytes("inbox", "b.csv", b"id,word\n4,x\n")
    assert packyak(folder, "run")["state"] == "done"
    assert counts(folder) == {"long": 3, "short": 1}
    assert {each["name"]: each["state"] for each in packyak(folder, "status")["assets"]}["per_label"] == "fresh"
    assert not any((folder / ".packyak" / name).exists() for name in ("tables", "memo", "published", "runs"))


def counts(folder: Path) -> dict[str, int]:
    rows = packyak(folder, "sql", "select label, n from per_label")["rows"]
    return {row["label"]: row["n"] for row in rows}


def packyak(folder: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "packyak", *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
