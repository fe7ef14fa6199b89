"""What builtins and the standard library do with things that hold others: pair them, call with them, pass them on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers, members
from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Atom, Live, Made, Value, one, union
from packyak.deploy.grants.infer.calls import call
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.live import wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.makers import first

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine


def listed(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """list(), tuple(), sorted(), reversed(), iter(): the same items."""
    if not args.positional:
        return m.make_list(node, ())
    if len(args.positional) > 1:  # iter(read, b""): read is called until it gives what stands there
        return m.make_list(node, (), call(m, args.positional[0], Args(), node, env))
    for function in args.named.get("key", NOTHING):
        call(m, one(function), Args([containers.element(m, args.positional[0], env, node)]), node, env)
    _compared(m, containers.element(m, args.positional[0], env, node), env, node)
    known = containers.sequence(m, args.positional[0], env, node)
    if known is not None and "key" not in args.named:
        return m.make_list(node, known)
    return m.make_list(node, (), containers.element(m, args.positional[0], env, node))


def sliced(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """itertools.islice(items, ...): some of the items."""
    return listed(m, Args(args.positional[:1]), node, env)


def joined(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """itertools.chain(a, b): everything that they hold."""
    return m.make_list(node, (), union(containers.element(m, each, env, node) for each in args.all()))


def flattened(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    inner = containers.element(m, first(args), env, node)
    return m.make_list(node, (), containers.element(m, inner, env, node))


def zipped(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    known = [containers.sequence(m, each, env, node) for each in args.positional]
    if args.star is None and all(each is not None for each in known) and known:
        rows = zip(*[each or [] for each in known], strict=False)
        return m.make_list(node, [m.make_list((node, at), list(row), NOTHING, "tuple") for at, row in enumerate(rows)])
    items = [containers.element(m, each, env, node) for each in args.all()]
    row = m.make_list(
        (node, "row"), items if args.star is None else (), union(items) if args.star else NOTHING, "tuple"
    )
    return m.make_list(node, (), row)


def enumerated(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    known = containers.sequence(m, first(args), env, node)
    if known is not None:
        rows = [m.make_list((node, at), [wrap(at), each], NOTHING, "tuple") for at, each in enumerate(known)]
        return m.make_list(node, rows)
    row = m.make_list((node, "row"), [UNKNOWN, containers.element(m, first(args), env, node)], NOTHING, "tuple")
    return m.make_list(node, (), row)


def next_of(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    found: Value = NOTHING
    for atom in first(args):
        own = members.dunder(m, atom, "__next__", [], env, node)
        found |= own or containers.element(m, one(atom), env, node)
    return found | (args.get(1, "") or NOTHING)


def chosen(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """min(), max()."""
    each = containers.element(m, first(args), env, node) if len(args.positional) == 1 else union(args.positional)
    _compared(m, each, env, node)
    if "key" in args.named:
        call(m, args.named["key"], Args([each]), node, env)
    return each | args.named.get("default", NOTHING)


def counted(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """sum(), any(), all(): everything is gone over."""
    _compared(m, containers.element(m, first(args), env, node), env, node)
    return UNKNOWN


def _compared(m: Machine, items: Value, env: Env, node: ast.AST) -> None:
    """Items are asked for their order, their truth or their sum."""
    for each in items:
        for name in ("__lt__", "__gt__", "__add__", "__radd__"):
            members.dunder(m, each, name, [items], env, node)
        members.dunder(m, each, "__bool__", [], env, node)


def dict_of(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    made = m.make("dict", node)
    m.certain.setdefault(made, set()).update(set(args.named) - args.maybe)
    for name, value in args.named.items():
        m.heap.add(made, name, value)
    if args.stars is not None:
        m.heap.add(made, REST, args.stars)
    for value in args.positional:
        _update(m, made, value, env, node)
        m.certain[made] |= containers.certain(m, value)
    return one(made)


def _update(m: Machine, made: Atom, value: Value, env: Env, node: ast.AST) -> None:
    for atom in value:
        if (isinstance(atom, Made) and atom.kind == "dict") or (
            isinstance(atom, Live) and isinstance(atom.value, dict)
        ):
            containers.extend(m, made, one(atom), env, node)
            continue
        for pair in containers.element(m, one(atom), env, node):
            parts = containers.sequence(m, one(pair), env, node)
            if parts is not None and len(parts) == 2:
                containers.set_item(m, made, parts[0], parts[1], env, node)
            else:
                m.heap.add(made, REST, containers.element(m, one(pair), env, node))


def mapped(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """map(f, a, b): f is called with the items."""
    return m.make_list(node, (), map_call(m, first(args), args.positional[1:], args, node, env))


def map_call(m: Machine, function: Value, over: list[Value], args: Args, node: ast.AST, env: Env) -> Value:
    """Calls a function with the items of some values, one by one where they are known."""
    known = [containers.sequence(m, each, env, node) for each in over]
    if over and args.star is None and all(each is not None for each in known):
        result: Value = NOTHING
        for at, row in enumerate(zip(*[each or [] for each in known], strict=False)):
            m.context.append((node, at))
            result |= call(m, function, Args(list(row)), node, env)
            m.context.pop()
        return result
    items = [containers.element(m, each, env, node) for each in over]
    star = containers.element(m, args.star, env, node) if args.star is not None else None
    return call(m, function, Args(items, star=star), node, env)


def filtered(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    items = args.get(1, "") or NOTHING
    each = containers.element(m, items, env, node)
    _compared(m, each, env, node)
    call(m, first(args), Args([each]), node, env)
    return m.make_list(node, (), each)


def starmapped(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    result: Value = NOTHING
    rows = args.get(1, "iterable") or NOTHING
    known = containers.sequence(m, rows, env, node)
    for row in known if known is not None else [containers.element(m, rows, env, node)]:
        for atom in row:
            parts = containers.sequence(m, one(atom), env, node)
            given = Args(parts) if parts is not None else Args(star=containers.element(m, one(atom), env, node))
            result |= call(m, first(args), given, node, env)
    return m.make_list(node, (), result)


def reduced(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    items = args.get(1, "") or NOTHING
    each = containers.element(m, items, env, node)
    start = args.get(2, "initial") or NOTHING
    return start | each | call(m, first(args), Args([start | each | UNKNOWN, each]), node, env)


def accumulated(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """itertools.accumulate(items, function)."""
    each = containers.element(m, first(args), env, node) | args.named.get("initial", NOTHING)
    function = args.get(1, "func")
    made = call(m, function, Args([each | UNKNOWN, each]), node, env) if function is not None else UNKNOWN
    return m.make_list(node, (), each | made)


def grouped(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """itertools.groupby(items, key): pairs of what `key` gives and the items."""
    each = containers.element(m, first(args), env, node)
    key = args.get(1, "key")
    word = call(m, key, Args([each]), node, env) if key is not None else each
    group = m.make_list((node, "group"), (), each)
    return m.make_list(node, (), m.make_list((node, "pair"), [word, group], NOTHING, "tuple"))


def in_rows(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """itertools.tee, pairwise, batched, combinations: rows of the items."""
    row = m.make_list((node, "row"), (), containers.element(m, first(args), env, node), "tuple")
    return m.make_list(node, (), row)


def largest(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """heapq.nlargest(count, items, key=...)."""
    each = containers.element(m, args.get(1, "iterable") or NOTHING, env, node)
    key = args.get(2, "key")
    if key is not None:
        call(m, key, Args([each]), node, env)
    return m.make_list(node, (), each)


def merged(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """heapq.merge(a, b, key=...)."""
    each = union(containers.element(m, value, env, node) for value in args.positional)
    if "key" in args.named:
        call(m, args.named["key"], Args([each]), node, env)
    return m.make_list(node, (), each)


def drawn(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """random.choice(items); choices and sample give several."""
    each = containers.element(m, args.get(1, "seq") or args.get(1, "population") or NOTHING, env, node)
    return each | m.make_list(node, (), each)


def shown_on_the_way(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """tqdm(items): the same items."""
    return m.make_list(node, (), containers.element(m, args.get(0, "iterable") or NOTHING, env, node) | UNKNOWN)
