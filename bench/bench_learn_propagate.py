"""What a run adds: one correction until everything downstream of 100,000 records shows it, in a process that is warm;
and a whole lesson: refit, gate, predict all, commit, downstream.

The texts are invented and their vectors kept beforehand, as an earlier run would have left them: vectors near one
direction a topic, so that there is something to learn.
"""

from __future__ import annotations

import csv
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from bench_learn_table import Line, show, timed
from packyak.engine.learn.text_vectors import text_vectors
from packyak.engine.project import Project

RECORDS = 100_000
AT_ONCE = 50_000
TOPICS = ("billing", "delivery", "account", "other")
PIPELINE = """
from collections.abc import Iterator
from typing import Literal
from packyak import Bucket, File, learned, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def messages(file: File) -> Iterator[dict]:
    return read_csv(file)

@learned(messages, train_after=40)
def topic(text: str) -> Literal["billing", "delivery", "account", "other"] | None: ...

@transform(topic)
def urgent(topic: str | None) -> bool:
    return topic in ("billing", "delivery")

per_topic = sql("select topic, urgent, count(*) as n from urgent group by all")
"""


def propagate() -> bool:
    """The table."""
    with tempfile.TemporaryDirectory() as folder:
        truth = _make(Path(folder))
        project = Project.open(folder)
        project.run()
        lines = [_lesson(project, truth, range(40), "first lesson, 40 corrections: fit, gate, predict all, commit, s")]
        lines.append(_lesson(project, truth, range(40, 80), "second lesson, warm, s"))
        _one(project, truth, 100)
        done = [timed(partial(_one, project, truth, row)) for row in (101, 102, 103)]
        wall, cpu = (float(np.median([one[at] for one in done])) for at in (1, 2))
        lines.append(Line("one correction to all downstream, CPU s", cpu, "<=", 1.0, f"{wall:.2f} s wall"))
        same = project.sql("select count(*) as n from urgent where topic in ('billing', 'delivery') and not urgent")
        lines.append(Line("records downstream that do not follow", float(same["n"][0].as_py()), "<=", 0))
    return show(f"propagation: {RECORDS:,} records, warm, in process", lines)


def _make(folder: Path) -> list[str]:
    """The project with its texts and their vectors; answers what each record is about."""
    (folder / "pipeline.py").write_text(PIPELINE)
    settings = '[settings]\nprefect = "off"\nworker = "off"\n'
    (folder / "packyak.toml").write_text(f'name = "propagate"\nmodules = ["pipeline"]\n{settings}')
    rng = np.random.default_rng(0)
    about = rng.integers(0, len(TOPICS), RECORDS)
    texts = [f"message {number} of {TOPICS[kind]}" for number, kind in enumerate(about.tolist())]
    inbox = folder / ".packyak/buckets/inbox"
    inbox.mkdir(parents=True)
    with (inbox / "messages.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *((f"m{n}", text) for n, text in enumerate(texts))])
    vectors = text_vectors(Project.open(folder).home)
    directions = rng.normal(size=(len(TOPICS), vectors.width))
    for start in range(0, RECORDS, AT_ONCE):
        near = directions[about[start : start + AT_ONCE]] + rng.normal(size=(AT_ONCE, vectors.width))
        near /= np.linalg.norm(near, axis=1, keepdims=True)
        vectors.keep(texts[start : start + AT_ONCE], near.astype(np.float32))
    return [TOPICS[kind] for kind in about.tolist()]


def _lesson(project: Project, truth: list[str], rows: range, what: str) -> Line:
    for row in rows:
        project.correct("topic", f"m{row}", "topic", truth[row], by="bench")
    run, wall, cpu = timed(project.run)
    return Line(what, wall, anchor=f"{cpu:.1f} CPU s; {run.asset('topic').message}")


def _one(project: Project, truth: list[str], row: int) -> None:
    """Turns one answer into another that counts differently downstream."""
    wrong = "other" if truth[row] in ("billing", "delivery") else "billing"
    project.correct("topic", f"m{row}", "topic", wrong, by="bench")
    project.run()
    found = project.sql(f"select urgent from urgent where id = 'm{row}'")["urgent"][0].as_py()
    assert found == (wrong == "billing"), "the correction did not arrive"
