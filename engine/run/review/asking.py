"""Turns chosen fields into questions: what stands there, what it was computed from, who said what before, the nearest
records that people decided, and what hangs on it. A few queries for each asset, however many questions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from packyak.engine.declare.nodes import LearnedNode, TableNode
from packyak.engine.run.answers import ColumnInfo
from packyak.engine.run.correct.opinions import opinion
from packyak.engine.run.correct.saving import computed_rows, input_hashes
from packyak.engine.run.due.fingerprint import digest
from packyak.engine.run.questions import Neighbour, Question, Reach, Reason
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import Snapshot
from packyak.engine.run.review.looks import Look, rows_of
from packyak.engine.run.review.nearest import inputs_shown, notes_on
from packyak.engine.run.review.reach import Downstream
from packyak.engine.run.review.space import space_of
from packyak.engine.run.review.wavering import Asked, Task
from packyak.engine.store.corrections import decode, encode, standing

NEIGHBOURS = 5
MOST_DECIDED = 2_000
FieldName = tuple[str, str, str]


@dataclass(frozen=True)
class Field:
    """A field (column "": a record) chosen to be asked about."""

    asset: str
    key: str
    column: str
    reason: Reason
    why: str
    worth: float = 0.0
    at_random: bool = False
    suspects: tuple[str, ...] = ()

    @classmethod
    def look(cls, look: Look) -> Self:
        return cls(look.asset, look.key, look.column, look.reason, look.why, look.worth)

    @classmethod
    def asked(cls, task: Task, one: Asked) -> Self:
        return cls(task.node.name, one.key, one.column, one.reason, one.why, one.worth, one.at_random, one.suspects)


def record_columns(reader: Reader, owner: str) -> tuple[str, ...]:
    """The columns that a question about a whole record asks for: those that an asset writes itself."""
    node = reader.graph[owner]
    return tuple(column.name for column in node.columns or ()) if isinstance(node, TableNode) else ()


def seen_names(reader: Reader, snapshot: Snapshot, fields: Sequence[FieldName]) -> dict[FieldName, str]:
    """A short name for what stands in each field and what it was computed from; none for what is not there."""
    found: dict[FieldName, str] = {}
    for owner in dict.fromkeys(asset for asset, _, _ in fields):
        if not isinstance(reader.graph.nodes.get(owner), TableNode) or snapshot.table(owner) is None:
            continue
        mine = [each for each in fields if each[0] == owner]
        keys = list(dict.fromkeys(key for _, key, _ in mine))
        rows, hashes = rows_of(reader, snapshot, owner, keys), input_hashes(reader, owner, keys)
        for asset, key, column in mine:
            if key in rows:
                found[asset, key, column] = _seen(reader, owner, key, column, rows[key], hashes.get(key, ""))
    return found


def _seen(reader: Reader, owner: str, key: str, column: str, row: Mapping[str, Any], inputs: str) -> str:
    names = (column,) if column else record_columns(reader, owner)
    in_force = reader.scope.in_force
    words = [one.id for name in names if (one := in_force.get((owner, key, name))) is not None]
    return digest([json.dumps([encode(row.get(name)) for name in names], sort_keys=True), inputs, *words])[:12]


def asked_fields(down: Downstream, fields: Sequence[Field]) -> list[Question]:
    """The questions, in the same order; a field that is no longer there is left out."""
    made: dict[FieldName, Question] = {}
    for owner in dict.fromkeys(each.asset for each in fields):
        for each, question in _of_owner(down, owner, [each for each in fields if each.asset == owner]):
            made[each.asset, each.key, each.column] = question
    return [made[name] for each in fields if (name := (each.asset, each.key, each.column)) in made]


def _of_owner(down: Downstream, owner: str, fields: Sequence[Field]) -> Iterable[tuple[Field, Question]]:
    reader, snapshot = down.reader, down.snapshot
    keys = list(dict.fromkeys(each.key for each in fields))
    rows, hashes = rows_of(reader, snapshot, owner, keys), input_hashes(reader, owner, keys)
    computed, notes = computed_rows(reader, owner, keys), notes_on(reader, owner, keys)
    shown = inputs_shown(reader, snapshot, owner, keys)
    columns = {each.name: each for each in reader.columns(owner, snapshot)}
    near = Nearby(down, owner, keys)
    comments = comments_on(reader, owner, keys)
    said, in_force = reader.scope.words, reader.scope.in_force
    for each in fields:
        row = rows.get(each.key)
        if row is None or (each.column and each.column not in columns):
            continue
        note = notes.get(each.key, {})
        names = (each.column,) if each.column else record_columns(reader, owner)
        words = [one for name in names for one in said.get((owner, each.key, name), [])]
        by_person = any((owner, each.key, name) in in_force for name in names)
        made = Question(
            number=0,
            asset=owner,
            key=each.key,
            column=each.column,
            type=columns[each.column].type if each.column else "record",
            answer=_value(each.column, names, row),
            reason=each.reason,
            why=each.why,
            seen=_seen(reader, owner, each.key, each.column, row, hashes.get(each.key, "")),
            owner=owner,
            decided="person" if by_person else str(note.get("decided") or "function"),
            confidence=_rounded(note.get("confidence")),
            choices=_choices(columns.get(each.column)),
            at_random=each.at_random,
            worth=round(each.worth, 4),
            inputs=shown.get(each.key, {}),
            neighbours=near.of(each.key, each.column, row),
            opinions=tuple(opinion(one) for one in reversed(words)),
            computed=_value(each.column, names, computed.get(each.key, row)),
            reach=_reach(down, owner, names, each.key),
            suspects=each.suspects,
            earlier=comments.get(each.key, ()),
        )
        yield each, _blind(made) if each.reason == "second" else made


def _blind(question: Question) -> Question:
    """A second opinion is worth something only from somebody who has not seen the first."""
    return replace(question, answer=None, decided="none", confidence=None, opinions=(), computed=None)


def _value(column: str, names: Sequence[str], row: Mapping[str, Any]) -> Any:
    return row.get(column) if column else {name: row.get(name) for name in names}


def _choices(column: ColumnInfo | None) -> tuple[Any, ...] | None:
    if column is None:
        return None
    return (True, False) if column.type == "bool" else column.choices


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)


def _reach(down: Downstream, owner: str, names: Sequence[str], key: str) -> Reach:
    return max((down.reach(owner, name, key) for name in names), key=lambda each: each.records, default=Reach())


def comments_on(reader: Reader, owner: str, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What people noted on records, by key, newest first."""
    wanted, found = set(keys), dict[str, tuple[str, ...]]()
    for one in standing(reader.scope.said):
        if one.kind == "comment" and one.asset == owner and one.key in wanted:
            found[one.key] = (f"{one.by}: {one.value}", *found.get(one.key, ()))
    return found


class Nearby:
    """The nearest records that people decided, for the records of one asset."""

    def __init__(self, down: Downstream, owner: str, keys: Sequence[str]) -> None:
        self._down, self._owner, self._keys = down, owner, keys
        said = [one for one in down.reader.scope.in_force.values() if one.asset == owner]
        self._said = sorted(said, key=lambda one: (one.at, one.id), reverse=True)[:MOST_DECIDED]
        self._space = None
        if self._said and isinstance(down.reader.graph[owner], LearnedNode):
            decided = [one.key for one in self._said]
            self._space = space_of(down.reader, down.snapshot, owner, list(dict.fromkeys([*keys, *decided])))

    def of(self, key: str, column: str, row: Mapping[str, Any]) -> tuple[Neighbour, ...]:
        """By the vectors of their texts, else those whose computed value was the one that this record has."""
        said = {one.key: one for one in self._said if one.key != key and (not column or one.column == column)}
        if self._space is not None and key in self._space.place:
            near: list[tuple[str, float | None]] = list(self._space.nearest(key, list(said), NEIGHBOURS))
        else:
            now = encode(row.get(column)) if column else None
            alike = [other for other, one in said.items() if column and now in (one.value, one.computed)]
            near = [(other, None) for other in alike[:NEIGHBOURS]]
        return tuple(
            Neighbour(other, decode(said[other].value), "person", similarity, said[other].seen or {})
            for other, similarity in near
        )
