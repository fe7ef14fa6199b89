"""A CSV file a block of whole records at a time, parsed by Arrow: several times cheaper than Python's reader.

Only content that both are known to read alike is read so: UTF-8 whose every quote opens a value, closes one or is
doubled inside one. At the first block that is otherwise, or that Arrow refuses, the blocks end; the caller goes on
from there with Python's reader, which knows the line at fault.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 1 << 20
LARGEST = 256 << 20  # no end of a record in so many bytes: a quote is missing, or the file has odd line ends
LEAST = 64 << 10  # smaller files are read without Arrow
UTF_8 = ("utf-8", "utf8", "utf-8-sig")
QUOTE, LINE_FEED, RETURN = b'"\n\r'


@dataclass(frozen=True)
class Block:
    """The records of one block, all values text. end: where in the file the next one begins. lines: in this one."""

    table: pa.Table
    end: int
    lines: int


def suits(size: int, encoding: str, delimiter: str) -> bool:
    """Whether a file of so many bytes is worth reading in blocks, and can be."""
    return size >= LEAST and encoding.lower().replace("_", "-") in UTF_8 and delimiter.isascii()


def blocks(raw: IO[bytes], delimiter: str) -> Iterator[Block]:
    """The blocks of a file with a header line, from its start to its end or to the first that has to be read
    otherwise. Duplicate and empty names of columns are for the caller to find: only the first block's table has them.
    """
    names: list[str] | None = None
    rest, end = b"", 0
    while True:
        data, rest = _whole_records(raw, rest)
        if not data:
            return
        start = len(b"\xef\xbb\xbf") if not end and data.startswith(b"\xef\xbb\xbf") else 0
        table = _parsed(data[start:], delimiter, names)
        if table is None:
            return
        names, end = table.column_names, end + len(data)
        yield Block(table, end, _lines(data))


def _whole_records(raw: IO[bytes], rest: bytes) -> tuple[bytes, bytes]:
    """The next bytes up to the end of a record, and what was read beyond it; nothing where no record ends in reach."""
    data, more = rest, BLOCK
    while len(data) <= LARGEST:
        read = raw.read(more)
        data += read
        if not read:
            return data, b""
        if cut := _last_end(data):
            return data[:cut], data[cut:]
        more = max(BLOCK, len(data))
    return b"", b""


def _last_end(data: bytes) -> int:
    """Behind the last line end outside quotes, 0 where there is none."""
    if QUOTE not in data:
        return data.rfind(b"\n") + 1
    import numpy as np

    content = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(content == LINE_FEED)
    outside = ends[np.searchsorted(np.flatnonzero(content == QUOTE), ends) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


def _parsed(data: bytes, delimiter: str, names: list[str] | None) -> pa.Table | None:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if b"\0" in data or not _quoted_alike(data, delimiter) or not _is_utf_8(data):
        return None
    if names is None:
        if not data.strip() or data[:1] in (b"\r", b"\n"):
            return None
        header = next(csv.reader(io.StringIO(_first_line(data), newline=""), delimiter=delimiter), [])
        if not header:
            return None
    types = dict.fromkeys(names or header, pa.string())
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in data),
            arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None


def _quoted_alike(data: bytes, delimiter: str) -> bool:
    """Whether quotes take turns in opening a value and closing it; a doubled one closes and opens at once."""
    if b'"' not in data:
        return True
    import numpy as np

    content = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(content == QUOTE)
    if len(quotes) % 2:
        return False
    edge = np.zeros(256, bool)
    edge[[ord(delimiter), QUOTE, LINE_FEED, RETURN]] = True
    opening, closing = quotes[::2], quotes[1::2]
    before = content[opening[opening > 0] - 1]
    after = content[closing[closing < len(data) - 1] + 1]
    return bool(edge[before].all() and edge[after].all())


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_line(data: bytes) -> str:
    """The text up to the first line end outside quotes."""
    quoted = False
    for match in re.finditer(rb'["\r\n]', data):
        if match[0] == b'"':
            quoted = not quoted
        elif not quoted:
            return data[: match.start()].decode()
    return data.decode()


def _lines(data: bytes) -> int:
    """Line ends as Python counts them: \\n, \\r and \\r\\n."""
    alone = data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else 0
    return data.count(b"\n") + alone
