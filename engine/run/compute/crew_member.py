"""What runs in each process of a crew: it opens the project once, then calls functions on the records it is given."""

from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from packyak.engine.run.compute.apply import Answers, call_on_records

_project: Any = None


@dataclass(frozen=True)
class Said:
    """What a function answered on some records, and what it printed meanwhile."""

    answers: Answers
    printed: str = ""


def join(root: str, home: str, person: str) -> None:
    """Opens the project as who asked for the run, and makes it the active one. Ctrl-C is for the process that asked."""
    global _project
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    project = import_module("packyak.engine.project").Project  # a layer above this one
    _project = project.open(root, home=home).acting(person)
    _project.__enter__()


def call(name: str, code: str, columns: Sequence[Sequence[Any]], count: int) -> Said | None:
    """Calls an asset's function; None where its code is another one here."""
    if _project.codes.fingerprints[name].code != code:
        return None
    node, printed = _project.graph[name], io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        answers = call_on_records(node, node.function, columns, count, lambda done: None)
    return Said(answers, printed.getvalue())
