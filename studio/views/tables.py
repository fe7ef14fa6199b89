"""What the side panels list, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from packyak.engine.declare.nodes import Marks
from packyak.engine.run.answers import AssetStatus, Cause, CheckResult, VersionInfo
from packyak.studio.views import words


@dataclass(frozen=True)
class Fact:
    """A number worth a large type."""

    label: str
    value: str
    delta: str = ""


@dataclass(frozen=True)
class Note:
    """What a run noted of an asset. step: what to do about it, where it says so."""

    text: str
    step: str = ""


def notes(status: AssetStatus) -> tuple[Note, ...]:
    """What the last run noted, each a sentence, with its next step apart."""
    told = []
    for each in status.notes:
        text, _, step = each.partition(" Next: ")
        told.append(Note(words.sentence(text), words.sentence(step) if step else ""))
    return tuple(told)


def state_words(status: AssetStatus) -> str:
    """Why it stands as it does; "" where the state says it all. What failed of it is told by itself."""
    reason = status.reason.partition(f"; {status.failed_records:,} ")[0]
    return "" if status.state == "fresh" and reason == "up to date" else words.sentence(reason)


def failed_words(unit: str) -> str:
    """What became of files or records that failed, and what to do."""
    mend = "the file, or the function," if unit == "file" else "the function"
    return f"What was good before stays. Mend {mend} and run again."


def asset_facts(status: AssetStatus) -> tuple[Fact, ...]:
    """Rows, failed records and corrections: what is known of them."""
    facts = []
    if status.rows is not None:
        facts.append(Fact("Rows", words.count(status.rows), words.delta(status.delta)))
    if status.failed_records:
        facts.append(Fact("Failed", words.count(status.failed_records)))
    if status.corrections:
        facts.append(Fact("Corrected", words.count(status.corrections)))
    return tuple(facts)


def cause_words(cause: Cause) -> str:
    """The cause with its count, which is said once."""
    number = words.count(cause.count)
    if cause.count is None or number in cause.reason or str(cause.count) in cause.reason:
        return cause.reason
    return f"{words.counted(cause.count, 'record')}: {cause.reason}"


def run_words(status: AssetStatus) -> str:
    """What running this one asset is called, by what it would do."""
    if status.state == "failed":
        return "Try again"
    if status.state == "fresh" and status.failed_records:
        return f"Retry {words.count(status.failed_records)} failed"
    return "Run this"


def place(origin: str, root: Path) -> str:
    """`/home/ana/inbox/pipeline.py:12` as seen from the project: `pipeline.py:12`."""
    path = Path(origin)
    return str(path.relative_to(root)) if path.is_relative_to(root) else origin


def mark_lines(marks: Marks) -> tuple[str, ...]:
    """What a declaration says about its data: "personal: email (contact)", "kept for 3 years"."""
    personal = ", ".join(f"{column} ({kind})" for column, kind in marks.personal.items())
    said = (
        ("personal", personal),
        ("about", marks.subject),
        ("used to", marks.purpose),
        ("kept for", marks.keep),
        ("owner", marks.owner),
    )
    return tuple(f"{name}: {value}" for name, value in said if value)


def check_words(check: CheckResult) -> str:
    """What a failing check says, how many rows, and what it holds up."""
    parts = [check.message.rstrip(".")] if check.message else []
    if check.failing is not None:
        parts.append(f"{words.counted(check.failing, 'row')} {'fails' if check.failing == 1 else 'fail'}")
    if check.blocking:
        parts.append("what is below keeps its last good version")
    return "; ".join(parts) + "." if parts else ""


def versions(found: Sequence[VersionInfo], now: datetime | None = None) -> list[dict[str, Any]]:
    """Versions, newest first."""
    return [
        {"when": words.age(each.at, now), "rows": each.rows, "change": words.delta(each.delta), "version": each.version}
        for each in found
    ]


def plain_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Rows whose every value is text, whatever it was."""
    return [{str(name): words.value(value, 200) for name, value in row.items()} for row in rows]
