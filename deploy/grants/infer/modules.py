"""Imports inside code, and what is asked for by a name that is a value: `getattr`, `globals()`, `import_module`."""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import aws, members
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Atom,
    Aws,
    Bucketed,
    Foreign,
    Live,
    Made,
    Text,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import carries, is_followed, services_in, wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import matching, shown_node
from packyak.engine.declare.scope import imported

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

LOADED = ("boto3", "botocore", "packyak")


def imported_names(m: Machine, node: ast.Import | ast.ImportFrom, env: Env) -> Iterator[tuple[str, Value]]:
    """The names that an import statement binds."""
    package = env.live.__globals__.get("__package__") or ""
    for name, module, attribute in imported(node, package):
        found = module_named(module)
        if name == "*":
            for word in public_names(found):
                yield word, members.attribute(m, Live(found), word, env, node)
        elif attribute is None:
            yield name, one(Foreign(module)) if found is None else wrap(found)
        elif found is None:
            yield name, one(Foreign(f"{module}.{attribute}"))
        else:
            inner = module_named(f"{module}.{attribute}") if not hasattr(found, attribute) else None
            yield name, wrap(inner) if inner is not None else members.attribute(m, Live(found), attribute, env, node)


def public_names(module: types.ModuleType | None) -> list[str]:
    if module is None:
        return []
    return list(getattr(module, "__all__", [each for each in vars(module) if not each.startswith("_")]))


def module_named(name: str) -> types.ModuleType | None:
    """A module that is loaded, the project's, the standard library's or boto3's; None for any other, which is not
    loaded for this."""
    if name in sys.modules:
        return sys.modules[name]
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top in LOADED or _is_project(top):
        try:
            return importlib.import_module(name)
        except ImportError:
            return None
    return None


def _is_project(top: str) -> bool:
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    return any(
        each is not None and is_followed(f"{each}/x.py" if not each.endswith(".py") else each) for each in places
    )


def import_named(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """`import_module(name)`."""
    result: Value = NOTHING
    for each in args.get(0, "name") or NOTHING:
        if not isinstance(each, Text) or each.known is None:
            return m.refuse(node, env, f"`{shown_node(node)}` loads a module whose name is computed")
        found = module_named(each.known)
        result |= wrap(found) if found is not None else one(Foreign(each.known))
    return result


# -- attributes by a name that is a value


def attribute_named(m: Machine, owner: Atom, name: Atom, node: ast.AST, env: Env) -> Value:
    """`getattr(owner, name)`."""
    if isinstance(name, Text) and name.known is not None:
        result: Value = NOTHING
        targets: Value = one(owner)
        for word in name.known.split("."):  # as operator.attrgetter has it
            result = union(members.attribute(m, each, word, env, node) for each in targets)
            targets = result
        return result
    if isinstance(owner, Aws | Bucketed):
        about = aws.service_of(owner) if isinstance(owner, Aws) else "bucket"
        said = aws.shown(owner) if isinstance(owner, Aws) else "<bucket>"
        return m.refuse(node, env, f"getattr({said}, <computed>) cannot be decided", [about])
    candidates = _names_of(m, owner)
    if isinstance(name, Text) and candidates is not None:
        fits = matching(name)
        return union(members.attribute(m, owner, word, env, node) for word in candidates if fits.fullmatch(word))
    if candidates is not None:
        if carries(m, one(owner)) or (isinstance(owner, Live) and isinstance(owner.value, types.ModuleType)):
            said = f"`{shown_node(node)}` asks for an attribute whose name is computed"
            return m.refuse(node, env, said, services_in(m, one(owner)))
        return union(members.attribute(m, owner, word, env, node) for word in candidates) | UNKNOWN
    return UNKNOWN


def _names_of(m: Machine, owner: Atom) -> list[str] | None:
    """The attributes that something of the project may have; None for what is not followed."""
    held = [each.removeprefix(".") for each in m.heap.fields(owner) if each.startswith(".")]
    if isinstance(owner, Live):
        value = owner.value
        kind = value if isinstance(value, type) else type(value)
        if isinstance(value, types.ModuleType):
            return [*vars(value), *held]
        if is_followed(getattr(sys.modules.get(kind.__module__), "__file__", "") or ""):
            own = getattr(value, "__dict__", {})
            return [*held, *own, *(each for each in dir(kind) if not each.startswith("__"))]
        return None
    if isinstance(owner, Made) and owner.kind == "object":
        if isinstance(owner.kind_of, Live) and isinstance(owner.kind_of.value, type):
            return [*held, *(each for each in dir(owner.kind_of.value) if not each.startswith("__"))]
        if isinstance(owner.kind_of, Made):
            return [*held, *(each.removeprefix(".") for each in m.heap.fields(owner.kind_of) if each.startswith("."))]
    return None


def module_names(m: Machine, env: Env) -> dict[str, Any]:
    """What `globals()` holds."""
    found: dict[str, Any] = env.live.__globals__
    return found


def taken_from(m: Machine, namespace: dict[str, Any], args: Args, node: ast.AST, env: Env) -> Value:
    """`globals()[name]`, `globals().get(name)`."""
    from packyak.deploy.grants.infer.names import from_module

    result: Value = NOTHING
    for each in args.get(0, "") or NOTHING:
        if isinstance(each, Text) and each.known is not None:
            known = each.known in namespace or hasattr(builtins, each.known)
            result |= from_module(m, namespace, each.known) if known else one(Live(None))
        elif isinstance(each, Text):
            fits = matching(each)
            names = [name for name in namespace if fits.fullmatch(name)]
            result |= union(from_module(m, namespace, name) for name in names)
        else:
            return m.refuse(node, env, f"`{shown_node(node)}` asks for a name that is computed")
    return result
