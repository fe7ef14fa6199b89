"""Methods of lists, dicts, tuples and sets."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers
from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Atom, Known, Live, Value, one, union
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.machine import Args

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

_ADDS = ("append", "appendleft", "add", "insert")
_EXTENDS = ("extend", "extendleft", "update", "union", "__ior__")


def call(m: Machine, owner: Atom, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """`[...].name(...)`."""
    if name in _ADDS:
        m.heap.add(owner, REST, args.positional[-1] if args.positional else args.star or NOTHING)
        return one(Live(None))
    if name in _EXTENDS:
        return _extended(m, owner, name, args, node, env)
    if name in ("items", "values"):
        return one(Known(name, (one(owner),)))
    if name in ("keys", "copy", "__iter__", "difference", "intersection", "most_common", "elements"):
        return one(owner)
    if name in ("get", "setdefault", "__getitem__"):
        return _got(m, owner, name, args, node, env)
    if name == "pop":
        return _popped(m, owner, args, node, env)
    if name in ("popleft", "__next__", "send", "__anext__"):
        return containers.element(m, one(owner), env, node)
    if name == "popitem":
        named, rest = containers.mapping(m, one(owner))
        return m.make_list(node, [UNKNOWN | union(map(containers.key_value, named)), union(named.values()) | rest])
    if name == "sort" and "key" in args.named:
        from packyak.deploy.grants.infer.calls import call as call_value

        each = containers.element(m, one(owner), env, node)
        call_value(m, args.named["key"], Args([each]), node, env)
    if name in ("search", "build_full_result"):  # of a paginator's pages
        return UNKNOWN
    return UNKNOWN


def _extended(m: Machine, owner: Atom, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    for value in args.positional:
        containers.extend(m, owner, value, env, node)
    for word, value in args.named.items():
        m.heap.add(owner, word, value)
    for more in (args.star, args.stars):
        if more is not None:
            m.heap.add(owner, REST, more)
    return one(owner) if name == "union" else one(Live(None))


def _got(m: Machine, owner: Atom, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    key = args.get(0, "key") or UNKNOWN
    default = args.get(1, "default")
    if name == "setdefault" and default is not None:
        containers.set_item(m, owner, key, default, env, node)
    found = containers.items(m, one(owner), key, env, node)
    return found | (default if default is not None else one(Live(None)))


def _popped(m: Machine, owner: Atom, args: Args, node: ast.AST, env: Env) -> Value:
    key = args.get(0, "") if args.positional else None
    if key is None:
        return containers.element(m, one(owner), env, node)
    default = args.get(1, "") or NOTHING
    return containers.items(m, one(owner), key, env, node) | default
