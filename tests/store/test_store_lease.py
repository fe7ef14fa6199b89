"""The lease: one holder at a time, whatever happens to it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from packyak.engine.errors import HomeFull, RunBusy
from packyak.engine.store import lease as module
from packyak.engine.store.home import Home
from packyak.engine.store.lease import Lease


def test_one_holder(home: Home) -> None:
    first, second = Lease(home, "run", {"command": "packyak run"}), Lease(home, "run")
    assert first.holder() is None
    first.acquire()
    assert first.held
    with pytest.raises(RunBusy, match=r"another process holds the project: pid \d+, .*command packyak run") as caught:
        second.acquire()
    assert caught.value.holder["pid"] == os.getpid()
    assert not second.held
    Lease(home, "other").acquire()
    first.release()
    first.release()
    assert second.holder() is None
    with second:
        assert second.held
    assert not second.held


def test_waiting(home: Home) -> None:
    first, second = Lease(home, "run"), Lease(home, "run")
    first.acquire()
    threading.Timer(0.3, first.release).start()
    second.acquire(wait=10)
    assert second.held
    began = time.monotonic()
    with pytest.raises(RunBusy):
        first.acquire(wait=0.3)
    assert 0.2 < time.monotonic() - began < 5
    second.release()
    first.acquire(wait=None)
    first.release()


def test_it_is_renewed(home: Home) -> None:
    held = Lease(home, "run", ttl=0.6)
    held.acquire()
    time.sleep(1.2)
    held.check()
    with pytest.raises(RunBusy):
        Lease(home, "run").acquire()
    held.release()


def stopped(lease: Lease) -> None:
    """As if its machine slept: no renewal any more."""
    lease._stop.set()
    assert lease._thread is not None
    lease._thread.join()


def test_it_runs_out_and_the_old_holder_notices(home: Home) -> None:
    old, new = Lease(home, "run", ttl=0.4), Lease(home, "run")
    old.acquire()
    stopped(old)
    new.acquire(wait=5)
    assert not old.renew()
    with pytest.raises(RunBusy):
        old.check()
    assert not old.held
    old.release()
    new.check()
    new.release()


def test_a_clock_far_ahead_does_not_hold_for_ever(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    with monkeypatch.context() as patch:
        patch.setattr(module.time, "time", lambda: real() + 1e6)
        ahead = Lease(home, "run")
        ahead.acquire()
        stopped(ahead)
    with Lease(home, "run") as lease:
        lease.check()


def test_a_clock_set_back_a_little_changes_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Lease(home, "run", ttl=30)
    held.acquire()
    real = time.time
    monkeypatch.setattr(module.time, "time", lambda: real() - 20)
    with pytest.raises(RunBusy):
        Lease(home, "run").acquire()
    monkeypatch.undo()
    held.release()


def test_no_right_to_delete_is_needed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Home, "remove", lambda *_: pytest.fail("deleted"))
    for _ in range(5):
        with Lease(home, "run"):
            pass


def test_old_claims_are_forgotten(home: Home) -> None:
    for _ in range(30):
        with Lease(home, "run"):
            pass
    assert len(home.names("leases/run")) <= 21


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"{}"])
def test_a_damaged_claim_holds_nobody(home: Home, damaged: bytes) -> None:
    home.write("leases/run/000000000007.json", damaged)
    with Lease(home, "run") as lease:
        lease.check()


def test_a_full_disk_at_the_end_hides_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = Lease(home, "run", ttl=5)
    with pytest.raises(ZeroDivisionError), lease:
        monkeypatch.setattr(Home, "write", lambda *_, **__: (_ for _ in ()).throw(HomeFull("full")))
        raise ZeroDivisionError


HOLDER = """
import sys, time
from packyak.engine.store.home import Home
from packyak.engine.store.lease import Lease
Lease(Home(sys.argv[1]), "run", ttl=60).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_killed_holder_is_no_holder(home: Home, python: Callable[..., Any]) -> None:
    process = python(HOLDER, home.uri)
    assert process.stdout.readline() == "held\n"
    with pytest.raises(RunBusy) as caught:
        Lease(home, "run").acquire()
    assert caught.value.holder["pid"] == process.pid
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Lease(home, "run") as lease:
        lease.check()


def test_a_holder_on_another_machine_is_trusted_until_it_runs_out(home: Home) -> None:
    now = time.time()
    claim = {
        "token": "x",
        "owner": {"pid": 1, "host": "there"},
        "renewed": now,
        "expires": now + 1,
        "process": "boot space 5",
    }
    home.write("leases/run/000000000001.json", json.dumps(claim).encode())
    with pytest.raises(RunBusy, match="host there"):
        Lease(home, "run").acquire()
    Lease(home, "run").acquire(wait=5)


RACER = """
import sys, time
from packyak.engine.errors import RunBusy
from packyak.engine.store.home import Home
from packyak.engine.store.lease import Lease
home, count = Home(sys.argv[1]), 0
until = time.monotonic() + 3
while time.monotonic() < until:
    lease = Lease(home, "run", ttl=10)
    try:
        lease.acquire()
    except RunBusy:
        continue
    lease.check()
    if not home.create("inside", b""):
        sys.exit("two at once")
    home.remove("inside")
    count += 1
    lease.release()
print(count)
"""


def test_processes_that_race_for_it(home: Home, python: Callable[..., Any]) -> None:
    racers = [python(RACER, home.uri) for _ in range(3)]
    ended = [(racer.communicate()[1], racer.returncode) for racer in racers]
    assert ended == [("", 0)] * 3
