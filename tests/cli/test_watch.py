"""`packyak watch` as a process: it runs at once and after a change, not after nothing, and outlives a mistake."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PIPELINE = """
from collections.abc import Iterator
from packyak import Bucket, File, function, read_jsonl, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def messages(file: File) -> Iterator[dict]:
    yield from read_jsonl(file)

@function(every=1)
def tick() -> None:
    print("tick")
"""


class Watching:
    """The process and the lines that it has said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "-u", "-m", "packyak", "watch", "--seconds", "0.1"]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **pipes)
        self.lines: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def until(self, what: Callable[[str], bool]) -> str:
        """The first line like this that was not asked for before; waits for it, and takes what came before it away."""
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            for at, line in enumerate(self.lines):
                if what(line):
                    del self.lines[: at + 1]
                    return line
            assert self.process.poll() is None, self.lines
            time.sleep(0.05)
        raise AssertionError(f"not said: {self.lines}")


def start(project_folder: Callable[..., Path], source: str) -> Path:
    folder = project_folder(source, files={"inbox/a.jsonl": '{"id": 1}\n'})
    age(folder / ".packyak/buckets/inbox/a.jsonl")
    return folder


def age(path: Path) -> None:
    """Old enough not to be one that somebody may still be writing."""
    old = time.time() - 60
    os.utime(path, (old, old))


@contextlib.contextmanager
def watching(folder: Path) -> Iterator[Watching]:
    made = Watching(folder)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        made.reader.join()
        if made.process.stdout is not None:
            made.process.stdout.close()


def done(line: str) -> bool:
    return line.startswith("Done in")


def test_it_runs_at_once_after_a_change_and_after_a_mistake(project_folder: Callable[..., Path]) -> None:
    source = PIPELINE.partition("@function")[0]
    with watching(start(project_folder, source)) as watch:
        watch.until(done)
        new = watch.folder / ".packyak/buckets/inbox/b.jsonl"
        new.write_text('{"id": 2}\n')
        age(new)
        assert "1 file read" in watch.until(lambda line: line.startswith("messages"))
        watch.until(done)
        code = watch.folder / "pipeline.py"
        code.write_text(source + "\nthis is no Python\n")
        assert "invalid syntax" in watch.until(lambda line: "pipeline.py" in line)
        code.write_text(source + "\n@transform(messages)\ndef twice(id: int) -> int:\n    return 2 * id\n")
        assert "2 computed" in watch.until(lambda line: line.startswith("twice"))
        watch.until(done)
        time.sleep(0.5)
        assert watch.lines == []  # nothing changed: nothing is said
        watch.process.terminate()
        assert watch.process.wait(20) == 0


def test_a_function_on_a_clock_is_called_when_it_is_due(project_folder: Callable[..., Path]) -> None:
    with watching(start(project_folder, PIPELINE)) as watch:
        watch.until(done)
        for _ in range(2):
            assert "done" in watch.until(lambda line: line.startswith("tick "))


def test_it_ends_after_as_many_runs_as_asked(project_folder: Callable[..., Path]) -> None:
    folder = start(project_folder, PIPELINE)
    command = [sys.executable, "-m", "packyak", "watch", "--runs", "1"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0 and "Done in" in ended.stdout


@pytest.mark.parametrize("wrong", [["--seconds", "0"], ["--runs", "-1"]])
def test_what_cannot_be_watched_is_refused(project_folder: Callable[..., Path], wrong: list[str]) -> None:
    folder = start(project_folder, PIPELINE)
    command = [sys.executable, "-m", "packyak", "watch", *wrong]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and wrong[0] in ended.stderr
