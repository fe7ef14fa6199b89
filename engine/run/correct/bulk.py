"""Correcting many records at once: by a condition or a list of keys, and by spreading one person's fix to its like.

Everything is counted before anything is saved, and saved as one file with one id that undoes all of it. Records like a
corrected one are only ever suggested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from packyak.engine.errors import CorrectionError
from packyak.engine.run.correct.saving import Desk, Said, save
from packyak.engine.run.questions import Bulk, Example, Similar
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, quoted
from packyak.engine.run.review.nearest import Near, nearest_records
from packyak.engine.store.corrections import decode

SHOWN = 5


@dataclass(frozen=True)
class Meant:
    """Which records get which value. where: an SQL condition on the view; keys: a list instead. origin and of: as in
    `Correction`."""

    asset: str
    column: str
    value: Any
    where: str | None = None
    keys: tuple[str, ...] | None = None
    why: str = ""
    origin: str = "bulk"
    of: str = ""


def correct_where(reader: Reader, meant: Meant, *, preview: bool, by: str) -> Bulk:
    """Counts the records meant, and unless it is a preview gives them the value."""
    if (meant.where is None) == (meant.keys is None):
        raise CorrectionError(
            "it is not said which records are meant" if meant.where is None else "a condition and keys say two things",
            next_step="give an SQL condition or a list of keys; the condition `true` means all records",
        )
    desk = Desk(reader, reader.snapshot(), meant.asset, ())
    column = desk.column(meant.column)
    value = desk.value(meant.value, column)
    found = _found(reader, desk, meant)
    keys, before = found[KEY].to_pylist(), found[meant.column].to_pylist()
    changing = [(key, was) for key, was in zip(keys, before, strict=True) if was != value]
    in_force = reader.scope.in_force
    decided = sum((column.owner, key, meant.column) in in_force for key, _ in changing)
    examples = tuple(Example(key, was, value) for key, was in changing[:SHOWN])
    bulk = Bulk(meant.asset, meant.column, value, len(changing), len(keys) - len(changing), decided, examples)
    if preview or not changing:
        return bulk
    said = [
        Said(meant.asset, key, meant.column, value, meant.why, origin=meant.origin, of=meant.of) for key, _ in changing
    ]
    saved = save(reader, said, by=by)
    return Bulk(**{**bulk.__dict__, "id": saved[0].group or saved[0].id})


def _found(reader: Reader, desk: Desk, meant: Meant) -> pa.Table:
    """Key and present value of the records meant, by key. Raises CorrectionError for a key that is none."""
    if meant.keys is not None:
        found = reader.records(desk.snapshot, meant.asset, meant.keys, [meant.column])
        missing = sorted(set(meant.keys) - set(found[KEY].to_pylist()))
        if missing:
            raise CorrectionError(
                f"{meant.asset} has no record {missing[0]!r}"
                + (f" and {len(missing) - 1:,} others of those named" if len(missing) > 1 else ""),
                next_step=f"`packyak show {meant.asset}` lists its records",
            )
        return found.sort_by(KEY)
    inner = desk.snapshot.select(meant.asset)
    sql = f"select {KEY}, {quoted(meant.column)} from ({inner.sql}) as {quoted(meant.asset)} where ({meant.where}\n)"
    return reader.scope.query.run(f"{sql} order by {KEY}", inner.tables)


def similar(reader: Reader, asset: str, key: str, column: str, k: int) -> Similar:
    """The records nearest to a corrected one that nobody decided and that still have the value it had."""
    desk = Desk(reader, reader.snapshot(), asset, (key,))
    owner = desk.column(column).owner
    desk.row(key)
    correction = reader.scope.in_force.get((owner, key, column))
    if correction is None or correction.kind != "correct":
        raise CorrectionError(
            f"{column} of {key} has not been corrected, so there is no fix to spread",
            next_step=f"packyak correct {asset} {key} {column} VALUE",
        )
    was, value = decode(correction.computed), decode(correction.value)
    by, neighbours = nearest_records(reader, desk.snapshot, Near(asset, key, column, owner, was, k))
    return Similar(asset, key, column, was, value, by, neighbours)


def spread(
    reader: Reader, asset: str, key: str, column: str, keys: Sequence[str], *, preview: bool, by: str, why: str
) -> Bulk:
    """Gives the records chosen among `similar` ones the value of the corrected one."""
    desk = Desk(reader, reader.snapshot(), asset, (key,))
    correction = reader.scope.in_force.get((desk.column(column).owner, key, column))
    if correction is None:
        raise CorrectionError(
            f"{column} of {key} has not been corrected, so there is no fix to spread",
            next_step=f"packyak correct {asset} {key} {column} VALUE",
        )
    why = why or f"as {key}" + (f": {correction.why}" if correction.why else "")
    value = decode(correction.value)
    meant = Meant(asset, column, value, None, tuple(dict.fromkeys(keys)), why, "spread", correction.id)
    return correct_where(reader, meant, preview=preview, by=by)
