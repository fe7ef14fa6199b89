"""A process that runs units of one project in a home on S3, each under the role it is told: what a Lambda does there.

`python -m packyak.deploy.grants.runner FOLDER HOME SOCKET` loads what every run needs and then waits at a Unix socket.
Each connection gets a process of its own, forked before anything was opened, so that nothing that one role saw can help
another. Its first line is the environment (credentials and the server's address), then one JSON request a line,
answered with one line: `{"run": NAME}` brings one unit up to date alone; `{"correct": NAMES}` says something about
records of each; `{"promote": NAMES}` lets the last model of each answer. All of them: `_DEEDS`. A second word, `enough`
is with how many corrections each learned transform is content. What the project prints goes to standard error. It ends
with its standard input.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from packyak.engine.declare.nodes import Graph, LearnedNode, Node, TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.loading import load_modules
from packyak.engine.project import Project
from packyak.engine.run.answers import CheckResult
from packyak.engine.run.checks import result_from
from packyak.engine.run.correct.saving import Said
from packyak.engine.run.due.fingerprint import Codes
from packyak.engine.run.tidy import NONE, USUAL, tidy_project
from packyak.engine.settings import load_config

NEEDED = (
    "duckdb", "fsspec", "lance", "openlineage.client.event_v2", "openlineage.client.facet_v2", "pyarrow.compute",
    "pyarrow.fs", "packyak.engine.lineage.asset_event", "packyak.engine.lineage.events", "packyak.engine.run.launch",
    "packyak.engine.store.sql", "packyak.engine.store.sql_columns", "sqlglot.dialects.duckdb", "sqlglot.optimizer",
)  # fmt: skip


_codes: dict[str, Codes] = {}  # by folder: this process has loaded its modules once


def answer(folder: str, home: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What came of one request: state, and what went wrong in words. cpu: seconds of this process."""
    began = time.process_time()
    _forget()
    try:
        with Project.open(folder, home=home) as project:
            project.graph = _content_with(project.graph, request.get("enough", {}))
            project.codes = _codes.get(folder) or _codes.setdefault(folder, project.codes)
            done = _DEEDS[next(iter(request))](project, next(iter(request.values())))
    except Exception as error:  # whatever it was, it is the answer
        done = {"state": "error", "problem": f"{type(error).__name__}: {error}"}
    return {**done, "cpu": time.process_time() - began}


def _content_with(graph: Graph, enough: Mapping[str, int]) -> Graph:
    """A graph whose learned transforms learn from so many corrections, where their authors want more than there is."""
    nodes = dict(graph.nodes)
    for name, most in enough.items():
        node = nodes[name]
        assert isinstance(node, LearnedNode)
        nodes[name] = replace(node, train_after=min(node.train_after, most))
    return Graph(nodes)


def _run(project: Project, asset: str) -> dict[str, Any]:
    record = project.run([asset], alone=True)
    done = record.asset(asset)
    problems = [record.error, *([done.message] if done and done.state in ("failed", "blocked") else [])]
    return {
        "state": record.state,
        "problem": "; ".join(filter(None, problems)),
        "notes": list(record.notes),
        "asset": done.state if done else "fresh",
        "computed": done.computed if done else 0,
        "changed": done.changed if done else 0,
        "deleted": done.deleted if done else 0,
        "failed": done.failed if done else 0,
        "checks": [(each.name, each.passed, each.message) for each in _checks(project, asset)],
    }


def _checks(project: Project, asset: str) -> list[CheckResult]:
    found = project.scope().candidates.get(asset)
    return [result_from(each) for each in found.checks] if found else []


def _forget() -> None:
    """What this process keeps of a home beyond one run goes: each run finds what a new process would find."""
    if (answering := sys.modules.get("packyak.engine.run.teach.answering")) is not None:
        answering._loaded.clear()
    if (text_vectors := sys.modules.get("packyak.engine.learn.text_vectors")) is not None:
        text_vectors._vectors.cache_clear()


def _correct_all(project: Project, names: Sequence[str]) -> dict[str, Any]:
    """corrected: for each asset of which something could be said, about how many of its records."""
    said = {name: _correct(project, name) for name in names}
    return {"state": "done", "problem": "", "corrected": {name: count for name, count in said.items() if count}}


def _correct(project: Project, name: str) -> int:
    """Says something about records of an asset: another value for the first; of a learned one as much as it needs to
    learn, or as there are records: the values they have, and where they have none those of others in turn."""
    node = project.graph[name]
    most = node.train_after if isinstance(node, LearnedNode) else 1
    page = project.page(name, limit=max(50, 2 * most))
    rows = page.rows.to_pylist()
    for column in page.columns:
        if not rows or not column.editable or column.owner != name:
            continue
        rows.sort(key=lambda row: row[column.name] is None)
        values = list(dict.fromkeys(each[column.name] for each in rows if each[column.name] is not None))
        values = list(dict.fromkeys([*values, *_choices(node, column.name)]))
        if len(values) < 2:
            continue
        other = next(value for value in values if value != rows[0][column.name])
        said = [Said(name, rows[0]["_key"], column.name, other)]
        said += [_word(name, row, column.name, values[at % len(values)]) for at, row in enumerate(rows[1:most])]
        try:
            project.correct_many(said, by="proof")
        except PackyakError:
            continue
        return len(said)
    return 0


def _word(asset: str, row: Mapping[str, Any], column: str, value: Any) -> Said:
    if row[column] is not None:
        return Said(asset, row["_key"], column, kind="accept")
    return Said(asset, row["_key"], column, value)


_OTHERS: Mapping[str, tuple[Any, ...]] = {
    "string": ("one", "another"),
    "int64": (0, 1),
    "float64": (0.0, 1.0),
    "bool": (False, True),
}


def _choices(node: Node, column: str) -> tuple[Any, ...]:
    """What a column may be, where its declaration says so, and otherwise what any column of its type may be."""
    columns = node.columns if isinstance(node, TableNode) else None
    declared = next((each for each in columns or () if each.name == column), None)
    return (declared.choices or _OTHERS.get(declared.type, ())) if declared else ()


def _review(project: Project, names: Sequence[str]) -> dict[str, Any]:
    """What a person does in the studio: looks at everything there is to see, and corrects."""
    saw: list[Any] = [[(each.name, each.state) for each in project.status()], len(project.runs())]
    for name in names:
        page = project.page(name, limit=5)
        key = next((row["_key"] for row in page.rows.to_pylist() if row.get("_key") is not None), None)
        saw.append((name, page.total, key))
        if key is not None:
            saw.append([each.column for each in project.record(name, key).fields])
            saw.append(bool(project.trace(name, key)))
    saw += [(each.asset, [card.id for card in each.cards], each.current) for each in project.models()]
    saw += [bool(project.export_lineage()), bool(project.graph_at(project.runs()[0].id))]
    return {**_correct_all(project, names), "saw": saw}


def _promote_all(project: Project, names: Sequence[str]) -> dict[str, Any]:
    waiting = [each for each in project.models() if each.asset in names and each.cards and not each.current]
    for each in waiting:
        project.promote(each.asset, each.cards[0].id, by="proof")
    return {"state": "done", "problem": "", "promoted": [each.asset for each in waiting]}


def _whole(project: Project, wanted: bool) -> dict[str, Any]:
    record = project.run()
    failed = [f"{each.asset}: {each.message}" for each in record.assets if each.state in ("failed", "blocked")]
    return {"state": record.state, "problem": "; ".join(filter(None, (record.error, *failed)))}


def _tell(project: Project, wanted: bool) -> dict[str, Any]:
    from packyak.deploy.grants.parity import states_of

    return {"state": "done", "problem": "", "states": [asdict(each) for each in states_of(project)]}


def _tidy(project: Project, patiently: bool) -> dict[str, Any]:
    """patiently: as it is done every week; else whatever can be tidied is, as if much had come together."""
    return {"state": "done", "problem": "", "tidied": tidy_project(project, patience=USUAL if patiently else NONE)}


_DEEDS: Mapping[str, Callable[[Project, Any], dict[str, Any]]] = {
    "run": _run,
    "correct": _correct_all,
    "promote": _promote_all,
    "review": _review,
    "whole": _whole,
    "tell": _tell,
    "tidy": _tidy,
}


def serve(folder: str, home: str, path: str) -> None:
    """Waits for connections and gives each a process, until standard input ends."""
    _prepare(folder)
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(path)
        waiting.listen()
        print("ready", flush=True)
        os.dup2(2, 1)
        while True:
            ready, _, _ = select.select([waiting, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            talk, _ = waiting.accept()
            if os.fork() == 0:
                waiting.close()
                _answer_all(folder, home, talk)
                os._exit(0)
            talk.close()
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _prepare(folder: str) -> None:
    """Imports what runs need. Nothing may be opened here: threads do not survive a fork."""
    for name in NEEDED:
        import_module(name)
    warnings.filterwarnings("ignore", "lance is not fork-safe")  # it is as long as it was only imported
    config = load_config(Path(folder))
    load_modules(config.root, config.modules or ("pipeline",))
    try:
        from boto3 import client
    except ImportError:
        return
    client("s3", region_name="us-east-1", aws_access_key_id="nobody", aws_secret_access_key="none")


def _answer_all(folder: str, home: str, talk: socket.socket) -> None:
    with talk.makefile("rw", encoding="utf-8") as lines:
        os.environ.update(json.loads(lines.readline()))
        for line in lines:
            lines.write(json.dumps(answer(folder, home, json.loads(line))) + "\n")
            lines.flush()


if __name__ == "__main__":
    serve(*sys.argv[1:])
