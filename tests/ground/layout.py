"""The source tree as the layout tests see it: files, their modules, and what they import, read from syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TREES = ("packyak", "engine", "studio", "deploy", "sample_data")


@dataclass(frozen=True)
class Import:
    """One imported module, absolute: `late` when inside a function, `typing_only` when under TYPE_CHECKING."""

    module: str
    line: int
    late: bool
    typing_only: bool


@dataclass(frozen=True)
class Source:
    """One of our files: its path from the root (`engine/store/sql.py`) and its module (`packyak.engine.store.sql`)."""

    path: str
    module: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.path, self.text)

    def imports(self) -> Iterator[Import]:
        package = self.module if self.path.endswith("__init__.py") else self.module.rpartition(".")[0]
        yield from _imports(self.tree, package, late=False, typing_only=False)


@cache
def _parsed(path: str, text: str) -> ast.Module:
    return ast.parse(text, path)


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the five trees."""
    return tuple(
        Source(str(path.relative_to(ROOT)), _module_of(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("*.py"))
    )


def _module_of(path: Path) -> str:
    parts = list(path.with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts if parts[0] == "packyak" else ["packyak", *parts])


def _imports(node: ast.AST, package: str, *, late: bool, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, late, typing_only) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            start = _absolute(child, package)
            yield Import(start, child.lineno, late, typing_only)
            # `from packyak.engine import run` imports a module by the name after `import`
            yield from (Import(f"{start}.{alias.name}", child.lineno, late, typing_only) for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(child, package, late=True, typing_only=typing_only)
        else:
            guarded = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
            yield from _imports(child, package, late=late, typing_only=typing_only or guarded)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    start = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*start, *([node.module] if node.module else [])])


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
