"""What names mean inside live functions, and in which file live code lies."""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from packyak.engine.declare import values
from packyak.engine.declare.source import uses

PACKAGE_FOLDERS = ("site-packages", "dist-packages")
ENGINE, STANDARD_LIBRARY = Path(__file__).resolve().parents[1], Path(ast.__file__).resolve().parent
PROMPT = "<prompt>"
MISSING = object()


@lru_cache(maxsize=4096)
def lies_in(file: str, root: str) -> bool:
    """Whether code in `file` is the project's own: beneath its folder, neither Packyak's nor installed."""
    if file.startswith("<"):
        return True  # typed at a prompt or made by exec
    path, folder = Path(file).resolve(), Path(root)
    if not path.is_relative_to(folder):
        return False
    if any(path.is_relative_to(other) and not folder.is_relative_to(other) for other in (ENGINE, STANDARD_LIBRARY)):
        return False
    return not any(part in PACKAGE_FOLDERS for part in path.relative_to(folder).parts)


class Names:
    """What names mean inside some functions: their imports, then closures, then their module.

    own: names of their own. state: names outside that they assign (`global n`), which hold results and no input.
    """

    def __init__(self, *functions: types.FunctionType, module: types.ModuleType | None = None) -> None:
        self.local: dict[str, Any] = {}
        self.closed: dict[str, Any] = {}
        self.own = frozenset[str]()
        self.state = frozenset[str]()
        self.globals: dict[str, Any] = vars(module) if module is not None else {}
        for function in functions:
            self.globals = self.globals or function.__globals__
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
                self.closed[name] = _content(cell)
        if len(functions) == 1 and module is None:
            code = functions[0].__code__
            self.own = frozenset(code.co_varnames + code.co_cellvars)

    def value(self, name: str) -> Any:
        if name in self.local:
            return self.local[name]
        if name in self.closed:
            return self.closed[name]
        return MISSING if name in self.own else self.globals.get(name, MISSING)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def imported(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, str, str | None]]:
    """(name bound, module, attribute of it) of an import statement."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name, None) if alias.asname else (top, top, None)
        return
    above = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    module = ".".join([*above, *([statement.module] if statement.module else [])])
    for alias in statement.names:
        yield alias.asname or alias.name, module, alias.name


def is_packyak(decorator: ast.expr, names: Names) -> bool:
    """Whether a decorator is one of the face."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    words = list(uses(target))
    value = names.value(words[0].root) if words else MISSING
    for attribute in words[0].attributes if words else ():
        value = getattr(value, attribute, MISSING)
    return str(getattr(value, "__module__", "")).startswith("packyak.engine.declare")


def plain_function(value: Any) -> types.FunctionType | None:
    """The function beneath a method, static method, class method or property."""
    if isinstance(value, property):
        value = value.fget
    value = getattr(value, "__func__", value)
    return value if isinstance(value, types.FunctionType) else None


def file_of(kind: type) -> str | None:
    """The file of a class."""
    if kind.__module__ == "builtins":
        return None
    return file_of_module(kind.__module__)


def file_of_module(name: str | None) -> str | None:
    """The file of a loaded module."""
    file = getattr(sys.modules.get(name or ""), "__file__", None)
    return PROMPT if file is None and name == "__main__" else file


def file_of_function(function: types.FunctionType) -> str | None:
    """Generated functions (`<string>`) lie where their module does."""
    file = function.__code__.co_filename
    return (file_of_module(function.__module__) or file) if file.startswith("<") else file


def bytecode(code: types.CodeType) -> str:
    """Where there is no source: what the interpreter runs, constants and names included."""
    constants = [
        bytecode(each) if isinstance(each, types.CodeType) else values.encode(each, repr) for each in code.co_consts
    ]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames}"


def global_names(code: types.CodeType) -> set[str]:
    """The names that a function without source may read."""
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return {*code.co_names, *code.co_freevars}.union(*map(global_names, inner))


def is_type_form(value: Any) -> bool:
    """Whether a value is an annotation under a name: `Topic = Literal["a", "b"]`."""
    return bool(get_args(value))
