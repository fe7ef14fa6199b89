"""How every node of a project stands, in words a person can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from packyak.engine.declare.nodes import (
    AssetNode,
    BucketNode,
    CheckNode,
    FilesNode,
    FunctionNode,
    IndexNode,
    LearnedNode,
    Node,
    SqlNode,
    TableNode,
    TransformNode,
)
from packyak.engine.run.answers import AssetStatus, State
from packyak.engine.run.checks import result_from
from packyak.engine.run.due import schedule
from packyak.engine.run.due.failing import failing_by_now
from packyak.engine.run.due.stale import Stale, stale_assets
from packyak.engine.run.due.work import unit_of
from packyak.engine.run.functions import waiting_sentence
from packyak.engine.run.runs import RunRecord, RunStore
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.store.published import AssetVersion, Published
from packyak.engine.store.vectors import SearchTable

RECENT_RUNS = 10
KINDS: tuple[tuple[type[Node], str], ...] = (
    (LearnedNode, "learned"),
    (TransformNode, "transform"),
    (SqlNode, "sql"),
    (AssetNode, "asset"),
    (IndexNode, "index"),
    (FilesNode, "files"),
    (BucketNode, "bucket"),
    (FunctionNode, "function"),
    (CheckNode, "check"),
)


def kind_of(node: Node) -> str:
    """The node's kind in DESIGN's word."""
    return next(word for kind, word in KINDS if isinstance(node, kind))


def status_of(scope: Scope, published: Published, runs: RunStore) -> tuple[AssetStatus, ...]:
    """Every node except checks, which are shown with their assets; inputs first."""
    stale = stale_assets(scope)
    good = published.load().assets
    under_way = runs.under_way()
    corrected = Counter(asset for asset, _, _ in scope.in_force)
    found: dict[str, AssetStatus] = {}
    for node in scope.graph.nodes.values():
        if isinstance(node, CheckNode):
            continue
        if isinstance(node, TableNode | IndexNode):
            mine = _table_status(scope, node, stale, good.get(node.name), published, under_way, corrected[node.name])
            found[node.name] = _behind_barrier(mine, found)
        else:
            found[node.name] = _source_status(scope, node, runs)
    return tuple(found.values())


def _behind_barrier(mine: AssetStatus, above: Mapping[str, AssetStatus]) -> AssetStatus:
    """An asset that is not up to date is blocked while one of its inputs cannot be brought up to date."""
    for name in mine.inputs if mine.state in ("stale", "never") else ():
        if name in above and above[name].state in ("failed", "blocked"):
            reason = f"waits for {name}, which {'failed' if above[name].state == 'failed' else 'is blocked'}"
            return replace(mine, state="blocked", reason=reason)
    return mine


def _source_status(scope: Scope, node: Node, runs: RunStore) -> AssetStatus:
    rows, reason = None, node.doc.partition("\n")[0]
    state: State = "fresh"
    if isinstance(node, FilesNode):
        passed: list[str] = []
        rows = len(scope.bucket(node.bucket).scan(node.pattern, lambda name, why: passed.append(f"{name!r}: {why}")))
        reason = f"{rows:,} {'file' if rows == 1 else 'files'}"
        if passed:
            reason += f"; {len(passed):,} passed over{', such as' if len(passed) > 1 else ','} {passed[0]}"
    elif isinstance(node, FunctionNode) and node.on is None:
        reason = schedule.sentence(scope.home, node)
        state = "failed" if schedule.failed(scope.home, node) else "fresh"
    elif isinstance(node, FunctionNode) and (waits := waiting_sentence(scope, node)):
        problem = _last_problem(runs, node.name)
        reason, state = (f"{waits}; {problem}", "failed") if problem else (waits, "fresh")
    return AssetStatus(
        node.name, kind_of(node), state, reason, rows=rows, inputs=node.inputs, origin=str(node.origin), doc=node.doc
    )  # fmt: skip


def _last_problem(runs: RunStore, function: str) -> str:
    """What the last run that called a function for files heard of it; "" where all went well, or long ago."""
    told = (run.asset(function) for run in runs.list(RECENT_RUNS))
    last = next((each for each in told if each is not None), None)
    return last.message if last is not None and last.state == "failed" else ""


def _table_status(
    scope: Scope,
    node: TableNode | IndexNode,
    stale: dict[str, Stale],
    good: AssetVersion | None,
    published: Published,
    under_way: RunRecord | None,
    corrections: int,
) -> AssetStatus:
    was = scope.candidates.get(node.name)
    mine = stale[node.name]
    indexed = indexed_rows(scope, node)
    state, reason = _state(node, was, mine, under_way, indexed)
    failed, failure = failing_by_now(scope, node) if isinstance(node, TableNode) else (0, "")
    if state == "fresh" and failed:
        reason += _failures(scope, node, failed, failure)
    checks = tuple(result_from(each) for each in was.checks) if was else ()
    indexed_at = SearchTable(scope.home, node.name).changed_at() if isinstance(node, IndexNode) else None
    history = published.history(node.name, limit=2) if good else ()
    delta = history[0].rows - history[1].rows if len(history) == 2 else None
    return AssetStatus(
        name=node.name,
        kind=kind_of(node),
        state=state,
        reason=reason,
        causes=mine.causes,
        rows=good.rows if good else indexed,
        delta=delta,
        version=good.version if good else None,
        updated_at=good.at if good else indexed_at,
        failed_records=failed,
        corrections=corrections,
        checks=checks,
        inputs=node.inputs,
        origin=str(node.origin),
        doc=node.doc,
        notes=was.remarks if was else (),
    )


def indexed_rows(scope: Scope, node: Node) -> int | None:
    """How many records an index holds; None for what is no index, or not there yet."""
    if not isinstance(node, IndexNode):
        return None
    table = SearchTable(scope.home, node.name).table
    return table.count() if table.exists() else None


def _state(
    node: Node, was: Settled | None, stale: Stale, under_way: RunRecord | None, indexed: int | None
) -> tuple[State, str]:
    active = under_way.asset(node.name) if under_way else None
    if active is not None and active.state == "running":
        return "running", "being brought up to date"
    if was is not None and was.state in ("failed", "blocked"):
        return ("failed" if was.state == "failed" else "blocked"), was.message
    if isinstance(node, IndexNode):
        if stale and not indexed:
            unknown = [cause.reason for cause in stale.causes if cause.category == "input" and cause.count is None]
            return "never", ": ".join(["nothing indexed yet", *unknown])
        return ("stale", stale.sentence) if stale else ("fresh", "up to date")
    if was is None or not was.table:
        return "never", "never computed"
    if stale:
        return "stale", stale.sentence
    return "fresh", "up to date"


def _failures(scope: Scope, node: Node, failed: int, failure: str) -> str:
    what = unit_of(scope.graph, node) + ("" if failed == 1 else "s")
    such = (", " if failed == 1 else ", such as ") + failure if failure else ""
    return f"; {failed:,} {what} failed{such}"
