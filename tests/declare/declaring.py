"""Pipelines as text, for the tests of this folder: written to a file, imported under a name of their own, collected."""

from __future__ import annotations

import importlib.util
import itertools
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from packyak.engine.declare.collect import collect
from packyak.engine.declare.nodes import Graph

PREAMBLE = """\
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, AsyncIterator, Iterator, Literal, NamedTuple, Optional, TypedDict
from packyak import Bucket, File, Index, asset, check, function, learned, read_csv, read_jsonl, sql, transform
"""
_numbers = itertools.count()


def tables_of(query: str) -> list[str]:
    return re.findall(r"\b(?:from|join)\s+(\w+)", query)


def load(folder: Path, source: str, name: str = "pipeline") -> ModuleType:
    """The module of a pipeline's text, with the usual imports above it."""
    return load_file(_written(folder / f"{name}.py", PREAMBLE + source))


def load_file(file: Path) -> ModuleType:
    name = f"{file.stem}_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def graph_of(folder: Path, source: str, *, keys: Mapping[str, tuple[str, ...] | None] | None = None) -> Graph:
    """The graph of a pipeline's text. keys: what each query's key is, by a word in it."""

    def sql_key(query: str, inputs: Mapping[str, tuple[str, ...] | None]) -> tuple[str, ...] | None:
        return next((key for word, key in (keys or {}).items() if word in query), None)

    module = load(folder, source)
    return collect([module], tables_of=tables_of, sql_key=sql_key if keys is not None else None, root=str(folder))


def line_of(source: str, mark: str = "# HERE") -> int:
    """The line of the written file that carries a mark."""
    lines = (PREAMBLE + source).splitlines()
    return next(number for number, line in enumerate(lines, 1) if mark in line)


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file
