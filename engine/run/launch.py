"""Runs a project in this process: takes the lock, brings what is due up to date under Prefect, publishes, tells, lets
go.

A crash at any point leaves the published versions as they were; the next run goes on from what was committed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from packyak.engine.declare.nodes import (
    CheckNode,
    FilesNode,
    FunctionNode,
    Graph,
    IndexNode,
    LearnedNode,
    TableNode,
)
from packyak.engine.run.compute.crew import Crew, size_of
from packyak.engine.run.due import schedule
from packyak.engine.run.due.gate import close_gate, write_gate
from packyak.engine.run.due.settled import good_assets, is_current
from packyak.engine.run.due.work import unit_of
from packyak.engine.run.flow import FlowResult, Skip, Step, run_in_prefect, sweep
from packyak.engine.run.functions import function_is_due
from packyak.engine.run.indexes import index_lag, unindexed_column
from packyak.engine.run.prefect_server import PrefectServer
from packyak.engine.run.progress import Progress
from packyak.engine.run.runs import RunRecord, new_id, now
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.run.teach.due import why_due
from packyak.engine.run.tell import Teller, abandoned
from packyak.engine.run.tidy import tidy, tidy_maps
from packyak.engine.run.update import Update
from packyak.engine.store.lease import Lease
from packyak.engine.store.published import AssetVersion, Vector

if TYPE_CHECKING:
    from packyak.engine.project import Project

LOCK = "run"
TELL_SECONDS = 3.0  # how long a finished run waits for Prefect to have been told; the worker goes on telling after it


def run_project(
    project: Project,
    asked: Sequence[str],
    *,
    wait: bool | float,
    retry: bool,
    on_progress: Callable[[RunRecord], None] | None,
    alone: bool = False,
) -> RunRecord:
    """One run, from lock to publication. Raises RunBusy where another run holds the project.

    alone: only the assets asked for, as what they read stands, and nothing is ever deleted: this is how an asset runs
    under a role of its own. What a whole run does beside (sweeping, tidying, the first gate) is left to whole runs.
    """
    project.home.require_writable()
    project.run_store.deletes = not alone
    swept = () if alone else project.run_store.sweep()
    crashed = bool(swept)
    limit = None if wait is True else float(wait)
    ttl = float(project.settings["lock_ttl_seconds"])
    lease = Lease(project.home, LOCK, {"doing": "a run"}, ttl=ttl, deletes=not alone)
    lease.acquire(limit)
    scope: Scope | None = None
    try:
        scope = project.scope()
        abandoned(scope, project.name, swept)
        if not alone:
            schedule.note_first_seen(project.home, scope.graph, schedule.utc_now())
        names = due(scope, asked, retry, alone=alone)
        if not names:
            return _nothing_to_run(project, scope, asked, alone)
        scope.crew = None if alone else crew_of(project)
        progress = Progress(project.run_store, project.run_store.start(asked, project.person), on_progress)
        try:
            with fewer_collections():
                return _run(project, scope, names, asked, progress, lease, retry=retry, crashed=crashed, alone=alone)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt | SystemExit)
            words = str(error) or ("Stopped from outside." if stopped else type(error).__name__)
            progress.finished("cancelled" if stopped else "failed", words)
            raise
    finally:
        if scope is not None and scope.crew is not None:
            scope.crew.close()
        lease.release()


def crew_of(project: Project) -> Crew | None:
    """The processes that a run may use; none for a project that was not opened from its folder."""
    size = size_of(project.settings["processes"])
    if not project.module_names or size < 2:
        return None
    return Crew(str(project.root), project.home.uri, size, project.person)


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Batches of records make many objects and few cycles: Python's default of looking for cycles after every 700 new
    objects, and now and then through all there are, cost a quarter of a full run (measured)."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _nothing_to_run(project: Project, scope: Scope, asked: Sequence[str], alone: bool) -> RunRecord:
    """No run is recorded; what a crash may have left unpublished is published."""
    record = RunRecord(id=new_id(), state="done", asked=tuple(asked), started=now(), ended=now())
    if not alone or _has_table(scope, asked):
        publish(project, scope, record.id)
    if not alone:
        schedule.keep_next(project.home, scope.graph)
        _gate(project, scope)
    return record


def _run(
    project: Project,
    scope: Scope,
    names: Sequence[str],
    asked: Sequence[str],
    progress: Progress,
    lease: Lease,
    *,
    retry: bool,
    crashed: bool,
    alone: bool,
) -> RunRecord:
    if not alone:
        close_gate(project.home)
    checks = [each.name for each in scope.graph.nodes.values() if isinstance(each, CheckNode) and each.target in names]
    scope.codes.save(project.home, (*names, *checks))
    teller = Teller(scope, progress.run_id, project.name, progress.record.started)
    update = Update(scope, progress, retry=retry, happened=teller.happened)
    progress.running(names, units={name: unit_of(scope.graph, scope.graph[name]) for name in names})
    answering = str(project.settings["prefect"]) != "auto" or PrefectServer(project.home).url() is not None
    try:
        flow = _flow(project, update, names, progress, lease, crashed, alone)
        lease.check()
        if not alone:
            tidy(project, scope, [name for name, result in update.results.items() if result.delta])
            tidy_maps(scope)
            schedule.keep_next(project.home, scope.graph)
        if not alone or _has_table(scope, names):
            publish(project, scope, progress.run_id)
    except BaseException as error:
        teller.finish("failed" if isinstance(error, Exception) else "cancelled", str(error) or type(error).__name__)
        raise
    late = flow.told(TELL_SECONDS) if answering and flow.state != "cancelled" else ""  # a starting server is told later
    for problem in (teller.finish(flow.state, _error_of(update)), late):
        if problem:
            progress.note(problem)
    if flow.state == "done" and not asked:
        _gate(project, scope)
    return progress.finished(flow.state, _error_of(update))


def _has_table(scope: Scope, names: Sequence[str]) -> bool:
    """Whether there is anything to publish of these: an index or a function, alone, has no versions."""
    return any(isinstance(scope.graph[name], TableNode) for name in names)


def _error_of(update: Update) -> str:
    failed = [result for result in update.results.values() if result.state == "failed"]
    return "; ".join(result.message for result in failed[:3])


def due(scope: Scope, asked: Sequence[str], retry: bool, *, alone: bool = False) -> list[str]:
    """The assets and indexes that a run must visit: those that are not current, and everything below them. alone: of
    those asked for, not of what they depend on."""
    if alone:
        wanted = set(asked)
    elif asked:
        wanted = {name for each in asked for name in (each, *scope.graph.above(each))}
    else:
        wanted = set(scope.graph.nodes)
    stale: list[str] = []
    for node in scope.graph.nodes.values():
        if node.name not in wanted or not isinstance(node, TableNode | IndexNode | FunctionNode):
            continue
        below = not isinstance(node, FunctionNode) and any(parent in stale for parent in node.inputs)
        by_hand = isinstance(node, FunctionNode) and node.on is None and node.name in asked
        if below or by_hand or _is_due(scope, node, retry):
            stale.append(node.name)
    return sorted(stale, key=lambda name: isinstance(scope.graph[name], IndexNode))  # nothing waits for an index


def _is_due(scope: Scope, node: TableNode | IndexNode | FunctionNode, retry: bool) -> bool:
    if isinstance(node, FunctionNode):
        return function_is_due(scope, node)
    if isinstance(node, IndexNode):
        return unindexed_column(scope, node) is not None or index_lag(scope, node) > 0
    was = scope.candidates.get(node.name)
    return (
        not is_current(scope, node)
        or (retry and bool(was and (was.failed or was.state != "ok")))
        or _check_is_due(scope, node)
        or (isinstance(node, LearnedNode) and bool(why_due(scope, node)))
    )


def _check_is_due(scope: Scope, node: TableNode) -> bool:
    from packyak.engine.run.checks import check_inputs, checks_on

    was = scope.candidates.get(node.name)
    before = {str(each.get("name")): each.get("inputs") for each in was.checks} if was else {}
    return any(before.get(check.name) != check_inputs(scope, check) for check in checks_on(scope, node.name))


def _flow(
    project: Project, update: Update, names: Sequence[str], progress: Progress, lease: Lease, crashed: bool, alone: bool
) -> FlowResult:
    def call(name: str) -> str:
        lease.check()
        if isinstance(update.scope.graph[name], IndexNode) and not alone:
            publish(project, update.scope, progress.run_id)  # nobody waits for an index to see the records
        result = update.step(name)
        if result.state in ("skipped", "blocked"):
            raise Skip(result.message or "nothing to do")
        return f"{result.computed:,} computed, {result.delta.added + result.delta.changed:,} changed"

    steps = [Step(name, lambda name=name: call(name), upstream_of(update.scope.graph, name)) for name in names]  # type: ignore[misc]
    api = prefect_api(project, crashed)
    return run_in_prefect(progress.run_id, steps, api, tags=[project.name], on_start=progress.flow_run, linger=0)


def upstream_of(graph: Graph, name: str) -> tuple[str, ...]:
    """The assets that an asset builds on, as edges of the flow."""
    return tuple(parent for parent in graph[name].inputs if not isinstance(graph.nodes.get(parent), FilesNode | None))


def prefect_api(project: Project, crashed: bool) -> str | Callable[[], str | None] | None:
    """The Prefect API to report to: the setting's, or the project's own server, which may still be starting; or none.

    crashed: runs were found whose process is gone, of which Prefect must be told too.
    """
    choice = str(project.settings["prefect"])
    if choice == "off" or project.home.local is None:
        return None
    if choice != "auto":
        return choice
    server = PrefectServer(project.home)
    server.ensure()
    seconds = float(project.settings["prefect_wait_seconds"])

    def url() -> str | None:
        found = server.url() or server.wait(seconds)
        if found and crashed:
            sweep(project.home, found)
        return found

    return url


def publish(project: Project, scope: Scope, run_id: str) -> None:
    """Makes the candidates that are good the versions that everybody reads, all at once."""
    before = project.published.load()
    assets = {name: each for name, each in before.assets.items() if name in scope.graph.nodes}
    for name in good_assets(scope):
        assets[name] = _good_version(assets.get(name), scope.candidates[name])
    if assets != dict(before.assets):
        project.published.publish(Vector(before.seq, run_id, now(), assets))


def _good_version(before: AssetVersion | None, settled: Settled) -> AssetVersion:
    facts = {
        "applied": settled.applied,
        "fingerprint": settled.fingerprint,
        "inputs": dict(settled.inputs),
        "consumed": dict(settled.consumed),
        "threshold": settled.parts.get("threshold", ""),
    }
    if before is not None and before.table == settled.table and "restored" in before.facts:
        facts["restored"] = before.facts["restored"]
    if before is not None and (before.table, before.memo, before.facts) == (settled.table, settled.memo, facts):
        return before
    return AssetVersion(
        settled.table, settled.memo, settled.version, settled.rows, settled.total, settled.run, settled.at, facts
    )  # fmt: skip


def _gate(project: Project, scope: Scope) -> None:
    candidates = [each for name, each in scope.candidates.items() if name in scope.graph.nodes]
    if not project.module_names or any(each.state != "ok" for each in candidates):
        return
    nodes = scope.graph.nodes.values()
    listed = [(node.bucket, node.pattern) for node in nodes if isinstance(node, FilesNode)]
    listed += [node.on for node in nodes if isinstance(node, FunctionNode) and node.on]
    assets = [node.name for node in scope.graph.tables]
    write_gate(
        project.home,
        sources=project.source_files(),
        buckets=listed,
        modules=project.module_names,
        until=schedule.soonest(project.home, schedule.on_a_clock(scope.graph)),
        summary={"assets": len(assets), "failed": _failed(scope, "record"), "failed_files": _failed(scope, "file")},
    )


def _failed(scope: Scope, unit: str) -> int:
    nodes = scope.graph.nodes
    return sum(each.failed for name, each in scope.candidates.items()
               if name in nodes and unit_of(scope.graph, nodes[name]) == unit)  # fmt: skip


def cancel_run(project: Project, run_id: str | None) -> RunRecord | None:
    """Asks a run to stop; None where there is none."""
    record = project.run_store.get(run_id) if run_id else project.running()
    if record is None or not record.is_open:
        return record
    project.run_store.request_cancel(record.id)
    return record


__all__ = ["cancel_run", "due", "publish", "run_project"]
