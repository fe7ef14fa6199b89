"""What `packyak init` writes: a project that runs as it stands, small enough to be read at a glance."""

from __future__ import annotations

import json
from pathlib import Path

from packyak.engine.errors import PackyakError
from packyak.engine.settings import CONFIG_FILE

PIPELINE = '''"""What this project computes. `packyak run` brings it up to date."""

from collections.abc import Iterator
from typing import Any

from packyak import Bucket, File, read_jsonl, sql, transform

inbox = Bucket("inbox")  # the folder .packyak/buckets/inbox: put your own files there


@transform(inbox.files("*.jsonl"), key="id")
def messages(file: File) -> Iterator[dict[str, Any]]:
    """Messages as they arrived."""
    yield from read_jsonl(file)


@transform(messages)
def words(text: str) -> int:
    """How many words a message has."""
    return len(text.split())


per_sender = sql("select sender, count(*) as messages, sum(words) as words from words group by all")
'''

CONFIG = """# Which Python files declare this project. `packyak settings` lists what else can be set here.
name = {name}
modules = ["pipeline"]
"""

EXAMPLE = """{"id": "M-1", "sender": "Ada", "text": "The first parcel came today."}
{"id": "M-2", "sender": "Bo", "text": "Where is my invoice?"}
{"id": "M-3", "sender": "Ada", "text": "It was the wrong colour."}
"""


def create(folder: Path, name: str | None = None) -> list[Path]:
    """Writes a project into a folder and answers its new files; a pipeline.py that is there stays.

    Raises PackyakError where the folder has a project already or cannot be written.
    """
    refuse_existing(folder)
    texts = {
        folder / CONFIG_FILE: CONFIG.format(
            name=json.dumps(name or folder.resolve().name or "project", ensure_ascii=False)
        ),
        folder / "pipeline.py": PIPELINE,
        folder / ".packyak" / "buckets" / "inbox" / "example.jsonl": EXAMPLE,
    }
    return [path for path, text in texts.items() if _write(path, text)]


def refuse_existing(folder: Path) -> None:
    """Raises PackyakError where a folder has a project, or is none."""
    if (folder / CONFIG_FILE).exists():
        raise PackyakError(
            f"there is a project in {folder.resolve()} already", next_step=f"`packyak run --project {folder}`"
        )
    if folder.exists() and not folder.is_dir():
        raise PackyakError(f"{folder} is a file", next_step="name a folder")


def _write(path: Path, text: str) -> bool:
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PackyakError(
            f"{path} cannot be written: {error.strerror}", next_step="choose a folder of your own"
        ) from error
    return True
