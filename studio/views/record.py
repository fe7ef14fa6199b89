"""One record as its panel shows it: every field, who computes it, and what a person said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from packyak.engine.run.answers import FieldDetail, RecordDetail
from packyak.studio.views import words

DECIDED = {"model": "model", "rule": "first rule", "none": "no answer", "person": "person", "function": ""}


@dataclass(frozen=True)
class FieldLine:
    """One field in words. `corrected`: who and when; `correction`: the name by which it can be undone."""

    name: str
    value: str
    empty: bool
    note: str
    error: str
    computed: str
    corrected: str
    why: str
    outdated: str
    correction: str


@dataclass(frozen=True)
class Sheet:
    """A record's panel."""

    asset: str
    key: str
    fields: tuple[FieldLine, ...]


def sheet(detail: RecordDetail, order: Sequence[str] = (), now: datetime | None = None) -> Sheet:
    """The panel of a record, its fields in the order of the grid's columns."""
    rank = {column: place for place, column in enumerate(order)}
    fields = sorted(detail.fields, key=lambda field: rank.get(field.column, len(rank)))
    told: dict[tuple[str, str], str] = {}
    for field in fields:
        told.setdefault((field.owner, field.error), field.column)
    lines = (_line(field, detail.asset, now, told[field.owner, field.error]) for field in fields)
    return Sheet(detail.asset, detail.key, tuple(lines))


def _line(field: FieldDetail, asset: str, now: datetime | None, told: str) -> FieldLine:
    """told: the field that tells the error, where one call of a function failed for several."""
    corrected = bool(field.correction)
    decided = DECIDED.get(field.decided, field.decided)
    parts = [f"from {field.owner}" if field.owner != asset else "", "" if corrected else decided]
    if field.confidence is not None and not corrected:
        parts.append(f"{field.confidence:.0%} sure")
    if field.error and told != field.column:
        parts.append(f"failed with {told}")
    return FieldLine(
        name=field.column,
        value=words.value(field.value),
        empty=field.value is None,
        note=" · ".join(part for part in parts if part),
        error=field.error if told == field.column else "",
        computed=words.value(field.computed) if corrected and field.computed != field.value else "",
        corrected=f"{field.corrected_by or 'somebody'}, {words.age(field.corrected_at, now) or 'some time ago'}"
        if corrected
        else "",
        why=field.why,
        outdated="its inputs have changed since: look again" if field.outdated else "",
        correction=field.correction,
    )
