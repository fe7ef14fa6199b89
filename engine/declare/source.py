"""Source text as syntax trees without docstrings, comments and layout, and where in them a live function stands.

A tree is parsed once per state of its file. What has no source (typed at a prompt, made by `exec`) has no tree; the
caller falls back to its bytecode.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import CodeType

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Place = tuple[int, str]


@dataclass(frozen=True)
class Tree:
    """A file's syntax tree. `functions` and `classes` by first line (decorators included) and name."""

    module: ast.Module
    functions: dict[Place, list[FunctionNode]] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)


def tree_of(file: str) -> Tree | None:
    """The syntax tree of a file, or None where its source cannot be had."""
    try:
        state = Path(file).stat()
    except OSError:
        return _from_text("".join(linecache.getlines(file)))
    return _from_file(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=512)
def _from_file(file: str, modified: int, size: int) -> Tree | None:
    try:
        return _parsed(Path(file).read_bytes())
    except OSError:
        return None


@lru_cache(maxsize=64)
def _from_text(text: str) -> Tree | None:
    return _parsed(text) if text else None


def _parsed(source: str | bytes) -> Tree | None:
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    tree = Tree(module)
    _index(module, "", tree)
    return tree


def _index(node: ast.AST, inside: str, tree: Tree) -> None:
    """Drops docstrings and notes where functions and classes stand."""
    for child in ast.iter_child_nodes(node):
        name = inside
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            tree.functions.setdefault((first, child.name), []).append(child)
            name = f"{inside}{child.name}.<locals>."
        elif isinstance(child, ast.Lambda):
            tree.functions.setdefault((child.lineno, "<lambda>"), []).append(child)
        elif isinstance(child, ast.ClassDef):
            tree.classes[f"{inside}{child.name}"] = child
            name = f"{inside}{child.name}."
        _index(child, name, tree)
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        _drop_docstring(node)


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body[:1] = [] if len(node.body) > 1 else [ast.Pass(lineno=first.lineno, col_offset=0)]


def function_node(code: CodeType) -> FunctionNode | None:
    """The syntax tree of a function's code."""
    tree = tree_of(code.co_filename)
    found = tree.functions.get((code.co_firstlineno, code.co_name), []) if tree else []
    if len(found) < 2:
        return found[0] if found else None
    return _covering(code, found)


def _covering(code: CodeType, nodes: list[FunctionNode]) -> FunctionNode | None:
    """Of several lambdas on one line, the smallest that covers the code's own positions."""
    places = [(line, column) for line, _, column, _ in code.co_positions() if line and column]
    covering = [node for node in nodes if places and all(_covers(node, place) for place in places)]
    return min(covering, key=_extent, default=None)


def _covers(node: FunctionNode, place: tuple[int, int]) -> bool:
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return (node.lineno, node.col_offset) <= place <= end


def _extent(node: FunctionNode) -> tuple[int, int]:
    return (node.end_lineno or 0) - node.lineno, (node.end_col_offset or 0) - node.col_offset


def class_node(file: str, qualname: str) -> ast.ClassDef | None:
    """The syntax tree of a class; of several with one name, the last."""
    tree = tree_of(file)
    return tree.classes.get(qualname) if tree else None


@dataclass(frozen=True)
class Use:
    """A name that code reads, with the attributes asked of it: `helpers.clean(x)` is ("helpers", ("clean",),
    called)."""

    root: str
    attributes: tuple[str, ...]
    line: int
    called: bool = False
    text_argument: str | None = None
    annotation: bool = False
    adds: bool = False


ADDING = frozenset(("add", "append", "appendleft", "extend", "update"))


def uses(node: ast.AST) -> Iterator[Use]:
    """Every name that a tree reads, in reading order."""
    yield from _uses(node, None, False)


def _uses(node: ast.AST, call: ast.Call | None, annotation: bool) -> Iterator[Use]:
    if isinstance(node, ast.Attribute | ast.Name):
        root, attributes = _chain(node)
        if isinstance(root, ast.Name):
            if isinstance(root.ctx, ast.Load):
                yield Use(root.id, attributes, root.lineno, call is not None, _text_argument(call), annotation)
            return
        yield from _uses(root, None, annotation)
        return
    added_to = _added_to(node)
    if added_to is not None:
        yield from (replace(use, adds=True) if use.root == added_to else use for use in _inside(node, annotation))
        return
    if isinstance(node, ast.Call):
        yield from _uses(node.func, node, annotation)
        for argument in (*node.args, *node.keywords):
            yield from _uses(argument, None, annotation)
        return
    if annotation and isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _uses_of_text(node)
        return
    yield from _inside(node, annotation)


def _inside(node: ast.AST, annotation: bool) -> Iterator[Use]:
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _uses(child, None, annotation or name in ("annotation", "returns"))


def _added_to(node: ast.AST) -> str | None:
    """The name that a statement only puts something into."""
    target: ast.AST | None = None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        target = node.value.func.value if node.value.func.attr in ADDING else None
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
        target = node.target.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript):
        target = node.targets[0].value
    return target.id if isinstance(target, ast.Name) else None


def assigned_outside(node: ast.AST) -> frozenset[str]:
    """Names that code declares `global` or `nonlocal`: it writes them."""
    found = (child.names for child in ast.walk(node) if isinstance(child, ast.Global | ast.Nonlocal))
    return frozenset(name for names in found for name in names)


def _chain(node: ast.expr) -> tuple[ast.expr, tuple[str, ...]]:
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return node, tuple(reversed(attributes))


def _text_argument(call: ast.Call | None) -> str | None:
    arguments = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "name")] if call else []
    first = arguments[0] if arguments else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _uses_of_text(node: ast.Constant) -> Iterator[Use]:
    try:
        expression = ast.parse(str(node.value), mode="eval")
    except (SyntaxError, ValueError):
        return
    for use in _uses(expression, None, True):
        yield Use(use.root, use.attributes, node.lineno, annotation=True)


def imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements inside a tree."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
