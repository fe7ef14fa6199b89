"""Looks for marks in bytes and in records: as they are, as JSON writes them, and within lists and structures.

In much data all of them are looked for at once, which costs what one would; which of them it was is asked where any is
(measured with 60 marks: 19 MB in 0.03 CPU s, one by one in 0.2; to get ready for that takes 5 ms, and letters beyond
ASCII make it slower than one by one).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.run.read.view import KEY, PARENT

_TEXTS = (pa.types.is_string, pa.types.is_binary, pa.types.is_large_string, pa.types.is_large_binary)
_MUCH = 1 << 18


class Seeker:
    """The marks of an erasure. A mark is named by its place among them."""

    def __init__(self, marks: Sequence[str]) -> None:
        self.forms = [forms_of(mark) for mark in marks]
        every = [form for forms in self.forms for form in forms]
        self.longest = max(map(len, every), default=1)
        self._every = every
        self._pattern = "|".join(re.escape(form.decode()) for form in every) if b"".join(every).isascii() else ""

    def within(self, data: bytes) -> set[int]:
        """The marks that are in the data."""
        if not self._any(pa.py_buffer(data)):
            return set()
        return {place for place, forms in enumerate(self.forms) if any(form in data for form in forms)}

    def among(self, records: pa.RecordBatch) -> set[int]:
        """The marks that are in any text of the records. Two texts side by side make no third."""
        found: set[int] = set()
        for values in (text for column in records.columns for text in _texts(column)):
            content = values.buffers()[2]
            near = self.within(content.to_pybytes()) - found if self._any(content) else ()
            found |= {place for place in near if self._has(values, self.forms[place])}
        return found

    def _any(self, content: pa.Buffer | None) -> bool:
        if content is None or not content.size or not self._every:
            return False
        if content.size < _MUCH or not self._pattern:
            data = content.to_pybytes()
            return any(form in data for form in self._every)
        ends = pa.array([0, content.size], pa.int64()).buffers()[1]
        whole = pa.Array.from_buffers(pa.large_binary(), 1, [None, ends, content])
        return bool(pc.match_substring_regex(whole, self._pattern)[0].as_py())

    @staticmethod
    def _has(values: pa.Array, forms: Sequence[bytes]) -> bool:
        return any(pc.any(pc.match_substring(values, form.decode())).as_py() for form in forms)


def rows_of(records: pa.RecordBatch, keys: Collection[str]) -> int:
    """How many of the records have one of the keys, or came of one that has."""
    wanted = pa.array(sorted(keys), pa.string())
    there = [records.column(name) for name in (KEY, PARENT) if name in records.schema.names]
    found = (pc.sum(pc.is_in(each.cast(pa.string()), value_set=wanted)).as_py() for each in there)
    return max((int(each or 0) for each in found), default=0)


def forms_of(mark: str) -> tuple[bytes, ...]:
    """A mark as text, and as JSON writes it. Half a letter, which no file can hold, is passed over."""
    written = [mark, *(json.dumps(mark, ensure_ascii=ascii_only)[1:-1] for ascii_only in (False, True))]
    return tuple(dict.fromkeys(form for text in written if (form := text.encode(errors="ignore"))))


def _texts(values: pa.Array) -> Iterator[pa.Array]:
    """Every array of texts or bytes within an array."""
    kind = values.type
    if isinstance(values, pa.ExtensionArray):
        yield from _texts(values.storage)
    elif pa.types.is_dictionary(kind):
        yield from _texts(values.dictionary)
    elif pa.types.is_struct(kind):
        yield from (text for place in range(kind.num_fields) for text in _texts(values.field(place)))
    elif pa.types.is_map(kind):
        yield from (*_texts(values.keys), *_texts(values.items))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _texts(values.values)
    elif any(has(kind) for has in _TEXTS):
        yield values
