"""An asset's versions with their quality: how filled, how many records failed, how the checks went. Read from what each
run noted of itself and from its lineage events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packyak.engine.run.answers import VersionInfo
from packyak.engine.run.runs import RunRecord
from packyak.studio.views import words

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Quality:
    """One version. filled: the share of fields with a value, 0 to 1; failed: records; None: not known."""

    version: str
    run: str
    at: str
    rows: int
    delta: int | None
    filled: float | None = None
    failed: int | None = None
    checks: int = 0
    failing: int = 0


def qualities(
    asset: str, versions: Sequence[VersionInfo], runs: Mapping[str, RunRecord], events: Mapping[str, Sequence[Event]]
) -> tuple[Quality, ...]:
    """The versions in the order given, with what their runs tell."""
    found = []
    for each in versions:
        run = runs.get(each.run)
        part = run.asset(asset) if run else None
        event = _event(asset, events.get(each.run, ()))
        checks = _assertions(event)
        found.append(
            Quality(
                each.version,
                each.run,
                each.at,
                each.rows,
                each.delta,
                _filled(event),
                part.failed if part else None,
                len(checks),
                sum(not good for good in checks),
            )
        )
    return tuple(found)


def _event(asset: str, events: Sequence[Event]) -> Event:
    """The asset's own end of the run."""
    mine = (each for each in events if each.get("eventType") == "COMPLETE" and each["job"]["name"] == asset)
    return next(mine, {})


def _filled(event: Event) -> float | None:
    for output in event.get("outputs") or ():
        metrics = (output.get("facets") or {}).get("dataQualityMetrics") or {}
        columns, rows = metrics.get("columnMetrics") or {}, metrics.get("rowCount")
        if columns and rows:
            nulls = sum(each.get("nullCount") or 0 for each in columns.values())
            return 1.0 - float(nulls) / float(rows * len(columns))
    return None


def _assertions(event: Event) -> list[bool]:
    found = []
    for read in event.get("inputs") or ():
        facet = (read.get("inputFacets") or {}).get("dataQualityAssertions") or {}
        found += [bool(each.get("success")) for each in facet.get("assertions") or ()]
    return found


def table(found: Sequence[Quality], now: datetime | None = None) -> list[dict[str, Any]]:
    """The versions as a table, with a column only where any version knows it."""
    rows = []
    for each in found:
        row: dict[str, Any] = {"when": words.age(each.at, now), "rows": each.rows}
        if any(one.delta for one in found):
            row["change"] = words.delta(each.delta)
        if any(one.filled is not None for one in found):
            row["filled"] = f"{each.filled:.0%}" if each.filled is not None else ""
        if any(one.failed for one in found):
            row["failed"] = each.failed
        if any(one.checks for one in found):
            row["checks"] = f"{each.failing} of {each.checks} failing" if each.failing else f"{each.checks} passed"
        rows.append(row)
    return rows


@dataclass(frozen=True)
class Trend:
    """One number over the versions, oldest first, with what it is now."""

    label: str
    value: str
    points: tuple[float, ...]
    delta: str = ""


def trends(found: Sequence[Quality]) -> tuple[Trend, ...]:
    """What is worth a small chart: rows, how filled, failed records."""
    oldest = list(reversed(found))
    shown = [
        Trend(
            "Rows", words.count(found[0].rows), tuple(float(each.rows) for each in oldest), words.delta(found[0].delta)
        )
    ]
    filled = [each.filled for each in oldest if each.filled is not None]
    if filled:
        shown.append(Trend("Filled", f"{filled[-1]:.0%}", tuple(filled)))
    failed = [float(each.failed) for each in oldest if each.failed is not None]
    if any(failed):
        shown.append(Trend("Failed", words.count(failed[-1]), tuple(failed)))
    return tuple(shown)
