"""What a record would be recognised by: values that it had and no other record has.

They are looked for in every file of the home before and after erasing. A value that others share, such as a topic or a
city, says nothing about whether this record is still there; neither does a short one, nor a word that Packyak or the
project uses of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import FilesNode, TransformNode
from packyak.engine.privacy.seeker import Seeker
from packyak.engine.privacy.subject import Subject, versions_of
from packyak.engine.privacy.vocabulary import own_words
from packyak.engine.run.compute.memo import read_aside
from packyak.engine.run.read.view import KEY, PARENT
from packyak.engine.run.scope import Scope
from packyak.engine.store.corrections import Correction
from packyak.engine.store.tables import Table

SHORTEST = 5
SHORTEST_NUMBER = 9
LONGEST = 120  # of a longer text, how it begins
MOST = 60
_OF_HASHES = frozenset("0123456789abcdef")
_AT_ONCE = 4 * MOST


def marks_of(scope: Scope, subject: Subject, said: Iterable[Correction], people: Iterable[str] = ()) -> tuple[str, ...]:
    """Values of the records, their keys and what people said of them, that no record of the project has; the longest
    ones where there are many. said: the corrections of these records. people: who acts in the project."""
    found = {
        mark for asset, keys in subject.members.items() for mark in _telling([*keys, *_values(scope, asset, keys)])
    }
    for each in said:
        found |= set(_telling([each.key, each.why, *_texts([each.value, each.computed, *(each.seen or {}).values()])]))
    own = own_words(scope, {*people, *(each.by for each in scope.said)})
    waiting = sorted((mark for mark in found if mark not in own), key=lambda mark: (-len(mark), mark))
    kept: list[str] = []
    while waiting and len(kept) < MOST:  # a long text has many lines: as many are looked at as are wanted
        part, waiting = waiting[:_AT_ONCE], waiting[_AT_ONCE:]
        shared = _shared(scope, part)
        kept += [mark for mark in part if mark not in shared]
    return tuple(kept[:MOST])


def _shared(scope: Scope, marks: Sequence[str]) -> set[str]:
    """Those that are a part of a value, wherever a record that stays has one."""
    open_ = list(marks)
    for node in scope.graph.tables:
        table = scope.table(node.name)
        seeker = Seeker(open_)
        for records in table.dataset().to_batches() if table.exists() else ():
            found = {open_[place] for place in seeker.among(records)}
            found |= set(_numbers_in(records, [mark for mark in open_ if mark.isdigit()]))
            if found:  # what is shared is not asked for again: what all records have is found in the first of them
                open_ = [mark for mark in open_ if mark not in found]
                seeker = Seeker(open_)
    return set(marks) - set(open_)


def _numbers_in(records: pa.RecordBatch, numbers: list[str]) -> Iterator[str]:
    wanted = pa.array(numbers, pa.string())
    for values in records.columns if numbers else ():
        if pa.types.is_integer(values.type):
            texts = values.cast(pa.string())
            yield from pc.unique(texts.filter(pc.is_in(texts, value_set=wanted))).to_pylist()


def _values(scope: Scope, asset: str, keys: frozenset[str]) -> Iterator[str]:
    """Every text that any version had of these records, laid aside values included, and the names of files that they
    came from and that are gone."""
    files: set[str] = set()
    for part in versions_of(scope.table(asset), keys):
        for name in part.column_names:
            if name == PARENT:
                files.update(part[name].to_pylist())
            elif name != KEY:
                yield from _texts(part[name].to_pylist())
    node = scope.graph[asset]
    source = scope.graph.nodes.get(node.source) if isinstance(node, TransformNode) else None
    if isinstance(source, FilesNode):
        gone = files - {stat.key for stat in scope.bucket(source.bucket).scan(source.pattern)}
        yield from (name for name in gone if any(_telling([PurePosixPath(name).stem])))  # many end in `b.jsonl`
    types = scope.snapshot.stored(asset)
    for record in _aside(scope.memo(asset), keys, types):
        yield from _texts(record)


def _aside(memo: Table, keys: frozenset[str], types: Mapping[str, pa.DataType]) -> Iterator[Mapping[str, Any]]:
    for version in memo.versions():
        for text in memo.read(["aside"], "aside is not null", version)["aside"].to_pylist():
            aside = read_aside(text, types)
            for records in (aside.beneath, aside.lost):
                yield from (record for key, record in records.items() if key in keys)


def _texts(value: Any) -> Iterator[str]:
    """Every text within a value, and every whole number as text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        yield from (text for part in value.values() for text in _texts(part))
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        yield from (text for part in value for text in _texts(part))


def _telling(texts: Iterable[str]) -> Iterator[str]:
    """The lines of texts that are long enough to tell a record by. Digits turn up by chance, those of hashes too."""
    for text in texts:
        for line in text.splitlines():
            mark = line.strip()[:LONGEST].strip()
            by_chance = _OF_HASHES.issuperset(mark) or not any(map(str.isalpha, mark))
            if len(mark) >= (SHORTEST_NUMBER if by_chance else SHORTEST):
                yield mark
