"""What is another where the code will run, or at another time: the environment, today's date, a random number.

A module's names that come of such, through other names, functions and modules of the project as well, do not have the
value that they have here and now. Read from the code of the modules, as the values tell nothing of where they are from.
"""

from __future__ import annotations

import argparse
import ast
import functools
import sys
import types
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer.atoms import Live, Made, Partial, Unknown, Value, one
from packyak.deploy.grants.infer.live import PLAIN, followed_class, is_followed, within, wrap
from packyak.engine.declare.scope import imported
from packyak.engine.declare.source import tree_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

Imports = Mapping[str, tuple[str, str | None]]
Parts = frozenset[str] | None  # the keys or attributes that are unsettled; None: all of it
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_ENVIRONMENT = ("environ", "environb", "getenv")
# fmt: off
_ANYWHERE = frozenset((
    "now", "today", "utcnow", "uuid1", "uuid4", "gethostname", "getfqdn", "getuser", "getpid", "getcwd", "getlogin",
    "urandom", "argv", "perf_counter", "monotonic", "time_ns", *_ENVIRONMENT,
))
_MODULES = frozenset((
    "random", "secrets", "platform", "tempfile", "getpass", "time", "decouple", "environs", "dynaconf", "dotenv",
    "pydantic_settings",
))
# fmt: on
DEEPEST = 4  # of what one name holds


def unsettled_names(file: str) -> Mapping[str, Parts]:
    """The names of a module (and `.name` of `self.name`) that come of what is another elsewhere."""
    return _names(file, ()) if file else {}


@lru_cache(maxsize=512)
def names_of_regions(file: str) -> frozenset[str]:
    """The names of a module that are the region where it runs: `REGION = os.environ["AWS_REGION"]`."""
    tree = tree_of(file) if file else None
    return frozenset(
        target.id
        for node in (within(tree.module) if tree else ())
        if isinstance(node, ast.Assign)
        and any(isinstance(each, ast.Constant) and each.value in _REGIONS for each in ast.walk(node.value))
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def is_unsettled(node: ast.AST, file: str) -> bool:
    """Whether an expression of a module comes of what is another elsewhere."""
    return _found(node, unsettled_names(file), imports_of(file))


@lru_cache(maxsize=512)
def _names(file: str, on_the_way: tuple[str, ...]) -> dict[str, Parts]:
    tree = tree_of(file)
    if tree is None or file in on_the_way:
        return {}
    imports = imports_of(file)
    found: dict[str, Parts] = {}
    for name, (module, attribute) in imports.items():
        other = _file_of(module)
        if attribute is not None and is_followed(other):
            theirs = _names(other, (*on_the_way, file))
            found |= {name: theirs[attribute]} if attribute in theirs else {}
    size = -1
    while size != len(found):
        size = len(found)
        _read(tree.module, found, found, imports)
    return found


def _read(scope: ast.AST, names: dict[str, Parts], found: dict[str, Parts], imports: Imports) -> None:
    """Reads one scope. names: those of the scope; found: those of the module, attributes among them."""
    for node in within(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            _assigned(node, node.value, names, found, imports)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = dict(names)
            size = -1
            while size != len(inner):
                size = len(inner)
                _read(node, inner, found, imports)
            returned = [each.value for each in within(node) if isinstance(each, ast.Return | ast.Yield) and each.value]
            if any(_found(each, inner, imports) for each in returned if each is not None):
                names.setdefault(node.name, None)
        elif isinstance(node, ast.ClassDef):
            settings = any(ast.unparse(each).endswith("BaseSettings") for each in node.bases)
            for each in node.body:
                if settings and isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                    found.setdefault(f".{each.target.id}", None)
            _read(node, names, found, imports)


def _assigned(
    node: ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr,
    value: ast.expr,
    names: dict[str, Parts],
    found: dict[str, Parts],
    imports: Imports,
) -> None:
    if not _found(value, names, imports):
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for each in ast.walk(target):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                names.setdefault(each.id, _parts(value, names, imports))
            elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
                found.setdefault(f".{each.attr}", None)
                names.setdefault(f".{each.attr}", None)


def _parts(value: ast.expr, found: Mapping[str, Parts], imports: Imports) -> Parts:
    """Which keys of a dict that is written out are unsettled."""
    if not isinstance(value, ast.Dict) or not all(isinstance(key, ast.Constant) for key in value.keys):
        return None
    return frozenset(
        str(key.value)
        for key, each in zip(value.keys, value.values, strict=True)
        if isinstance(key, ast.Constant) and _found(each, found, imports)
    )


def _found(node: ast.AST, names: Mapping[str, Parts], imports: Imports) -> bool:
    """Whether anything in a piece of code is unsettled."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
            module, attribute = imports.get(each.id, ("", None))
            if each.id in names or each.id in _ENVIRONMENT:
                return True
            if attribute is not None and (attribute in _ANYWHERE or module.partition(".")[0] in _MODULES):
                return True
        elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Load):
            owner = imports.get(each.value.id, ("", None)) if isinstance(each.value, ast.Name) else ("", None)
            if each.attr in _ANYWHERE or owner[0].partition(".")[0] in _MODULES or f".{each.attr}" in names:
                return True
            module = ".".join(filter(None, owner))
            if module and is_followed(_file_of(module)) and each.attr in _names(_file_of(module), ("",)):
                return True
    return False


@lru_cache(maxsize=512)
def imports_of(file: str) -> Imports:
    """The modules, and attributes of them, that the imports of a file bind."""
    tree = tree_of(file)
    if tree is None:
        return {}
    package = next((each.__package__ or "" for each in list(sys.modules.values())
                    if getattr(each, "__file__", None) == file), "")  # fmt: skip
    return {
        name: (module, attribute)
        for node in ast.walk(tree.module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name, module, attribute in imported(node, package)
    }


def _file_of(module: str) -> str:
    return str(getattr(sys.modules.get(module), "__file__", None) or "")


# -- what such a name holds


def unsettled(m: Machine, value: Any, name: str, parts: Parts = None, depth: int = 0) -> Value:
    """A live value without the strings that are others elsewhere."""
    if value is None or isinstance(value, PLAIN):
        return one(Unknown(changed=name))
    if isinstance(value, functools.partial):
        given = tuple(unsettled(m, each, name) for each in value.args)
        named = tuple((word, unsettled(m, each, name)) for word, each in value.keywords.items())
        return one(Partial(wrap(value.func), given, named))
    if depth > DEEPEST:
        return wrap(value)
    if isinstance(value, dict | list | tuple) and type(value) in (dict, list, tuple):
        kind = type(value).__name__
        items: Mapping[Any, Any] = value if isinstance(value, dict) else dict(enumerate(value))
        return _copied(m, Made(kind, ("unsettled", id(value))), items, name, parts, depth)
    own = getattr(value, "__dict__", None)
    ours = followed_class(type(value)) or isinstance(value, types.SimpleNamespace | argparse.Namespace)
    if not ours or not isinstance(own, dict) or isinstance(value, type | types.FunctionType | types.ModuleType):
        return wrap(value)
    made = Made("object", ("unsettled", id(value)), Live(type(value)))
    return _copied(m, made, {f".{word}": held for word, held in own.items()}, name, parts, depth)


def _copied(m: Machine, made: Made, items: Mapping[Any, Any], name: str, parts: Parts, depth: int) -> Value:
    from packyak.deploy.grants.infer.containers import key_name
    from packyak.deploy.grants.infer.heap import REST

    for word, held in list(items.items())[:500]:
        key = word if made.kind == "object" else str(word) if made.kind != "dict" else key_name(next(iter(wrap(word))))
        settled = parts is not None and word not in parts
        m.heap.add(made, key or REST, wrap(held) if settled else unsettled(m, held, name, None, depth + 1))
    return one(made)
