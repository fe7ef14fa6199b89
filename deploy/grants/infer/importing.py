"""What modules ask of AWS while they are imported, which happens first wherever a function runs, under its role.

Of the statements that stand outside functions those are read in which something of the project is called, or something
that may reach S3 or AWS: of the function's own module, and of all modules of the project that it imports.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import addresses, aws
from packyak.deploy.grants.infer.atoms import Aws
from packyak.deploy.grants.infer.live import dotted, follows, is_followed, within, wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.settings import imports_of
from packyak.engine.declare.source import tree_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.heap import Env
    from packyak.deploy.grants.infer.machine import Machine

_MAKERS = ("get_paginator", "get_waiter", "client", "resource", "Session", "Table", "Bucket", "Object")


def read_module(m: Machine, namespace: dict[str, Any], file: str) -> None:
    """Reads what a module does while it is imported, and the modules that it imports."""
    from packyak.deploy.grants.infer.statements import run_block

    m.modules.add(file)
    for statement in _statements(file):
        env = m.of_module(statement, namespace, file)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            _decorated(m, statement, namespace, env)
        elif any(_asks(each, namespace) for each in _calls(statement)):
            env.own = frozenset(_stored(statement))
            env.vars = {name: wrap(namespace[name]) for name in env.own if name in namespace}
            run_block(m, [statement], env)
    for module in _imported(file):
        other = str(getattr(module, "__file__", None) or "")
        if is_followed(other) and other not in m.modules:
            read_module(m, vars(module), other)


def _decorated(
    m: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, namespace: dict[str, Any], env: Env
) -> None:
    """Decorators of the project run when what they decorate is made."""
    from packyak.deploy.grants.infer.calls import call
    from packyak.deploy.grants.infer.expressions import evaluate

    for each in node.decorator_list:
        made = each.func if isinstance(each, ast.Call) else each
        target = _live(made, namespace)
        if _is_ours(target):
            decorator = evaluate(m, each, env)
            if not isinstance(target, type) or follows(inspect.getattr_static(target, "__call__", None)):
                call(m, decorator, Args([wrap(namespace.get(node.name))]), each, env)


@lru_cache(maxsize=256)
def _statements(file: str) -> tuple[ast.stmt, ...]:
    """What runs when a file is imported: classes' bodies, too; functions for their decorators."""
    tree = tree_of(file)
    return tuple(_within_classes(tree.module.body)) if tree else ()


def _within_classes(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        if isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test):
            continue
        yield statement
        if isinstance(statement, ast.ClassDef):
            inner = (each for each in statement.body if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from _within_classes(list(inner))


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    return (node for node in within(statement) if isinstance(node, ast.Call))


def _stored(statement: ast.stmt) -> Iterator[str]:
    for node in within(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def _asks(call: ast.Call, namespace: dict[str, Any]) -> bool:
    """Whether a call is one of the project or of AWS: by what is called, its name, or what it is called on."""
    target = _live(call.func, namespace)
    if _is_ours(target) or (target is not None and addresses.is_opener(dotted(target))):
        return True
    if not isinstance(call.func, ast.Attribute) or call.func.attr in _MAKERS:
        return False
    owner = call.func.value
    on_aws = isinstance(owner, ast.Name) and owner.id in namespace and _is_aws(namespace[owner.id])
    return on_aws or aws.is_telling(call.func.attr)


def _live(node: ast.expr, namespace: dict[str, Any]) -> Any:
    """What a name, or a name of a module or class, is now."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id)
    owner = _live(node.value, namespace) if isinstance(node, ast.Attribute) else None
    if not isinstance(node, ast.Attribute) or not isinstance(owner, types.ModuleType | type):
        return None
    found = inspect.getattr_static(owner, node.attr, None)
    return getattr(found, "__func__", found)


def _is_ours(target: Any) -> bool:
    from packyak.deploy.grants.infer.classes import is_ours

    return follows(target) or (isinstance(target, type) and is_ours(target))


def _is_aws(value: Any) -> bool:
    return any(isinstance(each, Aws) for each in wrap(value))


def _imported(file: str) -> Iterator[types.ModuleType]:
    """The modules that a file imports, and the packages that they lie in."""
    for module, attribute in imports_of(file).values():
        for name in (module, f"{module}.{attribute}" if attribute else ""):
            parts = name.split(".")
            for size in range(1, len(parts) + 1):
                found = sys.modules.get(".".join(parts[:size]))
                if found is not None:
                    yield found
