"""What a run did, told in order and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from packyak.engine.declare.nodes import Graph, IndexNode
from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.studio.views import progress, words
from packyak.studio.views.failing import apart, fails

Event = Mapping[str, Any]
ENDS = frozenset({"COMPLETE", "FAIL", "ABORT"})
TONES = {"failed": "bad", "blocked": "bad", "cancelled": "warn", "running": "busy"}


@dataclass(frozen=True)
class LogLine:
    """One sentence of the log. tone: bad | warn | busy | good | "". failed: what fails of the asset, such as
    "3 records"."""

    at: str
    asset: str
    text: str
    tone: str = ""
    failed: str = ""


def log(graph: Graph, run: RunRecord, events: Sequence[Event] = ()) -> tuple[LogLine, ...]:
    """The run's log, oldest first. events: its lineage events, for times, checks and corrections."""
    ends = {each["job"]["name"]: each for each in events if each.get("eventType") in ENDS}
    asked = words.listed(list(run.asked)) if run.asked else "everything"
    lines = [LogLine(_time(words.moment(run.started)), "", f"Began, to bring {asked} up to date.")]
    at = words.moment(run.started)
    for part in run.assets:
        if run.is_open and part.state == "waiting":
            continue
        at = at + timedelta(seconds=part.seconds) if at else None
        end = ends.get(part.asset)
        when = words.moment(end["eventTime"]) if end else at
        said, tone = _told(graph, part), TONES.get(part.state, "")
        lines.append(LogLine(_time(when), part.asset, said, tone, apart([(part.unit, part.failed)])))
        lines += _also(end or {}, _time(when), part.asset)
    lines += [LogLine("", "", words.sentence(note)) for note in run.notes]
    if not run.is_open:
        lines.append(_end(run))
    return tuple(lines)


def _time(when: datetime | None) -> str:
    return when.astimezone().strftime("%H:%M:%S") if when else ""


def _end(run: RunRecord) -> LogLine:
    took = words.duration(progress.seconds_of(run))
    text = f"{progress.TITLES[run.state]}{f' after {took}' if took else ''}."
    tone = {"done": "good", "cancelled": "warn"}.get(run.state, "bad")
    return LogLine(_time(words.moment(run.ended)), "", text, tone)


def _told(graph: Graph, part: AssetRun) -> str:
    """One asset of the run in a sentence."""
    if part.state == "waiting":
        return "waited for its turn, which did not come."
    if part.state in ("failed", "blocked"):
        return f"{part.state}: {part.message or 'it did not say why'}"
    if part.state == "running":
        return progress.line(part)
    if part.state == "cancelled":
        return f"stopped after {words.counted(part.computed or part.done, 'record')}."
    done = _done(graph, part)
    took = f", in {words.duration(part.seconds)}" if part.seconds else ""
    return words.sentence(f"{done}{took}{f'. {words.sentence(part.message)}' if part.message else ''}")


def _done(graph: Graph, part: AssetRun) -> str:
    if not part.computed and not part.deleted:
        return "looked at" if part.message else "nothing had to change"
    facts = [f"{_verb(graph, part)} {words.counted(part.computed, part.unit)}"] if part.computed else []
    facts.append(f"{words.count(part.changed)} changed" if part.changed else "no value changed")
    facts += [f"{words.count(part.deleted)} gone"] if part.deleted else []
    facts += [fails([(part.unit, part.failed)])] if part.failed else []
    return ", ".join(facts)


def _verb(graph: Graph, part: AssetRun) -> str:
    if isinstance(graph.nodes.get(part.asset), IndexNode):
        return "indexed"
    return "read" if part.unit == "file" else "computed"


def _also(event: Event, at: str, asset: str) -> list[LogLine]:
    """What else the end of an asset tells: its checks, and corrections that were worked in."""
    lines = []
    for read in event.get("inputs") or ():
        facet = (read.get("inputFacets") or {}).get("dataQualityAssertions") or {}
        for each in facet.get("assertions") or ():
            name = each.get("name") or each.get("assertion")
            good = bool(each.get("success"))
            lines.append(LogLine(at, asset, f"check {name} {'passed' if good else 'failed'}.", "" if good else "bad"))
    for written in event.get("outputs") or ():
        facet = (written.get("facets") or {}).get("packyak_correction") or {}
        said = facet.get("corrections") or ()
        if said:
            people = words.listed(sorted({str(each.get("by") or "somebody") for each in said}))
            lines.append(LogLine(at, asset, f"worked in {words.counted(len(said), 'correction')} of {people}."))
    return lines


def expected(part: AssetRun, earlier: Sequence[RunRecord]) -> float | None:
    """How long an asset was to take, judged by the last run before this one that computed it. earlier: newest first."""
    due = part.total or part.computed
    for run in earlier:
        known = run.asset(part.asset)
        if known is not None and known.computed and known.seconds and known.state == "done":
            return known.seconds / known.computed * due if due else None
    return None
