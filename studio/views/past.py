"""A record's past and surroundings in words: what people said, the steps of its trace, records like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packyak.engine.lineage.chain import Trace
from packyak.engine.store.corrections import Correction
from packyak.studio.views import words

MOST_STEPS = 40


@dataclass(frozen=True)
class Said:
    what: str
    who: str


@dataclass(frozen=True)
class StepLine:
    """One step of a trace. key "": a whole asset or a file, which cannot be opened."""

    asset: str
    key: str
    title: str
    note: str


@dataclass(frozen=True)
class Like:
    key: str
    text: str


def history(said: Sequence[Correction], now: datetime | None = None) -> list[Said]:
    """What people said of a record, as given: newest first."""
    return [Said(_what(each), _who(each, now)) for each in said]


def _what(each: Correction) -> str:
    value = words.value(each.value, 60)
    if each.kind == "undo":
        return f"{each.column or 'a correction'}: taken back"
    if each.kind == "comment":
        return f"note: {value}"
    if each.kind == "accept":
        return f"{each.column} accepted: {value}"
    return f"{each.column}: {words.value(each.computed, 60)} \N{RIGHTWARDS ARROW} {value}"


def _who(each: Correction, now: datetime | None) -> str:
    parts = [each.by or "somebody", words.age(each.at, now)]
    return ", ".join(part for part in parts if part) + (f": {each.why}" if each.why else "")


def steps(found: Trace, start: tuple[str, str]) -> list[StepLine]:
    """The steps of a trace without the record asked about."""
    lines = []
    for step in found.steps:
        if step.id == start or (step.kind != "files" and step.key == start[1] and step.asset == start[0]):
            continue
        is_record = bool(step.key) and step.kind != "files"
        title = step.key or f"all {words.counted(step.records, 'record')}"
        shown = [f"{name}: {words.value(value, 40)}" for name, value in list(step.values.items())[:3]]
        note = " · ".join([*shown, *([f"decided by {step.decided}"] if step.decided in ("model", "person") else [])])
        lines.append(StepLine(step.asset, step.key if is_record else "", title, note))
    return lines[:MOST_STEPS]


def like(found: Any, key: str, column: str) -> list[Like]:
    """The records that a search found, without the one asked about."""
    rows = found.to_pylist()
    names = [name for name in ("_key", "key") if rows and name in rows[0]]
    return [Like(str(row[names[0]]), str(row.get(column, ""))) for row in rows if names and str(row[names[0]]) != key]
