"""The command as a process: how light it is, its encodings, signals, pipes, the worker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

HEAVY = (
    "pyarrow",
    "lance",
    "duckdb",
    "numpy",
    "pandas",
    "prefect",
    "sqlglot",
    "typer",
    "rich",
    "asyncio",
    "packyak.engine.project",
)


def packyak(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "packyak", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def loaded(*arguments: str, cwd: Path) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """What a command loads, seen by Python itself."""
    command = [sys.executable, "-X", "importtime", "-m", "packyak", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    return done, {heavy for heavy in HEAVY if any(name == heavy or name.startswith(f"{heavy}.") for name in names)}


@pytest.fixture
def settled(folder: Path) -> Path:
    """Everything up to date, and the bucket's files old enough to be trusted."""
    old = time.time() - 60
    for path in (folder / ".packyak/buckets").rglob("*.jsonl"):
        os.utime(path, (old, old))
    assert packyak("run", cwd=folder).returncode == 0
    return folder


@pytest.fixture
def worker(settled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same with a warm worker, ended at the end."""
    monkeypatch.setenv("PACKYAK_WORKER", "auto")
    yield settled
    assert packyak("stop", "--force", cwd=settled).returncode == 0


def test_nothing_to_do_loads_nothing_heavy(settled: Path) -> None:
    done, heavy = loaded("run", cwd=settled)
    assert done.stdout == "Everything is up to date: 3 assets\n"
    assert heavy == set()


def test_help_loads_no_engine(folder: Path) -> None:
    done, heavy = loaded("--help", cwd=folder)
    assert done.returncode == 0
    assert heavy <= {"typer", "rich"}


def test_a_run_by_the_worker_loads_nothing_heavy(worker: Path) -> None:
    assert packyak("run", "words", cwd=worker).returncode == 0
    source = (worker / "pipeline.py").read_text()
    (worker / "pipeline.py").write_text(
        source.replace("    return len(", '    print("counting 五")\n    return 1 + len(')
    )
    done, heavy = loaded("run", cwd=worker)
    assert done.returncode == 0
    assert "words" in done.stdout
    assert "counting 五" in done.stdout
    assert heavy == set()
    done, heavy = loaded("correct", "words", "M-2", "words", "-1", "--by", "Ed", cwd=worker)
    assert "Corrected: words of M-2 is -1." in done.stdout
    assert heavy == set()


def test_the_worker_answers_every_command_alike(worker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert packyak("run", "words", cwd=worker).returncode == 0
    assert "warm, process" in packyak("doctor", cwd=worker).stdout
    saved = packyak("correct", "words", "M-2", "words", "9", "--json", cwd=worker)
    assert json.loads(saved.stdout)["value"] == 9
    commands = (
        ("plan", "--json"),
        ("status", "--json"),
        ("show", "words", "--json"),
        ("show", "words", "--key", "M-2", "--json"),
        ("sql", "from per_sender order by sender", "--json"),
        ("history", "words", "--json"),
        ("history", "words", "M-2", "--json"),
        ("show", "wrods", "--json"),
        ("sql", "from nothing", "--json"),
    )
    warm = [packyak(*command, cwd=worker) for command in commands]
    monkeypatch.setenv("PACKYAK_WORKER", "off")
    cold = [packyak(*command, cwd=worker) for command in commands]
    for command, one, other in zip(commands, warm, cold, strict=True):
        assert (one.returncode, json.loads(one.stdout)) == (other.returncode, json.loads(other.stdout)), command


def test_an_error_in_the_users_file_names_the_line_with_and_without_worker(worker: Path) -> None:
    assert packyak("run", "words", cwd=worker).returncode == 0
    with (worker / "pipeline.py").open("a") as file:
        file.write("\ndef (\n")
    line = len((worker / "pipeline.py").read_text().splitlines())
    for command in (("run",), ("run", "--here"), ("status",), ("show", "words")):
        done = packyak(*command, cwd=worker)
        assert done.returncode == 2
        assert f"pipeline.py:{line}: invalid syntax" in done.stderr
        assert "Traceback" not in done.stderr


def test_stop_ends_the_worker_also_where_packyak_toml_is_broken(worker: Path) -> None:
    assert packyak("run", "words", cwd=worker).returncode == 0
    (worker / "packyak.toml").write_text('modules = ["pipeline"\n')
    ended = packyak("stop", cwd=worker)
    assert ended.returncode == 0 and "Ended the worker, process" in ended.stdout
    assert f"{worker / 'packyak.toml'}: This is no TOML" in ended.stderr and "mend that line" in ended.stderr


SLOW = """
from collections.abc import Iterator
from packyak import Bucket, File, transform
import time

@transform(Bucket("inbox").files("*"), key="n")
def numbers(file: File) -> Iterator[dict]:
    for n in range(2000):
        yield {"n": n}

@transform(numbers)
def slow(n: int) -> int:
    time.sleep(0.05)
    return n
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_end_is_noted_as_cancelled(folder: Path, number: signal.Signals) -> None:
    (folder / "pipeline.py").write_text(SLOW)
    command = [sys.executable, "-m", "packyak", "run"]
    with _started(command, folder) as process:
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "Cancelled.\n"
    runs = json.loads(packyak("history", "--json", cwd=folder).stdout)["runs"]
    assert [run["state"] for run in runs] == ["cancelled"]


@contextlib.contextmanager
def _started(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that is at work; it never outlives the block."""
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        try:
            until = time.monotonic() + 30
            while not _running(folder) and process.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def _running(folder: Path) -> bool:
    records = (folder / ".packyak/runs").glob("*.json")
    return any('"slow", "state": "running"' in path.read_text() for path in records)


def test_a_run_is_cancelled_from_another_terminal(folder: Path) -> None:
    (folder / "pipeline.py").write_text(SLOW)
    command = [sys.executable, "-m", "packyak", "run"]
    with _started(command, folder) as process:
        busy = packyak("run", cwd=folder)
        assert busy.returncode == 3
        assert packyak("run", "--cancel", cwd=folder).returncode == 0
        process.communicate(timeout=30)
    assert process.returncode == 130


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_no_encoding_makes_a_command_fail(settled: Path, environment: dict[str, str]) -> None:
    for command in (
        ("run",),
        ("show", "words"),
        ("show", "words", "--json"),
        ("sql", "from words", "--csv"),
        ("--help",),
    ):
        done = packyak(*command, cwd=settled, **environment)
        assert done.returncode == 0, done.stderr
    answer = json.loads(packyak("show", "words", "--json", cwd=settled, **environment).stdout)
    assert "vier 五" in [row["text"] for row in answer["rows"]]


def test_a_reader_that_goes_away_is_no_error(settled: Path) -> None:
    command = f"'{sys.executable}' -m packyak sql 'select * from words, range(20000)' --csv | head -1"
    done = subprocess.run(["bash", "-c", command], cwd=settled, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr.count("Error") == 0


def test_a_terminal_gets_a_drawn_answer_and_a_pipe_a_plain_one(settled: Path) -> None:
    pytest.importorskip("pty")
    drawn = _on_terminal("status", cwd=settled)
    assert "─" in drawn and "\x1b[" in drawn
    assert "\x1b[3" not in _on_terminal("status", cwd=settled, NO_COLOR="1")
    plain = packyak("status", cwd=settled).stdout
    assert "─" not in plain and "\x1b" not in plain


def test_a_run_on_a_terminal_shows_its_progress(folder: Path) -> None:
    pytest.importorskip("pty")
    drawn = _on_terminal("run", cwd=folder)
    assert "computed" in drawn
    assert "brought up to date" in drawn


def _on_terminal(*arguments: str, cwd: Path, **environment: str) -> str:
    import pty

    told = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    told |= {"TERM": "xterm-256color", "COLUMNS": "120", **environment}
    outer, inner = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "packyak", *arguments], cwd=cwd, env=told, stdout=inner, stderr=inner, stdin=inner
    ) as process:
        os.close(inner)
        parts = []
        while True:
            try:
                part = os.read(outer, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
        process.wait(timeout=30)
    os.close(outer)
    return b"".join(parts).decode(errors="replace")


def test_the_studio_answers_and_ends_with_its_command(settled: Path) -> None:
    import urllib.error
    import urllib.request

    command = [sys.executable, "-m", "packyak", "studio", "--no-browser", "--json"]
    with subprocess.Popen(command, cwd=settled, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "}\n":
                break
        told = json.loads("".join(lines[lines.index("{\n") :]))
        assert told["url"].startswith("http://127.0.0.1:")
        assert told["project"] == str(settled)
        visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with visitor.open(told["url"], timeout=10) as answer:
            assert answer.status == 200 and "token" not in answer.url
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(told["url"].partition("?")[0], timeout=10)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    assert process.returncode == 0
    with pytest.raises(OSError):
        os.kill(told["pid"], 0)


HELD = """
import sys, threading, time
import duckdb
held = duckdb.connect()
threading.Thread(target=lambda held=held: time.sleep(30), daemon=True).start()
from packyak.__main__ import main
sys.argv[1:] = ["settings", "nowhere"]
main()
"""


def test_nothing_is_said_after_the_last_word() -> None:
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "There is no setting `nowhere`" in done.stderr


@pytest.mark.parametrize(
    "command", [("run",), ("run", "--json"), ("status",), ("show", "words", "--json"), ("--help",)]
)
def test_a_reader_that_was_never_there_is_no_error(settled: Path, command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "packyak", *command], cwd=settled, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", [("run", "--json"), ("show", "words", "--json"), ("status",)])
def test_where_there_is_no_room_for_the_answer_one_sentence_says_so(settled: Path, command: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "packyak", *command], cwd=settled, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert done.stderr == b"No space left on device. Next: make room there, then try again.\n"
