"""What fails of a run's assets: files and records counted apart, one group for each asset, one way for each reason.

A group names what to type for the same list, and where its records can be opened: those of a transform that makes
several out of one fail before they exist, so that the record they were to be made of is opened.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packyak.engine.declare.nodes import Graph, TransformNode
from packyak.engine.run.answers import Failure
from packyak.studio.views import words

MOST = 1000
UNITS = ("file", "record")


@dataclass(frozen=True)
class Failed:
    """A file or record that fails: its path or key, and what it is called."""

    key: str
    name: str


@dataclass(frozen=True)
class Way:
    """One reason and the files or records that fail for it."""

    error: str
    count: int
    failed: tuple[Failed, ...]


@dataclass(frozen=True)
class Failing:
    """What fails of one asset. opens: the asset whose records the keys name; listed: the one whose failed records can
    be shown at once; both "" where there is none. since: "" where it failed in the run that is looked at."""

    asset: str
    unit: str
    count: int
    title: str
    ways: tuple[Way, ...]
    command: str
    opens: str = ""
    listed: str = ""
    since: str = ""


def apart(numbers: Iterable[tuple[str, int]]) -> str:
    """`[("file", 2), ("record", 3)]` -> "2 files and 3 records"; nothing where nothing is counted."""
    found = dict.fromkeys(UNITS, 0)
    for unit, number in numbers:
        found[unit] += number
    return " and ".join(words.counted(number, unit) for unit, number in found.items() if number)


def fails(numbers: Iterable[tuple[str, int]]) -> str:
    """`[("record", 1)]` -> "1 record fails". A run counts all that fails of an asset, whether it tried that or not."""
    counted = list(numbers)
    said = apart(counted)
    return f"{said} {'fails' if sum(number for _, number in counted) == 1 else 'fail'}" if said else ""


def told(groups: Sequence[Failing]) -> str:
    """What fails as a whole: "2 files and 3 records"."""
    return apart((each.unit, each.count) for each in groups)


def failing(graph: Graph, asset: str, found: Sequence[Failure], count: int, run: str) -> Failing:
    """The failures of one asset as they stand now, seen from a run. count: of all, where only some are given."""
    unit = found[0].unit
    node = graph.nodes.get(asset)
    many = isinstance(node, TransformNode) and node.many
    source = node.source if isinstance(node, TransformNode) else ""
    records = unit == "record"
    return Failing(
        asset,
        unit,
        count,
        f"{words.counted(count, unit)} of {asset}",
        ways(found),
        shlex.join(["packyak", "show", asset, "--only", "failed"]),
        (source if many else asset) if records else "",
        asset if records and not many else "",
        _since({each.run for each in found}, run),
    )


def _since(seen: set[str], run: str) -> str:
    if run in seen or not any(seen):
        return ""
    return "since an earlier run" if max(seen) < run else "tried again in a later run"


def ways(found: Sequence[Failure]) -> tuple[Way, ...]:
    """Failures by reason, the most frequent first."""
    by_error: dict[str, list[Failed]] = {}
    for each in sorted(found, key=lambda each: each.name):
        name = words.record(each.name) if each.unit == "record" else each.name
        by_error.setdefault(_short(each.error), []).append(Failed(each.name, name))
    mine = [Way(error, len(failed), tuple(failed)) for error, failed in by_error.items()]
    return tuple(sorted(mine, key=lambda each: (-each.count, each.error)))


def _short(error: str) -> str:
    """An error's own line, without the way there."""
    lines = [line for line in error.strip().splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "it did not say why"
