"""What runs in the account: the engine's own call for one unit, as Lambda and as a task start it.

`run(event, context)` is what Lambda calls, with `{"run": "tickets"}` or `{"tidy": true}`; a task runs
`python -m packyak.deploy.entry UNIT HOME`. The project lies in the working folder of the image. A run that is refused
because another holds the project ends as RunBusy, by which the state machine knows to try again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from packyak.engine.errors import RunFailed, SettingError
from packyak.engine.project import Project

LAMBDA_WAITS = 20.0  # seconds for another run; after that it is cheaper to be called again
TASK_WAITS = 1800.0  # a task takes a minute to start, so it rather waits


@dataclass(frozen=True)
class Done:
    """What came of a unit: its state, and how many of its records."""

    unit: str
    state: str
    computed: int = 0
    changed: int = 0
    deleted: int = 0
    failed: int = 0


def run(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
    """Brings one unit up to date, or tidies. Raises RunFailed where it failed, and RunBusy where others run."""
    if event.get("tidy"):
        return {"tidied": tidied()}
    name = str(event.get("run") or os.environ.get("PACKYAK_UNIT", ""))
    if not name:
        raise SettingError("nothing says which unit to run", next_step='call it with {"run": "NAME"}')
    return asdict(brought_up_to_date(name, wait=LAMBDA_WAITS))


def brought_up_to_date(name: str, *, home: str | None = None, wait: float) -> Done:
    """One unit, alone, as what it reads stands now."""
    with opened(home) as project:
        record = project.run([name], alone=True, wait=wait)
        done = record.asset(name)
    if record.state != "done" or (done and done.state in ("failed", "blocked")):
        why = (done.message if done else "") or record.error or "it says no more"
        raise RunFailed(f"{name}: {why}", run=record.id)
    if done is None:
        return Done(name, "fresh")
    return Done(name, done.state, done.computed, done.changed, done.deleted, done.failed)


def tidied(home: str | None = None) -> list[str]:
    """Keeps every table in few pieces; answers which have a new version for it."""
    from packyak.engine.run.tidy import tidy_project

    with opened(home) as project:
        return tidy_project(project, wait=LAMBDA_WAITS)


def opened(home: str | None = None) -> Project:
    """The project of the working folder. Nobody asks here: who may start a run is IAM's to say."""
    project = Project.open(home=home)
    project.roles = {}
    return project


def main(name: str, home: str) -> None:
    """One unit, as a task. What came of it is printed."""
    print(brought_up_to_date(name, home=home, wait=TASK_WAITS), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PACKYAK_PREFECT", "off")
    os.environ.setdefault("PACKYAK_WORKER", "off")
    main(*sys.argv[1:])
