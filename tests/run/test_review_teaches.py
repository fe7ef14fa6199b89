"""A simulated person answers the queue: rare answers are met sooner than by chance, and once there is a model, the
queue asks where it is unsure and doubts the person's own slips."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.project import Project
from packyak.engine.run.questions import Decision

PIPELINE = """
from typing import Literal
from packyak import Bucket, File, learned, read_jsonl, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def calls(file: File) -> list[dict]:
    return list(read_jsonl(file))

@learned(calls, train_after=10_000)
def topic(what: str, where: str) -> Literal["pay", "ship", "break", "praise", "ask", "leave"] | None:
    ...
"""
WORDS = {
    "pay": "invoice bill charged card refund price paid twice",
    "ship": "parcel courier delivery late tracking shipped doorstep",
    "break": "broken cracked shattered leaking dented torn faulty",
    "praise": "lovely great thanks wonderful happy perfect",
    "ask": "question how which opening hours catalogue size",
    "leave": "cancel close account unsubscribe goodbye terminate",
}
FILLERS = ["the", "a", "my", "it", "order", "shop"]
SHARES = {"pay": 50, "ship": 50, "break": 9, "praise": 50, "ask": 9, "leave": 7}


@pytest.fixture
def calls(project_folder: Callable[..., Path]) -> tuple[Path, dict[str, str]]:
    """Calls about six topics, three of them rare."""
    rng = random.Random(3)
    rows, truth = [], {}
    for topic, words in WORDS.items():
        for _ in range(SHARES[topic]):
            key = f"c{rng.randrange(10**9)}"
            what = " ".join(rng.choices(words.split(), k=4) + rng.choices(FILLERS, k=3))
            rows.append({"id": key, "what": what, "where": rng.choice(["north side", "south side"])})
            truth[key] = topic
    rng.shuffle(rows)
    folder = project_folder(PIPELINE, files={"inbox/a.jsonl": "\n".join(map(json.dumps, rows))})
    return folder, truth


def topics_found(project: Project, truth: dict[str, str]) -> int:
    return len({truth[key] for _, key, _ in project.scope().in_force})


def test_the_queue_meets_every_topic_before_a_random_order_does(calls: tuple[Path, dict[str, str]]) -> None:
    """Before there is any model: what has not been shown cannot be learned."""
    folder, truth = calls
    project = Project.open(folder)
    project.run()
    asked = 0
    while topics_found(project, truth) < len(WORDS):
        questions = list(project.review("topic", limit=10).questions)
        assert questions
        done = project.decide(
            [Decision("topic", q.key, "topic", "correct", truth[q.key], seen=q.seen) for q in questions]
        )
        assert {each.state for each in done} == {"saved"}
        asked += len(questions)
    at_random = []
    for seed in range(200):
        order = sorted(truth)
        random.Random(seed).shuffle(order)
        seen: set[str] = set()
        at_random.append(next(n for n, key in enumerate(order, 1) if seen.add(truth[key]) or len(seen) == len(WORDS)))
    assert asked <= sum(at_random) / len(at_random), (asked, sum(at_random) / len(at_random))


@pytest.mark.slow
def test_with_a_model_it_asks_where_that_is_unsure_and_doubts_slips(calls: tuple[Path, dict[str, str]]) -> None:
    folder, truth = calls
    project = Project.open(folder)
    project.run()
    for _ in range(3):
        questions = project.review("topic", limit=20).questions
        project.decide([Decision("topic", q.key, "topic", "correct", truth[q.key], seen=q.seen) for q in questions])
    slips = sorted({each.key for each in project.corrections("topic") if truth[each.key] in ("pay", "ship")})[:4]
    for key in slips:
        project.correct("topic", key, "topic", "praise")
    (lesson,) = project.learn(["topic"], promote=True)
    assert lesson.promoted
    project.run()
    found = project.review("topic", limit=20)
    assert {each.reason for each in found.questions} >= {"suspect", "uncertain", "random"}
    doubted = {each.key for each in found.questions if each.reason == "suspect" and each.decided == "person"}
    assert len(doubted & set(slips)) >= len(slips) / 2
    unsure = [each for each in found.questions if each.reason == "uncertain"]
    assert all(each.decided == "model" and each.confidence is not None for each in unsure)
    assert all(len(each.neighbours) == 5 and each.neighbours[0].similarity is not None for each in unsure)
    assert all("the model wavers" in each.why for each in unsure)
    assert project.similar("topic", slips[0], "topic").by in ("vectors", "values")
