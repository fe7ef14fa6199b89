"""What the workers of these tests serve: a small object with a run that reports, prints, raises or hangs as told."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from packyak.engine.errors import DataError
from packyak.engine.run.answers import Cause
from packyak.engine.run.progress import Progress
from packyak.engine.run.runs import RunRecord, RunStore
from packyak.engine.store.home import Home


class Served:
    name = "served"

    def __init__(self, root: str, home: str) -> None:
        if root not in sys.path:
            sys.path.insert(0, root)
        self.rules = importlib.import_module("rules")
        self.made_at = time.time_ns()
        self.store = RunStore(Home(home))

    def answer(self) -> int:
        return self.rules.answer()

    def causes(self) -> tuple[Cause, ...]:
        return (Cause("input", "12 records changed", 12),)

    def table(self, rows: int) -> pa.Table:
        return pa.table({"_key": [str(n) for n in range(rows)], "n": range(rows)})

    def fail(self) -> None:
        raise DataError("the file is empty", next_step="put something into it", file="a.csv", line=3)

    def surprise(self) -> None:
        raise ZeroDivisionError("by nothing")

    def loaded(self, names: list[str]) -> list[str]:
        return [name for name in names if name in sys.modules]

    def variable(self, name: str) -> str | None:
        return os.environ.get(name)

    def run(
        self,
        steps: int = 2,
        seconds: float = 0.02,
        hang: bool = False,
        wait: bool | float = False,
        on_progress: Callable[[RunRecord], None] | None = None,
    ) -> dict[str, object]:
        progress = Progress(self.store, self.store.start(["text"]), on_progress)
        progress.running(["text"])
        progress.asset_started("text", steps)
        try:
            if hang:
                self._hang()
            for done in range(steps):
                time.sleep(seconds)
                print("record", done)
                progress.advanced("text", done + 1)
        except Exception as error:
            progress.finished("cancelled", str(error))
            raise
        progress.asset_finished("text", computed=steps)
        progress.finished("done")
        return {
            "id": progress.run_id,
            "answer": self.answer(),
            "main": threading.current_thread() is threading.main_thread(),
            "variable": os.environ.get("SECRET_OF_CALLER"),
            "folder": str(Path.cwd()),
        }

    def _hang(self) -> None:
        """As user code may: deaf to everything but a kill."""
        while True:
            try:
                time.sleep(0.1)
            except BaseException:
                continue
