"""A real worker process and its client: work, reload, cancel, kill -9, two starters, strangers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from packyak.engine.errors import DataError, NoWorker, PackyakError, RunBusy, RunCancelled, RunFailed
from packyak.engine.run.answers import Cause
from packyak.engine.run.process import wait_until
from packyak.engine.run.runs import RunRecord, RunStore
from packyak.engine.run.worker import address as address_module
from packyak.engine.run.worker import serve
from packyak.engine.run.worker.address import Address, address_file, read_address
from packyak.engine.run.worker.client import Client, connect, connect_or_start, stop_run
from packyak.engine.run.worker.output import LOG_BYTES, WorkerLog
from packyak.engine.run.worker.target import Target
from packyak.engine.store.home import Home

Start = Callable[..., Client]


class Background:
    """A run asked for from a thread, as the studio does."""

    def __init__(self, client: Client, **options: object) -> None:
        self.seen: list[RunRecord] = []
        self.error: BaseException | None = None
        self.value: dict[str, object] = {}
        self.client = client
        self.thread = threading.Thread(target=self._run, kwargs=options, daemon=True)
        self.thread.start()

    def _run(self, **options: object) -> None:
        try:
            self.value = self.client.run(on_progress=self.seen.append, **options)  # type: ignore[arg-type]
        except Exception as error:
            self.error = error

    def id(self) -> str:
        assert wait_until(lambda: any(each.assets for each in self.seen), 20), self.error
        return self.seen[0].id

    def over(self, seconds: float = 20) -> None:
        self.thread.join(seconds)
        assert not self.thread.is_alive()


def test_calls_answer_as_in_process(start: Start) -> None:
    client = start()
    assert client.call("answer") == 1
    assert client.call("name") == "served"
    assert client.call("causes") == (Cause("input", "12 records changed", 12),)
    assert client.call("table", rows=3).equals(pa.table({"_key": ["0", "1", "2"], "n": [0, 1, 2]}))
    with pytest.raises(DataError, match=r"a\.csv:3: the file is empty\. Next: put something into it"):
        client.call("fail")
    with pytest.raises(PackyakError, match="ZeroDivisionError: by nothing"):
        client.call("surprise")
    with pytest.raises(PackyakError, match="is private"):
        client.call("__init__")
    with pytest.raises(PackyakError, match="cannot do 'dance'"):
        client._last(client.request("dance"))


def test_a_run_reports_prints_and_answers(
    start: Start, home: Home, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start()
    monkeypatch.setenv("SECRET_OF_CALLER", "hush")
    seen: list[RunRecord] = []
    printed: list[str] = []
    answer = client.run(3, on_progress=seen.append, on_output=printed.append)
    assert answer["main"], "user code runs in the main thread"
    assert (answer["variable"], answer["folder"]) == ("hush", str(root))
    assert client.call("variable", "SECRET_OF_CALLER") is None, "the environment is the caller's for the run only"
    assert printed == ["record 0\n", "record 1\n", "record 2\n"]
    assert [each.state for each in seen][-1] == "done"
    assert seen[-1] == RunStore(home).get(answer["id"])
    log = (address_file(home.uri).with_name("worker.log")).read_text()
    assert f"{answer['id']} record 2\n" in log
    assert connect(home.uri).address == client.address, "the same worker answers the next"


def test_runs_follow_each_other_at_once(start: Start) -> None:
    client = start()
    assert len({client.run(0)["id"] for _ in range(20)}) == 20


def test_changed_code_is_run_and_a_syntax_error_is_told(start: Start, root: Path) -> None:
    client = start()
    made_at = client.call("made_at")
    assert client.call("made_at") == made_at, "nothing changed, nothing loaded"
    (root / "rules.py").write_text("def answer():\n    return 2\n")
    assert client.run()["answer"] == 2
    (root / "rules.py").write_text("def answer(:\n    return 2\n")
    with pytest.raises(PackyakError, match=r"SyntaxError: .*rules\.py, line 1"):
        client.call("answer")
    with pytest.raises(PackyakError, match="SyntaxError"):
        client.run()
    (root / "rules.py").write_text("def answer():\n    return 3\n")
    assert client.call("answer") == 3
    assert client.ping()["pid"] == client.address.pid, "the worker stayed all the time"


def test_a_worker_starts_with_a_broken_project(start: Start, root: Path) -> None:
    (root / "rules.py").write_text("import nothing_like_it\n")
    client = start()
    with pytest.raises(PackyakError, match="nothing_like_it"):
        client.call("answer")


def test_reads_are_answered_during_a_run_and_a_second_run_waits_or_is_refused(start: Start, root: Path) -> None:
    client = start()
    run = Background(client, steps=40, seconds=0.05)
    name = run.id()
    began = time.monotonic()
    assert client.call("answer") == 1
    assert client.ping() == {"pid": client.address.pid, "busy": True, "run": name}
    (root / "rules.py").write_text("def answer():\n    return 2\n")
    assert client.call("answer") == 1, "code does not change under a run"
    with pytest.raises(RunBusy, match=name) as refused:
        client.run()
    assert refused.value.holder == {"run": name, "pid": client.address.pid}
    with pytest.raises(RunBusy):
        client.stop()
    assert time.monotonic() - began < 1.5
    with pytest.raises(RunBusy):
        client.run(wait=0.05)
    assert client.run(wait=True)["answer"] == 2
    run.over()
    assert run.value["answer"] == 1


def test_whoever_stops_a_worker_is_answered_before_it_may_end(home: Home) -> None:
    """Its process ends with the main thread, and takes along what another thread has not yet sent."""
    worker = serve._Worker(object, home.uri, None, 60, None)
    ending: list[bool] = []

    class Answer:
        def result(self, value: bool) -> None:
            ending.append(worker._stopping)

    worker._stop(Answer())  # type: ignore[arg-type]
    assert ending == [False] and worker._stopping


def test_cancel(start: Start, home: Home) -> None:
    client = start()
    run = Background(client, steps=1000, seconds=0.01)
    name = run.id()
    assert client.cancel() == name
    run.over(5)
    assert isinstance(run.error, RunCancelled)
    record = RunStore(home).get(name)
    assert record is not None and record.state == "cancelled"
    assert client.run()["answer"] == 1, "the worker lives on"


def test_stop_run_ends_a_function_that_hangs(start: Start, home: Home) -> None:
    client = start()
    run = Background(client, hang=True)
    name = run.id()
    assert wait_until(lambda: run.seen[-1].assets[0].state == "running", 20)  # from then on it hears of nothing
    stopped = stop_run(home, name, patience=0.3)
    assert stopped is not None and stopped.state == "cancelled" and stopped.ended
    assert [each.state for each in stopped.assets] == ["cancelled"]
    assert not client.address.alive
    run.over()
    assert isinstance(run.error, RunFailed)
    assert start().run()["answer"] == 1


def test_stop_run_never_ends_a_process_that_is_no_worker(home: Home) -> None:
    store = RunStore(home)
    ours = store.start()
    assert stop_run(home, ours.id, patience=0.1) == ours
    assert store.cancel_requested(ours.id)
    assert stop_run(home, "no such run") is None


def test_a_worker_told_to_end_settles_its_run(start: Start, home: Home) -> None:
    client = start()
    run = Background(client, steps=1000, seconds=0.01)
    name = run.id()
    os.kill(client.address.pid, signal.SIGTERM)
    run.over()
    assert isinstance(run.error, RunCancelled)
    assert wait_until(lambda: not client.address.alive, 5)
    record = RunStore(home).get(name)
    assert record is not None and record.state == "cancelled"
    assert read_address(address_file(home.uri)) is None


def test_kill_9_in_a_run(start: Start, home: Home) -> None:
    client = start()
    run = Background(client, steps=1000, seconds=0.01)
    name = run.id()
    os.kill(client.address.pid, signal.SIGKILL)
    run.over()
    assert isinstance(run.error, RunFailed)
    assert wait_until(lambda: not client.address.alive, 20)  # its connections close before the process is gone
    with pytest.raises(NoWorker):
        connect(home.uri)
    assert [each.id for each in RunStore(home).sweep()] == [name]
    again = start()
    assert again.address.pid != client.address.pid
    assert again.run()["answer"] == 1


def test_a_client_that_goes_away_stops_no_run(start: Start, home: Home) -> None:
    client = start()
    messages = client.request("run", kwargs={"steps": 20, "seconds": 0.02})
    name = next(each for each in messages if each["type"] == "progress")["record"]["fields"]["id"]
    messages.close()
    store = RunStore(home)
    assert wait_until(lambda: (store.get(name) or pytest.fail("lost")).state == "done", 10)


def test_two_starters_get_one_worker(start: Start) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: start().address, range(4)))
    assert len(set(found)) == 1


def test_strangers_are_refused(start: Start, home: Home) -> None:
    client = start()
    stranger = Client(replace(client.address, token="guess"))
    with pytest.raises(NoWorker):
        stranger.call("answer")
    for bytes_sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\n{}\n", b"x" * 100_000, b"\xff\xfe\n"):
        with socket.create_connection(("127.0.0.1", client.address.port), timeout=5) as connection:
            connection.sendall(bytes_sent)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                answer = connection.recv(100)
            assert answer == b""
    assert stat.S_IMODE(address_file(home.uri).stat().st_mode) == 0o600
    assert client.call("answer") == 1
    ours = f":{client.address.port:04X}"
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    listening = [each[1] for each in sockets if each[1].endswith(ours) and each[3] == "0A"]
    assert listening == [f"0100007F{ours}"], "127.0.0.1 only"


def test_a_worker_of_another_version_is_replaced(start: Start, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    old = start()
    old.address.write(address_file(home.uri))
    monkeypatch.setattr("packyak.engine.run.worker.client.code_version", lambda: "newer")
    monkeypatch.setattr("packyak.engine.run.worker.client.connect", _of_any_version)
    _replace = __import__("packyak.engine.run.worker.client", fromlist=["_replace_other"])._replace_other
    _replace(home.uri)
    assert wait_until(lambda: not old.address.alive, 5)
    assert start().address.pid != old.address.pid


def _of_any_version(home: str) -> Client:
    found = read_address(address_file(home))
    if found is None or not found.alive:
        raise NoWorker("none")
    return Client(found)


def test_the_version_names_the_code() -> None:
    address_module.code_version.cache_clear()
    version = address_module.code_version()
    newest = max(each.stat().st_mtime_ns for each in Path(address_module.__file__).parents[2].rglob("*.py"))
    assert version.endswith(f" {newest}")


def test_a_paper_of_a_dead_worker_is_no_worker(home: Home) -> None:
    Address(os.getpid(), "an earlier start", 0.0, 1, "t", "v").write(address_file(home.uri))
    with pytest.raises(NoWorker, match="has no worker"):
        connect(home.uri)
    address_file(home.uri).write_text("{")
    with pytest.raises(NoWorker):
        connect(home.uri)


def test_without_a_writable_home_the_caller_knows_at_once(tmp_path: Path, root: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    began = time.monotonic()
    with pytest.raises(NoWorker, match="cannot be started"):
        connect_or_start(str(tmp_path / "file" / "home"), root)
    with pytest.raises(NoWorker, match="cannot be started"):
        connect_or_start(str(tmp_path / "home"), tmp_path / "no such project")
    assert time.monotonic() - began < 1


def test_a_worker_that_cannot_start_says_so_before_the_time_is_up(home: Home, root: Path) -> None:
    (home.local or Path()).joinpath("worker.json").mkdir()
    began = time.monotonic()
    with pytest.raises(NoWorker, match="did not start") as failed:
        connect_or_start(home.uri, root, seconds=60)
    assert time.monotonic() - began < 30
    assert "Error" in Path(failed.value.log).read_text()


def test_an_idle_worker_ends_and_leaves_nothing(start: Start, home: Home) -> None:
    client = start(idle_minutes=0.02)
    assert wait_until(lambda: not client.address.alive, 20)
    assert not address_file(home.uri).exists()


def test_a_worker_whose_home_went_away_ends(start: Start, home: Home) -> None:
    client = start()
    assert home.local is not None
    home.local.rename(home.local.with_name("moved"))
    assert wait_until(lambda: not client.address.alive, 20)


def test_the_worker_never_imports_prefect(start: Start) -> None:
    client = start()
    warm = ["pyarrow", "duckdb", "lance"]
    assert wait_until(lambda: client.call("loaded", [*warm, "prefect"]) == warm, 30), "warmed up in the background"


def test_the_log_is_bounded(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from packyak.engine.run.worker.output import WorkerLog
log = WorkerLog(Path({str(tmp_path / "worker.log")!r}))
log.take_over()
for number in range(60_000):
    print("x" * 100, number)
print("half", end="")
print("\\rwhole \\u2713 \\udcff")
print("no end", end="")
log.flush()
"""
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", program], check=True)
    sizes = {each.name: each.stat().st_size for each in tmp_path.iterdir()}
    assert set(sizes) == {"worker.log", "worker.log.1"}
    assert all(size <= LOG_BYTES + 1000 for size in sizes.values())
    lines = (tmp_path / "worker.log").read_text().splitlines()
    assert lines[-2].endswith(" - whole ✓ ?") and lines[-1].endswith(" - no end")
    assert lines[-3].endswith("x 59999")


def test_lines_of_threads_do_not_mix(tmp_path: Path) -> None:
    log = WorkerLog(tmp_path / "log")
    heard: list[str] = []
    log.listener = heard.append

    def write(number: int) -> None:
        for part in (str(number), "-", f"{number}\n"):
            log.write(part)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(heard) == sorted(f"{n}-{n}\n" for n in range(20))


def test_a_target_is_not_remade_while_it_is_used() -> None:
    made: list[object] = []

    class Changing:
        stale = False

        def changed(self) -> bool:
            return self.stale

        def purge(self) -> None:
            self.stale = False

    sources = Changing()
    target = Target(lambda: made.append(object()) or made[-1], sources)  # type: ignore[arg-type, func-returns-value]
    with target.use() as first:
        sources.stale = True
        with target.use() as second:
            assert second is first
        newest: list[object] = []

        def ask() -> None:
            with target.use(newest=True) as found:
                newest.append(found)

        waiting = threading.Thread(target=ask)
        waiting.start()
        time.sleep(0.05)
        assert not newest
    waiting.join(5)
    assert newest == [made[1]] and len(made) == 2


def test_messages_are_lines_of_json(start: Start) -> None:
    client = start()
    with socket.create_connection(("127.0.0.1", client.address.port)) as connection:
        connection.sendall(f'{client.address.token}\n{{"op": "ping"}}\n'.encode())
        lines = connection.makefile("rb").readlines()
    assert [json.loads(line)["type"] for line in lines] == ["result"]
