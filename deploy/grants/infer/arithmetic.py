"""Operators on known numbers, and texts that are filled in with `%`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import containers
from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Live, Text, Value
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import wrap
from packyak.deploy.grants.infer.texts import percent

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

_FOLDED = 1 << 20


def filled_in(m: Machine, left: Value, right: Value, node: ast.AST, env: Env) -> Value:
    """`"%s/%s" % (a, b)`."""
    result: Value = NOTHING
    for template in left:
        if not isinstance(template, Text):
            result |= UNKNOWN
            continue
        filled: list[Value] | None = [right]
        if any(containers.is_container(each) for each in right):
            filled = containers.sequence(m, right, env, node)
        result |= percent(template, filled)
    return result


def of_numbers(operator: ast.operator, left: Value, right: Value) -> Value | None:
    """Arithmetic on two known numbers, as for parts of a name."""
    if len(left) != 1 or len(right) != 1:
        return None
    values = [each.value for each in (*left, *right) if isinstance(each, Live)]
    if len(values) != 2 or not all(type(each) in (int, float) and abs(each) < _FOLDED for each in values):
        return None
    a, b = values
    simple: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
        ast.Add: lambda x, y: x + y, ast.Sub: lambda x, y: x - y, ast.Mult: lambda x, y: x * y,
    }  # fmt: skip
    run = simple.get(type(operator))
    return wrap(run(a, b)) if run else None
