"""Statements, one after another, and what they leave in the variables."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import containers, members, names, patterns
from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Live, Made, Text, Unknown, Value, one, union
from packyak.deploy.grants.infer.expressions import evaluate, inner_of, truth
from packyak.deploy.grants.infer.heap import Env, join
from packyak.deploy.grants.infer.live import followed_class as follows_class
from packyak.deploy.grants.infer.live import within
from packyak.deploy.grants.infer.texts import shared_start

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

TURNS = 8  # of a loop, before what still changes counts as unknown
WIDER = 3  # the turn from which texts keep only what they have in common


def run_block(m: Machine, body: Sequence[ast.stmt], env: Env) -> None:
    """Runs statements in order, until nothing after them is reached."""
    for statement in body:
        if env.vars is None:
            return
        run = _STATEMENTS.get(type(statement))
        if run is None:
            m.refuse(statement, env, f"`{ast.unparse(statement)[:60]}` is no statement that is followed")
        else:
            run(m, statement, env)


# -- names and values


def _expression(m: Machine, node: ast.Expr, env: Env) -> None:
    evaluate(m, node.value, env)


def _assign(m: Machine, node: ast.Assign, env: Env) -> None:
    value = evaluate(m, node.value, env)
    for target in node.targets:
        bind(m, target, value, env)


def _annotated(m: Machine, node: ast.AnnAssign, env: Env) -> None:
    if node.value is not None:
        bind(m, node.target, evaluate(m, node.value, env), env)


def _augmented(m: Machine, node: ast.AugAssign, env: Env) -> None:
    reading, both = _as_expression(node)
    before = evaluate(m, reading, env)
    after = evaluate(m, both, env)
    for each in before:
        word = f"__i{type(node.op).__name__.lower()}__"
        after |= members.dunder(m, each, _IN_PLACE.get(word, word), [evaluate(m, node.value, env)], env, node)
    held = frozenset(each for each in before if type(each).__name__ == "Made")
    for each in held:  # `items += [f]` changes the list itself
        containers.extend(m, each, evaluate(m, node.value, env), env, node)
    bind(m, node.target, after | held, env)


_IN_PLACE = {
    "__imult__": "__imul__", "__idiv__": "__itruediv__", "__ibitor__": "__ior__", "__ibitand__": "__iand__",
    "__ibitxor__": "__ixor__", "__imatmult__": "__imatmul__",
}  # fmt: skip


@lru_cache(maxsize=4096)
def _as_expression(node: ast.AugAssign) -> tuple[ast.expr, ast.expr]:
    """`x += y` as `x` and `x + y`; always the same nodes for the same statement."""
    reading: ast.expr = ast.copy_location(_as_read(node.target), node.target)
    return reading, ast.copy_location(ast.BinOp(reading, node.op, node.value), node)


def _as_read(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        made = ast.Attribute(target.value, target.attr, ast.Load())
        made.end_lineno = target.end_lineno
        return made
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(target.value, target.slice, ast.Load())


def bind(m: Machine, target: ast.expr, value: Value, env: Env) -> None:
    """Gives a target a value."""
    if isinstance(target, ast.Name):
        names.store(m, target.id, value, env)
    elif isinstance(target, ast.Attribute):
        for owner in members.likely(evaluate(m, target.value, env)):
            members.set_attribute(m, owner, target.attr, value, env, target)
    elif isinstance(target, ast.Subscript):
        owners, key = evaluate(m, target.value, env), evaluate(m, target.slice, env)
        for owner in members.likely(owners):
            containers.set_item(m, owner, key, value, env, target)
    elif isinstance(target, ast.Starred):
        bind(m, target.value, value, env)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(m, target, value, env)


def _unpack(m: Machine, target: ast.Tuple | ast.List, value: Value, env: Env) -> None:
    starred = [at for at, each in enumerate(target.elts) if isinstance(each, ast.Starred)]
    size = len(target.elts)
    parts: list[Value] = [NOTHING] * size
    for atom in value:
        known = containers.sequence(m, one(atom), env, target)
        if known is None or (not starred and len(known) != size) or len(known) < size - 1:
            each = containers.element(m, one(atom), env, target)
            parts = [part | each for part in parts]
            continue
        if starred:
            at, behind = starred[0], size - starred[0] - 1
            middle = union(known[at : len(known) - behind])
            known = [*known[:at], middle, *known[len(known) - behind :]]
        parts = [part | each for part, each in zip(parts, known, strict=True)]
    for inner, part in zip(target.elts, parts, strict=True):
        if isinstance(inner, ast.Starred):
            bind(m, inner.value, m.make_list(inner, (), part), env)
        else:
            bind(m, inner, part, env)


def _delete(m: Machine, node: ast.Delete, env: Env) -> None:
    for target in node.targets:
        if isinstance(target, ast.Subscript):
            for owner in evaluate(m, target.value, env):
                members.dunder(m, owner, "__delitem__", [evaluate(m, target.slice, env)], env, node)
        elif isinstance(target, ast.Attribute):
            for owner in evaluate(m, target.value, env):
                members.dunder(m, owner, "__delattr__", [UNKNOWN], env, node)


# -- definitions


def _function(m: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef, env: Env) -> None:
    value: Value = one(inner_of(m, node, env))
    for decorator in reversed(node.decorator_list):
        value = members.call_value(m, evaluate(m, decorator, env), [value], env, decorator)
    names.store(m, node.name, value, env)


def _class(m: Machine, node: ast.ClassDef, env: Env) -> None:
    from packyak.deploy.grants.infer.classes import define

    value = define(m, node, env)
    for decorator in reversed(node.decorator_list):
        found = evaluate(m, decorator, env)
        made = members.call_value(m, found, [value], env, decorator)
        known = frozenset(each for each in made if not isinstance(each, Unknown))
        value = known or value
    names.store(m, node.name, value, env)


def _import(m: Machine, node: ast.Import | ast.ImportFrom, env: Env) -> None:
    from packyak.deploy.grants.infer.modules import imported_names

    for name, value in imported_names(m, node, env):
        names.store(m, name, value, env)


# -- ways


def _if(m: Machine, node: ast.If, env: Env) -> None:
    truth(m, node.test, env)
    if isinstance(node.test, ast.Name | ast.Attribute) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        run_block(m, node.orelse, env)
        return
    before = env.vars
    env.vars = dict(before or {})
    run_block(m, node.body, env)
    first, env.vars = env.vars, dict(before or {})
    run_block(m, node.orelse, env)
    env.vars = join(first, env.vars)


def _for(m: Machine, node: ast.For | ast.AsyncFor, env: Env) -> None:
    over = evaluate(m, node.iter, env)
    known = containers.sequence(m, over, env, node.iter)
    if known is not None:
        _unrolled(m, node, known, env)
    else:
        each = containers.element(m, over, env, node.iter)
        _loop(m, env, lambda: bind(m, node.target, each, env), node.body)
    run_block(m, node.orelse, env) if env.vars is not None else None


def _unrolled(m: Machine, node: ast.For | ast.AsyncFor, items: list[Value], env: Env) -> None:
    """A loop over what is wholly known, turn by turn."""
    out: list[dict[str, Value] | None] = [] if items else [env.vars]
    for at, item in enumerate(items):
        if env.vars is None:
            break
        m.context.append((node, at))
        env.loops.append([])
        env.exits.append([])
        bind(m, node.target, item, env)
        run_block(m, node.body, env)
        env.vars = join(env.vars, *env.loops.pop())
        out += env.exits.pop()
        m.context.pop()
    env.vars = join(env.vars, *out)


def _while(m: Machine, node: ast.While, env: Env) -> None:
    _loop(m, env, lambda: truth(m, node.test, env), node.body)
    if env.vars is not None:
        run_block(m, node.orelse, env)


def _loop(m: Machine, env: Env, begin: Callable[[], object], body: Sequence[ast.stmt]) -> None:
    """A loop of unknown length: until its variables hold nothing new."""
    before = dict(env.vars or {})
    out: list[dict[str, Value] | None] = [before]
    for turn in range(TURNS + 1):
        env.vars = dict(before)
        env.loops.append([])
        env.exits.append([])
        begin()
        out.append(env.vars)
        run_block(m, body, env)
        again = join(before, env.vars, *env.loops.pop()) or before
        out += env.exits.pop()
        if turn >= WIDER:
            again = {name: _wider(before.get(name, NOTHING), value) for name, value in again.items()}
        if again == before:
            break
        if turn == TURNS - 1:
            again = {name: value if value == before.get(name) else value | UNKNOWN for name, value in again.items()}
        before = again
    env.vars = join(before, *out)


def _wider(before: Value, after: Value) -> Value:
    texts = [each for each in after if isinstance(each, Text)]
    if len(texts) > 1 and not frozenset(texts) <= before:
        after = after - set(texts) | {shared_start(sorted(texts, key=repr))}
    numbers = [each for each in after if isinstance(each, Live) and isinstance(each.value, int | float)]
    return after - set(numbers) | {Unknown()} if len(numbers) > 3 else after


def _break(m: Machine, node: ast.Break, env: Env) -> None:
    if env.vars is not None and env.exits:
        env.exits[-1].append(env.vars)
    env.vars = None


def _continue(m: Machine, node: ast.Continue, env: Env) -> None:
    if env.vars is not None and env.loops:
        env.loops[-1].append(env.vars)
    env.vars = None


def _return(m: Machine, node: ast.Return, env: Env) -> None:
    env.returned |= evaluate(m, node.value, env) if node.value is not None else one(Live(None))
    env.vars = None


def _raise(m: Machine, node: ast.Raise, env: Env) -> None:
    for each in (node.exc, node.cause):
        if each is not None:
            raised = evaluate(m, each, env)
            if not raised <= m.raised:
                m.raised |= raised
                m.heap.version += 1
    env.vars = None


def _try(m: Machine, node: ast.Try, env: Env) -> None:
    before = dict(env.vars or {})
    run_block(m, node.body, env)
    well = env.vars
    anywhere = _at_any_moment(node.body, before, env)
    if well is not None:
        run_block(m, node.orelse, env)
        well = env.vars
    ends: list[dict[str, Value] | None] = [well]
    for handler in node.handlers:
        env.vars = dict(anywhere)
        kinds = evaluate(m, handler.type, env) if handler.type is not None else NOTHING
        if handler.name:
            names.store(m, handler.name, _caught(m, kinds), env)
        run_block(m, handler.body, env)
        ends.append(env.vars)
    reached = join(*ends)
    if node.finalbody:
        env.vars = join(reached, _at_any_moment([*node.body, *node.orelse, *node.handlers], anywhere, env))
        run_block(m, node.finalbody, env)
        env.vars = env.vars if reached is not None else None
    else:
        env.vars = reached


def _caught(m: Machine, kinds: Value) -> Value:
    """What an except clause may get: of the project's own exceptions those that were seen to be raised."""
    wanted = [each.value for each in kinds if isinstance(each, Live) and isinstance(each.value, type)]
    if len(wanted) == len(kinds) == 1 and follows_class(wanted[0]):
        fitting = frozenset(
            each
            for each in m.raised
            if isinstance(each, Made) and isinstance(each.kind_of, Live) and issubclass(each.kind_of.value, wanted[0])
        )
        if fitting:
            return fitting
    return UNKNOWN | m.raised


def _at_any_moment(body: Sequence[ast.AST], before: dict[str, Value], env: Env) -> dict[str, Value]:
    """The variables as they may be when an exception comes: each may have any value that it is given."""
    found = dict(before)
    for each in body:
        for node in (each, *within(each)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = found.get(node.id, NOTHING) | env.ever(node.id)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    found[name] = found.get(name, NOTHING) | env.ever(name)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[node.name] = found.get(node.name, NOTHING) | env.ever(node.name)
    return found


def _with(m: Machine, node: ast.With | ast.AsyncWith, env: Env) -> None:
    entered = []
    for item in node.items:
        context = evaluate(m, item.context_expr, env)
        entered.append(context)
        value = members.enter(m, context, env, item.context_expr)
        if item.optional_vars is not None:
            bind(m, item.optional_vars, value, env)
    before = dict(env.vars or {})
    run_block(m, node.body, env)
    inside = env.vars
    env.vars = join(inside, _at_any_moment(node.body, before, env))  # it may swallow an exception
    for context in reversed(entered):
        for atom in context:
            for name in ("__exit__", "__aexit__"):
                members.dunder(m, atom, name, [UNKNOWN] * 3, env, node)


def _match(m: Machine, node: ast.Match, env: Env) -> None:
    subject = evaluate(m, node.subject, env)
    before = dict(env.vars or {})
    ends: list[dict[str, Value] | None] = [before]
    for case in node.cases:
        env.vars = dict(before)
        patterns.match(m, case.pattern, subject, env)
        if case.guard is not None:
            truth(m, case.guard, env)
        run_block(m, case.body, env)
        ends.append(env.vars)
    env.vars = join(*ends)


def _nothing(m: Machine, node: ast.stmt, env: Env) -> None:
    return


def _assert(m: Machine, node: ast.Assert, env: Env) -> None:
    truth(m, node.test, env)
    if node.msg is not None:
        evaluate(m, node.msg, env)


_STATEMENTS: dict[type[ast.stmt], Callable[[Machine, Any, Env], None]] = {
    ast.Expr: _expression, ast.Assign: _assign, ast.AnnAssign: _annotated, ast.AugAssign: _augmented,
    ast.Delete: _delete, ast.FunctionDef: _function, ast.AsyncFunctionDef: _function, ast.ClassDef: _class,
    ast.Import: _import, ast.ImportFrom: _import, ast.If: _if, ast.For: _for, ast.AsyncFor: _for, ast.While: _while,
    ast.Break: _break, ast.Continue: _continue, ast.Return: _return, ast.Raise: _raise, ast.Try: _try,
    ast.TryStar: _try, ast.With: _with, ast.AsyncWith: _with, ast.Match: _match, ast.Assert: _assert,
    ast.Pass: _nothing, ast.Global: _nothing, ast.Nonlocal: _nothing,
}  # fmt: skip
