"""The files of a bucket by key. A key is a relative path with forward slashes and cannot lead out of the bucket.

In a pattern `*` stands for any characters, also `/`, and `?` for one (see `declare.bucket`). Names that begin with a
dot are left out unless the pattern's last part does too. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from packyak.engine.declare.bucket import key_matches
from packyak.engine.errors import DataError, nearest
from packyak.engine.store.home import Home
from packyak.engine.store.local import TEMPORARY, unreadable

FOLDER = "buckets"
KEY_BYTES = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_HARMLESS = re.compile(
    r"[A-Za-z0-9_-][A-Za-z0-9_. -]{0,99}(?:/[A-Za-z0-9_-][A-Za-z0-9_. -]{0,99}){0,8}"
)  # most keys, fast
_CHUNK = 1 << 20
Keys = list[str]  # inside the class `list` is a verb


@dataclass(frozen=True, slots=True)
class FileStat:
    """A file as the system describes it: enough to notice that it changed. mtime_ns: nanoseconds since 1970."""

    key: str
    size: int
    mtime_ns: int


Stats = list[FileStat]


class BucketFolder:
    """One bucket of a home."""

    def __init__(self, home: Home, bucket: str) -> None:
        if not _BUCKET.fullmatch(bucket) or ".." in bucket:
            raise DataError(f"{bucket!r} cannot name a bucket", bucket=bucket, next_step="use letters, digits, - and _")
        self.bucket = bucket
        self._home = home
        self._folder = f"{FOLDER}/{bucket}"
        self._root = None if home.local is None else home.local / FOLDER / bucket

    def put(self, key: str, data: bytes) -> None:
        """Writes a file, whole or not at all; one with the same key is replaced."""
        self._home.write(self._checked(key), data)

    def get(self, key: str) -> bytes:
        """A file's bytes. Raises DataError, naming the nearest key, where there is none."""
        data = self._home.read(self._checked(key))
        if data is None:
            raise self._missing(key)
        return data

    def path(self, key: str) -> str:
        """Where a file lies: a path, or an s3:// address."""
        self._checked(key)
        return self._home.path(self._folder, key)

    def exists(self, key: str) -> bool:
        """Whether there is a file with this key."""
        return self.stat(key) is not None

    def delete(self, key: str) -> None:
        """Removes a file and the folders that it leaves empty; one that is not there is no error."""
        self._home.remove(self._checked(key))
        if self._root is not None:
            _remove_empty(self._root, (self._root / key).parent)

    def list(self, prefix: str = "") -> Keys:
        """The keys that begin with a prefix, sorted."""
        return sorted(stat.key for stat in self._all(None) if stat.key.startswith(prefix))

    def scan(self, pattern: str = "*", refused: Callable[[str, str], None] | None = None) -> Stats:
        """The files that match a pattern, sorted by key.

        refused: told about each file that is passed over although it would match, with the reason: a link that leaves
        the bucket, a name that is no valid key.
        """
        matches = matcher(pattern)
        found = [stat for stat in self._all(refused, matches) if matches(stat.key)]
        return sorted(found, key=lambda stat: stat.key)

    def stat(self, key: str) -> FileStat | None:
        """One file's size and time, None where there is none."""
        name = self._checked(key)
        if self._root is None:
            return next((stat for stat in _objects(self._home, name, name.removesuffix(key)) if stat.key == key), None)
        try:
            found = (self._root / key).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable(error, self._root / key) from error
        return FileStat(key, found.st_size, found.st_mtime_ns) if (self._root / key).is_file() else None

    def etag(self, key: str) -> str:
        """A hash of the file's content: 32 hex digits of BLAKE2b. Reads the whole file; ask only when its stat
        changed."""
        digest = hashlib.blake2b(digest_size=16)
        name = self._checked(key)
        if self._root is None:
            digest.update(self.get(key))
            return digest.hexdigest()
        try:
            with (self._root / key).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise self._missing(key) from None
        except OSError as error:
            raise unreadable(error, Path(self._home.path(name))) from error
        return digest.hexdigest()

    def _checked(self, key: str) -> str:
        """The key's name in the home. Raises DataError for what is no key or leads out of the bucket."""
        if reason := invalid(key):
            raise DataError(
                f"{key!r} cannot be a key in the bucket {self.bucket}: {reason}",
                bucket=self.bucket,
                key=key,
                next_step="use a relative path such as reports/2024/january.csv",
            )
        if self._root is not None and not _inside(self._root, self._root / key):
            raise DataError(
                f"{key!r} is a link that leaves the bucket {self.bucket}",
                bucket=self.bucket,
                key=key,
                next_step="copy the file into the bucket instead of linking to it",
            )
        return f"{self._folder}/{key}"

    def _missing(self, key: str) -> DataError:
        meant = nearest(key, self.list()[:10_000])
        return DataError(
            f"the bucket {self.bucket} has no file {key!r}",
            bucket=self.bucket,
            key=key,
            next_step=f"did you mean {meant!r}?" if meant else "put it there first",
        )

    def _all(
        self, refused: Callable[[str, str], None] | None, wanted: Callable[[str], bool] = lambda key: True
    ) -> Iterator[FileStat]:
        if self._root is None:
            return _objects(self._home, self._folder, f"{self._folder}/")
        return _walk(self._root, os.fspath(self._root), "", refused, wanted)


def invalid(key: str) -> str:
    """Why a text cannot be a key; "" where it can."""
    if not isinstance(key, str) or not key:
        return "it is empty" if key == "" else "it is no text"
    if key.startswith("/") or re.match(r"[A-Za-z]:[\\/]", key):
        return "it is an absolute path"
    if "\\" in key:
        return "it has a backslash"
    if _CONTROL.search(key):
        return "it has a control character"
    parts = key.split("/")
    if ".." in parts or "." in parts:
        return "it has a part that is . or .."
    if "" in parts:
        return "it has an empty part"
    if any(part.startswith(TEMPORARY) for part in parts):
        return f"names beginning with {TEMPORARY} are taken"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > KEY_BYTES or any(len(part.encode()) > 255 for part in parts):
        return f"it is longer than {KEY_BYTES} bytes, or a part of it is longer than 255"
    return ""


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A test of keys against a pattern (see the top of this file)."""
    hidden = pattern.rsplit("/", 1)[-1].startswith(".")

    def matches(key: str) -> bool:
        if not hidden and (key.startswith(".") or "/." in key):
            return False
        return key_matches(key, pattern)

    return matches


def _walk(
    root: Path, folder: str, prefix: str, refused: Callable[[str, str], None] | None, wanted: Callable[[str], bool]
) -> Iterator[FileStat]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise unreadable(error, Path(folder)) from error
    for entry in entries:
        key = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, entry.path, f"{key}/", refused, wanted)
        elif not entry.name.startswith(TEMPORARY):
            reason = _why_not(root, entry, key)
            if not reason:
                found = _stat(entry)
                if found is not None:
                    yield FileStat(key, found.st_size, found.st_mtime_ns)
            elif refused is not None and wanted(key):
                refused(key, reason)


def _why_not(root: Path, entry: os.DirEntry[str], key: str) -> str:
    if not _HARMLESS.fullmatch(key) and (reason := invalid(key)):
        return reason
    if entry.is_symlink():
        if not _inside(root, Path(entry.path)):
            return "it is a link that leaves the bucket"
        if entry.is_dir():
            return "it is a link to a folder"
        if not Path(entry.path).exists():
            return "it is a link to nothing"
    return "" if entry.is_file() else "it is no ordinary file"


def _stat(entry: os.DirEntry[str]) -> os.stat_result | None:
    """None for a file that went away while the folder was read."""
    try:
        return entry.stat()
    except FileNotFoundError:
        return None


def _inside(root: Path, path: Path) -> bool:
    home = os.path.realpath(root)
    real = os.path.realpath(path)
    return real == home or real.startswith(home + os.sep)


def _remove_empty(root: Path, folder: Path) -> None:
    while folder != root and root in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _objects(home: Home, folder: str, cut: str) -> Iterator[FileStat]:
    for name, size, mtime_ns in home.walk(folder):
        key = name.removeprefix(cut)
        if not invalid(key):
            yield FileStat(key, size, mtime_ns)
