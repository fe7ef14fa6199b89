"""Functions that compute for long run in other processes too: same values, errors, output, and none left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.project import Project
from packyak.engine.run.compute import crew as crews
from packyak.engine.run.runs import RunRecord

pytest.importorskip("loky")
PIPELINE = """
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from packyak import Bucket, File, read_jsonl, transform

inbox = Bucket("inbox")

class Size(Enum):
    SMALL = "small"
    LARGE = "large"

@dataclass
class Facts:
    length: int
    size: Size
    where: int

@transform(inbox.files("*.jsonl"), key="id")
def messages(file: File) -> Iterator[dict]:
    yield from read_jsonl(file)

def work() -> None:
    until = time.thread_time() + 0.002
    while time.thread_time() < until:
        pass

@transform(messages)
def facts(id: int, text: str) -> Facts:
    work()
    if id % 50 == 7:
        raise ValueError(f"no {id}")
    if id == 124:
        print("seen 124")
    return Facts(len(text), Size.LARGE if len(text) > 5 else Size.SMALL, os.getpid())

@transform(messages, key_in_parent="word")
def words(text: str) -> Iterator[dict]:
    work()
    for word in dict.fromkeys(text.split()):
        yield {"word": word, "pid": os.getpid()}
"""
COUNT = 400


@pytest.fixture
def folder(project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(crews, "WORTH_SECONDS", 0.1)
    lines = [f'{{"id": {n}, "text": {"null" if n % 40 == 3 else f"{chr(34)}word {n}{chr(34)}"}}}' for n in range(COUNT)]
    return project_folder(PIPELINE, files={"inbox/a.jsonl": "\n".join(lines)}, settings={"processes": 2})


def rows(project: Project, asset: str, *without: str) -> list[dict[str, Any]]:
    table = project.read(asset)
    return sorted(table.drop_columns(list(without)).to_pylist(), key=lambda row: str(row))


def test_values_errors_and_output_are_those_of_one_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = Project.open(folder)
    record = shared.run()
    assert record.state == "done"
    assert capsys.readouterr().out.count("seen 124\n") == 1
    pids = set(shared.read("facts")["where"].to_pylist()) - {None}
    assert os.getpid() in pids and len(pids) > 1  # the sample here, the rest there
    assert len(set(shared.read("words")["pid"].to_pylist())) > 1
    errors = {each.asset: (each.computed, each.failed) for each in record.assets}

    monkeypatch.setenv("PACKYAK_PROCESSES", "1")
    alone = Project.open(folder, home=folder / "alone")
    (folder / "alone/buckets/inbox").mkdir(parents=True)
    (folder / "alone/buckets/inbox/a.jsonl").write_bytes((folder / ".packyak/buckets/inbox/a.jsonl").read_bytes())
    again = alone.run()
    assert {each.asset: (each.computed, each.failed) for each in again.assets} == errors
    assert set(alone.read("facts")["where"].to_pylist()) - {None} == {os.getpid()}
    assert rows(shared, "facts", "where") == rows(alone, "facts", "where")
    assert rows(shared, "words", "pid") == rows(alone, "words", "pid")


def test_nothing_is_started_for_what_takes_no_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "WORTH_SECONDS", 15.0)
    monkeypatch.setattr(crews, "_started", lambda *_: pytest.fail("a process was started"))
    assert Project.open(folder).run().state == "done"


@pytest.mark.slow
def test_a_cancelled_run_ends_its_processes_and_the_next_goes_on(folder: Path) -> None:
    project = Project.open(folder)

    def cancel(record: RunRecord) -> None:
        if any(each.asset == "facts" and each.done > 200 for each in record.assets):
            project.cancel(record.id)

    record = project.run(on_progress=cancel)
    assert record.state == "cancelled"
    assert not children()
    assert project.run().state == "done"
    assert not children()


@pytest.mark.slow
def test_a_process_that_dies_fails_its_asset_with_a_word_and_loses_nothing(folder: Path) -> None:
    source = (folder / "pipeline.py").read_text()
    killed = source.replace('print("seen 124")', "os._exit(9) if os.getpid() != HERE else None")
    (folder / "pipeline.py").write_text(f"HERE = {os.getpid()}\n" + killed)
    record = Project.open(folder).run()
    failed = {each.asset: each.message for each in record.assets if each.state == "failed"}
    assert list(failed) == ["facts"] and "a process that called it ended" in failed["facts"]
    (folder / "pipeline.py").write_text(source)
    assert Project.open(folder).run().state == "done"


@pytest.mark.slow
def test_a_file_that_changed_meanwhile_is_not_used_by_halves(folder: Path) -> None:
    project = Project.open(folder)
    assert project.codes  # as a run has read it by the time it calls anything
    text = (folder / "pipeline.py").read_text()
    (folder / "pipeline.py").write_text(text.replace("len(text), Size", "-len(text), Size"))
    project.run()
    assert min(value for value in project.read("facts")["length"].to_pylist() if value is not None) > 0


@pytest.mark.slow
def test_who_asked_for_the_run_is_who_asks_there_too(folder: Path) -> None:
    text = (folder / "pipeline.py").read_text()
    (folder / "pipeline.py").write_text(text.replace("    if id == 124:", "    inbox.list_sync()\n    if id == 124:"))
    with (folder / "packyak.toml").open("a") as toml:
        toml.write('\n[roles]\nadmin = ["ana"]\n')
    project = Project.open(folder).acting("ana")
    record = project.run()
    assert record.state == "done"
    facts = project.read("facts")
    assert len(set(facts["where"].to_pylist()) - {None}) > 1
    failed = {each.asset: each.failed for each in record.assets}
    assert failed["facts"] == COUNT // 50  # those that raise, and none that was refused


@pytest.mark.slow
def test_a_script_without_a_guard_is_not_run_again(folder: Path) -> None:
    script = folder / "script.py"
    script.write_text(
        "from packyak.engine.project import Project\nfrom packyak.engine.run.compute import crew\n"
        "print('once')\ncrew.WORTH_SECONDS = 0.1\nproject = Project.open()\nprint(project.run().state)\n"
        "print(len(set(project.read('facts')['where'].to_pylist()) - {None}) > 1)\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.replace("seen 124\n", "").split() == ["once", "done", "True"], done.stderr


def children() -> list[str]:
    import psutil

    def is_ours(process: psutil.Process) -> bool:
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:  # gone, or dead and not yet fetched: of this process or of another test's
            return False
        return "loky" in line and "resource_tracker" not in line

    return [str(each) for each in psutil.Process().children(recursive=True) if is_ours(each)]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert not children()
