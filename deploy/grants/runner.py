"""A process that runs assets of one project in a home on S3, each under the role it is told: what a Lambda does there.

`python -m packyak.deploy.grants.runner FOLDER HOME` reads one JSON request a line and answers each with one line:
`{"run": NAME}` brings one asset up to date alone; `{"correct": NAMES}` says something about a record of each. Its
environment holds the role's credentials and the server's address. What the project prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from packyak.engine.errors import PackyakError
from packyak.engine.project import Project


def answer(folder: str, home: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What came of one request: state, and what went wrong in words."""
    try:
        with Project.open(folder, home=home) as project:
            if "correct" in request:
                return {"state": "done", "corrected": _correct(project, request["correct"])}
            return _run(project, request["run"])
    except Exception as error:  # whatever it was, it is the answer
        return {"state": "error", "problem": f"{type(error).__name__}: {error}"}


def _run(project: Project, asset: str) -> dict[str, Any]:
    record = project.run([asset], alone=True)
    done = record.asset(asset)
    problems = [record.error, *record.notes, *([done.message] if done and done.state in ("failed", "blocked") else [])]
    return {
        "state": record.state,
        "problem": "; ".join(filter(None, problems)),
        "asset": done.state if done else "fresh",
        "computed": done.computed if done else 0,
        "changed": done.changed if done else 0,
        "deleted": done.deleted if done else 0,
        "failed": done.failed if done else 0,
    }


def _correct(project: Project, names: Sequence[str]) -> list[str]:
    """One correction on each asset that can be corrected: a value that another record has."""
    corrected = []
    for name in names:
        page = project.page(name, limit=50)
        rows = page.rows.to_pylist()
        for column in page.columns:
            values = [row[column.name] for row in rows if row[column.name] is not None] if column.editable else []
            first = next((row for row in rows if row.get(column.name) is not None), None)
            other = next((value for value in values if first and value != first[column.name]), None)
            if column.owner != name or first is None or other is None:
                continue
            try:
                project.correct(name, first["_key"], column.name, other, by="proof", why="to see what a run then needs")
            except PackyakError:
                continue
            corrected.append(name)
            break
    return corrected


def main(folder: str, home: str) -> None:
    """Answers requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(answer(folder, home, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
