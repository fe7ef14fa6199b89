"""The walk from one function to everything of the project that it runs.

Names are read from the syntax tree and looked up among the live objects: closure first, then module. Project code is
walked on; installed packages are noted by module; declared things are reported and not entered, unless they are called
as plain functions. What decides is where code lies: beneath the project's folder and in no package folder.
"""

from __future__ import annotations

import ast
import copy
import enum
import functools
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard
from weakref import WeakKeyDictionary

from packyak.engine.declare import values
from packyak.engine.declare.bucket import Bucket, Created, Files
from packyak.engine.declare.code import UNSTABLE, CodePart, Reached
from packyak.engine.declare.declared import DECLARED, Declared
from packyak.engine.declare.nodes import Origin
from packyak.engine.declare.scope import (
    MISSING,
    Names,
    bytecode,
    file_of,
    file_of_function,
    global_names,
    imported,
    is_packyak,
    is_type_form,
    lies_in,
    plain_function,
)
from packyak.engine.declare.secret import Secret
from packyak.engine.declare.source import (
    FunctionNode,
    Use,
    assigned_outside,
    class_node,
    function_node,
    imports,
    tree_of,
    uses,
)

# What a function's names held when they were first read, so that caches filled later change nothing.
_FIRST_READ: WeakKeyDictionary[Any, dict[str, _Read]] = WeakKeyDictionary()
CONTAINERS = ("list", "dict", "set", "deque", "Counter", "defaultdict", "OrderedDict")


class _Read(NamedTuple):
    """A value as first read: its text, and what in it was no plain data."""

    value: Any
    text: str
    others: tuple[Any, ...]


class Reach:
    """Everything that one function runs. `parts` by identity of what they tell; `modules` are top-level names."""

    def __init__(self, root: str) -> None:
        self.root = str(Path(root).resolve())
        self.parts: dict[Any, CodePart] = {}
        self.reached: list[Reached] = []
        self.modules: set[str] = set()
        self._kept: list[Any] = []

    def add_own(self, function: Callable[..., Any]) -> None:
        """Starts at the function whose code is asked for: its text is part of the answer wherever it lies."""
        innermost = function.function if isinstance(function, Declared) else function
        own = isinstance(innermost, types.FunctionType) and (
            self._is_project(file_of_function(innermost)) or not hasattr(innermost, "__wrapped__")
        )
        if own:
            self._function(innermost)  # type: ignore[arg-type]
        else:
            self._thing(innermost, "function", "", 0)
        if not self.parts:
            self._note(None, CodePart("function", "", 0, repr(type(innermost))))

    # -- what lies where

    def _is_project(self, file: str | None) -> bool:
        return bool(file) and lies_in(str(file), self.root)

    def _outside(self, module: str | None) -> None:
        """Notes an installed package; the standard library and Packyak itself have no version of their own here."""
        top = (module or "").partition(".")[0]
        if top and top not in sys.stdlib_module_names and top not in ("packyak", "__main__"):
            self.modules.add(top)

    def _note(self, identity: Any, part: CodePart) -> bool:
        """Adds a part once. False when it was there."""
        key = (part.name, id(identity)) if identity is not None else (part.name, part.text)
        if key in self.parts:
            return False
        self._kept.append(identity)  # an id means something only while its object lives
        self.parts[key] = part
        return True

    # -- functions and classes

    def _function(self, function: types.FunctionType) -> None:
        code = function.__code__
        node = function_node(code)
        name = f"{function.__module__}.{function.__qualname__}"
        text = ast.unparse(self._undeclared(node, function)) if node is not None else bytecode(code)
        if not self._note(function, CodePart(name, code.co_filename, code.co_firstlineno, text)):
            return
        names = Names(function)
        self._defaults(function, node, name)
        if node is None:
            for word in sorted(global_names(code)):
                self._use(Use(word, (), code.co_firstlineno), names, function, code.co_filename)
            return
        names.state = assigned_outside(node)
        self._imports(node, function, names)
        self._walk(node, names, function, code.co_filename)

    def _undeclared(self, node: ast.AST, function: types.FunctionType) -> ast.AST:
        """A function's tree without Packyak's own decorators, whose options are declared settings."""
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.decorator_list:
            return node
        bare = copy.copy(node)
        names = Names(function)
        bare.decorator_list = [each for each in node.decorator_list if not is_packyak(each, names)]
        return bare

    def _walk(self, node: ast.AST, names: Names, owner: Any, file: str) -> None:
        tree = self._undeclared(node, owner) if isinstance(owner, types.FunctionType) else node
        for use in uses(tree):
            self._use(use, names, owner, file)

    def _defaults(self, function: types.FunctionType, node: ast.AST | None, name: str) -> None:
        written = [*node.args.defaults, *filter(None, node.args.kw_defaults)] if _has_arguments(node) else None
        live = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        if live and (written is None or not all(isinstance(each, ast.Constant) for each in written)):
            code = function.__code__
            texts = [self._first_read(function, f"={place}", value) for place, value in enumerate(live)]
            self._note(None, CodePart(f"{name} defaults", code.co_filename, code.co_firstlineno, ", ".join(texts)))

    def _imports(self, node: ast.AST, function: types.FunctionType, names: Names) -> None:
        """Imports inside the body: project modules are looked at, installed packages noted."""
        for statement in imports(node):
            for alias, module, attribute in imported(statement, function.__globals__.get("__package__") or ""):
                found = self._project_module(module)
                if found is None:
                    self._outside(module)
                    continue
                value = found if attribute is None else getattr(found, attribute, MISSING)
                if value is MISSING:
                    value = self._project_module(f"{module}.{attribute}") or MISSING
                names.local[alias] = value

    def _project_module(self, name: str) -> types.ModuleType | None:
        """A module of the project, imported as the body would; None for any other, which is left alone."""
        import importlib
        import importlib.util

        top = name.partition(".")[0]
        if not top or top in sys.stdlib_module_names:
            return None
        try:
            spec = importlib.util.find_spec(top)
            places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
            return importlib.import_module(name) if any(map(self._is_project, places)) else None
        except (ImportError, ValueError, AttributeError):
            return None

    def _class(self, kind: type) -> None:
        module = sys.modules.get(kind.__module__)
        file = getattr(module, "__file__", None) or ""
        node = class_node(file, kind.__qualname__) if file else None
        name = f"{kind.__module__}.{kind.__qualname__}"
        text = ast.unparse(node) if node is not None else f"class {kind.__qualname__}"
        if not self._note(kind, CodePart(name, file, node.lineno if node else 0, text)):
            return
        methods = [each for each in map(plain_function, vars(kind).values()) if each is not None]
        names = Names(*methods, module=module)
        if node is not None:
            self._walk(node, names, kind, file)
        for base in kind.__bases__:
            self._thing(base, base.__name__, file, 0)
        for attribute, value in vars(kind).items():
            if not attribute.startswith("__") and _is_data(value) and not isinstance(kind, enum.EnumMeta):
                text = self._first_read(kind, attribute, value)
                self._note(None, CodePart(f"{name}.{attribute}", file, node.lineno if node else 0, text))
        if node is None:
            for method in methods:
                self._function(method)

    # -- names

    def _use(self, use: Use, names: Names, owner: Any, file: str) -> None:
        value = names.value(use.root)
        if value is MISSING or (use.adds and type(value).__name__ in CONTAINERS) or use.root in names.state:
            return
        name, rest = use.root, list(use.attributes)
        while rest and isinstance(value, types.ModuleType) and self._is_project(getattr(value, "__file__", None)):
            word = rest.pop(0)
            inner = getattr(value, word, MISSING)
            if inner is MISSING:
                return
            value, name = inner, f"{name}.{word}"
        if value is Bucket and use.text_argument is not None and not rest:
            self.reached.append(
                Reached(use.text_argument, _quiet_bucket(use.text_argument, file, use.line), file, use.line)
            )
            return
        if use.annotation and not (
            self._is_project(file_of(value)) if isinstance(value, type) else is_type_form(value)
        ):
            return
        self._thing(value, name, file, use.line, called=use.called and not rest, owner=owner)

    def _thing(self, value: Any, name: str, file: str, line: int, *, called: bool = False, owner: Any = None) -> None:
        if isinstance(value, Created):
            value = value.bucket
        if isinstance(value, DECLARED):
            self.reached.append(
                Reached(_declared_name(value, name), value, file, line, called and isinstance(value, Declared))
            )
            if called and isinstance(value, Declared):
                self._thing(value.function, name, file, line)
            return
        if not self._code(value, name, file, line):
            text = self._first_read(owner, name, value, file, line)
            module = getattr(owner, "__module__", None) or ""
            self._note(None, CodePart(f"{module}.{name}" if module else name, file, line, text))

    def _code(self, value: Any, name: str, file: str, line: int) -> bool:
        """Walks on where a value is code. False where it is data."""
        if isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, types.FunctionType):
            if self._is_project(file_of_function(value)):
                self._function(value)
            else:
                self._outside(value.__module__)
                self._wrapped(value, name, file, line)
        elif isinstance(value, type):
            if self._is_project(file_of(value)):
                self._class(value)
            else:
                self._outside(value.__module__)
        elif isinstance(value, types.MethodType):
            self._thing(value.__func__, name, file, line)
            self._thing(value.__self__, f"{name}.self", file, line)
        elif isinstance(value, functools.partial):
            self._thing(value.func, f"{name}.func", file, line)
            self._thing([*value.args, value.keywords], f"{name}.arguments", file, line)
        elif isinstance(value, staticmethod | classmethod | property):
            inner = plain_function(value)
            if inner is not None:
                self._thing(inner, name, file, line)
        elif callable(value) and hasattr(value, "__wrapped__"):
            self._wrapped(value, name, file, line)
        elif isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType):
            self._outside(getattr(value, "__module__", None))
        else:
            return False
        return True

    def _wrapped(self, value: Any, name: str, file: str, line: int) -> None:
        """A wrapper from elsewhere (`lru_cache`) around a function of the project."""
        inner = getattr(value, "__wrapped__", None)
        if inner is not None:
            self._thing(inner, name, file, line)

    def _module(self, module: types.ModuleType) -> None:
        """A module as a value: all of it, where it is the project's."""
        file = getattr(module, "__file__", None)
        if not self._is_project(file):
            self._outside(module.__name__)
            return
        tree = tree_of(str(file))
        text = ast.unparse(tree.module) if tree else module.__name__
        self._note(module, CodePart(module.__name__, str(file), 1, text))

    # -- values

    def _first_read(self, owner: Any, name: str, value: Any, file: str = "", line: int = 0) -> str:
        """The value as text: as it was when this owner's name was first read, while it is the same object."""
        try:
            known = _FIRST_READ.setdefault(owner, {})
        except TypeError:
            known = {}
        other = self._other(name, file, line)
        before = known.get(name)
        if before is not None and before.value is value:
            for inner in before.others:
                other(inner)
            return before.text
        others: list[Any] = []

        def noted(inner: Any) -> str:
            others.append(inner)
            return other(inner)

        text = values.encode(value, noted)
        known[name] = _Read(value, text, tuple(others))
        return text

    def _other(self, name: str, file: str, line: int) -> Callable[[Any], str]:
        """Names what a value holds besides plain data, walking on into it."""
        walked: list[int] = []

        def other(value: Any) -> str:
            label = f"{type(value).__module__}.{type(value).__qualname__}"
            if isinstance(value, (Created, *DECLARED)):
                self._thing(value, name, file, line)
                return f"{label} {_declared_name(value, name)}"
            if self._code(value, name, file, line):
                return f"{label} {getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
            if isinstance(value, Secret):
                return f"{label} {value.name}"
            if label == "logging.Logger":
                return f"{label} {value.name}"
            project = self._is_project(file_of(type(value)))
            held = values.attributes(value) if project or hasattr(type(value), "__dataclass_fields__") else None
            if held is None or id(value) in walked:
                return self._unstable(name, file, line, label) if held is None else f"{label} again"
            walked.append(id(value))
            self._code(type(value), type(value).__name__, file, line)
            text = ", ".join(f"{word}={values.encode(held[word], other)}" for word in held)
            content = f" {values.encode(list(value), other)}" if isinstance(value, tuple | list | set) else ""
            return f"{label}({text}){content}"

        return other

    def _unstable(self, name: str, file: str, line: int, label: str) -> str:
        self._note(None, CodePart(UNSTABLE, file, line, f"{name}: {label}"))
        self._outside(label)
        return label


def _has_arguments(node: Any) -> TypeGuard[FunctionNode]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def _is_data(value: Any) -> bool:
    return type(value) in (*values.PLAIN, list, tuple, set, frozenset, dict)


def _quiet_bucket(name: str, file: str, line: int) -> Bucket:
    bucket = Bucket.__new__(Bucket)
    bucket.name, bucket.origin = name, Origin(file, line)
    return bucket


def _declared_name(value: Any, written: str) -> str:
    if isinstance(value, Bucket | Files):
        return value.name
    return value.__name__ if isinstance(value, Declared) else written
