"""A small project that reads files into records, and what failed in it, record by record."""

from packyak.engine.project import Project

READ = """
from typing import Iterator
from packyak import Bucket, File, read_csv, read_jsonl, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from (read_csv(file) if file.key.endswith(".csv") else read_jsonl(file))

@transform(rows)
def upper(word: str) -> str:
    return word.upper()
"""


def failures(project: Project, asset: str = "rows") -> dict[str, str]:
    memo = project.scope().memo(asset).read(columns=["_key", "error"], where="error is not null")
    return {row["_key"]: row["error"] for row in memo.to_pylist()}
