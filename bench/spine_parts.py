"""Where the seconds of the full step go: the same run once more, in one process, with a clock around its parts.

The clock is the process's CPU time, threads of the libraries included, so a part is also charged with what they still
do for the part before; over 100,000 records that is a few hundredths of a second. Run by `bench_spine.py` in a process
of its own, in the folder of a project that has already run twice: `python spine_parts.py`.
"""

from __future__ import annotations

import functools
import importlib
import json
import time
from collections.abc import Callable
from typing import Any, Final

PARTS: Final = (
    "the user's functions", "reading files", "values to and from Python", "SQL and hashes", "writing tables", "lineage",
    "the rest",
)  # fmt: skip


class Clocks:
    """Seconds by part. A part inside another is taken off the outer one."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._inner: list[float] = []

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Charges every call of `owner.name` to a part."""
        called: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(called)
        def timed(*args: Any, **more: Any) -> Any:
            began = time.process_time()
            self._inner.append(0.0)
            try:
                return called(*args, **more)
            finally:
                spent = time.process_time() - began
                self.seconds[part] += spent - self._inner.pop()
                if self._inner:
                    self._inner[-1] += spent

        setattr(owner, name, timed)


def watched() -> Clocks:
    """Clocks on the engine's parts."""
    from packyak.engine.run.compute import apply, learned, transforms
    from packyak.engine.run.scope import Scope
    from packyak.engine.run.tell import Teller
    from packyak.engine.store import query
    from packyak.engine.store.tables import Table

    clocks = Clocks()
    clocks.watch(apply, "_call_sync", PARTS[0])
    for owner, name in ((transforms, "table_of_many"), (transforms, "several"), (Scope, "etag")):
        clocks.watch(owner, name, PARTS[1])
    for owner, name in ((learned, "arguments"), (transforms, "one_each")):
        clocks.watch(owner, name, PARTS[2])
    for name in ("run", "hash_sum"):
        clocks.watch(query.Query, name, PARTS[3])
    for name in ("_write", "delete", "upsert"):
        clocks.watch(Table, name, PARTS[4])
    for name in ("happened", "finish"):
        clocks.watch(Teller, name, PARTS[5])
    return clocks


def main() -> None:
    """Runs the project in this folder and prints its parts as JSON."""
    from packyak.engine.project import Project

    project = Project.open()
    project.sql("select 1 as n")  # what a warm worker has loaded already
    importlib.import_module("packyak.engine.lineage.events")
    clocks = watched()
    began = time.process_time()
    record = project.run()
    whole = time.process_time() - began
    if record.state != "done":
        raise SystemExit(f"the run {record.state}: {record.error}")
    clocks.seconds["the rest"] = max(0.0, whole - sum(clocks.seconds.values()))
    print(json.dumps(clocks.seconds))


if __name__ == "__main__":
    main()
