"""Attributes of anything, looked up as the interpreter does but without running code; special methods; `with`."""

from __future__ import annotations

import ast
import enum
import inspect
import types
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import aws, classes, ours
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Atom,
    Aws,
    Bound,
    Bucketed,
    FileOf,
    Foreign,
    Inner,
    Known,
    Live,
    Made,
    Method,
    Partial,
    Super,
    Text,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import (
    atom_of,
    dotted,
    followed_class,
    follows,
    is_builtin,
    module_file,
    wrap,
)
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.settings import unsettled_names
from packyak.deploy.grants.infer.texts import OPEN, shown_node
from packyak.engine.declare.secret import Secret

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine


MISSING = object()
_OF_PATHS = ("name", "stem", "suffix", "parent")
_HOOKS = ("excepthook", "unraisablehook", "displayhook", "breakpointhook", "showwarning")  # called by the interpreter


def likely(value: Value) -> Value:
    """The alternatives that can have attributes: None is left out where there is another."""
    rest = frozenset(each for each in value if not (isinstance(each, Live) and each.value is None))
    return rest or value


def attribute(m: Machine, owner: Atom, name: str, env: Env, node: ast.AST) -> Value:
    """`owner.name`."""
    if isinstance(owner, Aws):
        return aws.attribute(m, owner, name, env, node)
    if isinstance(owner, Bucketed | FileOf):
        return ours.attribute(m, owner, name, env, node)
    if isinstance(owner, Made):
        return _of_made(m, owner, name, env, node)
    if isinstance(owner, Live) and isinstance(owner.value, Secret):
        return ours.of_secret(m, owner.value, name, env, node)
    if isinstance(owner, Live):
        return _of_live(m, owner, name, env, node)
    if isinstance(owner, Super):
        return classes.of_super(m, owner, name, env, node)
    if isinstance(owner, Unknown):
        return _of_unknown(m, owner, name, env, node)
    if isinstance(owner, Foreign):
        return one(Foreign(f"{owner.name}.{name}"))
    if isinstance(owner, Partial):
        parts = {"func": owner.function, "args": union(owner.positional)}
        return parts.get(name, UNKNOWN)
    if isinstance(owner, Bound):
        if name == "__self__":
            return one(owner.owner)
        return one(owner.function) if name == "__func__" else attribute(m, owner.function, name, env, node)
    if isinstance(owner, Inner):
        return m.heap.get(owner, f".{name}") or UNKNOWN
    if isinstance(owner, Text) and name in _OF_PATHS:
        return wrap(getattr(PurePosixPath(owner.known), name)) if owner.known else one(OPEN)
    if isinstance(owner, Method):  # whatever a method or an attribute of data is
        return _of_unknown(m, owner.owner if isinstance(owner.owner, Unknown) else Unknown(), name, env, node)
    return one(Method(owner, name))


def _of_unknown(m: Machine, owner: Unknown, name: str, env: Env, node: ast.AST) -> Value:
    if owner.told:
        return one(owner)
    if aws.is_telling(name):
        what = f"what `{shown_node(node)}` is called on is not known"
        if owner.given:
            what = f"`{owner.given}` is given from outside, and `{name}` is what clients of AWS are asked for"
        elif owner.changed:
            what = f"`{owner.changed}` gets its value elsewhere, and `{name}` is what clients of AWS are asked for"
        return m.refuse(node, env, what, aws.services_with(name), aws.line_of(name))
    return one(Method(owner, name))


# -- of what code makes


def _of_made(m: Machine, owner: Made, name: str, env: Env, node: ast.AST) -> Value:
    if owner.kind == "class":
        return classes.of_class(m, owner, owner, name, env, node)
    if owner.kind != "object" or owner.kind_of is None:
        return one(Method(owner, name))
    if name == "__class__":
        return one(owner.kind_of)
    if name == "__dict__":
        return one(owner)
    if isinstance(owner.kind_of, Made):
        held = m.heap.get(owner, f".{name}")
        return held | classes.of_class(m, owner.kind_of, owner, name, env, node)
    assert isinstance(owner.kind_of, Live)
    return _of_kind(m, owner.kind_of.value, owner, name, env, node)


def _of_kind(m: Machine, kind: type, owner: Atom, name: str, env: Env, node: ast.AST, held: Value = NOTHING) -> Value:
    """An attribute of an object of a live class: data descriptors, then what it holds, then its class."""
    found = inspect.getattr_static(kind, name, MISSING)
    own = m.heap.get(owner, f".{name}") | held | _given_to_class(m, kind, owner, name)
    if isinstance(found, property):
        return own | _property(m, found, owner, env, node)
    of_class = NOTHING if found is MISSING else of_descriptor(m, found, kind, owner, name, env, node)
    if own:
        return own | (of_class if found is not MISSING and not _is_slot(found) else NOTHING)
    if found is not MISSING and not _is_slot(found):
        return of_class
    general = inspect.getattr_static(kind, "__getattr__", MISSING)
    if follows(general):
        return m.call_live(general, Args([one(owner), wrap(name)]), node, env)
    if not any(map(followed_class, kind.__mro__)):
        if aws.is_telling(name):
            what = f"what `{shown_node(node)}` is called on is not known"
            return m.refuse(node, env, what, aws.services_with(name), aws.line_of(name))
        return one(Method(owner, name))
    return _of_unknown(m, Unknown(), name, env, node)


def _given_to_class(m: Machine, kind: type, owner: Atom, name: str) -> Value:
    """What code that was read gives a class under a name; functions become methods."""
    given = union(m.heap.get(Live(each), f".{name}") for each in kind.__mro__[:-1])
    return frozenset(Bound(each, owner) if _is_function(each) else each for each in given)


def _is_function(atom: Atom) -> bool:
    return isinstance(atom, Inner) or (isinstance(atom, Live) and isinstance(atom.value, types.FunctionType))


def _is_slot(found: Any) -> bool:
    """What C code reads from where an object keeps it; fields of named tuples too."""
    plain = isinstance(found, types.MemberDescriptorType | types.GetSetDescriptorType)
    return plain or type(found).__name__ == "_tuplegetter"


def _property(m: Machine, found: property, owner: Atom, env: Env, node: ast.AST) -> Value:
    if follows(found.fget):
        return m.call_live(found.fget, Args([one(owner)]), node, env)  # type: ignore[arg-type]
    return one(Method(owner, getattr(found.fget, "__name__", "property")))


def of_descriptor(m: Machine, found: Any, kind: Any, owner: Atom, name: str, env: Env, node: ast.AST) -> Value:
    """What a class's attribute is, asked of an object."""
    from packyak.deploy.grants.infer.calls import call

    if isinstance(found, types.FunctionType):
        return (
            one(Bound(Live(found), owner))
            if follows(found) or hasattr(found, "__wrapped__")
            else one(Method(owner, name))
        )
    if isinstance(found, staticmethod):
        return wrap(found.__func__)
    if isinstance(found, classmethod):
        return one(Bound(atom_of(found.__func__), Live(kind)))
    kinds = {dotted(each) for each in type(found).__mro__}
    if "functools.cached_property" in kinds:
        return call(m, wrap(found.func), Args([one(owner)]), node, env)
    if "functools.partialmethod" in kinds:
        named = tuple((word, wrap(each)) for word, each in found.keywords.items())
        return one(Partial(one(Bound(atom_of(found.func), owner)), tuple(map(wrap, found.args)), named))
    if "functools.singledispatchmethod" in kinds:
        every = [atom_of(each) for each in found.dispatcher.registry.values()]
        return frozenset(Bound(each, owner) for each in every)
    if hasattr(found, "__wrapped__") and callable(found) and not isinstance(found, type):
        return one(Bound(Live(found), owner))
    getter = inspect.getattr_static(type(found), "__get__", MISSING)
    if follows(getter):
        return m.call_live(getter, Args([wrap(found), one(owner), wrap(kind)]), node, env)
    if isinstance(found, types.BuiltinFunctionType | types.MethodDescriptorType | types.WrapperDescriptorType):
        return one(Method(owner, name))
    return wrap(found)


# -- of live objects


def _of_live(m: Machine, owner: Live, name: str, env: Env, node: ast.AST) -> Value:
    value = owner.value
    if isinstance(value, types.ModuleType):
        return _of_module(m, value, name, env, node)
    if isinstance(value, type):
        return _of_type(m, value, name, env, node)
    if isinstance(value, types.FunctionType):
        known = m.heap.get(owner, f".{name}")
        return known | (wrap(getattr(value, name)) if hasattr(value, name) else NOTHING if known else UNKNOWN)
    held = m.heap.get(owner, f".{name}")
    own = _own_attributes(value)
    if name in own:
        held |= wrap(own[name])
        if isinstance(own[name], str) and _from_settings(type(value), name):
            return one(Unknown(changed=name))
    elif _is_slot(inspect.getattr_static(type(value), name, None)):
        held |= _slot(value, name)
    if isinstance(value, enum.Enum) and name in ("value", "name", "_value_", "_name_"):
        return wrap(getattr(value, name))
    if name == "__dict__":
        return one(Live(own))
    if name == "__class__":
        return wrap(type(value))
    return _of_kind(m, type(value), owner, name, env, node, held)


def _own_attributes(value: Any) -> dict[str, Any]:
    found = inspect.getattr_static(value, "__dict__", None)
    own = getattr(value, "__dict__", None) if found is not None else None
    return own if isinstance(own, dict) else {}


def _slot(value: Any, name: str) -> Value:
    try:
        return wrap(getattr(value, name))
    except AttributeError:
        return NOTHING


def _from_settings(kind: type, name: str) -> bool:
    files = {module_file(vars(_module)) for each in kind.__mro__ if (_module := inspect.getmodule(each)) is not None}
    ours = [unsettled_names(file) for file in files if file.endswith(".py") and followed_class(kind)]
    return any(f".{name}" in names or name in names for names in ours)


def _of_module(m: Machine, module: types.ModuleType, name: str, env: Env, node: ast.AST) -> Value:
    from packyak.deploy.grants.infer.names import from_module

    if name == "__dict__":
        return one(Live(vars(module)))
    if name in vars(module) or m.heap.has(("module", id(vars(module))), name):
        return from_module(m, vars(module), name)
    if module.__name__.partition(".")[0] == "packyak" or hasattr(module, "__path__"):
        found = getattr(module, name, MISSING)
        return one(Foreign(f"{module.__name__}.{name}")) if found is MISSING else wrap(found)
    general = vars(module).get("__getattr__")
    if follows(general):
        return m.call_live(general, Args([wrap(name)]), node, env)  # type: ignore[arg-type]
    return _of_unknown(m, Unknown(), name, env, node)


def _of_type(m: Machine, kind: type, name: str, env: Env, node: ast.AST) -> Value:
    held = m.heap.get(Live(kind), f".{name}")
    if name == "__subclasses__":
        return one(Known("returns", (m.make_list((node, name), map(wrap, kind.__subclasses__())),)))
    found = inspect.getattr_static(kind, name, MISSING)
    if found is MISSING:
        return held or _of_unknown(m, Unknown(), name, env, node)
    if isinstance(found, classmethod):
        return held | one(Bound(atom_of(found.__func__), Live(kind)))
    if isinstance(found, staticmethod):
        return held | wrap(found.__func__)
    if isinstance(found, str) and class_setting(kind, name):
        return one(Unknown(changed=name))
    return held | wrap(found)


def class_setting(kind: type, name: str) -> bool:
    module = inspect.getmodule(kind)
    file = module_file(vars(module)) if module is not None else ""
    names = unsettled_names(file) if file.endswith(".py") else {}
    return name in names or f".{name}" in names


# -- giving attributes values


def set_attribute(m: Machine, owner: Atom, name: str, value: Value, env: Env, node: ast.AST) -> None:
    """`owner.name = value`."""
    from packyak.deploy.grants.infer.calls import escape

    if isinstance(owner, Live) and isinstance(owner.value, types.ModuleType):
        m.heap.add(("module", id(vars(owner.value))), name, value)
        if name in _HOOKS:
            escape(m, value, node, env, f"`{shown_node(node)}`")
        return
    kind = _class_of(owner)
    if kind is not None:
        found = inspect.getattr_static(kind, name, None)
        if isinstance(found, property) and follows(found.fset):
            m.call_live(found.fset, Args([one(owner), value]), node, env)  # type: ignore[arg-type]
            return
        setter = inspect.getattr_static(type(found), "__set__", None)
        if follows(setter):
            m.call_live(setter, Args([wrap(found), one(owner), value]), node, env)
            return
        dunder(m, owner, "__setattr__", [wrap(name), value], env, node)
    if isinstance(owner, Made | Live | Inner) and not (isinstance(owner, Live) and owner.value is None):
        m.heap.add(owner, f".{name}", value)
        return
    if isinstance(owner, Aws):
        m.refuse(node, env, f"{aws.shown(owner)} is given another `{name}`", [aws.service_of(owner)])
    else:
        escape(m, value, node, env, f"`{shown_node(node)}`")


def _class_of(owner: Atom) -> type | None:
    if isinstance(owner, Made) and isinstance(owner.kind_of, Live) and isinstance(owner.kind_of.value, type):
        return owner.kind_of.value
    return type(owner.value) if isinstance(owner, Live) and not isinstance(owner.value, type) else None


# -- special methods


def dunder(m: Machine, owner: Atom, name: str, given: list[Value], env: Env, node: ast.AST) -> Value:
    """A special method, where the project wrote it; nothing where it did not."""
    if isinstance(owner, Made) and isinstance(owner.kind_of, Made):
        found = classes.lookup(m, owner.kind_of, name)
        return union(m.call_inner(each, Args([one(owner), *given]), node) for each in found if isinstance(each, Inner))
    kind = _class_of(owner)
    if kind is None or is_builtin(kind):
        return NOTHING
    found_live = inspect.getattr_static(kind, name, None)
    inner = getattr(found_live, "__wrapped__", found_live)
    if follows(found_live) or (found_live is not None and follows(inner)):
        return call_value(m, one(Bound(Live(found_live), owner)), given, env, node)
    return NOTHING


def call_value(m: Machine, function: Value, given: list[Value], env: Env, node: ast.AST) -> Value:
    """Calls a value with some positional arguments."""
    from packyak.deploy.grants.infer.calls import call

    return call(m, function, Args(list(given)), node, env)


def enter(m: Machine, context: Value, env: Env, node: ast.AST) -> Value:
    """What `with` gives a name."""
    from packyak.deploy.grants.infer.containers import element

    result: Value = NOTHING
    for atom in context:
        entered = dunder(m, atom, "__enter__", [], env, node) | dunder(m, atom, "__aenter__", [], env, node)
        if isinstance(atom, Made) and atom.kind == "generator":
            entered |= element(m, one(atom), env, node)
        elif isinstance(atom, Known) and atom.what == "closing":
            entered |= union(atom.holds)
        result |= entered or one(atom)
    return result


def awaited(m: Machine, value: Value, env: Env, node: ast.AST) -> Value:
    """What `await` gives: calls of async functions have run already."""
    result: Value = NOTHING
    for atom in value:
        if isinstance(atom, Known) and atom.what == "future":
            result |= union(atom.holds)
        else:
            result |= dunder(m, atom, "__await__", [], env, node) or one(atom)
    return result


def as_text(m: Machine, value: Value, env: Env, node: ast.AST) -> Value:
    """`str(value)`."""
    result: Value = NOTHING
    for atom in value:
        found = dunder(m, atom, "__format__", [UNKNOWN], env, node) or dunder(m, atom, "__str__", [], env, node)
        enum_value = getattr(atom.value, "value", None) if isinstance(atom, Live) else None
        if found:
            result |= found
        elif isinstance(atom, Text) or (isinstance(atom, Live) and isinstance(atom.value, int | float | None)):
            result |= one(atom)
        elif isinstance(enum_value, str) and isinstance(atom, Live):
            result |= wrap(str(atom.value))
        else:
            result |= one(OPEN)
    return result
