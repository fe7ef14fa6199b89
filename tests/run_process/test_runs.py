"""Runs on disk and their progress: what is written when, found again, swept, cancelled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from packyak.engine.errors import RunCancelled
from packyak.engine.run import progress as progress_module
from packyak.engine.run.process import is_running, wait_until
from packyak.engine.run.progress import Progress
from packyak.engine.run.runs import AssetRun, RunRecord, RunStore, new_id
from packyak.engine.store.home import Home


class CountingHome(Home):
    """Counts what is written to the disk."""

    writes = 0

    def write(self, name: str, data: bytes, *, secret: bool = False) -> None:
        self.writes += name.endswith(".json")
        super().write(name, data, secret=secret)


def test_a_record_survives_the_disk(home: Home) -> None:
    store = RunStore(home)
    record = store.start(["text", "topic"])
    full = replace(
        record,
        state="failed",
        ended="2026-01-01T00:00:00.000+00:00",
        flow_run_id="f",
        assets=(AssetRun("text", "done", 3, 3, 1.5, None, 3, 2, 1, 0, 2.0, "fine"), AssetRun("topic", "blocked")),
        error="no",
        notes=("one",),
    )
    store.save(full)
    assert RunStore(home).get(record.id) == full
    assert RunStore(home).list() == (full,)


def test_fields_of_a_newer_version_are_left_out(home: Home) -> None:
    record = RunStore(home).start()
    plain = record.to_json() | {"mood": "good", "assets": [{"asset": "text", "colour": "blue"}]}
    home.write(f"runs/{record.id}.json", json.dumps(plain).encode())
    assert RunStore(home).get(record.id) == replace(record, assets=(AssetRun("text"),))


def test_a_file_that_is_no_run_hides_no_other(home: Home) -> None:
    record = RunStore(home).start()
    home.write("runs/20000101-junk.json", b"{")
    home.write("runs/99990101-junk.json", b"[]")
    assert RunStore(home).list() == (record,)
    assert RunStore(home).sweep() == ()


def test_ids_are_in_the_order_of_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [each[:22] for each in ids] == sorted(each[:22] for each in ids)


def test_of_a_thousand_runs_only_those_asked_for_are_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(home)
    assert home.local is not None
    (home.local / "runs").mkdir()
    for number in range(1000):
        record = RunRecord(id=f"2026-{number:04}", state="done")
        (home.local / "runs" / f"{record.id}.json").write_text(json.dumps(record.to_json()))
    alive = store.start()
    read = []
    monkeypatch.setattr(Home, "read", lambda self, name, really=Home.read: read.append(name) or really(self, name))
    assert [each.id for each in store.list(3)] == [alive.id, "2026-0999", "2026-0998"]
    assert store.sweep() == ()
    assert len(read) < 10
    assert len(store.list(None)) == 1001


def test_progress_is_written_seldom_and_states_always(tmp_path: object) -> None:
    home = CountingHome(f"{tmp_path}/home")
    progress = Progress(RunStore(home), RunStore(home).start())
    progress.running(["a", "b"])
    progress.asset_started("a", 1_000_000)
    before = home.writes
    began = time.monotonic()
    for done in range(5000):
        progress.advanced("a", done)
    assert home.writes - before <= 2 + (time.monotonic() - began) / 0.2
    progress.asset_finished("a", changed=7)
    found = RunStore(home).get(progress.run_id)
    assert found is not None
    assert found.asset("a") == progress.record.asset("a")
    assert found.asset("b") == AssetRun("b")


def test_rate_and_time_left(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: clock[0])
    progress = Progress(RunStore(home), RunStore(home).start())
    progress.asset_started("a", 1000)
    clock[0] += 60  # a slow start: a model is loaded
    progress.advanced("a", 0)
    for second in range(1, 21):
        clock[0] += 1
        progress.advanced("a", second * 20, failed=second)
    found = progress.record.asset("a")
    assert found is not None
    assert (found.done, found.failed, found.rate) == (400, 20, 20.0), "the rate is that of the last seconds"
    assert found.eta == pytest.approx(30)
    progress.asset_finished("a", computed=1000)
    found = progress.record.asset("a")
    assert found is not None
    assert (found.done, found.failed, found.eta, found.seconds) == (1000, 20, None, 80.0)


def test_events_come_with_every_state_and_seldom_between(home: Home) -> None:
    seen: list[RunRecord] = []
    progress = Progress(RunStore(home), RunStore(home).start(), seen.append)
    progress.running(["a"])
    progress.asset_started("a", 100)
    for done in range(100):
        progress.advanced("a", done)
    assert len(seen) < 10
    progress.asset_finished("a", "failed", message="it raised")
    progress.flow_run("f")
    progress.note("Prefect is slow.")
    progress.finished("failed", "it raised")
    assert [each.state for each in seen[-2:]] == ["running", "failed"]
    assert seen[-1].ended and seen[-1].flow_run_id == "f" and seen[-1].notes == ("Prefect is slow.",)
    assert [each.message for each in seen[-1].assets] == ["it raised"]


def test_a_run_stops_at_its_next_look(home: Home) -> None:
    store = RunStore(home)
    progress = Progress(store, store.start())
    progress.running(["a", "b"])
    progress.asset_started("a", 10)
    RunStore(home).request_cancel(progress.run_id)
    RunStore(home).request_cancel(progress.run_id)
    with pytest.raises(RunCancelled, match=progress.run_id):
        for done in range(1000):
            time.sleep(0.01)
            progress.advanced("a", done)
    ended = progress.finished("cancelled")
    assert [each.state for each in ended.assets] == ["cancelled", "waiting"]
    assert not store.cancel_requested(progress.run_id), "a run that is over has nothing left to cancel"
    assert home.names("runs/open") == []


def test_a_cancel_is_looked_for_now_and_then(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looked = [1000.0], []
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: clock[0])
    store = RunStore(home)
    progress = Progress(store, store.start())
    monkeypatch.setattr(store, "cancel_requested", lambda run_id: bool(looked.append(run_id)))
    progress.asset_started("a", 10)
    for _ in range(20_000):
        progress.check()
    assert len(looked) == 1
    clock[0] += 60
    progress.check()
    progress.check()
    assert len(looked) == 2


STARTS = """
import sys, time
from packyak.engine.run.runs import RunStore
from packyak.engine.run.progress import Progress
from packyak.engine.store.home import Home
store = RunStore(Home(sys.argv[1]))
progress = Progress(store, store.start(["text"]))
progress.running(["text"])
progress.asset_started("text", 5)
print(progress.run_id, flush=True)
time.sleep(60)
"""


def test_kill_9_and_sweep(home: Home) -> None:
    store = RunStore(home)
    ours = store.start()
    with subprocess.Popen([sys.executable, "-c", STARTS, home.uri], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        run_id = other.stdout.readline().strip()
        assert store.sweep() == (), "both live"
        assert store.under_way() == store.get(run_id)
        os.kill(other.pid, signal.SIGKILL)
        record = store.get(run_id)
        assert record is not None and record.state == "running"
        assert wait_until(lambda: not is_running(record.pid, record.mark), 5)
        assert store.under_way() == store.get(ours.id), "who only looks sees no run that is gone"
        swept = store.sweep()
    assert [(each.id, each.state) for each in swept] == [(run_id, "crashed")]
    assert [each.state for each in swept[0].assets] == ["failed"]
    assert store.get(run_id) == swept[0] and swept[0].ended
    assert store.sweep() == ()
    assert [each.id for each in store.open()] == [ours.id]


def test_a_reused_pid_is_swept_and_another_machine_is_not(home: Home) -> None:
    store = RunStore(home)
    reused, elsewhere = store.start(), store.start()
    store.save(replace(reused, state="running", mark="an earlier start"))
    store.save(replace(elsewhere, state="running", mark="an earlier start", host="another machine"))
    assert [each.id for each in store.sweep()] == [reused.id]
