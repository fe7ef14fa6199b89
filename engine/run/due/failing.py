"""What fails of an asset: the files or records whose last computation raised.

A record on which a function fails, and for which a person gave every value that the function owes, has what it needs:
it counts no more while their word stands. The memo keeps its error all the while, and an undo lets it count again.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import TableNode, TransformNode
from packyak.engine.run.correct.override import holds
from packyak.engine.run.read.view import KEY
from packyak.engine.run.scope import Scope
from packyak.engine.run.types import arrow_type

ERROR = "error"


def failing_units(scope: Scope, node: TableNode) -> pa.Table:
    """`_key`, `error` and `run` of each, in the order of their names."""
    memo = scope.memo(node.name)
    if not isinstance(node, TransformNode) or not memo.exists():
        return pa.table({name: pa.array([], pa.string()) for name in (KEY, ERROR, "run")})
    failed = memo.read([KEY, ERROR, "run"], f"{ERROR} is not null")
    given = given_whole(scope, node) if failed.num_rows else []
    if given:
        failed = failed.filter(pc.invert(pc.is_in(failed[KEY], pa.array(given, pa.string()))))
    return failed.sort_by(KEY)


def given_whole(scope: Scope, node: TransformNode) -> list[str]:
    """The records for which people gave a value in every column that the function owes them."""
    if node.many or not node.columns:
        return []
    kinds = {column.name: arrow_type(column.type) for column in node.columns}
    given: dict[str, int] = {}
    for (owner, key, column), said in scope.in_force.items():
        if owner == node.name and column in kinds and holds(said, None, kinds[column], conditional=False):
            given[key] = given.get(key, 0) + 1
    return [key for key, count in given.items() if count == len(kinds)]


def failing_now(scope: Scope, node: TableNode) -> tuple[int, str]:
    """How many fail, and what happened to one of them, with its name, in a line."""
    failed = failing_units(scope, node)
    if not failed.num_rows:
        return 0, ""
    unit, error = str(failed[KEY][0]), " ".join(str(failed[ERROR][0]).split())
    return failed.num_rows, error[:300] if unit in error else f"{unit}: {error}"[:300]


def failing_by_now(scope: Scope, node: TableNode) -> tuple[int, str]:
    """The same, as the last run counted it; where people spoke since, as it is with their word."""
    was = scope.candidates.get(node.name)
    if was is None:
        return 0, ""
    spoken = was.applied != scope.corrections_digest(node.name)
    return failing_now(scope, node) if spoken else (was.failed, was.failure)
