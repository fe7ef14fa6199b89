"""What a name means where it stands, and what giving it a value changes."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer.atoms import NOTHING, Unknown, Value, one
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import is_followed, module_file, within, wrap, writers_of
from packyak.deploy.grants.infer.settings import names_of_regions, unsettled, unsettled_names
from packyak.engine.declare.source import FunctionNode

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

Names = frozenset[str]


def load(m: Machine, name: str, env: Env, node: ast.AST) -> Value:
    """The value of a name."""
    env = _scope(env, name)
    if name not in env.outside:
        if env.owns(name):
            value = (env.vars or {}).get(name, NOTHING)
            return value | env.ever(name) if name in env.shared else value
        around = env.around
        while around is not None:
            if around.owns(name) and not around.in_class:
                return around.ever(name)
            around = around.around
        cell = _cell(env, name)
        if cell is not None:
            return m.heap.get(("cell", id(cell)), name) | _content(cell)
    return from_module(m, env.live.__globals__, name)


def from_module(m: Machine, namespace: dict[str, Any], name: str) -> Value:
    """A name of a module: what it is now, what code that was read gives it, and what other code may."""
    found = m.heap.get(("module", id(namespace)), name)
    file = module_file(namespace)
    file = file if is_followed(file) else ""
    if name in namespace:
        found |= wrap(namespace[name])
        names = unsettled_names(file)
        if name in names_of_regions(file) and isinstance(namespace[name], str | None):
            return found - wrap(namespace[name]) | wrap("{region}")
        if name in names:
            return found - wrap(namespace[name]) | unsettled(m, namespace[name], name, names[name])
    elif hasattr(builtins, name):
        return found | wrap(getattr(builtins, name))
    if file and not writers_of(file).get(name, frozenset()) <= m.read:
        found |= one(Unknown(changed=name))
    return found


def store(m: Machine, name: str, value: Value, env: Env) -> None:
    """Gives a name a value."""
    env = _scope(env, name)
    if name in env.outside:
        m.heap.add(("module", id(env.live.__globals__)), name, value)
        return
    if name not in env.nonlocals:
        env.set(name, value)
        return
    around = env.around
    while around is not None:
        if around.owns(name):
            m.heap.add(around, name, value)
            return
        around = around.around
    cell = _cell(env, name)
    if cell is not None:
        m.heap.add(("cell", id(cell)), name, value)


def _scope(env: Env, name: str) -> Env:
    """A comprehension has its own targets and shares everything else with the code around it."""
    while env.transparent and not env.owns(name) and env.around is not None:
        env = env.around
    return env


def _cell(env: Env, name: str) -> Any:
    function = env.live
    code = function.__code__
    if name in code.co_freevars:
        return function.__closure__[code.co_freevars.index(name)]
    return None


def _content(cell: Any) -> Value:
    try:
        return wrap(cell.cell_contents)
    except ValueError:
        return NOTHING


def names_of(tree: FunctionNode) -> tuple[Names, Names, Names]:
    """The names that a function has of its own, those it declares global, and nonlocal."""
    spec = tree.args
    own = {each.arg for each in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)}
    own |= {each.arg for each in (spec.vararg, spec.kwarg) if each is not None}
    outside: set[str] = set()
    nonlocals: set[str] = set()
    of_comprehensions = {
        id(name) for node in within(tree) if isinstance(node, ast.comprehension) for name in ast.walk(node.target)
    }
    for node in within(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            if id(node) not in of_comprehensions:
                own.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            own |= {each.asname or each.name.partition(".")[0] for each in node.names}
        elif (isinstance(node, ast.ExceptHandler) and node.name) or (
            isinstance(node, ast.MatchAs | ast.MatchStar) and node.name
        ):
            own.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            own.add(node.rest)
        elif isinstance(node, ast.Global):
            outside |= set(node.names)
        elif isinstance(node, ast.Nonlocal):
            nonlocals |= set(node.names)
    return frozenset(own), frozenset(outside), frozenset(nonlocals)
