"""A project that knows somebody: tickets, what comes of them, what people said, a transform that learned, an index.

The test itself looks through every file of the home, with no help of what it tests.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packyak.engine.project import Project

HIS = "T-107"
WORDS = (b"Quartzfeather", b"quartzfeather", b"5550199", b"Zebulon", b"Quartzville", b"T-107")

SOURCE = '''
from typing import Iterator, Literal
from packyak import Bucket, File, Index, learned, read_jsonl, sql, transform

inbox = Bucket("inbox")


@transform(inbox.files("*.jsonl"), key="id")
def tickets(file: File) -> Iterator[dict]:
    yield from read_jsonl(file)


@transform(tickets)
def clean(text: str) -> str:
    return text.lower()


@transform(tickets)
def orders(text: str) -> int:
    """Raises where it finds none, and quotes the text."""
    if "Order" not in text:
        raise ValueError(f"no order in {text!r}")
    return int(text.split("Order ")[1].split()[0])


@transform(tickets, key_in_parent="n")
def sentences(text: str) -> Iterator[dict]:
    for n, part in enumerate(text.split(".")):
        if part.strip():
            yield {"n": str(n), "sentence": part.strip()}


@learned(tickets, train_after=8)
def topic(text: str) -> Literal["billing", "delivery"]:
    return "billing"


per_city = sql("select city, count(*) as n from tickets group by city")
search = Index(sentences, on="sentence")
'''


def tickets() -> list[dict[str, Any]]:
    """Forty of them, one of which is his."""
    about = ("The invoice was charged twice", "The parcel never came")
    cities = ("Rome", "Oslo", "Lima")
    made = [
        {"id": f"T-{100 + n}", "text": f"{about[n % 2]}. Order {n * 7} please.", "city": cities[n % 3]}
        for n in range(40)
    ]
    made[7] |= {"text": "Zebulon Quartzfeather waits for the parcel.\nHis phone is +49 171 5550199."}
    return made


def put(folder: Path, rows: Iterable[dict[str, Any]], name: str = "a.jsonl") -> None:
    """Writes a file of tickets into the bucket."""
    file = folder / ".packyak" / "buckets" / "inbox" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def taught(folder: Path) -> Project:
    """The project after people corrected a dozen tickets, his among them, and a model learned from it that answers."""
    project = Project.open(folder)
    assert project.run().state == "done"
    for n in range(3, 15):
        project.correct("topic", f"T-{100 + n}", "topic", "delivery" if n % 2 else "billing")
    project.correct("tickets", HIS, "city", "Quartzville", why="Zebulon rang")
    project.comment("tickets", HIS, "asks for Zebulon's parcel")
    assert project.run().state == "done"
    assert project.models("topic")[0].current
    return project


def without_him(folder: Path) -> Project:
    """The project after the file was replaced by one that lacks him, and a run."""
    put(folder, (row for row in tickets() if row["id"] != HIS))
    project = Project.open(folder)
    assert project.run().state == "done"
    return project


def who_has(folder: Path, words: Iterable[bytes] = WORDS) -> dict[bytes, list[str]]:
    """The files of the home with each of the words in them."""
    files = [file for file in (folder / ".packyak").rglob("*") if file.is_file()]
    read = {str(file.relative_to(folder / ".packyak")): file.read_bytes() for file in files}
    open_ = {name: gzip.decompress(data) if name.endswith(".gz") else data for name, data in read.items()}
    found = {word: sorted(name for name, data in open_.items() if word in data) for word in words}
    return {word: names for word, names in found.items() if names}
