"""Where a project's data lies: a local folder (`.packyak/`) or `s3://...`, addressed by names relative to it.

A home stores bytes under names, whole or not at all, and hands out addresses for the table library. It carries a format
number: opening an older home migrates it, a newer one is refused. Standard library only; the S3 part is imported late.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from packyak.engine.errors import HomeError, HomeTooNew
from packyak.engine.store.local import LocalPlace

FORMAT = 1
FORMAT_FILE = "format.json"


class Place(Protocol):
    """Where a home's bytes lie."""

    def read(self, name: str) -> bytes | None: ...
    def write(self, name: str, data: bytes, *, secret: bool = False) -> None: ...
    def create(self, name: str, data: bytes, *, secret: bool = False) -> bool: ...
    def names(self, folder: str, suffix: str = "") -> list[str]: ...
    def remove(self, name: str) -> None: ...
    def require_writable(self) -> None: ...
    def walk(self, folder: str) -> Iterator[tuple[str, int, int]]: ...
    def sweep(self) -> int: ...


class Home:
    """A project's data by name. Names are relative, with forward slashes.

    uri: a folder, or `s3://bucket/prefix`. local: the folder, None in the cloud. storage_options: what the table
    library needs beside the address, None locally.
    """

    def __init__(self, uri: str | Path) -> None:
        text = str(uri)
        self.local: Path | None = None
        self.storage_options: dict[str, str] | None = None
        self._place: Place
        if text.startswith("s3://"):
            from packyak.engine.store.s3 import S3Place, storage_options

            self.uri = "s3://" + text.removeprefix("s3://").strip("/")
            self.storage_options = storage_options()
            self._place = S3Place(self.uri)
        elif "://" in text:
            raise HomeError(f"a home cannot lie at {text!r}", uri=text, next_step="use a folder or s3://bucket/prefix")
        else:
            self.local = Path(text).expanduser().absolute()
            self.uri = str(self.local)
            self._place = LocalPlace(self.local)

    def __repr__(self) -> str:
        return f"Home({self.uri!r})"

    def path(self, *parts: str) -> str:
        """The full address of something in the home."""
        return "/".join([self.uri, *parts])

    def read(self, name: str) -> bytes | None:
        """The bytes under a name, None where there are none."""
        return self._place.read(_checked(name))

    def write(self, name: str, data: bytes, *, secret: bool = False) -> None:
        """Replaces the bytes under a name at once: a reader sees the old or the new, never a part.

        secret: only the owner may read the file. Raises HomeError (HomeNotWritable, or the disk is full); the old
        bytes remain.
        """
        self._place.write(_checked(name), data, secret=secret)

    def create(self, name: str, data: bytes, *, secret: bool = False) -> bool:
        """Puts bytes under a name that nothing has, and answers whether it did: of several at once, one succeeds."""
        return self._place.create(_checked(name), data, secret=secret)

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """The names of the files directly in a folder (without the folder), sorted; empty where there is no such
        folder."""
        return self._place.names(_checked(folder), suffix)

    def remove(self, name: str) -> None:
        """Takes a file away; one that is not there is no error."""
        self._place.remove(_checked(name))

    def walk(self, folder: str) -> Iterator[tuple[str, int, int]]:
        """Name, size and time of change (nanoseconds since 1970) of every file below a folder, in no order."""
        return self._place.walk(_checked(folder))

    def sweep(self) -> int:
        """Takes away what writes left that were cut short by a crash; answers how many files."""
        return self._place.sweep()

    def require_writable(self) -> None:
        """Raises HomeNotWritable, saying what to do, where nothing can be written."""
        self._place.require_writable()


def open_home(uri: str | Path) -> Home:
    """Opens a home, making it where there is none and migrating it where its format is older.

    Raises HomeTooNew for a home that a newer Packyak has written, HomeNotWritable where it had to write and could not.
    """
    home = Home(uri)
    found = _format_of(home)
    if found is None:
        _begin(home)
    elif found > FORMAT:
        raise HomeTooNew(
            f"the home {home.uri} has format {found}; this Packyak reads formats up to {FORMAT}",
            home=home.uri,
            format=found,
            next_step="upgrade with: pip install --upgrade packyak-studio",
        )
    elif found < FORMAT:
        _migrate(home, found)
    return home


def _format_of(home: Home) -> int | None:
    """The home's format; None for a new one. Format 0 had no format file and kept its corrections in one."""
    data = home.read(FORMAT_FILE)
    if data is None:
        return 0 if home.read(_CORRECTIONS_0) is not None else None
    try:
        found = json.loads(data)["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise _unclear(home) from error
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise _unclear(home)
    return found


def _unclear(home: Home) -> HomeError:
    return HomeError(
        f"{home.path(FORMAT_FILE)} does not name the home's format",
        path=home.path(FORMAT_FILE),
        next_step=f'restore the file from a backup, or write {{"format": {FORMAT}}} into it',
    )


def _begin(home: Home) -> None:
    if home.local is not None and not home.names(".", ".gitignore"):
        home.write(".gitignore", b"*\n")  # data is no source: without this a `git add .` would commit it
    _stamp(home, FORMAT)


def _stamp(home: Home, number: int) -> None:
    home.write(FORMAT_FILE, json.dumps({"format": number}).encode())


_CORRECTIONS_0 = "corrections.jsonl"


def _corrections_into_folder(home: Home) -> None:
    """0 -> 1: the log became a folder of files that are never rewritten; the old one is its first segment."""
    data = home.read(_CORRECTIONS_0)
    if data is not None:
        home.write("corrections/segment-0-from-format-0.jsonl", data)
        home.remove(_CORRECTIONS_0)


MIGRATIONS: Mapping[int, Callable[[Home], None]] = {0: _corrections_into_folder}


def _migrate(home: Home, found: int) -> None:
    """One step at a time, each safe to repeat: the number is written only after its step is whole."""
    for number in range(found, FORMAT):
        MIGRATIONS[number](home)
        _stamp(home, number + 1)


def _checked(name: str) -> str:
    parts = name.split("/")
    if name == "." or (name and "\0" not in name and not any(part in ("", ".", "..") for part in parts)):
        return name
    raise HomeError(
        f"{name!r} is no name in a home", name=name, next_step="use parts joined by single slashes, none of them '..'"
    )
