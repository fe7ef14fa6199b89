"""What a module asks of AWS while it is imported, which happens first wherever its functions run, under their role."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import aws
from packyak.deploy.grants.infer.atoms import Aws
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import within, wrap
from packyak.engine.declare.source import tree_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine


def read_module(m: Machine, function: types.FunctionType, file: str) -> None:
    """Reads the calls of AWS that stand outside the functions of a module."""
    from packyak.deploy.grants.infer.expressions import evaluate

    calls = [each for each in calls_of(file) if _asks(each, function.__globals__)]
    if calls:
        stand_in = types.FunctionType((lambda: None).__code__, function.__globals__)
        env = Env(m.heap, None, stand_in, None, file, "the module")
        for call in calls:
            evaluate(m, call, env)


@lru_cache(maxsize=256)
def calls_of(file: str) -> tuple[ast.Call, ...]:
    """The method calls that run when a file is imported."""
    tree = tree_of(file)
    return tuple(_calls(tree.module)) if tree else ()


def _calls(module: ast.Module) -> Iterator[ast.Call]:
    for statement in module.body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            continue
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in within(statement):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield node


def _asks(call: ast.Call, namespace: dict[str, Any]) -> bool:
    """Whether a call is one of AWS: by its name, or by what it is called on."""
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr in ("get_paginator", "get_waiter", "client", "resource", "Session", "Table", "Bucket", "Object"):
        return False
    owner = call.func.value
    on_aws = isinstance(owner, ast.Name) and owner.id in namespace and _is_aws(namespace[owner.id])
    return on_aws or aws.is_telling(call.func.attr)


def _is_aws(value: Any) -> bool:
    return any(isinstance(each, Aws) for each in wrap(value))
