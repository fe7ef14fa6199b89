"""Runs functions: those that wait for new files once for each file, in the run that first sees it; those on a clock
when they are due; the others when they are asked for by name.

What was handled is noted file by file after the call, so that a crash or an error means being called again for that
file, and for no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from packyak.engine.declare.nodes import FunctionNode
from packyak.engine.run.compute.apply import RAISED, describe, finish
from packyak.engine.run.compute.transforms import file_of
from packyak.engine.run.due import schedule
from packyak.engine.run.scope import Scope
from packyak.engine.store.files import FileStat


def waiting_files(scope: Scope, node: FunctionNode) -> list[FileStat]:
    """The files that the function was not yet called for, oldest first."""
    if node.on is None:
        return []
    bucket, pattern = node.on
    handled = _handled(scope, node)
    found = [stat for stat in scope.bucket(bucket).scan(pattern) if handled.get(stat.key) != _mark(stat)]
    return sorted(found, key=lambda stat: (stat.mtime_ns, stat.key))


def waiting_sentence(scope: Scope, node: FunctionNode) -> str:
    """The files that a function was not yet called for, in words; "" where none waits."""
    files = waiting_files(scope, node)
    such = f": {files[0].key}" if len(files) == 1 else f", such as {files[0].key}" if files else ""
    return f"{len(files):,} {'file waits' if len(files) == 1 else 'files wait'}{such}" if files else ""


def function_is_due(scope: Scope, node: FunctionNode) -> bool:
    """Whether files wait for the function, or its time has come."""
    return bool(waiting_files(scope, node)) or schedule.is_due(scope.home, node, schedule.utc_now())


def call_once(scope: Scope, node: FunctionNode) -> str:
    """Calls a function that takes no file; answers what it raised, "" where nothing."""
    return schedule.call(scope.home, node, schedule.utc_now())


def call_for_new_files(
    scope: Scope, node: FunctionNode, meter: Callable[[int, int], None]
) -> tuple[int, dict[str, str]]:
    """Calls the function for each waiting file; answers how many calls were good, and the errors by file."""
    assert node.on is not None
    bucket = scope.bucket(node.on[0])
    handled = _handled(scope, node)
    errors: dict[str, str] = {}
    done = 0
    for stat in waiting_files(scope, node):
        file = file_of(node.on[0], bucket.path(stat.key), stat, bucket.etag(stat.key))
        try:
            finish(node.function(file))
        except RAISED as error:
            errors[stat.key] = describe(error)
        else:
            done += 1
            handled[stat.key] = _mark(stat)
            scope.home.write(_name(node), json.dumps(handled, sort_keys=True).encode())
        meter(done, len(errors))
    return done, errors


def _handled(scope: Scope, node: FunctionNode) -> dict[str, str]:
    data = scope.home.read(_name(node))
    return dict(json.loads(data)) if data else {}


def _mark(stat: FileStat) -> str:
    return f"{stat.size}:{stat.mtime_ns}"


def _name(node: FunctionNode) -> str:
    return f"functions/{node.name}.json"
