"""What a record would be recognised by: values that it had and no other record has.

They are looked for, byte by byte, in every file of the home before and after erasing. A value that others share, such
as a topic or a city, says nothing about whether this record is still there; neither does a short one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.privacy.subject import Subject, versions_of
from packyak.engine.run.compute.memo import read_aside
from packyak.engine.run.read.view import KEY, PARENT
from packyak.engine.run.scope import Scope
from packyak.engine.store.corrections import Correction
from packyak.engine.store.tables import Table

SHORTEST = 5
SHORTEST_NUMBER = 9
LONGEST = 120  # of a longer text, how it begins
MOST = 60
_NOBODYS = ""


def marks_of(scope: Scope, subject: Subject, said: Iterable[Correction]) -> tuple[str, ...]:
    """Values of the records, their keys and what people said of them, that no record of the project shares; the
    longest ones where there are many. said: the corrections of these records."""
    found: dict[str, set[str]] = {}
    for asset, keys in subject.members.items():
        found.setdefault(KEY, set()).update(_telling(keys))
        for column, value in _values(scope, asset, keys):
            found.setdefault(column, set()).update(_telling([value]))
    for each in said:
        found.setdefault(each.column, set()).update(_telling(_texts([each.value, each.computed])))
        found.setdefault(_NOBODYS, set()).update(_telling([each.why]))
        for column, value in (each.seen or {}).items():
            found.setdefault(column, set()).update(_telling(_texts(value)))
    names = " ".join([*scope.graph.nodes, *found])
    kept = {mark for column, marks in found.items() for mark in _unshared(marks, _present(scope, column), names)}
    return tuple(sorted(kept, key=lambda mark: (-len(mark), mark))[:MOST])


def _unshared(marks: Iterable[str], present: Iterable[pa.ChunkedArray], names: str) -> Iterator[str]:
    """Those that are no part of a value that stays, nor of a name."""
    for mark in marks:
        if mark not in names and not any(pc.any(pc.match_substring(values, mark)).as_py() for values in present):
            yield mark


def _values(scope: Scope, asset: str, keys: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Column and text of all that any version had of these records, laid aside values included."""
    for part in versions_of(scope.table(asset), keys):
        for name in part.column_names:
            if name not in (KEY, PARENT):
                yield from ((name, text) for text in _texts(part[name].to_pylist()))
    types = scope.snapshot.stored(asset)
    for record in _aside(scope.memo(asset), keys, types):
        for name, value in record.items():
            yield from ((name, text) for text in _texts(value))


def _aside(memo: Table, keys: frozenset[str], types: Mapping[str, pa.DataType]) -> Iterator[Mapping[str, Any]]:
    for version in memo.versions():
        for text in memo.read(["aside"], "aside is not null", version)["aside"].to_pylist():
            aside = read_aside(text, types)
            for records in (aside.beneath, aside.lost):
                yield from (record for key, record in records.items() if key in keys)


def _texts(value: Any) -> Iterator[str]:
    """Every text within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for part in value.values() for text in _texts(part))
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        yield from (text for part in value for text in _texts(part))


def _telling(texts: Iterable[str]) -> Iterator[str]:
    """The lines of texts that are long enough to tell a record by. Digits alone turn up by chance."""
    for text in texts:
        for line in text.splitlines():
            mark = line.strip()[:LONGEST].strip()
            if len(mark) >= SHORTEST and (any(map(str.isalpha, mark)) or len(mark) >= SHORTEST_NUMBER):
                yield mark


def _present(scope: Scope, column: str) -> list[pa.ChunkedArray]:
    """What the records that stay have in a column of this name, wherever one has it as text."""
    found = []
    for node in scope.graph.tables:
        table = scope.table(node.name)
        if column and table.exists() and column in (schema := table.schema()).names:
            kind = schema.field(column).type
            if pa.types.is_string(kind) or pa.types.is_large_string(kind):
                found.append(table.read([column])[column])
    return found
