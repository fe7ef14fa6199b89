"""Keeps tables in few pieces and lets go of versions that nobody reads any more; what is published and kept stays.

A whole run does it for what it changed. Where each asset runs by itself under a role that cannot delete, it is a run
of its own, under a role that can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from packyak.engine.lineage.log import EventLog
from packyak.engine.run.scope import Scope
from packyak.engine.store.lease import Lease

if TYPE_CHECKING:
    from packyak.engine.project import Project


def tidy(project: Project, scope: Scope, names: Iterable[str]) -> list[str]:
    """Tidies these assets; the caller holds the project's lock. Answers which of them have a new version for it."""
    keep = int(project.settings["keep_versions"])
    moved = []
    for name in names:
        settled = scope.candidates.get(name)
        if settled is None:
            continue
        history = project.published.history(name, limit=keep)
        table = scope.table(name).tidy([each.table for each in history])
        memo = scope.memo(name).tidy([each.memo for each in history if each.memo is not None])
        if (table, memo) != (settled.table, settled.memo):
            scope.settle(name, replace(settled, table=table or settled.table, memo=memo or settled.memo))
            moved.append(name)
    project.published.prune(max(keep, 100))
    project.log.tidy()
    EventLog(project.home).tidy()
    return moved


def tidy_project(project: Project, *, wait: float = 0.0) -> list[str]:
    """Tidies every asset, changed or not, and publishes what came of it. Raises RunBusy where a run is under way for
    longer than so many seconds."""
    from packyak.engine.run.launch import LOCK, publish
    from packyak.engine.run.runs import new_id

    project.home.require_writable()
    lease = Lease(project.home, LOCK, {"doing": "tidying"}, ttl=float(project.settings["lock_ttl_seconds"]))
    lease.acquire(wait)
    try:
        scope = project.scope()
        moved = tidy(project, scope, [node.name for node in scope.graph.tables])
        lease.check()
        publish(project, scope, new_id())
    finally:
        lease.release()
    return moved
