"""Where a record can still be recognised: every file of a home, looked through byte by byte for the record's marks.

Small files of notes (runs, events, what was published) have the marks struck out of their text and stay readable.
What holds records is not touched here: that is purged, or it is the file that a person has to take away.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from packyak.engine.store.home import Home

STRUCK = b"[erased]"
_PIECE = 16 << 20
_HOLD_RECORDS = (
    "tables/", "memo/", "indexes/", "vectors/", "models/", "maps/", "corrections/", "buckets/", "secrets/", "prefect/",
)  # fmt: skip
_PACKED = ".gz"
_LOG = ".log"


@dataclass(frozen=True)
class Remains:
    """What a search through a home found. files: how many were looked through, of so many bytes; found: how many of
    the marks each file has that has any."""

    files: int = 0
    bytes: int = 0
    found: dict[str, int] = field(default_factory=dict)


def remains_of(home: Home, marks: Sequence[str], among: Collection[str] | None = None) -> Remains:
    """Every file of a home that has one of the marks in it. among: look at these files alone."""
    forms = [_forms(mark) for mark in marks]
    files = size = 0
    found: dict[str, int] = {}
    for name, length, _ in sorted(home.walk(".")):
        if among is not None and name not in among:
            continue
        files, size = files + 1, size + length
        there: set[int] = set()
        for piece in _pieces(home, name):
            there |= {place for place, form in enumerate(forms) if place not in there and any(f in piece for f in form)}
        if there:
            found[name] = len(there)
    return Remains(files, size, found)


def strike_out(home: Home, marks: Sequence[str], names: Sequence[str]) -> int:
    """Strikes the marks out of those of the files that are notes; answers of how many."""
    forms = sorted({form for mark in marks for form in _forms(mark)}, key=len, reverse=True)
    changed = 0
    for name in names:
        if name.endswith(_LOG) and home.local is not None:
            _strike_out_in_place(home.local / name, forms)
        elif not name.startswith(_HOLD_RECORDS):
            data = home.read(name) or b""
            text = _unpacked(data) if name.endswith(_PACKED) else data
            for form in forms:
                text = text.replace(form, STRUCK)
            home.write(name, gzip.compress(text, 6, mtime=0) if name.endswith(_PACKED) else text)
        else:
            continue
        changed += 1
    return changed


def _strike_out_in_place(path: Path, forms: Sequence[bytes]) -> None:
    """A log may be open in another process, which goes on writing at the end of the same file."""
    with path.open("r+b") as log:
        text = log.read()
        for form in forms:
            text = text.replace(form, b"*" * len(form))
        log.seek(0)
        log.write(text)


def _forms(mark: str) -> tuple[bytes, ...]:
    """A mark as text, and as JSON writes it."""
    plain = mark.encode(errors="surrogatepass")
    written = (json.dumps(mark, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True))
    return tuple(dict.fromkeys([plain, *(text.encode(errors="surrogatepass") for text in written)]))


def _pieces(home: Home, name: str) -> Iterator[bytes]:
    """A file's bytes, a part at a time, unpacked; parts overlap, so that nothing is cut in two."""
    if home.local is None or name.endswith(_PACKED):
        data = home.read(name) or b""
        yield _unpacked(data) if name.endswith(_PACKED) else data
        return
    with suppress(FileNotFoundError), (home.local / name).open("rb") as file:  # another process may have taken it away
        tail = b""
        while piece := file.read(_PIECE):
            yield tail + piece
            tail = piece[-1024:]


def _unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data
