"""Saving what people say. A correction lands at the asset that owns the column, at once, and waits for no run.

It keeps what the person saw: the value, and the inputs it was computed from, so that later it can be told apart from
the same value over other inputs. Everything is checked before anything is saved; several corrections are saved
together or not at all, and undone together by the id of their save. Many records cost a few queries, not one each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import SqlNode, TransformNode
from packyak.engine.errors import CorrectionError, DataError, PackyakError, nearest
from packyak.engine.run.answers import ColumnInfo
from packyak.engine.run.due.work import read_columns
from packyak.engine.run.read.reader import Reader, can_be_corrected
from packyak.engine.run.read.view import KEY, Snapshot
from packyak.engine.run.types import arrow_type, held, type_name
from packyak.engine.store.corrections import Correction, Kind, decode, encode, ended_by

GIVE = {
    "int64": "a whole number", "float64": "a number", "decimal": "a number with no more decimals than the column has",
    "bool": "true or false", "date": "a date like 2026-03-01", "timestamp": "a time like 2026-03-01T09:30",
    "time": "a time of day like 09:30",
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """One value that a person gives. kind: correct | accept (the value shown is right; `value` is not read) | comment
    (`value` is its text) | skip. The rest is as in `Correction`; what is not said is filled in."""

    asset: str
    key: str
    column: str
    value: Any = None
    why: str = ""
    kind: Kind = "correct"
    by: str = ""
    at: str = ""
    origin: str = ""
    of: str = ""
    id: str = ""


def save(reader: Reader, said: Sequence[Said], *, by: str) -> tuple[Correction, ...]:
    """Checks and saves corrections together; answers them as stored."""
    drafts = drafted(reader, said, by)
    for each in drafts:
        if isinstance(each, PackyakError):
            raise each
    return reader.scope.log.append([each for each in drafts if isinstance(each, Correction)])


def drafted(reader: Reader, said: Sequence[Said], by: str) -> list[Correction | PackyakError]:
    """What each would be saved as, in the same order, or why it cannot be."""
    snapshot = reader.snapshot()
    desks: dict[str, Desk] = {}
    keys: dict[str, dict[str, None]] = {}
    for each in said:
        keys.setdefault(each.asset, {})[each.key] = None
    found: list[Correction | PackyakError] = []
    for each in said:
        try:
            if each.asset not in desks:
                desks[each.asset] = Desk(reader, snapshot, each.asset, tuple(keys[each.asset]))
            found.append(replace(desks[each.asset].correction(each), by=each.by or by))
        except PackyakError as error:
            found.append(error)
    return found


@dataclass
class Desk:
    """Some records of one asset, with what a correction of them needs to know, read together when first needed."""

    reader: Reader
    snapshot: Snapshot
    asset: str
    keys: tuple[str, ...]
    _computed: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    _inputs: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    _hashes: dict[str, dict[str, str]] = field(default_factory=dict)

    def correction(self, said: Said) -> Correction:
        """One correction, checked; without a person."""
        if said.kind in ("comment", "skip"):
            return self._remark(said)
        column = self.column(said.column)
        row = self.row(said.key)
        value = row[said.column] if said.kind == "accept" else self.value(said.value, column)
        computed = self.computed(column.owner, said.key)
        return Correction(
            id=said.id,
            asset=column.owner,
            key=said.key,
            column=said.column,
            value=encode(value),
            at=said.at,
            why=said.why,
            kind=said.kind,
            seen_hash=self.input_hash(column.owner, said.key),
            seen=self.inputs(column.owner, said.key),
            computed=encode(computed.get(said.column, row[said.column])),
            origin=said.origin,
            of=said.of,
        )

    def _remark(self, said: Said) -> Correction:
        """A comment or a skip: of a field, or of the whole record where no column is named."""
        owner = self.column(said.column).owner if said.column else self.asset
        self.row(said.key)
        text = str(said.value or "").strip()
        if said.kind == "comment" and not text:
            raise CorrectionError("a comment needs words", next_step="say what you want to note")
        return Correction(
            said.id, owner, said.key, said.column, text, at=said.at, why=said.why, kind=said.kind, origin=said.origin,
            of=said.of,
        )  # fmt: skip

    @cached_property
    def columns(self) -> Mapping[str, ColumnInfo]:
        """The columns of the view by name."""
        self.reader.asset(self.asset)
        return {each.name: each for each in self.reader.columns(self.asset, self.snapshot)}

    def column(self, name: str) -> ColumnInfo:
        """A column that can be corrected. Raises CorrectionError."""
        column = self.columns.get(name)
        if column is None:
            meant = nearest(name, self.columns)
            raise CorrectionError(
                f"{self.asset} has no column {name!r}",
                choices=list(self.columns),
                next_step=f"did you mean {meant!r}?" if meant else "correct one of its columns",
            )
        if not can_be_corrected(self.reader.graph, self.asset):
            root = self.reader.graph.root(self.asset)
            way = "sql(..., key=...)" if isinstance(root, SqlNode) else "@asset(key=...)"
            raise CorrectionError(
                f"{self.asset} has no key, so no record of it can be found again after the next run",
                next_step=f"declare a key of {root.name}: {way}",
            )
        if not column.editable:
            raise CorrectionError(
                f"{name} is the key of {self.asset} and says which record it is",
                next_step="correct it at its source, in the bucket",
            )
        return column

    def value(self, given: Any, column: ColumnInfo) -> Any:
        """A value that a person gives, as the column's. Raises CorrectionError."""
        stored = self.snapshot.types(self.asset)[column.name]
        if pa.types.is_null(stored) and given is not None and not self._is_declared(column):
            raise CorrectionError(
                f"{column.name} has no value in any record, so it has no type yet",
                next_step="declare its type: a record class, or types= of read_csv",
            )
        return typed(given, column, stored)

    def _is_declared(self, column: ColumnInfo) -> bool:
        return column.name in {each.name for each in self.reader.asset(column.owner).columns or ()}

    @cached_property
    def rows(self) -> Mapping[str, dict[str, Any]]:
        """The records as they are now, by key."""
        return {row[KEY]: row for row in self.reader.records(self.snapshot, self.asset, self.keys).to_pylist()}

    def row(self, key: str) -> dict[str, Any]:
        """One of the records. Raises DataError where there is none."""
        self.reader.asset(self.asset)
        if key not in self.rows:
            raise DataError(
                f"{self.asset} has no record {key!r}", next_step=f"`packyak show {self.asset}` lists its records"
            )
        return self.rows[key]

    def computed(self, owner: str, key: str) -> dict[str, Any]:
        """What the owner computed for one of the records, beneath people's words."""
        if owner not in self._computed:
            self._computed[owner] = computed_rows(self.reader, owner, self.keys)
        return self._computed[owner].get(key, {})

    def input_hash(self, owner: str, key: str) -> str:
        """The name of the inputs that the owner's answer was computed from."""
        if owner not in self._hashes:
            self._hashes[owner] = input_hashes(self.reader, owner, self.keys)
        return self._hashes[owner].get(key, "")

    def inputs(self, owner: str, key: str) -> dict[str, Any] | None:
        """The input values behind a one-to-one transform's answer, as the person could see them."""
        node = self.reader.graph[owner]
        if not isinstance(node, TransformNode) or node.many:
            return None
        if owner not in self._inputs:
            names = read_columns(self.reader.scope, node)
            known = [name for name in names if name in self.snapshot.owners(node.source)]
            found = self.reader.records(self.snapshot, node.source, self.keys, known).to_pylist()
            self._inputs[owner] = {row[KEY]: {name: encode(row.get(name)) for name in names} for row in found}
        return self._inputs[owner].get(key)


def computed_rows(reader: Reader, owner: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What an asset's good version has for these keys, people's words lifted off, by key."""
    found = reader.beneath(owner, keys)
    return {} if found is None else {row[KEY]: row for row in found.to_pylist()}


def input_hashes(reader: Reader, owner: str, keys: Sequence[str]) -> dict[str, str]:
    """The names of the inputs of a one-to-one transform's answers, by key."""
    memo = reader.scope.memo(owner)
    node = reader.graph[owner]
    if not memo.exists() or not isinstance(node, TransformNode) or node.many:
        return {}
    found = reader.among(memo.dataset(), pa.array(keys, pa.string()), [KEY, "inputs"])
    return {row[KEY]: row["inputs"] or "" for row in found.to_pylist()}


def typed(value: Any, column: ColumnInfo, stored: pa.DataType) -> Any:
    """A value as the column's type. Raises CorrectionError where it is none, or not among the column's choices.

    stored: as the column is now; where the declaration says otherwise by now, that counts.
    """
    same = type_name(stored) == column.type and not pa.types.is_null(stored)
    kind = stored if same else arrow_type(column.type)
    try:
        found = decode(value if isinstance(value, str | dict) else encode(value), column.type)
        held(found, kind)
    except (ValueError, TypeError) as error:
        raise CorrectionError(
            f"{value!r} cannot be a value of {column.name}, which is {column.type}: {error}",
            next_step=f"give {GIVE.get(column.type, f'a value of the type {column.type}')}",
        ) from error
    if column.choices is not None and found is not None and found not in column.choices:
        meant = nearest(str(found), [str(choice) for choice in column.choices])
        raise CorrectionError(
            f"{found!r} is not among the values of {column.name}",
            choices=[str(choice) for choice in column.choices],
            next_step=f"did you mean {meant!r}?" if meant else "choose one of them",
        )
    return found


def undo(reader: Reader, identity: str, *, by: str) -> tuple[Correction, ...]:
    """Ends a correction, or all of a save by its id; undoing an undo brings back what it ended."""
    every, ended = reader.scope.log.all(), ended_by(reader.scope.log.all())
    meant = _meant(every, identity)
    open_ones = [each for each in meant if each.id not in ended]
    if not open_ones:
        raise CorrectionError(
            f"{identity} was undone already", next_step=f"`packyak correct --redo {identity}` brings it back"
        )
    return reader.scope.log.append([_ending(each, by) for each in open_ones])


def redo(reader: Reader, identity: str, *, by: str) -> tuple[Correction, ...]:
    """Brings back what was undone: a correction, or all of a save by its id."""
    every, ended = reader.scope.log.all(), ended_by(reader.scope.log.all())
    by_id = {each.id: each for each in every}
    undos = [by_id[undo] for each in _meant(every, identity) for undo in ended.get(each.id, ())]
    if not undos:
        raise CorrectionError(
            f"{identity} is not undone", next_step=f"`packyak correct --undo {identity}` takes it back"
        )
    return reader.scope.log.append([_ending(each, by) for each in undos])


def _meant(every: Sequence[Correction], identity: str) -> list[Correction]:
    meant = [each for each in every if each.id == identity or (each.group and each.group == identity)]
    if not meant:
        raise CorrectionError(
            f"there is no correction {identity!r}", next_step="`packyak history ASSET KEY` lists them"
        )
    return meant


def _ending(ended: Correction, by: str) -> Correction:
    """The undo of one correction; what it ends tells whether it can change a value."""
    origin = ended.origin if ended.kind == "undo" else ended.kind
    return Correction("", ended.asset, ended.key, ended.column, ended.id, by=by, kind="undo", origin=origin)


__all__ = ["Desk", "Said", "computed_rows", "drafted", "input_hashes", "redo", "save", "undo"]
