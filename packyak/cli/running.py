"""`packyak run`: nothing to do is found out first and cheaply; else the warm worker does it, else this process.

The command line loads neither tables nor the user's code for a run that the worker does.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packyak.cli.place import Place
from packyak.cli.say import CANCELLED, DONE, NOT_UP_TO_DATE, note, on_terminal, plain, say, say_json
from packyak.cli.words import counted, duration
from packyak.engine.errors import NoWorker, RunBusy
from packyak.engine.roles import refuse
from packyak.engine.run.due.gate import nothing_to_do
from packyak.engine.store.home import Home

if TYPE_CHECKING:
    from packyak.cli.following import View
    from packyak.engine.run.runs import RunRecord
    from packyak.engine.run.worker.client import Client

SECONDS_BETWEEN_TRIES = 0.5


@dataclass(frozen=True)
class Asked:
    """What `packyak run` was asked. cancel: stop the run under way instead of starting one."""

    assets: tuple[str, ...] = ()
    wait: bool = False
    retry_failed: bool = False
    here: bool = False
    cancel: bool = False
    as_json: bool = False
    verbose: bool = False


def run(place: Place, asked: Asked) -> int:
    """Does it, tells it, and answers the exit code."""
    if asked.cancel:
        return cancel(place, asked.as_json)
    if not asked.assets and (summary := nothing_to_do(Home(place.home), place.modules)) is not None:
        failed = {unit: int(summary.get(name, 0)) for unit, name in (("file", "failed_files"), ("record", "failed"))}
        if not (any(failed.values()) and asked.retry_failed):
            return _nothing(int(summary.get("assets", 0)), failed, asked)
    from packyak.cli.following import view_of

    with stopped_by_signals(), view_of(asked.as_json, on_terminal(sys.stdout)) as view:
        record = _run_in_worker(place, asked, view) if place.uses_worker and not asked.here else None
        if record is None:
            record = _run_here(place, asked, view)
        view.progress(record)
    return _tell(record, asked)


def _nothing(assets: int, failed: Mapping[str, int], asked: Asked) -> int:
    if asked.as_json:
        answer = {"id": None, "state": "done", "nothing_to_do": True, "up_to_date": assets}
        say_json({**answer, "failed_records": failed["record"], "failed_files": failed["file"], "assets": []})
        return DONE
    told = _units(failed)
    again = f"; {told} failed before, `packyak run --retry-failed` tries again" if told else ""
    say(f"Everything is up to date: {counted(assets, 'asset')}{again}")
    return DONE


def _run_in_worker(place: Place, asked: Asked, view: View) -> RunRecord | None:
    """The run as the worker did it, None where none can be had."""
    from packyak.engine.run.worker.client import connect_or_start, stop_run

    running: list[str] = []

    def progress(record: RunRecord) -> None:
        running[:] = [record.id]
        view.progress(record)

    try:
        client = connect_or_start(place.home, place.root, idle_minutes=float(place.settings["worker_idle_minutes"]))
        client.person = str(place.settings["person"])
        done = _when_free(client, asked, progress, view)
    except NoWorker:
        return None
    except KeyboardInterrupt:
        if running:
            stop_run(Home(place.home), running[0])
        raise
    return done


def _when_free(client: Client, asked: Asked, progress: Callable[[RunRecord], None], view: View) -> RunRecord:
    """The run; with --wait also after one that another process does, of which the worker knows only the lock."""
    while True:
        try:
            done: RunRecord = client.run(
                list(asked.assets) or None,
                wait=asked.wait,
                retry_failed=asked.retry_failed,
                on_progress=progress,
                on_output=view.output,
            )
        except RunBusy:
            if not asked.wait:
                raise
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            return done


def _run_here(place: Place, asked: Asked, view: View) -> RunRecord:
    """The run in this process. With --json, what the user's code prints goes to standard error."""
    from packyak.engine.project import Project

    aside = contextlib.redirect_stdout(sys.stderr) if asked.as_json else contextlib.nullcontext()
    with aside:
        project = Project.open(place.root, home=place.given)
        return project.run(
            asked.assets or None, wait=asked.wait, retry_failed=asked.retry_failed, on_progress=view.progress
        )


def _tell(record: RunRecord, asked: Asked) -> int:
    code = {"done": DONE, "cancelled": CANCELLED}.get(record.state, NOT_UP_TO_DATE)
    if asked.as_json:
        say_json({**plain(record), "nothing_to_do": not record.assets})
        return code
    for each in record.assets if asked.verbose else ():
        if each.trace:
            note(each.trace.rstrip())
    seconds = duration(_seconds(record))
    if record.state == "done":
        say(_done(record, asked.assets, seconds))
    elif record.state == "cancelled":
        note(f"Cancelled after {seconds}. What was computed is kept; the next run goes on from there.")
    else:
        note(_failed(record, seconds))
    return code


def _done(record: RunRecord, assets: Sequence[str], seconds: str) -> str:
    if not record.assets:
        return f"Up to date: {', '.join(assets)}" if assets else "Everything is up to date"
    visited = [each for each in record.assets if each.state == "done"]
    failed = _units({unit: sum(each.failed for each in visited if each.unit == unit) for unit in ("file", "record")})
    kept = f"; {failed} failed (`packyak status` says why, `packyak show ASSET --only failed` lists records)"
    kept = kept if failed else ""
    return f"Done in {seconds}: {counted(len(visited), 'asset')} brought up to date{kept}"


def _units(numbers: Mapping[str, int]) -> str:
    """`2 files and 14 records`; empty where there is none."""
    return " and ".join(counted(number, unit) for unit, number in numbers.items() if number)


def _failed(record: RunRecord, seconds: str) -> str:
    failed = [each.asset for each in record.assets if each.state == "failed"]
    blocked = [each.asset for each in record.assets if each.state == "blocked"]
    parts = [f"failed: {', '.join(failed)}"] if failed else []
    parts += [f"blocked: {', '.join(blocked)}"] if blocked else []
    told = "; ".join(parts) or record.error
    kept = "The last good versions stay readable"
    return f"Not up to date after {seconds}: {told}. {kept}. Next: `packyak status` says why."


def _seconds(record: RunRecord) -> float:
    from datetime import datetime

    if not record.started or not record.ended:
        return 0.0
    return (datetime.fromisoformat(record.ended) - datetime.fromisoformat(record.started)).total_seconds()


def cancel(place: Place, as_json: bool = False) -> int:
    """Stops the run under way, and says how it stands then."""
    refuse(place.roles, str(place.settings["person"]), "cancel")
    import socket

    from packyak.engine.run.runs import RunStore
    from packyak.engine.run.worker.client import stop_run

    home = Home(place.home)
    store = RunStore(home)
    store.sweep()
    name = next((record.id for record in store.open()), None)
    record = stop_run(home, name) if name else None
    if as_json:
        say_json({"run": plain(record) if record else None})
    elif record is None:
        say("No run is on")
    elif record.is_open:
        where = "" if record.host != socket.gethostname() else f", or `kill {record.pid}`"
        hangs = f"If its function hangs: press Ctrl-C where it runs{where}"
        say(f"The run {record.id} was asked to stop; it does at its next look. {hangs}")
    else:
        say(f"The run {record.id} is over: {record.state}")
    return DONE


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Being told to end (SIGTERM) stops a run as Ctrl-C does: it is noted as cancelled and what was computed stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
