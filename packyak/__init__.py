"""Packyak: data pipelines as plain Python functions, which people correct and which learn from it.

The face: everything that a pipeline is declared with. Each name is loaded when it is first asked for, so that importing
Packyak costs next to nothing and loads no library.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packyak.engine.declare.bucket import Bucket as Bucket
    from packyak.engine.declare.bucket import File as File
    from packyak.engine.declare.declared import Index as Index
    from packyak.engine.declare.decorators import asset as asset
    from packyak.engine.declare.decorators import check as check
    from packyak.engine.declare.decorators import function as function
    from packyak.engine.declare.decorators import learned as learned
    from packyak.engine.declare.decorators import sql as sql
    from packyak.engine.declare.decorators import transform as transform
    from packyak.engine.declare.readers import read_csv as read_csv
    from packyak.engine.declare.readers import read_jsonl as read_jsonl
    from packyak.engine.declare.secret import Secret as Secret
    from packyak.engine.project import Project as Project

_HOMES = {
    "Bucket": "packyak.engine.declare.bucket",
    "File": "packyak.engine.declare.bucket",
    "Index": "packyak.engine.declare.declared",
    "Project": "packyak.engine.project",
    "Secret": "packyak.engine.declare.secret",
    "asset": "packyak.engine.declare.decorators",
    "check": "packyak.engine.declare.decorators",
    "function": "packyak.engine.declare.decorators",
    "learned": "packyak.engine.declare.decorators",
    "read_csv": "packyak.engine.declare.readers",
    "read_jsonl": "packyak.engine.declare.readers",
    "sql": "packyak.engine.declare.decorators",
    "transform": "packyak.engine.declare.decorators",
}

__all__ = [
    "Bucket",
    "File",
    "Index",
    "Project",
    "Secret",
    "asset",
    "check",
    "function",
    "learned",
    "read_csv",
    "read_jsonl",
    "sql",
    "transform",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"packyak has no {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
