"""Handing a run to the project's warm worker, and doing without one where none can be had."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from packyak.engine.errors import NoWorker
from packyak.engine.run.runs import RunRecord
from packyak.engine.run.worker.client import connect_or_start

if TYPE_CHECKING:
    from packyak.engine.project import Project


def run_in_worker(
    project: Project,
    assets: Sequence[str] | None,
    *,
    wait: bool | float,
    retry_failed: bool,
    on_progress: Callable[[RunRecord], None] | None,
) -> RunRecord | None:
    """The run as the worker did it; None where there is no worker to be had, so that the caller does it itself."""
    if project.settings["worker"] == "off" or project.home.local is None:
        return None
    try:
        client = connect_or_start(
            project.home.uri, project.root, idle_minutes=float(project.settings["worker_idle_minutes"])
        )
        client.person = project.person
        done: RunRecord = client.run(
            list(assets) if assets else None, wait=wait, retry_failed=retry_failed, on_progress=on_progress
        )
    except NoWorker:
        return None
    return done
