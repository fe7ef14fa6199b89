"""Keeps tables in few pieces and lets go of versions that nobody reads any more; what is published and kept stays.

A whole run does it for what it changed. Where each asset runs by itself under a role that cannot delete, it is a run
of its own, under a role that can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from packyak.engine.lineage import log
from packyak.engine.lineage.log import EventLog
from packyak.engine.run.scope import Scope
from packyak.engine.store import corrections, lease, tables
from packyak.engine.store.lease import Lease

if TYPE_CHECKING:
    from packyak.engine.project import Project


@dataclass(frozen=True)
class Patience:
    """From what on there is too much: pieces of a table, publications, files of what people said, runs whose events
    lie loose, claims of the lock. versions: how many of an asset are kept, 0 for the project's setting. grace: how
    long a version that nothing needs stays."""

    fragments: int = tables.FRAGMENTS
    versions: int = 0
    grace: timedelta = timedelta(minutes=10)
    publications: int = 100
    saves: int = corrections.LOOSE_FILES
    runs: int = log.LOOSE_FILES
    claims: int = lease.OLD_CLAIMS


USUAL = Patience()
NONE = Patience(0, 1, timedelta(0), 1, 0, 0, 0)  # whatever can be tidied is


def tidy(project: Project, scope: Scope, names: Iterable[str], patience: Patience = USUAL) -> list[str]:
    """Tidies these assets; the caller holds the project's lock. Answers which of them have a new version for it."""
    keep = patience.versions or int(project.settings["keep_versions"])
    grace, fragments = patience.grace, patience.fragments
    moved = []
    for name in names:
        settled = scope.candidates.get(name)
        if settled is None:
            continue
        history = project.published.history(name, limit=keep)
        table = scope.table(name).tidy([each.table for each in history], grace=grace, fragments=fragments)
        memo = scope.memo(name).tidy(
            [each.memo for each in history if each.memo is not None], grace=grace, fragments=fragments
        )
        if (table, memo) != (settled.table, settled.memo):
            scope.settle(name, replace(settled, table=table or settled.table, memo=memo or settled.memo))
            moved.append(name)
    project.published.prune(max(keep, patience.publications))
    project.log.tidy(patience.saves)
    EventLog(project.home).tidy(patience.runs)
    return moved


def tidy_maps(scope: Scope) -> None:
    """Drops the maps of what is no longer indexed so; loads what knows them only where there are any."""
    if any(scope.home.names("maps")):
        from packyak.engine.run.maps import drop_old

        drop_old(scope.home, scope.graph)


def tidy_project(project: Project, *, wait: float = 0.0, patience: Patience = USUAL) -> list[str]:
    """Tidies every asset, changed or not, and publishes what came of it. Raises RunBusy where a run is under way for
    longer than so many seconds."""
    from packyak.engine.run.launch import LOCK, publish
    from packyak.engine.run.runs import new_id

    project.home.require_writable()
    ttl = float(project.settings["lock_ttl_seconds"])
    held = Lease(project.home, LOCK, {"doing": "tidying"}, ttl, keeps=patience.claims)
    held.acquire(wait)
    try:
        scope = project.scope()
        moved = tidy(project, scope, [node.name for node in scope.graph.tables], patience)
        held.check()
        publish(project, scope, new_id())
    finally:
        held.release()
    return moved
