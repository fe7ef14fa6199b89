"""A run under way, or just ended, in words: per asset and as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.studio.views import words
from packyak.studio.views.failing import fails

ENDED = frozenset({"done", "failed", "blocked", "skipped", "cancelled"})
TITLES = {
    "starting": "Starting",
    "running": "Running",
    "done": "Run finished",
    "failed": "Run failed",
    "cancelled": "Run cancelled",
    "crashed": "Run ended without saying why",
}
TONES = {"done": "green", "failed": "red", "crashed": "red", "cancelled": "gray"}


@dataclass(frozen=True)
class AssetProgress:
    """One asset within a run: its state (waiting, running, done, ...), how far it is (0 to 1), one line of words."""

    asset: str
    state: str
    share: float
    line: str


@dataclass(frozen=True)
class RunProgress:
    """A whole run in one title and one line; `share`: 0 to 1; `tone`: a colour's name."""

    title: str
    line: str
    share: float
    active: bool
    tone: str


def of_assets(run: RunRecord | None) -> Mapping[str, AssetProgress]:
    """How each asset of a run stands; nothing for a run that is over."""
    if run is None or not run.is_open:
        return {}
    return {part.asset: AssetProgress(part.asset, part.state, share(part), line(part)) for part in run.assets}


def share(part: AssetRun) -> float:
    """How far one asset is, 0 to 1."""
    if part.state in ENDED:
        return 1.0
    return min(part.done / part.total, 1.0) if part.total else 0.0


def line(part: AssetRun) -> str:
    """What one asset is doing: "1,204 of 3,000 · 812 rows/s · 2 s left"."""
    if part.state == "waiting":
        return "waiting for its turn"
    if part.state == "done":
        return f"done: {words.count(part.changed)} changed" if part.computed else "done"
    if part.state != "running":
        return part.message
    if not part.total and not part.done:
        return part.message or "running"
    facts = [f"{words.count(part.done)} of {words.count(part.total)}" if part.total else words.count(part.done)]
    if part.rate:
        facts.append(f"{words.count(part.rate)} rows/s")
    if part.eta is not None and part.eta >= 1:
        facts.append(f"{words.duration(part.eta)} left")
    return " · ".join(facts)


def of_run(run: RunRecord) -> RunProgress:
    """The run as a whole."""
    parts = run.assets
    far = sum(share(part) for part in parts) / len(parts) if parts else 0.0
    text = _under_way(run) if run.is_open else _summary(run)
    return RunProgress(TITLES[run.state], text, far, run.is_open, TONES.get(run.state, "blue"))


def _under_way(run: RunRecord) -> str:
    if not run.assets:
        return "getting the engine ready"
    over = sum(part.state in ENDED for part in run.assets)
    now = next((part for part in run.assets if part.state == "running"), None)
    whole = f"{over} of {words.counted(len(run.assets), 'asset')}"
    return f"{whole} · {now.asset}: {line(now)}" if now else whole


def _summary(run: RunRecord) -> str:
    """ "6 assets in 4.2 s: 3,000 records computed, 12 changed, 2 records fail"."""
    took = seconds_of(run)
    head = words.counted(len(touched(run)), "asset") + (f" in {words.duration(took)}" if took is not None else "")
    facts = ", ".join(filter(None, [*did(run), fails_words(run)]))
    broken = broken_words(run)
    return f"{head}: {facts or 'nothing had to change'}{f' · {broken}' if broken else ''}"


def touched(run: RunRecord) -> list[AssetRun]:
    """The assets that a run worked on."""
    return [part for part in run.assets if part.state in ("done", "failed", "blocked", "cancelled")]


def computed(parts: Sequence[AssetRun], unit: str) -> int:
    """How many files were read, or records computed."""
    return sum(part.computed for part in parts if part.unit == unit)


def did(run: RunRecord) -> list[str]:
    """What a run did, in words and number by number; nothing of what it did not."""
    parts = touched(run)
    files, records = computed(parts, "file"), computed(parts, "record")
    facts = [f"{words.counted(files, 'file')} read"] if files else []
    facts += [f"{words.counted(records, 'record')} computed"] if records else []
    changed, deleted = (sum(getattr(each, name) for each in parts) for name in ("changed", "deleted"))
    facts += [f"{words.count(changed)} changed"] if changed else []
    facts += [f"{words.count(deleted)} deleted"] if deleted else []
    return facts


def fails_words(run: RunRecord) -> str:
    """What fails of a run's assets, files and records apart: "2 files and 3 records fail"."""
    return fails((part.unit, part.failed) for part in touched(run))


def broken_words(run: RunRecord) -> str:
    """Which assets did not come up to date, "" for none."""
    broken = [part.asset for part in run.assets if part.state in ("failed", "blocked")]
    return f"{words.listed(broken)} did not finish" if broken else ""


def seconds_of(run: RunRecord) -> float | None:
    """How long a run took, None while it goes on."""
    start, end = words.moment(run.started), words.moment(run.ended)
    return (end - start).total_seconds() if start and end else None


def messages(run: RunRecord) -> tuple[str, ...]:
    """What went wrong in a run, one line each."""
    broken = [part for part in run.assets if part.state in ("failed", "blocked")]
    lines = [f"{part.asset}: {part.message}" for part in broken if part.message]
    if run.error and not any(run.error in line for line in lines):
        lines.insert(0, run.error)
    return (*lines, *run.notes)
