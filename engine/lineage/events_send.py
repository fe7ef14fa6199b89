"""Sends what waits in the outbox by the OpenLineage client's own configuration: `python -m ... HOME ROOT PROJECT`.

Oldest first, one by one; a backend that is down, slow or broken is tried again, ever more rarely, for some minutes.
What is not sent then waits for the next run or correction. An event is removed only after the backend took it.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import DatasetEvent, InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.event_v2 import StaticDataset as Data
from openlineage.client.facet_v2 import parent_run
from packyak.engine.errors import SettingError
from packyak.engine.lineage.outbox import Event, Outbox
from packyak.engine.lineage.tellers import tell_corrections
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.machine import machine_folder, only_one

PATIENCE_SECONDS = 600.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
FOR_GOOD = (400, 409, 411, 413, 414, 415, 422)  # answers that asking again will not change


@dataclass
class Sender:
    """Sends one home's events. emit: what hands one to the backend; raises where it was not taken. renew: makes it anew
    before each further try, since what is wrong may be mended in the client's configuration."""

    outbox: Outbox
    emit: Callable[[Event], None]
    patience: float = PATIENCE_SECONDS
    renew: Callable[[], Callable[[Event], None]] | None = None
    pause: float = FIRST_PAUSE
    sent: int = 0
    refused: int = 0
    problem: str = ""
    _told: str | None = field(default=None)  # the first word is kept in any case, over that of an earlier sender
    _failing_since: float | None = field(default=None)

    def send(self) -> bool:
        """Sends all that waits; answers whether nothing waits any more."""
        while names := self.outbox.names():
            if not self._send_file(names[0]) and not self._may_wait():
                return False
        return True

    def _send_file(self, name: str) -> bool:
        events = self.outbox.read(name)
        for place, event in enumerate(events):
            try:
                self.emit(event)
                self.sent += 1
                self._tell("")
            except Exception as error:  # whatever a transport raises, the event waits
                self._tell(f"{type(error).__name__}: {error}")
                status = getattr(getattr(error, "response", None), "status_code", None)
                if status not in FOR_GOOD:
                    if place:
                        self.outbox.keep(name, events[place:])
                        self._failing_since = None
                    return False
                self.outbox.refuse(event, self.problem)
                self.refused += 1
            self._failing_since = None
        self.outbox.keep(name, ())
        return True

    def _may_wait(self) -> bool:
        """Waits before the next try, twice as long each time; False once patience is at its end."""
        now = time.monotonic()
        if self._failing_since is None:
            self._failing_since, self.pause = now, min(self.pause, FIRST_PAUSE)
        if now - self._failing_since + self.pause > self.patience:
            return False
        time.sleep(self.pause)
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        if self.renew is not None:
            with contextlib.suppress(SettingError):
                self.emit = self.renew()
        return True

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            self.outbox.tell(problem)
        self.problem = self._told = problem


def client_emit() -> Callable[[Event], None]:
    """Hands events to the transport that the client's own configuration names. Raises SettingError where it names none:
    the client would then print events and take them for sent."""
    step = "correct openlineage.yml, or the client's environment variables; docs/lineage.md shows one"
    try:
        client = OpenLineageClient()
        asked = str((client.config.transport or {}).get("type"))
    except Exception as error:  # whatever its parts raise, it is about what they were given
        raise SettingError(f"the OpenLineage client cannot use its configuration: {error}", next_step=step) from error
    if client.transport.kind == "console" and asked != "console":
        raise SettingError("the OpenLineage client finds no transport in its configuration", next_step=step)

    def emit(event: Event) -> None:
        made = as_object(event)
        if client.filter_event(made) is None:
            return
        client.transport.emit(made)  # `client.emit` would add to it what depends on where it is sent from
        wait = getattr(client.transport, "wait_for_completion", None)  # of those that only take note, as Kafka's
        if wait is not None and not wait(30.0):
            raise TimeoutError("the transport did not say that it has the event")

    return emit


def as_object(event: Event) -> RunEvent | DatasetEvent:
    """The client's object of a stored event; facets stay as they are, save the parent, by which Kafka orders events."""
    told = {"eventTime": event["eventTime"], "producer": event["producer"]}
    if "dataset" in event:
        return DatasetEvent(**told, dataset=Data(**event["dataset"]))
    facets: dict[str, Any] = dict(event["run"].get("facets", {}))
    if "parent" in facets:
        facets["parent"] = _parent(facets["parent"])
    return RunEvent(
        **told,
        eventType=RunState(event["eventType"]),
        run=Run(runId=event["run"]["runId"], facets=facets),
        job=Job(**event["job"]),
        inputs=[InputDataset(**{"inputFacets": None, **each}) for each in event.get("inputs", ())],
        outputs=[OutputDataset(**{"outputFacets": None, **each}) for each in event.get("outputs", ())],
    )


def _parent(facet: dict[str, Any]) -> parent_run.ParentRunFacet:
    root, bare = facet.get("root"), {"facets": None}
    return parent_run.ParentRunFacet(
        run=parent_run.Run(**bare | facet["run"]),
        job=parent_run.Job(**bare | facet["job"]),
        root=root
        and parent_run.Root(run=parent_run.RootRun(**bare | root["run"]), job=parent_run.RootJob(**bare | root["job"])),
        producer=facet["_producer"],
    )


def send_all(home: Home, project: str, patience: float = PATIENCE_SECONDS) -> Sender | None:
    """Tells corrections that were not told yet, then sends all that waits; None where another process is at it."""
    lock = machine_folder(home.uri) / "lineage-sender.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    done: Sender | None = None
    while True:
        with only_one(lock, wait=False) as mine:
            if not mine:
                return done
            tell_corrections(home, project, send=True)
            sender = Sender(Outbox(home), client_emit(), patience, client_emit)
            finished = sender.send()
            sender.sent += done.sent if done else 0
            done = sender
        # What was put between the last look and letting go of the lock had nobody to send it.
        if not finished or not Outbox(home).names():
            return done


def main(arguments: list[str]) -> int:
    """The sender as a process."""
    logging.disable(logging.CRITICAL)
    home, _, project = arguments[:3]
    patience = float(arguments[3]) if len(arguments) > 3 else PATIENCE_SECONDS
    try:
        send_all(open_home(home), project, patience)
    except SettingError as error:
        Outbox(open_home(home)).tell(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
