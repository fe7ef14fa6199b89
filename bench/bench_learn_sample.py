"""The sample project taught by somebody who knows the truth: how much is answered, and how much of it rightly, after so
many corrections of records drawn at random. The figures of the README."""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path

from bench_learn_table import Line, show, timed
from packyak.engine.project import Project
from packyak.sample_data import create

STEPS = (20, 40, 80)


def sample() -> bool:
    """The table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        create(root)
        settings = (root / "packyak.toml").read_text()
        (root / "packyak.toml").write_text(f'{settings}\n[settings]\nprefect = "off"\nworker = "off"\n')
        with (root / "truth.csv").open(newline="") as file:
            truth = {row["ticket_id"]: row for row in csv.DictReader(file)}
        project = Project.open(root)
        project.run()
        lines = _lines(project, truth, "the first rule")
        order = sorted(truth)
        random.Random(0).shuffle(order)
        done = 0
        for step in STEPS:
            for key in order[done:step]:
                project.correct("topic", key, "topic", truth[key]["topic"], by="bench")
                project.correct("city", key, "city", truth[key]["city"], by="bench")
            done = step
            _, wall, cpu = timed(project.run)
            lines += _lines(project, truth, f"{step} corrections", f"{cpu:.0f} CPU s, {wall:.0f} s wall for both")
        for name in ("topic", "city"):
            assert project.models(name)[0].current, f"{name} has not learned"
    return show("the sample project", lines)


def _lines(project: Project, truth: dict[str, dict[str, str]], when: str, cost: str = "") -> list[Line]:
    topics = project.read("topic", ["ticket_id", "topic"]).to_pylist()
    given = [row for row in topics if row["topic"] is not None]
    right = sum(row["topic"] == truth[row["ticket_id"]]["topic"] for row in given)
    cities = project.read("city", ["ticket_id", "city"]).to_pylist()
    spelled = sum(row["city"] == truth[row["ticket_id"]]["city"] for row in cities)
    last = when.startswith(str(STEPS[-1]))
    return [
        Line(f"{when}: topics answered", len(given) / len(topics), ">=" if last else "", 0.9, cost),
        Line(f"{when}: of those, right", right / len(given), ">=" if last else "", 0.95),
        Line(f"{when}: cities right", spelled / len(cities), ">=" if last else "", 0.9),
    ]
