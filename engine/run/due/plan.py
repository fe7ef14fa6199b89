"""What a run would do, before anything is spent: per asset the records, the causes, what stays, and how long it may
take.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from packyak.engine.declare.nodes import FilesNode, FunctionNode, IndexNode, TableNode, TransformNode
from packyak.engine.run.answers import Cause, Plan, PlanStep
from packyak.engine.run.due import schedule
from packyak.engine.run.due.failing import failing_by_now
from packyak.engine.run.due.stale import Stale, stale_assets
from packyak.engine.run.due.work import unit_of
from packyak.engine.run.functions import waiting_sentence
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.run.types import arrow_type, value_of


def plan_of(scope: Scope, asked: Sequence[str], *, retry: bool) -> Plan:
    """The steps for the assets asked (all when none) and what they depend on."""
    wanted = {name for each in asked for name in (each, *scope.graph.above(each))} if asked else set(scope.graph.nodes)
    stale = stale_assets(scope, retry=retry)
    steps = [_step(scope, each) for name, each in stale.items() if each and name in wanted]
    functions = (node for node in scope.graph.nodes.values() if isinstance(node, FunctionNode) and node.name in wanted)
    causes = {node.name: _call(scope, node, by_name=node.name in asked) for node in functions}
    calls = [PlanStep(name, "call", None, False, (cause,)) for name, cause in causes.items() if cause]
    return Plan((*steps, *calls), tuple(_notes(scope)))


def _call(scope: Scope, node: FunctionNode, *, by_name: bool) -> Cause | None:
    """Why a run would call a function now."""
    if waits := waiting_sentence(scope, node):
        return Cause("input", waits)
    if schedule.is_due(scope.home, node, schedule.utc_now()):
        return Cause("clock", schedule.sentence(scope.home, node))
    return Cause("asked", "a run that names it calls it") if by_name and node.on is None else None


def _step(scope: Scope, stale: Stale) -> PlanStep:
    node = scope.graph[stale.asset]
    was = scope.candidates.get(stale.asset)
    records = stale.records
    action = _action(scope, node)
    if records is None and was is not None and was.rows and action != "read files":
        records = was.rows
    counts_records = isinstance(node, TransformNode) and action != "read files"
    keeps = max(was.rows - records, 0) if was and records is not None and counts_records else None
    return PlanStep(stale.asset, action, records, stale.at_most, stale.causes, keeps, _seconds(was, records))


def _action(scope: Scope, node: object) -> str:
    if isinstance(node, IndexNode):
        return "index"
    if isinstance(node, TransformNode) and isinstance(scope.graph.nodes.get(node.source), FilesNode):
        return "read files"
    return "compute" if isinstance(node, TransformNode) else "compute whole"


def _seconds(was: Settled | None, records: int | None) -> float | None:
    """An estimate from the last run that computed anything: its seconds per record."""
    if was is None or not was.computed or records is None:
        return None
    return round(was.seconds / was.computed * records, 2)


def _notes(scope: Scope) -> list[str]:
    """What people said that cannot be applied now: it is kept, and listed here so that it is not forgotten."""
    notes = []
    for (asset, key, column), correction in sorted(scope.in_force.items()):
        node = scope.graph.nodes.get(asset)
        if not isinstance(node, TableNode):
            why = f"there is no asset {asset} (renamed? say was={asset!r})"
            notes.append(f"a correction of {asset}.{column} ({key}) waits: {why}")
            continue
        types = scope.snapshot.stored(asset)
        types = {each.name: arrow_type(each.type) for each in node.columns} if node.columns else types
        if types and column not in types:
            notes.append(f"a correction of {asset}.{column} ({key}) waits: {asset} has no column {column} any more")
        elif types and not _allowed(node, column, correction.value, types[column]):
            notes.append(
                f"a correction of {asset}.{column} ({key}) to {correction.value!r} is no longer allowed by its type"
            )
    return notes + _failures(scope)


def _allowed(node: TableNode, column: str, value: object, kind: pa.DataType) -> bool:
    choices = next((each.choices for each in node.columns or () if each.name == column), None)
    try:
        plain = value_of(value, kind)
    except (ValueError, TypeError):
        return False
    return choices is None or plain is None or plain in choices


def _failures(scope: Scope) -> list[str]:
    failed = {node.name: failing_by_now(scope, node)[0] for node in scope.graph.tables}
    return [
        f"{_counted(scope, name, count)} failed before and will not be tried again without --retry-failed"
        for name, count in failed.items()
        if count
    ]


def _counted(scope: Scope, name: str, count: int) -> str:
    unit = unit_of(scope.graph, scope.graph[name])
    return f"{count:,} {unit}{'' if count == 1 else 's'} of {name}"
