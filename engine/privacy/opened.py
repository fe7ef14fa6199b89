"""A home's files a piece at a time, as they are and, where they are packed, unpacked: gzip, bzip2, xz, zip and what is
a zip in disguise (xlsx, docx, npz). Pieces overlap, so that nothing is cut in two. Other packing (the streams of a PDF,
a Parquet file) is not looked into.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import IO, Any

from packyak.engine.store.home import Home

PACKED = ".gz"
_PIECE = 16 << 20
_ZIP = b"PK\x03\x04"
_UNPACK: Mapping[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def contents(home: Home, name: str, overlap: int) -> Iterator[bytes]:
    """The bytes of a file, then what is packed in them. A file that another process took away meanwhile has none."""
    try:
        with _open(home, name) as file:
            yield from _pieces(file, overlap)
            file.seek(0)
            head = file.read(6)
            file.seek(0)
            yield from _unpacked(file, head, overlap)
    except FileNotFoundError:
        return


def _open(home: Home, name: str) -> IO[bytes]:
    return BytesIO(home.read(name) or b"") if home.local is None else (home.local / name).open("rb")


def _unpacked(file: IO[bytes], head: bytes, overlap: int) -> Iterator[bytes]:
    unpack = next((each for start, each in _UNPACK.items() if head.startswith(start)), None)
    try:
        if unpack is not None:
            yield from _pieces(unpack(file), overlap)
        elif head.startswith(_ZIP):
            with zipfile.ZipFile(file) as packed:
                for each in packed.infolist():
                    with packed.open(each) as member:
                        yield from _pieces(member, overlap)
    except _BROKEN:  # cut short, or only looks like it; its bytes were looked at
        return


def _pieces(file: IO[bytes], overlap: int) -> Iterator[bytes]:
    tail = b""
    while piece := file.read(_PIECE):
        yield tail + piece
        tail = (tail + piece)[-overlap:]
