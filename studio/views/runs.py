"""Runs in words: a few lines each for the list, and one run asset by asset on a time line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.studio.views import progress, words
from packyak.studio.views.failing import Failing, apart, told
from packyak.studio.views.run_log import LogLine, expected

PART_TONES = {"done": "green", "failed": "red", "blocked": "red", "running": "blue"}
UNBROKEN = "\N{NO-BREAK SPACE}"  # a line of the list breaks between facts
UNFINISHED = ("failed", "blocked", "cancelled", "waiting")


@dataclass(frozen=True)
class RunLine:
    """One run in the list. about: what was asked for, and how long it took; did, failed, broken: what came of it."""

    id: str
    title: str
    when: str
    about: str
    did: str
    failed: str
    broken: str
    tone: str


@dataclass(frozen=True)
class RunFact:
    label: str
    value: str
    tone: str = ""


@dataclass(frozen=True)
class PartLine:
    """What a run did to one asset. start, length: where its time lies in the run, 0 to 1; unit: what it counts where
    that is no record; the rest in words."""

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
    unit: str = ""
    share: float | None = None


@dataclass(frozen=True)
class RunSheet:
    """One run in full. share: how far it is, None once it is over; span: how long its assets took; failing: what of
    them fails now, failed: that in a few words; note: about the list itself."""

    id: str
    title: str
    tone: str
    about: str
    facts: tuple[RunFact, ...]
    messages: tuple[str, ...]
    parts: tuple[PartLine, ...]
    span: str = ""
    share: float | None = None
    log: tuple[LogLine, ...] = ()
    failing: tuple[Failing, ...] = ()
    failed: str = ""
    note: str = ""


def run_line(run: RunRecord, now: datetime | None = None) -> RunLine:
    """A run as the list shows it."""
    whole = progress.of_run(run)
    took = words.duration(progress.seconds_of(run))
    about = ", ".join(filter(None, [words.listed(list(run.asked)) or "everything", took]))
    failed = progress.fails_words(run)
    facts = [fact.replace(" ", UNBROKEN) for fact in progress.did(run)]
    did = whole.line if run.is_open else ", ".join(facts) or ("" if failed else "nothing had to change")
    return RunLine(
        run.id,
        whole.title,
        words.age(run.started, now),
        about,
        did,
        failed,
        "" if run.is_open else progress.broken_words(run),
        whole.tone,
    )


def run_sheet(
    run: RunRecord,
    earlier: Sequence[RunRecord] = (),
    log: tuple[LogLine, ...] = (),
    failing: tuple[Failing, ...] = (),
    note: str = "",
    now: datetime | None = None,
) -> RunSheet:
    """A run in full. Assets run one after another, so that each begins where the one before it ends. earlier: the runs
    before it, newest first, by which it was to be expected how long it takes."""
    whole = progress.of_run(run)
    seconds = sum(part.seconds for part in run.assets)
    parts, at = [], 0.0
    for part in run.assets:
        parts.append(_part(part, at / (seconds or 1), part.seconds / (seconds or 1), expected(part, earlier)))
        at += part.seconds
    return RunSheet(
        id=run.id,
        title=whole.title,
        tone=whole.tone,
        about=_about(run),
        facts=(_took(run, now), *_facts(run, earlier)),
        messages=_messages(run),
        parts=tuple(parts),
        span=words.duration(seconds) if seconds and not run.is_open else "",
        share=whole.share if run.is_open else None,
        log=log,
        failing=failing,
        failed=told(failing),
        note=note,
    )


def _about(run: RunRecord) -> str:
    """ "29 Nov 2026, 00:24:19 · everything, by ana"."""
    asked = words.listed(list(run.asked)) or "everything"
    who = f", by {run.by}" if run.by else ""
    return " · ".join(filter(None, [words.clock(run.started), f"{asked}{who}"]))


def _took(run: RunRecord, now: datetime | None) -> RunFact:
    """How long the run took; while it goes on, until now."""
    started = words.moment(run.started)
    if run.is_open and started:
        return RunFact("Under way for", words.duration(((now or datetime.now(UTC)) - started).total_seconds()))
    return RunFact("Took", words.duration(progress.seconds_of(run)) or words.EMPTY)


def _facts(run: RunRecord, earlier: Sequence[RunRecord]) -> tuple[RunFact, ...]:
    files, records = progress.computed(run.assets, "file"), progress.computed(run.assets, "record")
    deleted = sum(part.deleted for part in run.assets)
    failed = apart((part.unit, part.failed) for part in run.assets)
    planned = _planned(run, earlier)
    return (
        *([RunFact("Planned", planned)] if planned else []),
        *([RunFact("Files read", words.count(files))] if files else []),
        RunFact("Computed", words.count(records)),
        RunFact("Changed", words.count(sum(part.changed for part in run.assets))),
        *([RunFact("Deleted", words.count(deleted))] if deleted else []),
        *([RunFact("Failing", failed, "bad")] if failed else []),
    )


def _planned(run: RunRecord, earlier: Sequence[RunRecord]) -> str:
    """How long the run was to take, where that is known of each asset that had something to do."""
    judged = [expected(part, earlier) for part in run.assets if part.total or part.computed]
    whole = sum(seconds for seconds in judged if seconds) if all(seconds is not None for seconds in judged) else 0.0
    return words.duration(whole) if whole else ""


def _messages(run: RunRecord) -> tuple[str, ...]:
    """What the run as a whole failed of; what an asset says stands with the asset, what else was noted in the log."""
    said = {part.message for part in run.assets if part.message}
    return (run.error,) if run.error and not any(message in run.error for message in said) else ()


def _part(part: AssetRun, start: float, length: float, planned: float | None) -> PartLine:
    def some(number: int | None) -> str:
        return words.count(number) if number else ""

    running = part.state == "running"
    message = progress.line(part) if running else part.message if part.state in ("failed", "blocked") else ""
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
        expected=words.duration(planned) if planned and part.state != "skipped" else "",
        unit="" if part.unit == "record" else words.plural(part.unit),
        share=progress.share(part) if running and part.total else None,
    )


def unfinished(run: RunRecord, later: Sequence[RunRecord] = ()) -> tuple[str, ...]:
    """The assets that a run did not bring up to date, nor any run after it (later: newest first)."""
    found = []
    for part in run.assets:
        since = (known for each in later if (known := each.asset(part.asset)) is not None)
        last = next(since, part)
        if part.state in UNFINISHED and last.state in UNFINISHED:
            found.append(part.asset)
    return tuple(found)


@dataclass(frozen=True)
class Again:
    """The way on from a run that left something: a button's words, and what to type for the same."""

    label: str
    command: str


def again(run: RunRecord, left: Sequence[str], failing: Sequence[Failing]) -> Again | None:
    """How a run goes on. left: the assets that are not up to date; failing: what fails now."""
    if not left and not failing:
        return None
    command = shlex.join(["packyak", "run", *run.asked, "--retry-failed"])
    broken = any(part.state in ("failed", "blocked") for part in run.assets)
    on = "Run on from failure" if broken else "Run on"
    return Again(on if left else f"Retry {told(failing)}", command)


def trace_of(run: RunRecord) -> tuple[tuple[str, str], ...]:
    """The tracebacks that a run left: asset and text."""
    return tuple((part.asset, part.trace) for part in run.assets if part.trace)
