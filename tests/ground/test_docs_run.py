"""What README and docs show is done: their commands can be given, and their pipelines run on a few records."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import typer
from layout import ROOT
from packyak.engine.declare.options import TableOptions
from packyak.engine.project import Project
from packyak.engine.settings import load_config
from pyarrow import parquet
from test_docs import BLOCK, PAGES

from packyak.cli.app import run_command
from packyak.cli.options import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
TICKETS = [
    {"ticket_id": f"T-1004{n}", "subject": subject, "body": body, "received": f"2026-10-0{n // 4 + 1}T10:00:00"}
    for n, (subject, body) in enumerate(
        [("Invoice wrong", "30, not 20"), ("Parcel", None), ("Where is it?", "my order"), ("Invoice", None)] * 2
    )
]
Write = Callable[..., Path]


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall((ROOT / page).read_text(encoding="utf-8")) if kind == language]


def commands(page: Path) -> list[str]:
    """The lines of its shell blocks that call Packyak, without what is said of them."""
    text = page.read_text(encoding="utf-8")
    lines = [line for kind, block in BLOCK.findall(text) if kind == "sh" for line in block.splitlines()]
    return [re.split(r"\s#\s|\s[<>]\s", line)[0] for line in lines if line.startswith(("packyak ", "yak "))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_pages_can_be_given(page: Path) -> None:
    for line in commands(page):
        _, name, *arguments = shlex.split(line)
        COMMANDS[name].make_context(name, arguments)


@pytest.mark.slow
def test_the_loop_of_the_readme_runs(
    project_folder: Write, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(json.dumps(each) + "\n" for each in TICKETS)
    folder = project_folder(blocks("README.md", "python")[0], files={"inbox/tickets.jsonl": lines})
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PACKYAK_PREFECT", "off")
    monkeypatch.setenv("PACKYAK_WORKER", "off")
    loop = next(block for block in blocks("README.md", "sh") if "packyak correct" in block)
    for line in loop.splitlines():
        assert run_command(shlex.split(line.partition(" #")[0])[1:]) == 0, (line, capfd.readouterr())
    project = Project.open(folder)
    assert project.read("topic", where="ticket_id = 'T-10042'")["topic"].to_pylist() == ["delivery"]
    counts = project.read("topics_per_day").to_pylist()
    assert sum(row["n"] for row in counts) == len(TICKETS)
    assert {str(row["day"]) for row in counts} == {"2026-10-01", "2026-10-02"}


VISITS = """visit_id,patient,arrived,complaint,ward,weight_kg
V1,P1,2026-09-01 10:00,chest pain since two days,cardiology,70.5
V2,P2,01.09.2026,fell from a ladder,ortho,
V3,P1,09/02/2026,fever and fever,cardiology,71.5
V4,P3,yesterday,cough,,55
"""


def test_the_pipeline_of_its_page_runs(project_folder: Write) -> None:
    folder = project_folder("\n".join(blocks("docs/declaring.md", "python")), files={"inbox/visits.csv": VISITS})
    parquet.write_table(
        pa.table({"at": [1, 2], "celsius": [20.5, 21.0]}), folder / ".packyak/buckets/inbox/room.parquet"
    )
    project = Project.open(folder)
    assert project.run().state == "done", project.status()
    assert {check.passed for each in project.status() for check in each.checks} == {True}
    rows = {row["visit_id"]: row for row in project.read("floor").to_pylist()}
    assert {key: row["arrived"] and row["arrived"].day for key, row in rows.items()} == {
        "V1": 1,
        "V2": 1,
        "V3": 2,
        "V4": None,
    }
    assert [rows[key]["urgent"] for key in ("V1", "V2")] == ["now", None]
    assert [rows[key]["floor"] for key in ("V1", "V2")] == [2, None]
    (failure,) = project.failures("arrived")
    assert failure.name == "V4" and "no date: yesterday" in failure.error
    assert {row["patient"]: row["visits"] for row in project.read("patients").to_pylist()} == {
        "P1": 2,
        "P2": 1,
        "P3": 1,
    }
    assert project.read("measured").num_rows == 2 and project.read("per_ward").num_rows == 3
    assert project.read("words", where="word = 'fever'").num_rows == 1


def test_every_option_of_a_declaration_is_documented() -> None:
    page = (ROOT / "docs/declaring.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(TableOptions.__annotations__)


def test_the_functions_of_their_page_are_called(project_folder: Write) -> None:
    project = Project.open(
        project_folder(blocks("docs/functions.md", "python")[0], files={"inbox/a.pdf": "an invoice"})
    )
    assert project.run().state == "done"
    assert project.get_bytes("archive", "a.pdf") == b"an invoice"
    assert project.run(["count", "tidy"]).state == "done"
    assert project.get_bytes("archive", "count.txt") == b"1"


def test_the_settings_of_their_page_are_read(tmp_path: Path) -> None:
    (tmp_path / "packyak.toml").write_text("\n".join(blocks("docs/settings.md", "toml")))
    config = load_config(tmp_path)
    assert config.name == "kestrel-coffee"
