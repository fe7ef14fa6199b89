"""From the modules of a project to its graph: every declared thing named, ordered and checked.

First the declared objects are found (attributes of the modules, and what those are declared over), then a node of each
is built after its inputs. Whatever is wrong is told here, before anything runs, with file and line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from packyak.engine.declare.build import Builder, SqlKey, TablesOf
from packyak.engine.declare.found import Declarations
from packyak.engine.declare.nodes import Graph


def collect(
    modules: Sequence[ModuleType], *, tables_of: TablesOf, sql_key: SqlKey | None = None, root: str | None = None
) -> Graph:
    """The graph of what some modules declare. Raises DeclarationError.

    tables_of: the tables that a query names. sql_key: the key columns of a query, given its tables' keys; without it a
    query's key is not known here (None) and not asked for. root: the project's folder, whose code is walked for the
    declared things that functions name; by default the folder of the modules.
    """
    found = Declarations()
    for module in modules:
        found.add_module(module)
    builder = Builder(found, tables_of, sql_key, root if root is not None else _folder(modules))
    while waiting := [name for name in found.things if name not in builder.nodes]:
        for name in waiting:  # building may find more: what a body names need not be in a module
            builder.node(name)
    return Graph(builder.nodes)


def _folder(modules: Sequence[ModuleType]) -> str:
    """The folder of the first module that has a file, or of its outermost package."""
    for module in modules:
        if getattr(module, "__file__", None):
            depth = module.__name__.count(".") + (1 if hasattr(module, "__path__") else 0)
            parents = Path(str(module.__file__)).resolve().parents
            return str(parents[min(depth, len(parents) - 1)])
    return str(Path.cwd())
