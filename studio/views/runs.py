"""Runs in words: one line each for the list, and one run asset by asset on a time line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.studio.views import progress, words
from packyak.studio.views.run_log import Failed, LogLine, expected

PART_TONES = {"done": "green", "failed": "red", "blocked": "red", "running": "blue"}


@dataclass(frozen=True)
class RunLine:
    """One run in the list."""

    id: str
    title: str
    when: str
    line: str
    tone: str


@dataclass(frozen=True)
class RunFact:
    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True)
class PartLine:
    """What a run did to one asset. start, length: where its time lies in the run, 0 to 1; the rest in words."""

    asset: str
    state: str
    tone: str
    start: float
    length: float
    took: str
    read: str
    computed: str
    changed: str
    deleted: str
    failed: str
    message: str
    expected: str = ""


@dataclass(frozen=True)
class RunSheet:
    """One run in full."""

    id: str
    title: str
    facts: tuple[RunFact, ...]
    messages: tuple[str, ...]
    parts: tuple[PartLine, ...]
    log: tuple[LogLine, ...] = ()
    failures: tuple[Failed, ...] = ()


def run_line(run: RunRecord, now: datetime | None = None) -> RunLine:
    """A run as the list shows it."""
    told = progress.of_run(run)
    asked = f"{words.listed(list(run.asked))}: " if run.asked else ""
    return RunLine(run.id, told.title, words.age(run.started, now), f"{asked}{told.line}", told.tone)


def run_sheet(
    run: RunRecord,
    earlier: Sequence[RunRecord] = (),
    log: tuple[LogLine, ...] = (),
    failures: tuple[Failed, ...] = (),
) -> RunSheet:
    """A run in full. Assets run one after another, so that each begins where the one before it ends. earlier: the runs
    before it, newest first, by which it was to be expected how long it takes."""
    told = progress.of_run(run)
    whole = max(sum(part.seconds for part in run.assets), 1e-9)
    parts, at = [], 0.0
    for part in run.assets:
        parts.append(_part(part, at / whole, part.seconds / whole, expected(part, earlier)))
        at += part.seconds
    return RunSheet(run.id, told.title, _facts(run, told, earlier), _messages(run), tuple(parts), log, failures)


def _facts(run: RunRecord, told: progress.RunProgress, earlier: Sequence[RunRecord]) -> tuple[RunFact, ...]:
    failed = sum(part.failed for part in run.assets)
    judged = [expected(part, earlier) for part in run.assets if part.total or part.computed]
    whole = sum(seconds for seconds in judged if seconds) if all(judged) else 0.0
    found = [
        RunFact("State", told.title, "bad" if told.tone == "red" else ""),
        RunFact("Started", words.clock(run.started)),
        RunFact("Took", words.duration(progress.seconds_of(run)) or "not over"),
        *([RunFact("Planned", f"about {words.duration(whole)}")] if whole else []),
        RunFact("Asked for", (words.listed(list(run.asked)) or "everything") + (f", by {run.by}" if run.by else "")),
        RunFact("Computed", words.count(sum(part.computed for part in run.assets))),
        RunFact("Changed", words.count(sum(part.changed for part in run.assets))),
    ]
    return (*found, RunFact("Failed", words.count(failed), "bad")) if failed else tuple(found)


def _messages(run: RunRecord) -> tuple[str, ...]:
    """What the run as a whole failed of; what an asset says stands with the asset, what else was noted in the log."""
    told = {part.message for part in run.assets if part.message}
    return (run.error,) if run.error and not any(message in run.error for message in told) else ()


def _part(part: AssetRun, start: float, length: float, planned: float | None) -> PartLine:
    def some(number: int | None) -> str:
        return words.count(number) if number else ""

    message = progress.line(part) if part.state == "running" else part.message if part.state == "failed" else ""
    return PartLine(
        asset=part.asset,
        state=part.state,
        tone=PART_TONES.get(part.state, "gray"),
        start=min(start, 1.0),
        length=length,
        took=words.duration(part.seconds) if part.seconds else "",
        read=some(part.total),
        computed=some(part.computed),
        changed=some(part.changed),
        deleted=some(part.deleted),
        failed=some(part.failed),
        message=message,
        expected=words.duration(planned) if planned is not None and part.state != "skipped" else "",
    )


def unfinished(run: RunRecord) -> tuple[str, ...]:
    """The assets that a run did not bring up to date."""
    return tuple(part.asset for part in run.assets if part.state in ("failed", "blocked", "cancelled", "waiting"))


def failing(parts: Sequence[AssetRun]) -> int:
    """How many records failed."""
    return sum(part.failed for part in parts)


def trace_of(run: RunRecord) -> tuple[tuple[str, str], ...]:
    """The tracebacks that a run left: asset and text."""
    return tuple((part.asset, part.trace) for part in run.assets if part.trace)
