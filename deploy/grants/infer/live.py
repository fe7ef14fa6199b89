"""Live objects as atoms: what belongs to AWS or to declared buckets, which code is followed, what holds a client."""

from __future__ import annotations

import ast
import datetime
import functools
import gc
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    OURS,
    Atom,
    Aws,
    Bound,
    Bucketed,
    Client,
    ClientMember,
    Collection,
    FileOf,
    Known,
    Live,
    Made,
    Method,
    Paginator,
    Partial,
    Resource,
    ResourceMember,
    Session,
    Text,
    Unknown,
    Value,
    Waiter,
    one,
)
from packyak.deploy.grants.infer.texts import literal, text
from packyak.engine.declare.bucket import Bucket, File
from packyak.engine.declare.scope import ENGINE, PACKAGE_FOLDERS, STANDARD_LIBRARY, file_of_module
from packyak.engine.declare.source import FunctionNode, tree_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

PLAIN = (str, int, float, bytes, datetime.date, datetime.time, datetime.timedelta, uuid.UUID, PurePath, type(None))
LOOKED_AT = 4000  # objects, when it is asked what a foreign object holds
PACKYAK = ENGINE.parent
_OWN = tuple(str(PACKYAK / name) for name in ("engine", "deploy", "studio", "packyak"))


def wrap(value: Any) -> Value:
    """A live object as a value. A string may be written as another (members of an enumeration): it is both."""
    if isinstance(value, str) and type(value) is not str:
        return frozenset((text(str.__str__(value)), text(str(value))))
    return one(atom_of(value))


def atom_of(value: Any) -> Atom:
    """A live object as an atom."""
    if isinstance(value, str):
        return text(str.__str__(value))
    if isinstance(value, Bucket):
        return Bucketed(literal(value.name))
    if isinstance(value, File):
        local = value.local is not None and not value.bucket
        return FileOf(NOTHING if local else literal(value.bucket), literal(value.key))
    if isinstance(value, PurePath):
        return text(value.as_posix())
    if isinstance(value, types.MethodType):
        return _method(value)
    if isinstance(value, functools.partial):
        named = tuple((name, wrap(each)) for name, each in value.keywords.items())
        return Partial(wrap(value.func), tuple(map(wrap, value.args)), named)
    return _aws(value) or Live(value)


def _method(value: types.MethodType) -> Atom:
    owner = atom_of(value.__self__)
    if isinstance(owner, Client):
        return ClientMember(owner, value.__name__)
    if isinstance(owner, Resource):
        return ResourceMember(owner, value.__name__)
    if isinstance(owner, Bucketed | FileOf | Aws):
        return Method(owner, value.__name__)
    return Bound(atom_of(value.__func__), owner)


def _kinds(value: Any) -> set[str]:
    return {f"{each.__module__}.{each.__qualname__}" for each in type(value).__mro__}


def _aws(value: Any) -> Atom | None:
    """Objects of boto3 and botocore, told by their classes' names so that nothing has to be imported."""
    module = type(value).__module__
    if not module.startswith(("boto", "s3transfer")):
        return None
    kinds = _kinds(value)
    if "botocore.client.BaseClient" in kinds:
        return client_of(value)
    if "boto3.resources.base.ServiceResource" in kinds:
        return _resource(value)
    if kinds & {"boto3.session.Session", "botocore.session.Session"}:
        return Session(_region_of(value))
    if "botocore.paginate.Paginator" in kinds:
        return Paginator(client_of(value._method.__self__), value._method.__name__)
    if "botocore.waiter.Waiter" in kinds:
        method = getattr(value.config, "operation", "")
        owner = getattr(value._operation_method, "_client_method", None)
        found = client_of(owner.__self__) if owner is not None else Client("")
        from botocore import xform_name

        return Waiter(found, xform_name(value.name) if method else value.name)
    if "boto3.resources.collection.CollectionManager" in kinds:
        return Collection(_resource(value._parent), value._model.name)
    return None


def client_of(value: Any) -> Client:
    """A live client. Its region counts where it was written out, and not taken from this machine's settings."""
    import os

    region = value.meta.region_name or ""
    of_this_machine = {os.environ.get("AWS_REGION"), os.environ.get("AWS_DEFAULT_REGION"), "aws-global"}
    service = value.meta.service_model.service_name
    return Client(service, "" if region in of_this_machine else region, _is_hooked(value.meta.events))


def _is_hooked(events: Any) -> bool:
    """Whether the project's own functions were registered with a client's events."""
    emitter = getattr(events, "_emitter", events)
    nodes: list[dict[str, Any]] = [getattr(getattr(emitter, "_handlers", None), "_root", {})]
    while nodes:
        each = nodes.pop()
        for kept in each.get("values") or ():
            for handler in kept or ():
                if follows(innermost(handler)):
                    return True
        nodes += (each.get("children") or {}).values()
    return False


def innermost(function: Any) -> Any:
    """What is beneath a method or a partial."""
    while isinstance(function, functools.partial | types.MethodType | classmethod | staticmethod):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    return function


def _region_of(session: Any) -> str:
    """The region that a live session was given in the code."""
    inner = getattr(session, "_session", session)
    return str(inner.instance_variables().get("region") or "")


def _resource(value: Any) -> Resource:
    model = value.meta.resource_model
    ids = tuple((name, wrap(getattr(value, name))) for name in value.meta.identifiers)
    service = value.meta.service_name
    return Resource(client_of(value.meta.client), "" if model.name == service else model.name, ids)


# -- which code is followed


@lru_cache(maxsize=4096)
def is_followed(file: str) -> bool:
    """Whether code in a file is read: all but installed packages, the standard library and Packyak itself."""
    if not file or file.startswith("<"):
        return file.startswith(("<stdin", "<console", "<ipython", "<doctest", "<string"))
    path = Path(file).resolve()
    if any(part in PACKAGE_FOLDERS for part in path.parts) or path.is_relative_to(STANDARD_LIBRARY):
        return False
    return not any(str(path).startswith(f"{each}/") for each in _OWN)


def file_of(function: types.FunctionType) -> str:
    return function.__code__.co_filename


def follows(function: Any) -> bool:
    """Whether a function's code is read."""
    if not isinstance(function, types.FunctionType) or not is_followed(file_of(function)):
        return False
    return not (file_of(function) == "<string>" and _of_fields(function))


def _of_fields(function: types.FunctionType) -> bool:
    """Whether `dataclasses` wrote a function: a special method that knows nothing but the fields."""
    code = function.__code__
    special = code.co_name.startswith("__") and code.co_name.endswith("__")
    return special and not any(name in function.__globals__ for name in code.co_names)


def is_builtin(kind: type) -> bool:
    """Whether a class is written in C: one that `exec` made may say that it is of `builtins`, too."""
    return not kind.__flags__ & (1 << 9)  # Py_TPFLAGS_HEAPTYPE


def followed_class(kind: type) -> bool:
    """Whether a class is the project's."""
    top = kind.__module__.partition(".")[0]
    if is_builtin(kind) or (top in sys.stdlib_module_names and top not in ("builtins", "__main__")):
        return False
    return is_followed(file_of_module(kind.__module__) or "<stdin>")


def dotted(value: Any) -> str:
    """A function or class by module and name."""
    module = getattr(value, "__module__", None) or ""
    return f"{module}.{getattr(value, '__qualname__', type(value).__qualname__)}".lstrip(".")


# -- what objects hold


def carries(machine: Machine, value: Value, seen: set[Any] | None = None) -> bool:
    """Whether a value is, or holds, anything of AWS or a declared bucket."""
    return bool(services_in(machine, value, seen))


def services_in(machine: Machine, value: Value, seen: set[Any] | None = None) -> set[str]:
    """The services of everything of AWS in a value; "bucket" for declared buckets."""
    seen = set() if seen is None else seen
    found: set[str] = set()
    for each in value:
        if each in seen:
            continue
        seen.add(each)
        found |= _services(machine, each, seen)
    return found


def _services(machine: Machine, each: Atom, seen: set[Any]) -> set[str]:
    if isinstance(each, Aws):
        return {service_of(each)}
    if isinstance(each, OURS):
        return {"bucket"}
    if isinstance(each, Made):
        held = machine.heap.fields(each)
        return set().union(*(services_in(machine, inner, seen) for inner in held.values())) if held else set()
    if isinstance(each, Partial):
        inner = [each.function, *each.positional, *(value for _, value in each.named)]
        return set().union(*(services_in(machine, value, seen) for value in inner))
    if isinstance(each, Bound):
        return services_in(machine, one(each.owner), seen)
    if isinstance(each, Method):
        return services_in(machine, one(each.owner), seen)
    if isinstance(each, Known):
        return set().union(*(services_in(machine, value, seen) for value in each.holds)) if each.holds else set()
    if isinstance(each, Live):
        return live_services(each.value)
    return set()


def service_of(each: Aws) -> str:
    """The service that something of AWS belongs to; "aws" for a session."""
    for name in ("client", "resource", "collection", "owner"):
        inner = getattr(each, name, None)
        if isinstance(inner, Aws):
            return service_of(inner)
    return each.service if isinstance(each, Client) else "aws"


def live_services(value: Any) -> set[str]:
    """The services of what a live object holds, as far as it is looked at."""
    if isinstance(value, types.ModuleType | type | types.FunctionType | types.BuiltinFunctionType | int | float | None):
        return set()
    found: set[str] = set()
    queue, seen = [value], {id(value)}
    while queue and len(seen) < LOOKED_AT:
        each = queue.pop()
        atom = _aws(each)
        if atom is not None:
            found.add(service_of(atom) if isinstance(atom, Aws) else "aws")
            continue
        if isinstance(each, Bucket):
            found.add("bucket")
            continue
        for inner in _held(each):
            if id(inner) not in seen:
                seen.add(id(inner))
                queue.append(inner)
    return found


def live_functions(value: Any) -> list[types.FunctionType]:
    """The project's functions that a live object of other code holds."""
    found: list[types.FunctionType] = []
    queue, seen = [value], {id(value)}
    while queue and len(seen) < LOOKED_AT:
        each = queue.pop()
        if isinstance(each, types.FunctionType) and follows(each):
            found.append(each)
            continue
        if isinstance(each, types.MethodType) and follows(each.__func__):
            found.append(each.__func__)  # type: ignore[arg-type]
            continue
        for inner in _held(each):
            if id(inner) not in seen:
                seen.add(id(inner))
                queue.append(inner)
    return found


def in_closure(function: types.FunctionType) -> list[Any]:
    """What a function holds."""
    return _held(function)


def _held(value: Any) -> list[Any]:
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
        return [*cells, *(value.__defaults__ or ())]
    if isinstance(value, types.ModuleType | type | str | bytes | int | float | types.CodeType | types.FrameType | None):
        return []
    found = gc.get_referents(value)
    return [each for each in found if not (isinstance(each, dict) and "__builtins__" in each)]


def _filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


# -- what a module says


def defaults_of(function: types.FunctionType, tree: FunctionNode) -> dict[str, Value]:
    """The values of defaults, as they are now."""
    from packyak.deploy.grants.infer.settings import is_unsettled

    spec = tree.args
    names = [each.arg for each in (*spec.posonlyargs, *spec.args)]
    live = function.__defaults__ or ()
    found = dict(zip(names[len(names) - len(live) :], map(wrap, live), strict=True))
    found |= {name: wrap(each) for name, each in (function.__kwdefaults__ or {}).items()}
    written = [*zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True)]
    written += [(each.arg, node) for each, node in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if node]
    file = file_of(function)
    settled = frozenset(name for name, node in written if not (node and is_unsettled(node, file)))
    return {
        name: one(Unknown(changed=name)) if name not in settled and _is_plain(value) else value
        for name, value in found.items()
    }


def _is_plain(value: Value) -> bool:
    return all(isinstance(each, Text) or (isinstance(each, Live) and isinstance(each.value, PLAIN)) for each in value)


@lru_cache(maxsize=512)
def writers_of(file: str) -> dict[str, frozenset[ast.AST]]:
    """The functions of a module that assign its names, by name (`global client`)."""
    tree = tree_of(file)
    found: dict[str, set[ast.AST]] = {}
    for nodes in tree.functions.values() if tree else ():
        for node in nodes:
            for name in {name for each in within(node) if isinstance(each, ast.Global) for name in each.names}:
                found.setdefault(name, set()).add(node)
    return {name: frozenset(nodes) for name, nodes in found.items()}


def within(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in a function, nested functions and classes left aside."""
    queue = list(ast.iter_child_nodes(node))
    while queue:
        each = queue.pop(0)
        yield each
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            queue.extend(ast.iter_child_nodes(each))


def module_file(namespace: dict[str, Any]) -> str:
    return str(namespace.get("__file__") or "")


def loaded(name: str) -> types.ModuleType | None:
    return sys.modules.get(name)


def text_or_unknown(value: Value, make: Callable[[Text], Atom]) -> Value:
    """Something for each known text of a value, and unknown for the rest."""
    return frozenset(make(each) if isinstance(each, Text) else Unknown() for each in value)


def function_defaults(function: types.FunctionType) -> dict[str, Value]:
    """The values of a live function's defaults."""
    from packyak.engine.declare.source import function_node

    tree = function_node(function.__code__)
    return defaults_of(function, tree) if tree is not None else {}
