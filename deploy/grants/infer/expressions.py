"""Expressions, each as a value: every alternative of what it may come to."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import containers, members, names
from packyak.deploy.grants.infer.arithmetic import filled_in, of_numbers
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Hole,
    Inner,
    Live,
    Super,
    Text,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.calls import call
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.live import wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import joined, path_joined, shown, text

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or", ast.BitXor: "xor", ast.BitAnd: "and",
    ast.MatMult: "matmul",
}  # fmt: skip
_COMPARED = {
    ast.Eq: "__eq__", ast.NotEq: "__ne__", ast.Lt: "__lt__", ast.LtE: "__le__", ast.Gt: "__gt__", ast.GtE: "__ge__",
}  # fmt: skip
_UNARY = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}


def evaluate(m: Machine, node: ast.expr, env: Env) -> Value:
    """The value of an expression, with everything that happens on the way."""
    return _EXPRESSIONS[type(node)](m, node, env)


def truth(m: Machine, node: ast.expr, env: Env) -> None:
    """A condition: both ways are taken, but asking may run code."""
    for atom in evaluate(m, node, env):
        if not members.dunder(m, atom, "__bool__", [], env, node):
            members.dunder(m, atom, "__len__", [], env, node)


def inner_of(m: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, env: Env) -> Inner:
    """A function that is made here; its defaults are made now."""
    spec = node.args
    by_position = [*spec.posonlyargs, *spec.args]
    found = [
        (each.arg, evaluate(m, default, env))
        for each, default in zip(by_position[len(by_position) - len(spec.defaults) :], spec.defaults, strict=True)
    ]
    found += [
        (each.arg, evaluate(m, default, env))
        for each, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        if default is not None
    ]
    return Inner(node, env, tuple(found))


def _constant(m: Machine, node: ast.Constant, env: Env) -> Value:
    return wrap(node.value)


def _name(m: Machine, node: ast.Name, env: Env) -> Value:
    return names.load(m, node.id, env, node)


def _attribute(m: Machine, node: ast.Attribute, env: Env) -> Value:
    owners = evaluate(m, node.value, env)
    return union(members.attribute(m, owner, node.attr, env, node) for owner in members.likely(owners))


def _subscript(m: Machine, node: ast.Subscript, env: Env) -> Value:
    owners = evaluate(m, node.value, env)
    if isinstance(node.slice, ast.Slice):
        for each in (node.slice.lower, node.slice.upper, node.slice.step):
            if each is not None:
                evaluate(m, each, env)
        return union(containers.sliced(m, owner, node, env) for owner in owners)
    key = evaluate(m, node.slice, env)
    return containers.items(m, members.likely(owners), key, env, node)


def _call(m: Machine, node: ast.Call, env: Env) -> Value:
    if isinstance(node.func, ast.Name) and node.func.id == "super":
        found = _super(m, node, env)
        if found is not None:
            return found
    function = evaluate(m, node.func, env)
    return call(m, function, arguments(m, node, env), node, env)


def _super(m: Machine, node: ast.Call, env: Env) -> Value | None:
    if names.load(m, "super", env, node) != wrap(super):
        return None
    if node.args:
        kinds, owners = evaluate(m, node.args[0], env), evaluate(m, node.args[1], env)
    else:
        scope = env
        while scope.around is not None and not scope.first:
            scope = scope.around
        kinds, owners = names.load(m, "__class__", env, node), scope.first
    return frozenset(Super(kind, owner) for kind in kinds for owner in owners)


def arguments(m: Machine, node: ast.Call, env: Env) -> Args:
    """What a call hands over; what is spread is taken apart where it is known."""
    args = Args()
    for each in node.args:
        if not isinstance(each, ast.Starred):
            value = evaluate(m, each, env)
            if args.star is None:
                args.positional.append(value)
            else:
                args.star |= value
            continue
        spread = evaluate(m, each.value, env)
        known = containers.sequence(m, spread, env, each) if args.star is None else None
        if known is not None:
            args.positional += known
        else:
            args.star = (args.star or NOTHING) | containers.element(m, spread, env, each)
    for keyword in node.keywords:
        value = evaluate(m, keyword.value, env)
        if keyword.arg is not None:
            args.named[keyword.arg] = value
            continue
        for atom in value:
            members.dunder(m, atom, "keys", [], env, node)
        named, rest = containers.mapping(m, value)
        args.maybe |= frozenset(named) - containers.certain(m, value)
        for name, held in named.items():
            args.named[name] = args.named.get(name, NOTHING) | held
        if rest:
            args.stars = (args.stars or NOTHING) | rest
    return args


# -- operators


def _binary(m: Machine, node: ast.BinOp, env: Env) -> Value:
    left, right = evaluate(m, node.left, env), evaluate(m, node.right, env)
    word = _BINARY[type(node.op)]
    result: Value = NOTHING
    for one_side, name, other in ((left, f"__{word}__", right), (right, f"__r{word}__", left)):
        for atom in one_side:
            result |= members.dunder(m, atom, name, [other], env, node) or NOTHING
    if result:
        return result
    if isinstance(node.op, ast.Mod) and any(isinstance(each, Text) for each in left):
        return filled_in(m, left, right, node, env)
    if isinstance(node.op, ast.Add) and any(isinstance(each, Text) for each in left | right):
        return joined(left, right)
    if isinstance(node.op, ast.Div) and any(isinstance(each, Text) for each in left | right):
        return path_joined([left, right])
    found = of_numbers(node.op, left, right)
    if found is not None:
        return found
    both = left | right
    if isinstance(node.op, ast.Add | ast.BitOr) and any(containers.is_container(each) for each in both):
        return containers.merged(m, node, left, right, env)
    return UNKNOWN


def _unary(m: Machine, node: ast.UnaryOp, env: Env) -> Value:
    value = evaluate(m, node.operand, env)
    name = _UNARY.get(type(node.op))
    if name is None:
        truth_of = [members.dunder(m, atom, "__bool__", [], env, node) for atom in value]
        return UNKNOWN | (union(truth_of) - union(truth_of))
    found = union(members.dunder(m, atom, name, [], env, node) for atom in value)
    numbers = {each.value for each in value if isinstance(each, Live) and type(each.value) in (int, float)}
    if len(numbers) == len(value) == 1 and isinstance(node.op, ast.USub):
        return wrap(-numbers.pop())
    return found or UNKNOWN


def _either(m: Machine, node: ast.BoolOp, env: Env) -> Value:
    values = [evaluate(m, each, env) for each in node.values]
    for atom in union(values):
        members.dunder(m, atom, "__bool__", [], env, node)
    return union(values)


def _compared(m: Machine, node: ast.Compare, env: Env) -> Value:
    left = evaluate(m, node.left, env)
    for operator, right_node in zip(node.ops, node.comparators, strict=True):
        right = evaluate(m, right_node, env)
        name = _COMPARED.get(type(operator))
        if name is not None:
            for atom in left:
                members.dunder(m, atom, name, [right], env, node)
        elif isinstance(operator, ast.In | ast.NotIn):
            for atom in right:
                if not members.dunder(m, atom, "__contains__", [left], env, node):
                    members.dunder(m, atom, "__iter__", [], env, node)
                containers.consumed(m, atom, env, node)
        left = right
    return UNKNOWN


def _choice(m: Machine, node: ast.IfExp, env: Env) -> Value:
    truth(m, node.test, env)
    return evaluate(m, node.body, env) | evaluate(m, node.orelse, env)


def _walrus(m: Machine, node: ast.NamedExpr, env: Env) -> Value:
    value = evaluate(m, node.value, env)
    names.store(m, node.target.id, value, env)
    return value


# -- texts


def _f_string(m: Machine, node: ast.JoinedStr, env: Env) -> Value:
    pieces: list[Value] = []
    for each in node.values:
        if isinstance(each, ast.Constant):
            pieces.append(wrap(each.value))
            continue
        assert isinstance(each, ast.FormattedValue)
        value = evaluate(m, each.value, env)
        spec = evaluate(m, each.format_spec, env) if each.format_spec is not None else None
        if spec is None and each.conversion in (-1, ord("s")):
            value = members.as_text(m, value, env, node)
            pieces.append(frozenset(map(shown, value)))
        else:
            members.as_text(m, value, env, node)
            known = next((part.known for part in spec or () if isinstance(part, Text)), None)
            exact = known is not None and len(value) == 1 and each.conversion == -1
            pieces.append(frozenset(shown(part, known or "") for part in value) if exact else one(text(Hole())))
    return joined(*pieces)


# -- what is made


def _lambda(m: Machine, node: ast.Lambda, env: Env) -> Value:
    return one(inner_of(m, node, env))


def _list(m: Machine, node: ast.List | ast.Tuple | ast.Set, env: Env) -> Value:
    kind = type(node).__name__.lower()
    items: list[Value] = []
    rest: Value = NOTHING
    for each in node.elts:
        if isinstance(each, ast.Starred):
            spread = evaluate(m, each.value, env)
            known = containers.sequence(m, spread, env, each) if not rest else None
            if known is not None:
                items += known
            else:
                rest |= containers.element(m, spread, env, each)
        elif rest:
            rest |= evaluate(m, each, env)
        else:
            items.append(evaluate(m, each, env))
    if rest:
        return m.make_list(node, (), union([*items, rest]), kind)
    return m.make_list(node, items, NOTHING, kind)


def _dict(m: Machine, node: ast.Dict, env: Env) -> Value:
    made = m.make("dict", node)
    for key, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(m, value_node, env)
        if key is None:
            named, rest = containers.mapping(m, value)
            for name, held in named.items():
                m.heap.add(made, name, held)
            if rest:
                m.heap.add(made, REST, rest)
        else:
            word = evaluate(m, key, env)
            if len(word) == 1:
                m.certain.setdefault(made, set()).update(filter(None, map(containers.key_name, word)))
            containers.set_item(m, made, word, value, env, node)
    return one(made)


def _comprehension(m: Machine, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, env: Env) -> Value:
    made: list[Value] = []
    known = _turns(m, node, node.generators, env, lambda scope: made.append(_made_by(m, node, scope)))
    if isinstance(node, ast.DictComp):
        return union(made)
    if known and len(made) <= containers.MOST:
        return m.make_list(node, made, NOTHING, "list")
    return m.make_list(node, (), union(made) or NOTHING, "list")


def _made_by(m: Machine, node: ast.AST, scope: Env) -> Value:
    if isinstance(node, ast.DictComp):
        made = m.make("dict", node)
        made = type(made)(made.kind, (node,), None)
        containers.set_item(m, made, evaluate(m, node.key, scope), evaluate(m, node.value, scope), scope, node)
        return one(made)
    assert isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp)
    return evaluate(m, node.elt, scope)


def _turns(
    m: Machine, node: ast.AST, generators: list[ast.comprehension], env: Env, then: Callable[[Env], object]
) -> bool:
    """Runs a comprehension. Whether its length is known."""
    from packyak.deploy.grants.infer.statements import bind

    if not generators:
        then(env)
        return True
    first, *others = generators
    over = evaluate(m, first.iter, env)
    items = containers.sequence(m, over, env, first.iter)
    turns = items if items is not None else [containers.element(m, over, env, first.iter)]
    known = items is not None and not first.ifs
    for at, item in enumerate(turns):
        m.context.append((first, at))
        targets = frozenset(each.id for each in ast.walk(first.target) if isinstance(each, ast.Name))
        scope = m.scope(first, env, targets)
        bind(m, first.target, item, scope)
        for condition in first.ifs:
            truth(m, condition, scope)
        known = _turns(m, node, others, scope, then) and known
        env.yielded |= scope.yielded
        m.context.pop()
    return known


# -- asynchronous code and generators


def _await(m: Machine, node: ast.Await, env: Env) -> Value:
    node.value.is_awaited = True  # type: ignore[attr-defined]
    value = evaluate(m, node.value, env)
    return members.awaited(m, value, env, node)


def _yield(m: Machine, node: ast.Yield, env: Env) -> Value:
    env.yielded |= evaluate(m, node.value, env) if node.value is not None else one(Live(None))
    return UNKNOWN


def _yield_from(m: Machine, node: ast.YieldFrom, env: Env) -> Value:
    inner = evaluate(m, node.value, env)
    env.yielded |= containers.element(m, inner, env, node)
    return union(m.heap.get(("returned", each), "value") for each in inner) or UNKNOWN


def _starred(m: Machine, node: ast.Starred, env: Env) -> Value:
    return evaluate(m, node.value, env)


def _slice(m: Machine, node: ast.Slice, env: Env) -> Value:
    return one(Unknown())


_EXPRESSIONS: dict[type[ast.expr], Callable[[Machine, Any, Env], Value]] = {
    ast.Constant: _constant, ast.Name: _name, ast.Attribute: _attribute, ast.Subscript: _subscript, ast.Call: _call,
    ast.BinOp: _binary, ast.UnaryOp: _unary, ast.BoolOp: _either, ast.Compare: _compared, ast.IfExp: _choice,
    ast.NamedExpr: _walrus, ast.JoinedStr: _f_string, ast.Lambda: _lambda, ast.List: _list, ast.Tuple: _list,
    ast.Set: _list, ast.Dict: _dict, ast.ListComp: _comprehension, ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension, ast.DictComp: _comprehension, ast.Await: _await, ast.Yield: _yield,
    ast.YieldFrom: _yield_from, ast.Starred: _starred, ast.Slice: _slice,
}  # fmt: skip
