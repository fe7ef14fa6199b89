"""The cards of the graph in words: what each node is, how it stands, what marks it carries, and groups of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from packyak.engine.declare.nodes import BucketNode, FilesNode, FunctionNode, Node
from packyak.engine.run.answers import AssetStatus, State
from packyak.studio.views import words
from packyak.studio.views.layout import Place, Point
from packyak.studio.views.progress import AssetProgress
from packyak.studio.views.threads import ColumnRow

Tone = Literal["good", "bad", "warn", "accent", "quiet"]
STATE_ORDER: tuple[State, ...] = ("running", "failed", "blocked", "stale", "never", "fresh")
STATE_WORDS: Mapping[State, str] = {
    "fresh": "fresh",
    "stale": "stale",
    "failed": "failed",
    "blocked": "blocked",
    "never": "never run",
    "running": "running",
}
SHOWN_IN_RUN = {"waiting": "waiting", "running": "running", "done": "fresh", "failed": "failed", "blocked": "blocked"}


@dataclass(frozen=True)
class Mark:
    """A short note at the foot of a card."""

    text: str
    tone: Tone
    hint: str = ""


@dataclass(frozen=True)
class Card:
    """One node of the graph, or a closed group, as drawn. `progress`: 0 to 1 while it runs, None otherwise. `more`: how
    many columns are not listed."""

    name: str
    title: str
    kind: str
    state: str
    line: str
    rows: str
    delta: str
    time: str
    marks: tuple[Mark, ...]
    label: str
    width: float
    height: float
    across: Point
    down: Point
    progress: float | None = None
    columns: tuple[ColumnRow, ...] = ()
    more: int = 0
    trail: str = ""


@dataclass(frozen=True)
class Spot:
    """Where a card lies, in both directions of the graph, the columns that it lists, and how much of a traced record's
    trail lies in it."""

    across: Place
    down: Place
    columns: tuple[ColumnRow, ...] = ()
    more: int = 0
    trail: str = ""


def is_source(node: Node) -> bool:
    """Whether a node is where data or work comes from, rather than something a run brings up to date."""
    return isinstance(node, (BucketNode, FilesNode, FunctionNode))


def card_of(
    node: Node,
    status: AssetStatus | None,
    progress: AssetProgress | None,
    spot: Spot,
    now: datetime | None,
    told: str = "",
) -> Card:
    """A node's card. told: what it says instead of how it stands."""
    kind = status.kind if status else ""
    if status is None or is_source(node):
        line = source_line(node, status)
        failed = status is not None and status.state == "failed"  # a function's last call
        said = ", ".join([node.name, kind, *(["failed"] if failed else []), line])
        return placed_card(
            spot, name=node.name, kind=kind, state="failed" if failed else "source", line=line, label=said
        )
    state = SHOWN_IN_RUN.get(progress.state, status.state) if progress else status.state
    line = told or (progress.line if progress and progress.line else card_line(status))
    rows = words.count(status.rows) if status.rows is not None else ""
    marks = card_marks(status)
    spoken = [node.name, kind, line, f"{rows} rows" if rows else "", *(mark.text for mark in marks), spot.trail]
    return placed_card(
        spot,
        name=node.name,
        kind=kind,
        state=state,
        line=line,
        rows=rows,
        delta=words.delta(status.delta),
        time=words.short_age(status.updated_at, now),
        marks=marks,
        label=", ".join(part for part in spoken if part),
        progress=progress.share if progress and progress.state == "running" else None,
    )


def group_card(
    name: str,
    title: str,
    members: Sequence[AssetStatus],
    size: int,
    states: Sequence[str],
    spot: Spot,
    now: datetime | None,
) -> Card:
    """A closed group's card: its worst state, how many of its members are in which, when the last of them ran."""
    found = Counter(states)
    state = next((state for state in (*STATE_ORDER, "waiting") if found[state]), "source")
    worst = next((each for each in STATE_ORDER if found[each]), None)
    parts = [f"{found[each]:,} {STATE_WORDS[each]}" for each in STATE_ORDER if found[each] and each != "fresh"]
    line = ", ".join(parts) or ("all fresh" if found["fresh"] else "sources")
    if worst is not None and found[worst] == len(states):
        line = f"all {STATE_WORDS[worst]}"
    failed = sum(status.failed_records for status in members)
    corrected = sum(status.corrections for status in members)
    marks = [Mark(words.counted(size, "asset"), "quiet")]
    marks += [Mark(f"{words.count(failed)} failed", "bad", "records that failed")] if failed else []
    marks += [Mark(f"{words.count(corrected)} corrected", "accent")] if corrected else []
    label = f"{title}, group of {words.counted(size, 'asset')}, {line}"
    return placed_card(
        spot,
        name=name,
        title=title,
        kind="group",
        state=state,
        line=line,
        time=words.short_age(max((each.updated_at or "" for each in members), default=""), now),
        marks=tuple(marks),
        label=label,
    )


def placed_card(
    spot: Spot,
    *,
    name: str,
    kind: str,
    state: str,
    line: str,
    label: str,
    title: str = "",
    rows: str = "",
    delta: str = "",
    time: str = "",
    marks: tuple[Mark, ...] = (),
    progress: float | None = None,
) -> Card:
    """A card where the layout put it."""
    place, below = spot.across, spot.down
    return Card(
        name,
        title or name,
        kind,
        state,
        line,
        rows,
        delta,
        time,
        marks,
        label,
        place.width,
        place.height,
        (place.x, place.y),
        (below.x, below.y),
        progress,
        spot.columns,
        spot.more,
        spot.trail,
    )


def source_line(node: Node, status: AssetStatus | None) -> str:
    """What a source card says: how many files, or when the function runs."""
    if not isinstance(node, FunctionNode):
        return _files_line(status.reason if status else "") or "files"
    if node.on is not None:
        return f"on new {node.on[0]}/{node.on[1]}"
    if node.cron:
        return f"at {node.cron}"
    return f"every {words.duration(node.every)}" if node.every else "by hand"


def _files_line(reason: str) -> str:
    """ "50 files; 2 passed over": the panel says which, and why."""
    counted, passed, _ = reason.partition(" passed over")
    return f"{counted}{passed}"


def card_line(status: AssetStatus) -> str:
    """The state and its reason, short: the state word is not said twice."""
    word = STATE_WORDS[status.state]
    reason = status.reason.strip().rstrip(".")
    if not reason or status.state in ("fresh", "never"):
        return word
    lowered = reason[0].lower() + reason[1:] if reason[1:2].islower() else reason
    for said in (f"{word}: ", f"{status.name}: ", f"{word} ", f"{status.name} raised "):
        lowered = lowered.removeprefix(said)
    if status.state == "blocked":
        lowered = lowered.partition(", which ")[0]  # its card says so itself
    return word if lowered == word else f"{word}: {lowered}"


def card_marks(status: AssetStatus) -> tuple[Mark, ...]:
    """What failed, checks, corrections and notes, in the order of urgency."""
    marks = []
    if status.failed_records:
        hint = f"{words.count(status.failed_records)} failed; what was good before stays"
        marks.append(Mark(f"{words.count(status.failed_records)} failed", "bad", hint))
    failing = [check for check in status.checks if not check.passed]
    if failing:
        names = words.listed([check.name for check in failing])
        marks.append(Mark(words.counted(len(failing), "check") + " failing", "bad", names))
    elif status.checks:
        marks.append(Mark(words.counted(len(status.checks), "check"), "good", "passed at the last run"))
    if status.corrections:
        marks.append(Mark(f"{words.count(status.corrections)} corrected", "accent", "values that a person set"))
    if status.notes:
        marks.append(Mark(words.counted(len(status.notes), "note"), "quiet", " ".join(status.notes)))
    return tuple(marks)
