"""Where events go once they are made: into the home's event log, and into the outbox where a backend is configured.

Making events loads the OpenLineage client (0.5 s of CPU); nothing before this needs it. Corrections are told without a
run: by the sender where a backend wants to know, else with the next run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from packyak.engine.lineage.asset_event import AssetEvent, CorrectionEvent, CorrectionNote
from packyak.engine.lineage.log import EventLog
from packyak.engine.lineage.outbox import Outbox, OutboxState, is_configured, start_sender
from packyak.engine.store.corrections import Correction, CorrectionLog
from packyak.engine.store.home import Home
from packyak.engine.store.published import Published

TOLD = "lineage/told.json"
CORRECTIONS = "corrections"  # the name under which the log keeps events that belong to no run


def write_events(home: Home, run: str, events: Sequence[AssetEvent | CorrectionEvent], *, send: bool = False) -> None:
    """Keeps events in the log under a run's name. send: and for a backend.

    Raises HomeError where the home cannot be written.
    """
    from packyak.engine.lineage.events import openlineage_events

    made = openlineage_events(home.uri, events)
    with EventLog(home) as log:
        log.append(run, made)
    if send:
        Outbox(home).put(made)


def tell_corrections(home: Home, project: str, *, send: bool, log: CorrectionLog | None = None) -> int:
    """Tells the corrections made since they were last told; answers how many. A crash tells some of them twice.

    log: one that has read them already.
    """
    told = _told(home)
    every = (log or CorrectionLog(home)).all()
    fresh = sorted((each for each in every if each.counts and each.id > told), key=lambda each: each.id)
    if fresh:
        write_events(home, CORRECTIONS, _events(home, project, fresh), send=send)
        home.write(TOLD, json.dumps({"last": fresh[-1].id}).encode())
    return len(fresh)


def corrections_saved(home: Home, root: str | Path, project: str) -> None:
    """To be called after corrections were saved: a backend hears of them at once, from a process of its own."""
    if is_configured(root):
        with contextlib.suppress(OSError):
            start_sender(home, root, project)


def forward(home: Home, root: str | Path, project: str) -> None:
    """Has what waits in the outbox sent."""
    with contextlib.suppress(OSError):
        start_sender(home, root, project)


def send_now(home: Home, root: str | Path, project: str, patience: float = 0.0) -> OutboxState:
    """Sends what waits in this process. Corrections are told in any case: the log has them then."""
    if is_configured(root):
        from packyak.engine.lineage.events_send import send_all

        with contextlib.chdir(root):  # the client looks for its file there
            send_all(home, project, patience)
    else:
        tell_corrections(home, project, send=False)
    return Outbox(home).state(root)


def _told(home: Home) -> str:
    data = home.read(TOLD)
    try:
        return str(json.loads(data)["last"]) if data else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _events(home: Home, project: str, fresh: Sequence[Correction]) -> list[CorrectionEvent]:
    """One event for each save and asset, in the order of time."""
    versions = {name: each.version for name, each in Published(home).load().assets.items()}
    events = []
    for (at, asset), group in groupby(fresh, key=lambda each: (each.at, each.asset)):
        notes = tuple(CorrectionNote(each.id, each.column, each.by, each.at, each.kind) for each in group)
        version = f"{versions.get(asset, '')}+{_digest(notes[-1].id)}"
        events.append(CorrectionEvent(at, project, asset, version, notes))
    return events


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
