"""The sample project taught by somebody who knows the truth: how much is answered, and how much of it rightly, after so
many corrections: of records drawn at random (the figures of the README), and of those that `review` asks about."""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path

from bench_learn_table import Line, show, timed
from packyak.engine.project import Project
from packyak.engine.run.questions import Decision
from packyak.sample_data import create

STEPS = (20, 40, 80)
AT_ONCE = 10
Truth = dict[str, dict[str, str]]


def sample() -> bool:
    """The table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        project, truth = _made(root)
        lines = [*_topics(project, truth, "the first rule"), *_cities(project, truth, "the first rule")]
        order = sorted(truth)
        random.Random(0).shuffle(order)
        done = 0
        for step in STEPS:
            for key in order[done:step]:
                project.correct("topic", key, "topic", truth[key]["topic"], by="bench")
                project.correct("city", key, "city", truth[key]["city"], by="bench")
            done = step
            _, wall, cpu = timed(project.run)
            when = f"{step} corrections at random"
            lines += _topics(project, truth, when, f"{cpu:.0f} CPU s, {wall:.0f} s wall for both")
            lines += _cities(project, truth, when)
        for name in ("topic", "city"):
            assert project.models(name)[0].current, f"{name} has not learned"
    with tempfile.TemporaryDirectory() as folder:
        lines += _asked(*_made(Path(folder)))
    return show("the sample project", lines)


def _made(root: Path) -> tuple[Project, Truth]:
    create(root)
    settings = (root / "packyak.toml").read_text()
    (root / "packyak.toml").write_text(f'{settings}\n[settings]\nprefect = "off"\nworker = "off"\n')
    with (root / "truth.csv").open(newline="") as file:
        truth = {row["ticket_id"]: row for row in csv.DictReader(file)}
    project = Project.open(root)
    project.run()
    return project, truth


def _asked(project: Project, truth: Truth) -> list[Line]:
    """The same with the records that the project asks about, ten at a time."""
    lines = []
    for step in range(AT_ONCE, STEPS[-1] + 1, AT_ONCE):
        for asked in project.review("topic", limit=AT_ONCE).questions:
            right = truth[asked.key]["topic"]
            action = "accept" if asked.answer == right else "correct"
            said = Decision("topic", asked.key, "topic", action, right, seen=asked.seen, at_random=asked.at_random)  # type: ignore[arg-type]
            (done,) = project.decide([said], by="bench")
            assert done.state == "saved", done
        project.run()
        if step in STEPS:
            lines += _topics(project, truth, f"{step} answers to review")
    return lines


def _topics(project: Project, truth: Truth, when: str, cost: str = "") -> list[Line]:
    topics = project.read("topic", ["ticket_id", "topic"]).to_pylist()
    given = [row for row in topics if row["topic"] is not None]
    right = sum(row["topic"] == truth[row["ticket_id"]]["topic"] for row in given)
    last = when.startswith(str(STEPS[-1]))
    return [
        Line(f"{when}: topics answered", len(given) / len(topics), ">=" if last else "", 0.9, cost),
        Line(f"{when}: of those, right", right / len(given), ">=" if last else "", 0.95),
    ]


def _cities(project: Project, truth: Truth, when: str) -> list[Line]:
    cities = project.read("city", ["ticket_id", "city"]).to_pylist()
    spelled = sum(row["city"] == truth[row["ticket_id"]]["city"] for row in cities)
    return [Line(f"{when}: cities right", spelled / len(cities), ">=" if when.startswith(str(STEPS[-1])) else "", 0.9)]
