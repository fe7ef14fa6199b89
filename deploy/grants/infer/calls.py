"""Calls of anything, and what happens to what is handed to code that is not read."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import aws, classes, ours
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    OURS,
    UNKNOWN,
    Atom,
    Aws,
    Bound,
    Bucketed,
    BucketVerb,
    Collection,
    FileMember,
    FileOf,
    Foreign,
    Inner,
    Known,
    Live,
    Made,
    Method,
    Partial,
    Text,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import (
    dotted,
    follows,
    in_closure,
    live_functions,
    live_services,
    services_in,
    wrap,
)
from packyak.deploy.grants.infer.machine import ANY, Args
from packyak.deploy.grants.infer.texts import shown_node
from packyak.engine.declare.bucket import Bucket, File
from packyak.engine.declare.declared import Declared
from packyak.engine.declare.secret import Secret

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine


def call(m: Machine, function: Value, args: Args, node: ast.AST, env: Env) -> Value:
    """Calls every alternative of a value."""
    from packyak.deploy.grants.infer.members import likely

    return union([_call(m, atom, args, node, env) for atom in likely(function)])


def _call(m: Machine, what: Atom, args: Args, node: ast.AST, env: Env) -> Value:
    from packyak.deploy.grants.infer import foreign, methods
    from packyak.deploy.grants.infer.members import dunder

    if isinstance(what, Inner):
        return m.call_inner(what, args, node)
    if isinstance(what, Bound):
        bound = dataclasses.replace(args, positional=[one(what.owner), *args.positional])
        return _call(m, what.function, bound, node, env)
    if isinstance(what, Partial):
        given = dataclasses.replace(
            args, positional=[*what.positional, *args.positional], named=dict(what.named) | args.named
        )
        return call(m, what.function, given, node, env)
    if isinstance(what, Aws):
        return aws.call(m, what, dataclasses.replace(args, named=dict(args.named)), node, env)
    if isinstance(what, BucketVerb | FileMember):
        return ours.call(m, what, args, node, env)
    if isinstance(what, Known):
        return methods.call_known(m, what, args, node, env)
    if isinstance(what, Method):
        return methods.call_method(m, what, args, node, env)
    if isinstance(what, Live):
        return call_object(m, what, args, node, env)
    if isinstance(what, Made):
        if what.kind == "class":
            return classes.construct_made(m, what, args, node, env)
        return _called(m, what, args, node, env)
    if isinstance(what, Foreign):
        return foreign.call(m, what.name, None, args, node, env)
    if isinstance(what, Unknown):
        return _unknown(m, what, args, node, env)
    dunder(m, what, "__call__", [], env, node)
    return UNKNOWN


def _called(m: Machine, what: Atom, args: Args, node: ast.AST, env: Env) -> Value:
    """An object with `__call__`."""
    from packyak.deploy.grants.infer import foreign

    if isinstance(what, Made) and isinstance(what.kind_of, Made):
        found = classes.lookup(m, what.kind_of, "__call__")
        return union(_call(m, Bound(each, what), args, node, env) for each in found)
    kind = what.kind_of.value if isinstance(what, Made) and isinstance(what.kind_of, Live) else None
    kind = type(what.value) if isinstance(what, Live) else kind
    found_live = inspect.getattr_static(kind, "__call__", None) if kind is not None else None
    if follows(found_live) or hasattr(found_live, "__wrapped__"):
        return _call(m, Bound(Live(found_live), what), args, node, env)
    if kind is not None and classes.is_ours(kind) and (what, "called") not in m.escaped:
        m.escaped.add((what, "called"))  # `__call__` of a parent that is not read may call any method
        _methods(m, kind, what, node, env)
    if isinstance(what, Live):
        held(m, what.value, node, env)
        if getattr(what.value, "__qualname__", None):  # a function of some compiler's own kind
            return foreign.call(m, dotted(what.value), what.value, args, node, env)
    return opaque(m, dotted(kind) if kind else "this", args, node, env)


def held(m: Machine, value: Any, node: ast.AST, env: Env) -> None:
    """An object of code that is not read may call the project's functions that it holds."""

    for function in live_functions(in_closure(value) if isinstance(value, types.FunctionType) else value):
        if (function, "held") not in m.escaped:
            m.escaped.add((function, "held"))
            m.call_live(function, ANY, node, env)
    services = live_services(in_closure(value) if isinstance(value, types.FunctionType) else value)
    if services:
        m.refuse(node, env, f"`{shown_node(node)}` is code that is not read, and holds what reaches AWS", services)


def _unknown(m: Machine, what: Unknown, args: Args, node: ast.AST, env: Env) -> Value:
    if what.told:
        return one(what)
    camel = [name for name in args.named if name[:1].isupper()]
    if what.given or what.changed:
        name = what.given or what.changed
        how = "is given from outside" if what.given else "gets its value elsewhere"
        return m.refuse(node, env, f"`{name}` {how}, and what calling it does is not known")
    if camel:
        return m.refuse(node, env, f"what is called with {', '.join(camel)} is not known")
    return opaque(m, "what is not known", args, node, env)


def call_object(m: Machine, what: Live, args: Args, node: ast.AST, env: Env) -> Value:
    """Calls a live object."""
    from packyak.deploy.grants.infer import foreign, methods, stdlib

    value = what.value
    if isinstance(value, Declared):
        return call(m, wrap(value.function), args, node, env)
    name = dotted(value)
    if value is Bucket:
        found = args.get(0, "name")
        return one(Bucketed(found if found is not None else UNKNOWN))
    if value is Secret:
        return ours.secret(m, args.get(0, "name"), env, node)
    if value is File:
        key, bucket = args.get(0, "key"), args.get(1, "bucket")
        return one(FileOf(bucket or NOTHING, key or UNKNOWN))
    known = stdlib.CALLS.get(name)
    if known is not None and getattr(value, "__name__", None) is not None:
        return known(m, args, node, env)
    if isinstance(value, types.FunctionType):
        return _function(m, what, value, args, node, env)
    if isinstance(value, type):
        if classes.is_ours(value):
            return classes.construct(m, value, args, node, env)
        return foreign.made(m, value, args, node, env)
    if isinstance(value, functools.partial):
        return call(m, wrap(value), args, node, env)
    if isinstance(value, types.BuiltinFunctionType | types.MethodDescriptorType | types.WrapperDescriptorType):
        owner = getattr(value, "__self__", None)
        if owner is not None and not isinstance(owner, types.ModuleType | type):
            return methods.call_method(m, Method(next(iter(wrap(owner))), value.__name__), args, node, env)
        return foreign.call(m, name, value, args, node, env)
    own_call = inspect.getattr_static(type(value), "__call__", None)
    if hasattr(value, "__wrapped__") and not follows(own_call):
        return _wrapped(m, value, args, node, env)
    if value is None or isinstance(value, int | float | bytes):
        return NOTHING
    return _called(m, what, args, node, env)


def _function(m: Machine, what: Live, value: types.FunctionType, args: Args, node: ast.AST, env: Env) -> Value:
    from packyak.deploy.grants.infer import foreign

    registry = getattr(value, "registry", None)
    if hasattr(value, "dispatch") and isinstance(registry, types.MappingProxyType):  # functools.singledispatch
        return union(call(m, wrap(each), args, node, env) for each in registry.values())
    if follows(value):
        return m.call_live(value, args, node, env)
    if hasattr(value, "__wrapped__"):
        return _wrapped(m, value, args, node, env)
    return foreign.call(m, dotted(value), value, args, node, env)


def _wrapped(m: Machine, value: Any, args: Args, node: ast.AST, env: Env) -> Value:
    """A wrapper from elsewhere around a function: it calls what it wraps with what it is given."""
    inner = value.__wrapped__
    for each in in_closure(value) if isinstance(value, types.FunctionType) else ():
        if each is not inner and classes.is_ours(type(each)) and (id(each), "closed") not in m.escaped:
            m.escaped.add((id(each), "closed"))
            _methods(m, type(each), next(iter(wrap(each))), node, env)
        elif each is not inner and follows(each):
            escape(m, wrap(each), node, env, "a decorator")
    return call(m, wrap(inner), args, node, env)


def opaque(m: Machine, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """Code that is not read gets its arguments, and may call whatever it is given."""
    for value in args.all():
        escape(m, value, node, env, f"`{name}`")
    return UNKNOWN


def escape(m: Machine, value: Value, node: ast.AST, env: Env, into: str) -> None:
    """A value goes where it is not followed. What reaches AWS must not; functions may be called with anything."""
    for atom in value:
        _escape(m, atom, node, env, into)


def _escape(m: Machine, atom: Atom, node: ast.AST, env: Env, into: str) -> None:
    if isinstance(atom, Collection):
        aws.listed(m, atom, env, node)
        m.refuse(
            node, env, f"what {into} does with the items of {aws.shown(atom)} is not followed", [aws.service_of(atom)]
        )
    elif isinstance(atom, Aws):
        m.refuse(node, env, f"{aws.shown(atom)} goes to {into}, which is not followed", [aws.service_of(atom)])
    elif isinstance(atom, (Bucketed, *OURS)):
        m.refuse(node, env, f"a bucket goes to {into}, which is not followed", ["bucket"])
    elif isinstance(atom, FileOf):
        ours.read(m, atom, env, node)
    elif isinstance(atom, Text | Unknown):
        return
    elif (atom, into) not in m.escaped:
        m.escaped.add((atom, into))
        _escape_object(m, atom, node, env, into)


def _escape_object(m: Machine, atom: Atom, node: ast.AST, env: Env, into: str) -> None:
    if isinstance(atom, Inner | Bound):
        _call(m, atom, ANY, node, env)
    elif isinstance(atom, Partial):
        escape(m, union([*atom.positional, *(value for _, value in atom.named)]), node, env, into)
        call(m, one(atom), ANY, node, env)
    elif isinstance(atom, Known):
        escape(m, union(atom.holds), node, env, into)
    elif isinstance(atom, Method):
        escape(m, one(atom.owner), node, env, into)
    elif isinstance(atom, Made):
        _escape_made(m, atom, node, env, into)
    elif isinstance(atom, Live):
        _escape_live(m, atom, node, env, into)


def _escape_made(m: Machine, atom: Made, node: ast.AST, env: Env, into: str) -> None:
    held = union(m.heap.fields(atom).values())
    services = services_in(m, held)
    if services and atom.kind in ("object", "class"):
        m.refuse(node, env, f"an object that holds what reaches AWS goes to {into}, which is not followed", services)
    elif atom.kind != "object":
        escape(m, held, node, env, into)
    if isinstance(atom.kind_of, Live) and isinstance(atom.kind_of.value, type):
        _methods(m, atom.kind_of.value, atom, node, env)
    elif isinstance(atom.kind_of, Made):
        for inner in union(m.heap.fields(atom.kind_of).values()):
            if isinstance(inner, Inner):
                _call(m, Bound(inner, atom), ANY, node, env)


def _methods(m: Machine, kind: type, owner: Atom, node: ast.AST, env: Env) -> None:
    """Code that has an object may call any of its methods."""
    for each in kind.__mro__:
        for name, member in vars(each).items():
            inner = getattr(member, "__func__", getattr(member, "fget", member))
            if follows(inner) and name not in ("__init__", "__new__"):
                bound = Args([one(owner)], star=UNKNOWN, stars=UNKNOWN)
                m.call_live(inner, bound, node, env)


def _escape_live(m: Machine, atom: Live, node: ast.AST, env: Env, into: str) -> None:
    value = atom.value
    if isinstance(value, Declared):
        escape(m, wrap(value.function), node, env, into)
    elif isinstance(value, types.FunctionType):
        if follows(value) or hasattr(value, "__wrapped__"):
            call_object(m, atom, ANY, node, env)
        else:
            held(m, value, node, env)
    elif isinstance(value, type):
        if classes.is_ours(value):
            for made in classes.construct(m, value, ANY, node, env):
                _methods(m, value, made, node, env)
    elif isinstance(value, types.ModuleType | int | float | bytes | None):
        return
    elif isinstance(value, list | tuple | set | frozenset | dict):
        every = [*value, *value.values()] if isinstance(value, dict) else list(value)
        for each in every[:500]:
            escape(m, wrap(each), node, env, into)
        escape(m, union(m.heap.fields(atom).values()), node, env, into)
    else:
        services = live_services(value) | services_in(m, union(m.heap.fields(atom).values()))
        if services:
            what = f"an object that holds what reaches AWS goes to {into}, which is not followed"
            m.refuse(node, env, what, services)
        elif classes.is_ours(type(value)):
            _methods(m, type(value), atom, node, env)
