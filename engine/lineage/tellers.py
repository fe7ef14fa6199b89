"""Where events go once they are made: into the home's event log, and on to whoever else is told.

Making events loads the OpenLineage client (0.5 s of CPU); nothing before this needs it.
"""

from __future__ import annotations

from collections.abc import Sequence

from packyak.engine.lineage.asset_event import AssetEvent, CorrectionEvent
from packyak.engine.lineage.log import EventLog
from packyak.engine.store.home import Home


def write_events(home: Home, run: str, events: Sequence[AssetEvent | CorrectionEvent]) -> None:
    """Keeps events in the log under a run's name. Raises HomeError where the home cannot be written."""
    from packyak.engine.lineage.events import openlineage_events

    with EventLog(home) as log:
        log.append(run, openlineage_events(home.uri, events))
