"""What a run did, told in order and in words, and the records that failed, one group for each way of failing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from packyak.engine.declare.nodes import FilesNode, Graph, IndexNode, TransformNode
from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.studio.views import progress, words

Event = Mapping[str, Any]
ENDS = frozenset({"COMPLETE", "FAIL", "ABORT"})
MOST_KEYS = 12
TONES = {"failed": "bad", "blocked": "bad", "cancelled": "warn", "running": "busy"}


@dataclass(frozen=True)
class LogLine:
    """One sentence of the log. tone: bad | warn | busy | good | ""."""

    at: str
    asset: str
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Failed:
    """Records that failed in one way. keys: the first of them; fresh: whether they failed in this run."""

    asset: str
    error: str
    count: int
    keys: tuple[str, ...]
    records: bool = True


def log(graph: Graph, run: RunRecord, events: Sequence[Event] = ()) -> tuple[LogLine, ...]:
    """The run's log, oldest first. events: its lineage events, for times, checks and corrections."""
    ends = {each["job"]["name"]: each for each in events if each.get("eventType") in ENDS}
    asked = words.listed(list(run.asked)) if run.asked else "everything"
    lines = [LogLine(_time(words.moment(run.started)), "", f"Began, to bring {asked} up to date.")]
    at = words.moment(run.started)
    for part in run.assets:
        at = at + timedelta(seconds=part.seconds) if at else None
        end = ends.get(part.asset)
        when = words.moment(end["eventTime"]) if end else at
        lines.append(LogLine(_time(when), part.asset, _told(graph, part), TONES.get(part.state, "")))
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
    node = graph.nodes.get(part.asset)
    facts = [f"{_verb(graph, node)} {words.counted(part.computed, _unit(graph, node))}"] if part.computed else []
    facts.append(f"{words.count(part.changed)} changed" if part.changed else "no value changed")
    facts += [f"{words.count(part.deleted)} gone"] if part.deleted else []
    facts += [f"{words.count(part.failed)} failed"] if part.failed else []
    return ", ".join(facts)


def _verb(graph: Graph, node: object) -> str:
    if isinstance(node, IndexNode):
        return "indexed"
    return "read" if _unit(graph, node) == "file" else "computed"


def _unit(graph: Graph, node: object) -> str:
    reads = isinstance(node, TransformNode) and isinstance(graph.nodes.get(node.source), FilesNode)
    return "file" if reads else "record"


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


def failures(asset: str, rows: Sequence[Mapping[str, Any]], *, files: bool) -> tuple[Failed, ...]:
    """The failed records of an asset by error, most first. rows: with `_key` and `error`; files: they are files."""
    by_error: dict[str, list[str]] = {}
    for row in rows:
        by_error.setdefault(_short(str(row["error"])), []).append(str(row["_key"]))
    found = [
        Failed(asset, error, len(keys), tuple(sorted(keys)[:MOST_KEYS]), not files) for error, keys in by_error.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, each.error)))


def _short(error: str) -> str:
    """An error's own line, without the way there."""
    lines = [line for line in error.strip().splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it did not say why"


def expected(part: AssetRun, earlier: Sequence[RunRecord]) -> float | None:
    """How long an asset was to take, judged by the last run before this one that computed it. earlier: newest first."""
    due = part.total or part.computed
    for run in earlier:
        known = run.asset(part.asset)
        if known is not None and known.computed and known.seconds and known.state == "done":
            return known.seconds / known.computed * due if due else None
    return None
