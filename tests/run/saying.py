"""A small project that people correct: tickets from files, a function, a rule that learns, an aggregate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from packyak.engine.project import Project

PIPELINE = '''
from typing import Iterator, Literal
from packyak import Bucket, File, check, learned, read_jsonl, sql, transform

inbox = Bucket("inbox")


@transform(inbox.files("*.jsonl"), key="id")
def tickets(file: File) -> Iterator[dict]:
    """Tickets as they came."""
    yield from read_jsonl(file)


@transform(tickets)
def words(text: str) -> int:
    """How many words."""
    return len(text.split())


@learned(tickets, train_after=1000)
def kind(text: str) -> Literal["late", "broken", "other"] | None:
    """What it is about."""
    return "late" if "late" in text else "broken" if "broken" in text else "other"


per_kind = sql("select kind, count(*) as n from kind group by kind")
'''

TEXTS = [
    "the parcel is late", "it came late again", "the cup is broken", "where is my order", "my mug arrived broken",
    "the parcel is not here", "thanks a lot", "the parcel is lost",
]  # fmt: skip


def tickets(texts: list[str] = TEXTS) -> list[dict[str, Any]]:
    return [{"id": f"T{place}", "text": text, "lang": "en"} for place, text in enumerate(texts)]


def put(folder: Path, records: list[dict[str, Any]], name: str = "a.jsonl") -> None:
    path = folder / ".packyak/buckets/inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(each) + "\n" for each in records))


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "pipeline.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(folder: Path) -> Project:
    """The project, brought up to date."""
    project = Project.open(folder)
    record = project.run()
    assert record.state == "done", record
    return Project.open(folder)


def values(project: Project, asset: str, column: str, key: str = "id") -> dict[str, Any]:
    """A column's values by key."""
    return {row[key]: row[column] for row in project.read(asset, [key, column]).to_pylist()}
