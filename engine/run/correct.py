"""Saving what people say. A correction lands at the asset that owns the column, at once, and waits for no run.

It keeps what the person saw: the value, and the inputs it was computed from, so that later it can be told apart from
the same value over other inputs. Everything is checked before anything is saved; several corrections are saved
together or not at all.
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from packyak.engine.declare.nodes import TransformNode
from packyak.engine.errors import CorrectionError, nearest
from packyak.engine.run.answers import ColumnInfo
from packyak.engine.run.read import Reader, can_be_corrected
from packyak.engine.run.view import Snapshot
from packyak.engine.run.work import read_columns
from packyak.engine.store.corrections import Correction, decode, encode


@dataclass(frozen=True)
class Said:
    """One value that a person gives."""

    asset: str
    key: str
    column: str
    value: Any
    why: str = ""


def save(reader: Reader, said: Sequence[Said], *, by: str | None, kind: str = "correct") -> tuple[Correction, ...]:
    """Checks and saves corrections together; answers them as stored."""
    person = by or _person()
    snapshot = reader.snapshot()
    corrections = [_correction(reader, snapshot, each, person, kind) for each in said]
    return reader.scope.log.append(corrections)


def undo(reader: Reader, correction_id: str, *, by: str | None) -> Correction:
    """Ends a correction by another one; undoing an undo brings it back."""
    ended = next((each for each in reader.scope.log.all() if each.id == correction_id), None)
    if ended is None:
        raise CorrectionError(
            f"there is no correction {correction_id!r}", next_step="`packyak history ASSET KEY` lists them"
        )
    one = Correction("", ended.asset, ended.key, ended.column, ended.id, by=by or _person(), kind="undo")
    return reader.scope.log.append([one])[0]


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _correction(reader: Reader, snapshot: Snapshot, said: Said, person: str, kind: str) -> Correction:
    reader.asset(said.asset)
    column = _column(reader, snapshot, said)
    value = _typed(said, column)
    row = reader.one(snapshot, said.asset, said.key)
    note = reader.note(column.owner, said.key)
    computed = note.get("beneath", {}).get(said.column, row[said.column])
    return Correction(
        id="",
        asset=column.owner,
        key=said.key,
        column=said.column,
        value=encode(value),
        by=person,
        why=said.why,
        kind="accept" if kind == "accept" else "correct",
        seen_hash=note.get("inputs") or "",
        seen=_inputs_seen(reader, snapshot, column.owner, said.key),
        computed=encode(computed),
    )


def _column(reader: Reader, snapshot: Snapshot, said: Said) -> ColumnInfo:
    columns = {each.name: each for each in reader.columns(said.asset, snapshot)}
    column = columns.get(said.column)
    if column is None:
        meant = nearest(said.column, columns)
        raise CorrectionError(
            f"{said.asset} has no column {said.column!r}",
            choices=list(columns),
            next_step=f"did you mean {meant!r}?" if meant else "correct one of its columns",
        )
    if not can_be_corrected(reader.graph, said.asset):
        raise CorrectionError(
            f"{said.asset} has no key, so no record of it can be found again after the next run",
            next_step=f"declare a key: @asset(key=...) on {reader.graph.root(said.asset).name}",
        )
    if not column.editable:
        raise CorrectionError(
            f"{said.column} is the key of {said.asset} and says which record it is",
            next_step="correct it at its source, in the bucket",
        )
    return column


def _typed(said: Said, column: ColumnInfo) -> Any:
    try:
        value = decode(said.value if isinstance(said.value, str | dict) else encode(said.value), column.type)
    except (ValueError, TypeError) as error:
        raise CorrectionError(
            f"{said.value!r} cannot be a value of {said.column}, which is {column.type}: {error}",
            next_step=f"give a {column.type}",
        ) from error
    if column.choices is not None and value is not None and value not in column.choices:
        meant = nearest(str(value), [str(choice) for choice in column.choices])
        raise CorrectionError(
            f"{value!r} is not among the values of {said.column}",
            choices=[str(choice) for choice in column.choices],
            next_step=f"did you mean {meant!r}?" if meant else "choose one of them",
        )
    return value


def _inputs_seen(reader: Reader, snapshot: Snapshot, owner: str, key: str) -> dict[str, Any] | None:
    """The input values behind a one-to-one transform's answer, as the person could see them."""
    node = reader.graph[owner]
    if not isinstance(node, TransformNode) or node.many:
        return None
    row = reader.one(snapshot, node.source, key)
    return {name: encode(row.get(name)) for name in read_columns(reader.scope, node)}
