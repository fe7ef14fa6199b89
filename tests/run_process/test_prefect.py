"""A real Prefect server: one a home, real flow and task runs in it, and runs that go on without it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.errors import RunCancelled
from packyak.engine.run import flow
from packyak.engine.run.flow import ClientApi, LocalApi, Skip, Step, run_in_prefect, settle, sweep
from packyak.engine.run.prefect_server import PrefectServer
from packyak.engine.run.process import is_running, wait_until
from packyak.engine.run.runs import RunStore, new_id
from packyak.engine.store.home import Home, open_home

Prefect = tuple[Home, str]


def ask(url: str, path: str, body: object | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def task_runs(url: str, flow_run: str) -> dict[str, dict[str, Any]]:
    found = ask(url, "/task_runs/filter", {"flow_runs": {"id": {"any_": [flow_run]}}})
    return {each["name"]: each for each in found}


def raising(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_without_an_api_it_is_a_plain_loop() -> None:
    order: list[str] = []
    steps = [
        Step("a", lambda: order.append("a") or 1),  # type: ignore[func-returns-value]
        Step("b", raising(ValueError("no")), ("a",)),
        Step("c", raising(Skip("b failed")), ("b",)),
        Step("d", lambda: order.append("d"), ("a",)),
    ]
    result = run_in_prefect("r", steps)
    assert result.state == "failed"
    assert [(each.name, each.state) for each in result.outcomes] == [
        ("a", "done"),
        ("b", "failed"),
        ("c", "skipped"),
        ("d", "done"),
    ]
    assert result.outcomes[0].value == 1 and str(result.outcomes[1].error) == "no"
    assert (result.flow_run_id, result.warning, order) == (None, "", ["a", "d"])
    assert run_in_prefect("r", []).state == "done"


def test_cancelling_leaves_the_rest_uncalled() -> None:
    called: list[str] = []
    steps = [Step("a", raising(RunCancelled("stop"))), Step("b", lambda: called.append("b"))]
    result = run_in_prefect("r", steps)
    assert (result.state, len(result.outcomes), called) == ("cancelled", 1, [])


def test_nobody_at_the_address_is_a_warning() -> None:
    result = run_in_prefect("r", [Step("a", lambda: 1)], "http://127.0.0.1:9/api")
    assert result.state == "done" and result.outcomes[0].value == 1
    assert "could not be told" in result.warning


def test_a_server_that_hangs_delays_only_the_end() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/api"
        result = run_in_prefect("r", [Step(str(n), lambda: 1) for n in range(5)], url, linger=0.3)
        assert result.state == "done" and "not answered in time" in result.warning


def test_a_server_that_is_still_starting_is_waited_for_beside_the_run() -> None:
    answered = threading.Event()

    def url() -> None:
        answered.wait(60)

    result = run_in_prefect("r", [Step("a", lambda: 1)], url, linger=0)
    assert result.state == "done" and result.warning == ""
    assert "not answered in time" in result.told(0.01)
    answered.set()
    assert "No Prefect server" in result.told(5)


@pytest.mark.slow
def test_a_run_that_does_not_wait_is_told_all_the_same(prefect: Prefect) -> None:
    home, url = prefect
    result = run_in_prefect(new_id(), [Step("a", lambda: 1)], PrefectServer(home).wait, linger=0)
    assert result.told(20) == ""
    found = ask(url, "/flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})
    assert found[0]["state_type"] == "COMPLETED"


@pytest.mark.slow
def test_a_run_is_one_flow_run_with_a_task_run_a_step(prefect: Prefect) -> None:
    _, url = prefect
    ids: list[str] = []
    name = new_id()
    steps = [
        Step("messages", lambda: time.sleep(0.2)),
        Step("text", lambda: 1, ("messages",)),
        Step("topic", lambda: 2, ("text", "messages")),
    ]
    result = run_in_prefect(name, steps, url, tags=("demo",), parameters={"assets": ["topic"]}, on_start=ids.append)
    assert (result.state, result.warning) == ("done", "")
    assert ids == [result.flow_run_id]
    flow_run = ask(url, f"/flow_runs/{result.flow_run_id}")
    assert (flow_run["name"], flow_run["tags"], flow_run["state_type"]) == (name, ["demo"], "COMPLETED")
    assert flow_run["parameters"] == {"assets": ["topic"]}
    assert ask(url, f"/flows/{flow_run['flow_id']}")["name"] == "update"
    tasks = task_runs(url, ids[0])
    assert {each: found["state_type"] for each, found in tasks.items()} == dict.fromkeys(tasks, "COMPLETED")
    assert set(tasks) == {"messages", "text", "topic"}
    assert 0.1 < tasks["messages"]["total_run_time"] < 2
    assert [each["id"] for each in tasks["topic"]["task_inputs"]["upstream"]] == [
        tasks["text"]["id"],
        tasks["messages"]["id"],
    ]
    assert tasks["messages"]["end_time"] <= tasks["text"]["start_time"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "task_state", "state_name", "flow_state"),
    [
        (ValueError("no"), "FAILED", "Failed", "FAILED"),
        (Skip("an input failed"), "COMPLETED", "Skipped", "COMPLETED"),
        (RunCancelled("stop"), "CANCELLED", "Cancelled", "CANCELLED"),
    ],
)
def test_states_in_prefect(
    prefect: Prefect, error: Exception, task_state: str, state_name: str, flow_state: str
) -> None:
    _, url = prefect
    result = run_in_prefect(new_id(), [Step("a", lambda: 1), Step("b", raising(error), ("a",))], url)
    assert ask(url, f"/flow_runs/{result.flow_run_id}")["state_type"] == flow_state
    task = task_runs(url, str(result.flow_run_id))["b"]
    assert (task["state_type"], task["state_name"]) == (task_state, state_name)
    assert str(error) in task["state"]["message"]


@pytest.mark.slow
def test_a_process_that_is_told_to_end_ends_its_flow_run(prefect: Prefect) -> None:
    _, url = prefect
    ids: list[str] = []
    with pytest.raises(SystemExit):
        run_in_prefect(new_id(), [Step("a", raising(SystemExit(143)))], url, on_start=ids.append)
    assert ask(url, f"/flow_runs/{ids[0]}")["state_type"] == "CANCELLED"
    assert task_runs(url, ids[0])["a"]["state_type"] == "CANCELLED"


KILLED = """
import sys, time
from packyak.engine.run.flow import Step, run_in_prefect
from packyak.engine.run.progress import Progress
from packyak.engine.run.runs import RunStore
from packyak.engine.store.home import Home
store = RunStore(Home(sys.argv[1]))
progress = Progress(store, store.start(["a"]))
progress.running(["a"])
def step():
    progress.asset_started("a")
    while progress.record.flow_run_id is None:
        time.sleep(0.01)
    time.sleep(0.5)
    print(progress.run_id, progress.record.flow_run_id, flush=True)
    time.sleep(60)
run_in_prefect(progress.run_id, [Step("a", step)], sys.argv[2], on_start=progress.flow_run)
"""


@pytest.mark.slow
def test_kill_9_leaves_prefect_running_until_the_sweep(prefect: Prefect) -> None:
    home, url = prefect
    with subprocess.Popen([sys.executable, "-c", KILLED, home.uri, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        run_id, flow_run = process.stdout.readline().split()
        assert sweep(home, url) == [], "it lives"
        os.kill(process.pid, signal.SIGKILL)
    assert ask(url, f"/flow_runs/{flow_run}")["state_type"] == "RUNNING"
    assert sweep(home, url) == [run_id]
    assert ask(url, f"/flow_runs/{flow_run}")["state_type"] == "CRASHED"
    assert task_runs(url, flow_run)["a"]["state_type"] == "CRASHED"
    record = RunStore(home).get(run_id)
    assert record is not None and (record.state, record.flow_run_id) == ("crashed", flow_run)
    assert sweep(home, url) == []


@pytest.mark.slow
def test_the_sweep_tells_prefect_what_it_missed(prefect: Prefect) -> None:
    """A run that ended while the server did not answer, and one that is none of ours."""
    home, url = prefect
    store = RunStore(home)
    record = store.start()
    with contextlib.closing(LocalApi(url)) as api:
        body = {"flow_id": flow._flow_id(api), "state": {"type": "RUNNING"}}
        ours = api.post("/flow_runs/", body | {"name": record.id})["id"]
        other = api.post("/flow_runs/", body | {"name": "someone else's"})["id"]
    store.finish(replace(record, flow_run_id=ours), "cancelled")
    sweep(home, url)
    assert ask(url, f"/flow_runs/{ours}")["state_type"] == "CANCELLED"
    assert ask(url, f"/flow_runs/{other}")["state_type"] == "RUNNING"
    settle(url, other, "failed", "tidy")
    assert ask(url, f"/flow_runs/{other}")["state"]["message"] == "tidy"


@pytest.mark.slow
def test_a_connection_that_the_server_dropped_is_opened_again(prefect: Prefect) -> None:
    _, url = prefect
    result = run_in_prefect(new_id(), [Step("slow", lambda: time.sleep(7))], url)
    assert result.warning == "", "Prefect lets go of a connection that is unused for 5 s"
    assert task_runs(url, str(result.flow_run_id))["slow"]["state_type"] == "COMPLETED"


@pytest.mark.slow
def test_an_api_elsewhere_is_reached_by_prefects_own_client(prefect: Prefect, monkeypatch: pytest.MonkeyPatch) -> None:
    _, url = prefect
    with contextlib.closing(flow.connect(url)) as api:
        assert isinstance(api, LocalApi)
    monkeypatch.setattr(flow, "connect", ClientApi)
    result = run_in_prefect(new_id(), [Step("a", lambda: 1)], url, linger=60)
    assert result.warning == ""
    assert task_runs(url, str(result.flow_run_id))["a"]["state_type"] == "COMPLETED"


@pytest.mark.slow
def test_one_server_that_is_found_again_and_heard_nowhere_else(prefect: Prefect) -> None:
    home, url = prefect
    server = PrefectServer(home.uri)
    before = server.status()
    server.ensure()
    assert server.status() == before
    assert (before.state, before.url) == ("ready", url)
    assert server.folder == Path(home.uri) / "prefect"
    assert (server.folder / "prefect.db").exists()
    assert (server.folder / "server.json").stat().st_mode & 0o077 == 0
    port = int(url.split(":")[2].split("/")[0])
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    listening = [each[1] for each in sockets if each[1].endswith(f":{port:04X}") and each[3] == "0A"]
    assert listening == [f"0100007F:{port:04X}"], "127.0.0.1 only"
    assert "Traceback" not in server.log.read_text()


STARTER = """
import sys
import threading
from packyak.engine.run.prefect_server import PrefectServer
PrefectServer(sys.argv[1]).ensure()
print(PrefectServer(sys.argv[1]).status().pid)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_starters_death_in_a_run_and_stop(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    server = PrefectServer(home)
    starters = [
        subprocess.Popen([sys.executable, "-c", STARTER, home.uri], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    pids = {each.communicate()[0].strip() for each in starters}
    assert len(pids) == 1, "one server"
    pid = int(pids.pop())
    assert server.status().state == "starting" and server.url() is None
    url = server.wait()
    assert url and server.status().pid == pid

    def kill() -> None:
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: server.status().state == "absent", 60)  # the port closes before the process is gone

    result = run_in_prefect("r", [Step("a", lambda: 1), Step("b", kill), Step("c", lambda: 3)], url)
    assert (result.state, [each.state for each in result.outcomes]) == ("done", ["done"] * 3)
    assert "could not be told" in result.warning
    assert server.status().state == "absent", "one that answered once and died may be started again"
    server.ensure()
    again = server.status().pid
    assert again and again != pid
    assert server.stop()
    assert not is_running(again, "")
    assert server.status().state == "absent"
    assert server.stop(), "stopping twice is no error"


def test_a_server_that_dies_at_once_is_not_tried_again_soon(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packyak.engine.run.prefect_server.FLAGS", ("--no-such-flag",))
    server = PrefectServer(home)
    server.ensure(background=False)
    failed = server.status()
    assert (failed.state, failed.url) == ("failed", None)
    paper = (server.folder / "server.json").read_bytes()
    server.ensure()
    assert (server.folder / "server.json").read_bytes() == paper
    assert "no-such-flag" in Path(failed.log).read_text()


def test_a_home_that_cannot_be_written_has_no_server(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server = PrefectServer(str(tmp_path / "file" / "home"))
    server.ensure(background=False)
    assert server.status().state == "absent"


def test_the_papers_of_another_process_are_not_acted_on(home: Home) -> None:
    server = PrefectServer(home)
    server.folder.mkdir()
    paper = {"pid": os.getpid(), "mark": "an earlier start", "port": 1, "started": 0.0, "answered": True}
    (server.folder / "server.json").write_text(json.dumps(paper))
    assert server.status().state == "absent"
    assert server.stop(), "and this test is still here to say so"
    server.log.write_bytes(b"x" * 3_000_000)
    server._bound_log()
    assert server.log.stat().st_size == 0
