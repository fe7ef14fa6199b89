"""Where a record can still be recognised: every file of a home, looked through for the record's marks and for its rows.

Files are read as they are, packed ones unpacked, and the data files of tables as records too: they keep long texts
packed, where no search through bytes sees them. Small files of notes (runs, events, what was published) have the marks
struck out of their text and stay readable. What holds records is not touched here: that is purged, or it is the file
that a person has to take away.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packyak.engine.errors import HomeError
from packyak.engine.privacy.ledger import PENDING
from packyak.engine.privacy.opened import PACKED, contents
from packyak.engine.privacy.seeker import Seeker, forms_of, rows_of
from packyak.engine.store.home import Home
from packyak.engine.store.tables import stored

STRUCK = b"[erased]"
_HOLD_RECORDS = (
    "tables/", "memo/", "indexes/", "vectors/", "models/", "maps/", "corrections/", "buckets/", "secrets/", "prefect/",
)  # fmt: skip
_LOG = ".log"
_TABLE = ".lance"


@dataclass(frozen=True)
class Remains:
    """What a search through a home found. files: how many were looked through, of so many bytes; found: how many of
    the marks each file has that has any, in its name or in itself, and how many of the rows; unread: data files of
    tables of which only the bytes could be read."""

    files: int = 0
    bytes: int = 0
    found: dict[str, int] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


def remains_of(
    home: Home,
    marks: Sequence[str],
    among: Collection[str] | None = None,
    rows: Mapping[str, Collection[str]] | None = None,
) -> Remains:
    """Every file of a home that has one of the marks, or in a table's folder one of its rows. among: look at these
    files alone. rows: keys by folder."""
    seeker = Seeker(marks)
    files = size = 0
    found: dict[str, int] = {}
    unread: list[str] = []
    for name, length, _ in sorted(home.walk(".")):
        if name.endswith(PENDING) or (among is not None and name not in among):
            continue
        files, size = files + 1, size + length
        keys = next((keys for folder, keys in (rows or {}).items() if name.startswith(folder)), ())
        if there := _traces(home, name, seeker, keys, unread):
            found[name] = there
    return Remains(files, size, found, tuple(unread))


def _traces(home: Home, name: str, seeker: Seeker, keys: Collection[str], unread: list[str]) -> int:
    there = seeker.within(name.encode(errors="ignore"))
    for piece in contents(home, name, seeker.longest):
        there |= seeker.within(piece)
    rows = 0
    try:
        for records in stored(home, name) if name.endswith(_TABLE) else ():
            there |= seeker.among(records)
            rows += rows_of(records, keys) if keys else 0
    except HomeError:  # cut short while it was written, or gone by now: what can be read of it are its bytes
        unread += [name] if home.read(name) is not None else []
    return len(there) + rows


def strike_out(home: Home, marks: Sequence[str], names: Sequence[str]) -> int:
    """Strikes the marks out of those of the files that are notes; answers of how many. What would be no JSON any more
    stays as it is."""
    forms = sorted({form for mark in marks for form in forms_of(mark)}, key=len, reverse=True)
    changed = 0
    for name in names:
        if name.endswith(_LOG) and home.local is not None:
            _strike_out_in_place(home.local / name, forms)
        elif not name.startswith(_HOLD_RECORDS):
            data = home.read(name) or b""
            packed = name.endswith(PACKED)
            before = _unpacked(data) if packed else data
            text = struck(before, forms)
            if not _is_json(before, name) or _is_json(text, name):
                home.write(name, gzip.compress(text, 6, mtime=0) if packed else text)
        else:
            continue
        changed += 1
    return changed


def struck(text: bytes, forms: Sequence[bytes]) -> bytes:
    """A text without these forms of marks."""
    for form in forms:
        text = text.replace(form, STRUCK)
    return text


def _is_json(data: bytes, name: str) -> bool:
    try:
        for part in data.splitlines() if ".jsonl" in name else [data]:
            json.loads(part)
    except ValueError:
        return False
    return True


def _strike_out_in_place(path: Path, forms: Sequence[bytes]) -> None:
    """A log may be open in another process, which goes on writing at the end of the same file."""
    with path.open("r+b") as log:
        text = log.read()
        for form in forms:
            text = text.replace(form, b"*" * len(form))
        log.seek(0)
        log.write(text)


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data
