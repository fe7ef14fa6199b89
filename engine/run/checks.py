"""Evaluates checks on candidate versions: True, False, or the rows that fail.

A check runs again when its code or anything it reads changed; otherwise its last result stands. A check that raises
has failed, and says so: data that could not be checked is not good data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import CheckNode, TableNode
from packyak.engine.run.answers import CheckResult
from packyak.engine.run.compute.apply import RAISED, describe, finish
from packyak.engine.run.compute.rows import table_of_dicts
from packyak.engine.run.compute.whole import bind, hand_over
from packyak.engine.run.due.fingerprint import digest
from packyak.engine.run.runs import now
from packyak.engine.run.scope import Scope
from packyak.engine.store.sql import tables_of

SHOWN = 20


@dataclass(frozen=True)
class Checked:
    """A result with the name of what it was computed from."""

    result: CheckResult
    inputs: str

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps({"inputs": self.inputs, **asdict(self.result)}, default=str))  # type: ignore[no-any-return]


def result_from(facts: Mapping[str, Any]) -> CheckResult:
    """The result in what `Checked.to_json` gave."""
    known = {name: facts[name] for name in CheckResult.__dataclass_fields__ if name in facts}
    return CheckResult(**known | {"rows": tuple(known.get("rows", ()))})


def checks_on(scope: Scope, asset: str) -> tuple[CheckNode, ...]:
    """The checks whose target is the asset."""
    return tuple(node for node in scope.graph.nodes.values() if isinstance(node, CheckNode) and node.target == asset)


def check_inputs(scope: Scope, node: CheckNode) -> str:
    """A name for everything that the check's result depends on."""
    names = {
        each.name
        for name in node.inputs
        if isinstance(scope.graph.nodes.get(name), TableNode)
        for each in scope.graph.chain(name)
    }
    return digest([scope.fingerprint(node.name), *(f"{name}={scope.public_version(name)}" for name in sorted(names))])


def evaluate(scope: Scope, node: CheckNode, before: Mapping[str, Any] | None) -> Checked:
    """The check's result now; the one before where nothing that it reads has changed."""
    inputs = check_inputs(scope, node)
    if before is not None and before.get("inputs") == inputs:
        return Checked(result_from(before), inputs)
    if not scope.snapshot.types(node.target):
        return Checked(_result(node, True, 0, (), "no records yet"), inputs)
    try:
        answer = finish(node.function(**{p.name: hand_over(scope, p) for p in node.parameters}))
        failing = _failing_rows(scope, answer)
    except RAISED as error:
        return Checked(_result(node, False, None, (), f"the check could not run: {describe(error)}"), "")
    if failing is None:
        passed = answer is None or bool(answer)
        return Checked(_result(node, passed, None, (), "" if passed else "answered False"), inputs)
    rows = tuple(failing.slice(0, SHOWN).to_pylist())
    count = failing.num_rows
    return Checked(_result(node, not count, count, rows, f"{count:,} rows fail" if count else ""), inputs)


def _result(
    node: CheckNode, passed: bool, failing: int | None, rows: tuple[dict[str, Any], ...], message: str
) -> CheckResult:
    return CheckResult(node.name, node.target, passed, node.blocking, node.severity, failing, rows, message, now())


def _failing_rows(scope: Scope, answer: Any) -> pa.Table | None:
    """The rows of an answer that gives rows; None where it is a plain yes or no."""
    query = getattr(answer, "query", None)
    if isinstance(query, str):
        selection = bind(scope.snapshot, query, tables_of(query))
        return scope.query.run(selection.sql, selection.tables)
    if answer is None or isinstance(answer, bool) or type(answer).__name__ == "bool_":
        return None
    if isinstance(answer, pa.Table):
        return answer
    if hasattr(answer, "to_arrow_table"):
        table: pa.Table = answer.to_arrow_table()
        return table
    if hasattr(answer, "to_dict") and hasattr(answer, "columns"):
        return pa.Table.from_pandas(answer, preserve_index=False)
    return table_of_dicts(list(answer))
