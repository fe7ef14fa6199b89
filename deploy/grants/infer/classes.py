"""Classes: making objects of them, `super()`, and classes that code defines."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Atom,
    Bound,
    Inner,
    Known,
    Live,
    Made,
    Method,
    Super,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import carries, followed_class, follows, innermost, services_in, wrap

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Args, Machine


def construct(m: Machine, kind: type, args: Args, node: ast.AST, env: Env) -> Value:
    """`Kind(...)` of a live class of the project."""
    from packyak.deploy.grants.infer.members import dunder

    meta = inspect.getattr_static(type(kind), "__call__", None)
    if follows(meta):
        return m.refuse(node, env, f"`{kind.__qualname__}` is made by a metaclass of its own")
    made = m.make("object", node, Live(kind))
    new = inspect.getattr_static(kind, "__new__", None)
    new = getattr(new, "__func__", new)
    result = one(made)
    if follows(new) and not _generated(new):
        result = m.call_live(new, _with(args, wrap(kind)), node, env) - one(Live(None)) or one(made)
    start = inspect.getattr_static(kind, "__init__", None)
    if follows(start) and not _generated(start):
        for each in result:
            m.call_live(start, _with(args, one(each)), node, env)
    elif dataclasses.is_dataclass(kind):
        _fields(m, made, kind, args, node, env)
        dunder(m, made, "__post_init__", [], env, node)
    else:
        _by_name(m, made, kind, args)
        if hasattr(start, "__wrapped__"):
            from packyak.deploy.grants.infer.calls import call

            call(m, wrap(start.__wrapped__), _with(args, one(made)), node, env)
        _of_models(m, kind, made, node, env)
    dunder(m, made, "__del__", [], env, node)
    return result


def _of_models(m: Machine, kind: type, made: Made, node: ast.AST, env: Env) -> None:
    """What pydantic and attrs call while they make an object: validators, factories, hooks."""
    from packyak.deploy.grants.infer.calls import escape
    from packyak.deploy.grants.infer.members import dunder

    for name in ("model_post_init", "__attrs_pre_init__", "__attrs_post_init__", "__post_init__"):
        dunder(m, made, name, [UNKNOWN] if name == "model_post_init" else [], env, node)
    found: list[Any] = []
    decorators = getattr(kind, "__pydantic_decorators__", None)
    for group in ("validators", "field_validators", "root_validators", "model_validators"):
        found += [each.func for each in getattr(decorators, group, {}).values()]
    for field in (getattr(kind, "__pydantic_fields__", None) or {}).values():
        found += [field.default_factory, *(getattr(each, "func", None) for each in getattr(field, "metadata", ()))]
    for field in getattr(kind, "__attrs_attrs__", ()):
        found += [getattr(field.default, "factory", None), field.validator, field.converter]
    for each in found:
        plain = innermost(each)
        if plain is not None and not isinstance(plain, type):
            escape(m, wrap(plain), node, env, f"`{kind.__qualname__}`")


def _generated(function: Any) -> bool:
    """Whether a library wrote the function: it does what the fields say."""
    return bool(function.__code__.co_filename.startswith("<"))


def _with(args: Args, first: Value) -> Args:
    return dataclasses.replace(args, positional=[first, *args.positional])


def _fields(m: Machine, made: Made, kind: type, args: Args, node: ast.AST, env: Env) -> None:
    """What a dataclass's own `__init__` does."""
    from packyak.deploy.grants.infer.calls import call
    from packyak.deploy.grants.infer.machine import Args as Arguments
    from packyak.deploy.grants.infer.members import class_setting

    at = 0
    for field in dataclasses.fields(kind):
        if not field.init:
            given = None
        else:
            given = args.named.get(field.name) if field.kw_only else args.get(at, field.name)
            at += 0 if field.kw_only else 1
        if given is not None:
            m.heap.add(made, f".{field.name}", given)
        if given is None or args.star is not None or args.stars is not None:
            if field.default is not dataclasses.MISSING:
                default = one(Unknown(changed=field.name)) if class_setting(kind, field.name) else wrap(field.default)
                m.heap.add(made, f".{field.name}", default)
            elif field.default_factory is not dataclasses.MISSING:
                m.heap.add(made, f".{field.name}", call(m, wrap(field.default_factory), Arguments(), node, env))


def _by_name(m: Machine, made: Made, kind: type, args: Args) -> None:
    """Classes whose making is not written out (named tuples, models of pydantic): what is given by name."""
    names = list(getattr(kind, "_fields", ()) or getattr(kind, "model_fields", ()) or ())
    names = names or [each.name for each in getattr(kind, "__attrs_attrs__", ())]
    for at, value in enumerate(args.positional):
        m.heap.add(made, f".{names[at]}" if at < len(names) else "*", value)
        if at < len(names):
            m.heap.add(made, str(at), value)
    for name, value in args.named.items():
        m.heap.add(made, f".{name}", value)
    for more in (args.star, args.stars):
        if more is not None:
            for name in names or ["*"]:
                m.heap.add(made, f".{name}" if name != "*" else name, more)


def of_super(m: Machine, owner: Super, name: str, env: Env, node: ast.AST) -> Value:
    """`super().name`: the next class of the object's own order that has it."""
    from packyak.deploy.grants.infer.members import MISSING, of_descriptor

    object_ = owner.owner
    kind = object_.kind_of if isinstance(object_, Made) else object_
    if isinstance(owner.after, Made):
        parents = m.heap.get(owner.after, "parents")
        return union(of_class(m, each, object_, name, env, node) for each in parents if isinstance(each, Made)) | union(
            _static(m, each.value, object_, name, env, node)
            for each in parents
            if isinstance(each, Live) and isinstance(each.value, type)
        )
    live_kind = kind.value if isinstance(kind, Live) else None
    if isinstance(object_, Live) and not isinstance(object_.value, type):
        live_kind = type(object_.value)
    if not isinstance(live_kind, type) or not isinstance(owner.after, Live) or owner.after.value not in live_kind.mro():
        return UNKNOWN
    order = live_kind.mro()
    for each in order[order.index(owner.after.value) + 1 :]:
        found = vars(each).get(name, MISSING)
        if found is MISSING:
            continue
        if name == "__init__" and not follows(found):
            return one(Known("ignored"))
        if name == "__new__" and not follows(getattr(found, "__func__", found)):
            return one(Known("new", (one(Live(live_kind)),)))
        return of_descriptor(m, found, live_kind, object_, name, env, node)
    return UNKNOWN


def _static(m: Machine, kind: type, owner: Atom, name: str, env: Env, node: ast.AST) -> Value:
    from packyak.deploy.grants.infer.members import MISSING, of_descriptor

    found = inspect.getattr_static(kind, name, MISSING)
    if found is MISSING or (name == "__init__" and not follows(found)):
        return one(Known("ignored"))
    return of_descriptor(m, found, kind, owner, name, env, node)


# -- classes that code defines


def define(m: Machine, node: ast.ClassDef, env: Env) -> Value:
    """A class within a function: its body is run, its names are kept."""
    from packyak.deploy.grants.infer.expressions import evaluate
    from packyak.deploy.grants.infer.statements import run_block

    made = m.make("class", node)
    for each in node.bases:
        for parent in evaluate(m, each, env):
            m.heap.add(made, "parents", one(parent))
    for keyword in node.keywords:
        if keyword.arg == "metaclass":
            m.refuse(node, env, f"`{node.name}` is made by a metaclass of its own")
    names = {
        each.id for part in node.body for each in ast.walk(part) if isinstance(each, ast.Name)
        and isinstance(each.ctx, ast.Store)
    }  # fmt: skip
    names |= {
        each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    scope = m.scope(node, env, frozenset(names))
    scope.in_class = True
    run_block(m, node.body, scope)
    for name, value in (scope.vars or {}).items():
        m.heap.add(made, f".{name}", value)
    _told_to_parents(m, node, made, env)
    return one(made)


def _told_to_parents(m: Machine, node: ast.ClassDef, made: Made, env: Env) -> None:
    """`__init_subclass__` of the parents runs where a class is defined; so does a metaclass of theirs."""
    from packyak.deploy.grants.infer.expressions import evaluate
    from packyak.deploy.grants.infer.machine import Args as Arguments

    named = {each.arg: evaluate(m, each.value, env) for each in node.keywords if each.arg}
    for parent in _live_parents(m, made):
        if followed_class(type(parent)):
            m.refuse(node, env, f"`{node.name}` is made by a metaclass of its own")
        found = inspect.getattr_static(parent, "__init_subclass__", None)
        found = getattr(found, "__func__", found)
        if follows(found):
            m.call_live(found, Arguments([one(made)], named), node, env)
    for each in m.heap.get(made, "parents"):
        for inner in lookup(m, each, "__init_subclass__"):
            if isinstance(inner, Inner):
                m.call_inner(inner, Arguments([one(made)], named), node)


def lookup(m: Machine, kind: Atom, name: str) -> Value:
    """A name of a class that code defines, in it or its parents."""
    if not isinstance(kind, Made):
        return NOTHING
    found = m.heap.get(kind, f".{name}")
    return found or union(lookup(m, each, name) for each in m.heap.get(kind, "parents"))


def of_class(m: Machine, kind: Made, owner: Atom, name: str, env: Env, node: ast.AST) -> Value:
    """An attribute of a class that code defines, asked of it or of an object of it."""
    from packyak.deploy.grants.infer.members import MISSING, of_descriptor

    result: Value = NOTHING
    found = lookup(m, kind, name)
    for each in found:
        if isinstance(each, Inner) and owner is not kind:
            result |= one(Bound(each, owner))
        elif isinstance(each, Known) and each.what == "property" and owner is not kind:
            for getter in each.holds[0]:
                from packyak.deploy.grants.infer.members import call_value

                result |= call_value(m, one(getter), [one(owner)], env, node)
        elif isinstance(each, Known) and each.what == "static":
            result |= each.holds[0]
        elif isinstance(each, Known) and each.what == "of class":
            result |= frozenset(Bound(inner, kind) for inner in each.holds[0])
        else:
            result |= one(each)
    if found:
        return result
    for parent in _live_parents(m, kind):
        live_found = inspect.getattr_static(parent, name, MISSING)
        if live_found is not MISSING:
            return of_descriptor(m, live_found, parent, owner, name, env, node)
    for each in lookup(m, kind, "__getattr__"):
        if isinstance(each, Inner):
            from packyak.deploy.grants.infer.members import call_value

            return call_value(m, one(each), [one(owner), wrap(name)], env, node)
    from packyak.deploy.grants.infer.members import attribute

    if m.heap.has(owner, f".{name}"):
        return NOTHING
    return attribute(m, Unknown(), name, env, node) if not name.startswith("__") else one(Method(owner, name))


def _live_parents(m: Machine, kind: Atom) -> list[type]:
    found: list[type] = []
    for each in m.heap.get(kind, "parents"):
        if isinstance(each, Live) and isinstance(each.value, type):
            found.append(each.value)
        elif isinstance(each, Made):
            found += _live_parents(m, each)
    return found


def construct_made(m: Machine, kind: Made, args: Args, node: ast.AST, env: Env) -> Value:
    """An object of a class that code defines."""
    made = m.make("object", node, kind)
    starts = lookup(m, kind, "__init__")
    for each in starts:
        if isinstance(each, Inner):
            m.call_inner(each, _with(args, one(made)), node)
    if not starts:
        for parent in _live_parents(m, kind):
            start = inspect.getattr_static(parent, "__init__", None)
            if follows(start):
                m.call_live(start, _with(args, one(made)), node, env)
        for name, value in args.named.items():
            m.heap.add(made, f".{name}", value)
        for value in args.positional:
            m.heap.add(made, "*", value)
            if carries(m, value):
                m.refuse(node, env, "where an object keeps what reaches AWS is not known", services_in(m, value))
    return one(made)


def is_ours(kind: type) -> bool:
    """Whether objects of a class are followed: it, or a parent, is the project's."""
    return any(followed_class(each) for each in kind.__mro__ if each is not object)
