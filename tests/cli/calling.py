"""What the tests of the command line share: a small project, and how a command ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PIPELINE = '''
from collections.abc import Iterator
from packyak import Bucket, File, read_jsonl, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def messages(file: File) -> Iterator[dict]:
    """Messages as they arrived."""
    yield from read_jsonl(file)

@transform(messages)
def words(text: str) -> int:
    """How many words."""
    return len(text.split())

per_sender = sql("select sender, sum(words) as words from words group by all")
'''
MESSAGES = """{"id": "M-1", "sender": "Ada", "text": "one two three"}
{"id": "M-2", "sender": "Bo", "text": "vier 五"}
{"id": "M-3", "sender": "Ada", "text": "six\\nseven"}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Call = Callable[..., Ended]
