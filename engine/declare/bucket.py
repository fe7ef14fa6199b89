"""Buckets of files: a folder of the home here, an S3 bucket there.

A `Bucket` is data (two with one name are equal); its verbs act on the active project. `files(...)` makes its files the
records of a transform, `created(...)` makes a new file the trigger of a function. In patterns `*` stands for any
characters, also `/`, and `?` for one, as in cloud permissions, so that a pattern means the same in both places.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import translate
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from packyak.engine.declare.active import current
from packyak.engine.declare.nodes import Origin
from packyak.engine.declare.origin import here
from packyak.engine.errors import DeclarationError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
Keys = list[str]
FILE_COLUMNS = {"key": "string", "bucket": "string", "size": "int64", "modified": "timestamp", "etag": "string"}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern.replace("[", "[[]")))


def key_matches(key: str, pattern: str) -> bool:
    """Whether a file's key matches a pattern of `*` and `?`."""
    return _compiled(pattern).match(key) is not None


@dataclass(frozen=True)
class File:
    """One file of a bucket.

    key: its name in the bucket. size: in bytes. modified: in UTC. etag: hash of its content ("" where not known).
    local: where it lies on this machine (None: it is fetched through the active project).

    >>> File.at("orders.csv").key                        # in a unit test: any file of this machine
    'orders.csv'
    """

    key: str
    bucket: str = ""
    size: int = 0
    modified: datetime | None = None
    etag: str = ""
    local: Path | None = None

    @classmethod
    def at(cls, path: str | Path) -> File:
        """A file of this machine, as if it were in a bucket; for unit tests."""
        path = Path(path)
        return cls(key=path.name, local=path, size=path.stat().st_size if path.exists() else 0)

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}" if self.bucket else self.key

    def read_bytes(self) -> bytes:
        """The whole content."""
        if self.local is not None:
            return self.local.read_bytes()
        return current().get_bytes(self.bucket, self.key)

    def text(self, encoding: str = "utf-8") -> str:
        """The whole content as text."""
        return self.read_bytes().decode(encoding)

    def open(self) -> IO[bytes]:
        """The content as a binary stream, to be closed by the caller."""
        if self.local is not None:
            return self.local.open("rb")
        return io.BytesIO(self.read_bytes())

    @property
    def path(self) -> Path:
        """Where the file lies on this machine; a remote file is fetched to a temporary place first."""
        if self.local is None:
            object.__setattr__(self, "local", _fetched(self))
        assert self.local is not None
        return self.local


def _fetched(file: File) -> Path:
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="packyak-"))
    path = folder / Path(file.key).name
    path.write_bytes(file.read_bytes())
    return path


@dataclass(frozen=True)
class Files:
    """The files of a bucket that match a pattern, as the records of a transform."""

    bucket: Bucket
    pattern: str
    origin: Origin = field(compare=False)

    @property
    def name(self) -> str:
        return f"{self.bucket.name}/{self.pattern}"


@dataclass(frozen=True)
class Created:
    """New files of a bucket that match a pattern, as the trigger of a function."""

    bucket: Bucket
    pattern: str
    origin: Origin = field(compare=False)


class Bucket:
    """A bucket of files.

    name: letters, digits, `.`, `_` and `-`; at most 63. The verbs are async and have twins that are not (`put_sync`).

    >>> inbox = Bucket("inbox")
    >>> inbox.files("*.jsonl").name
    'inbox/*.jsonl'
    """

    def __init__(self, name: str) -> None:
        self.origin = here()
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise DeclarationError(
                f"{name!r} cannot name a bucket",
                next_step="use letters, digits, '.', '_' and '-', at most 63, starting with a letter or digit",
                file=self.origin.file,
                line=self.origin.line,
            )
        self.name = name

    def __repr__(self) -> str:
        return f"Bucket({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bucket) and other.name == self.name

    def __hash__(self) -> int:
        return hash((Bucket, self.name))

    def files(self, pattern: str = "*") -> Files:
        """The files as records: only new or changed ones are read again, and a deleted one takes its records with
        it."""
        return Files(self, _checked(pattern), here())

    def created(self, pattern: str = "*") -> Created:
        """A new file as a trigger: `@function(on=inbox.created("*.pdf"))`."""
        return Created(self, _checked(pattern), here())

    def put_sync(self, key: str, data: str | bytes) -> None:
        """Writes a file; text as UTF-8."""
        current().put_bytes(self.name, key, data.encode() if isinstance(data, str) else bytes(data))

    def get_sync(self, key: str) -> bytes:
        """The content of a file."""
        return current().get_bytes(self.name, key)

    def list_sync(self, pattern: str = "*") -> Keys:
        """The keys that match, sorted."""
        return sorted(key for key in current().list_keys(self.name) if key_matches(key, pattern))

    def delete_sync(self, key: str) -> None:
        """Deletes a file; one that is not there is no error."""
        current().delete_key(self.name, key)

    async def put(self, key: str, data: str | bytes) -> None:
        """Writes a file; text as UTF-8."""
        await _in_thread(self.put_sync, key, data)

    async def get(self, key: str) -> bytes:
        """The content of a file."""
        content: bytes = await _in_thread(self.get_sync, key)
        return content

    async def list(self, pattern: str = "*") -> Keys:
        """The keys that match, sorted."""
        keys: Keys = await _in_thread(self.list_sync, pattern)
        return keys

    async def delete(self, key: str) -> None:
        """Deletes a file; one that is not there is no error."""
        await _in_thread(self.delete_sync, key)


async def _in_thread(call: Any, *arguments: Any) -> Any:
    import asyncio

    return await asyncio.to_thread(call, *arguments)


def _checked(pattern: str) -> str:
    origin = here()
    if not isinstance(pattern, str) or not pattern:
        raise DeclarationError(
            f"{pattern!r} is no pattern of file keys",
            next_step='write it like "*.jsonl"; leave it out for every file',
            file=origin.file,
            line=origin.line,
        )
    return pattern
