"""Labels that may be wrong: cells that a forest which never saw their record would answer otherwise, and surely so."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from ..protocol import Labels
from .learner import RepairLearner, examples_of
from .lesson import Lesson
from .ranker import Prepared

SURE = 0.6


@dataclass(frozen=True)
class Doubt:
    """One label to look at again: record, column, how sure the other labels are of another answer, and why."""

    key: str
    column: str
    confidence: float
    why: str


def doubts(
    learner: RepairLearner, records: pa.Table, labels: Labels, seed: int = 0, prepared: Prepared | None = None
) -> list[Doubt]:
    """Labels that the others speak against, most doubtful first; none while there are too few records. Those that a
    lesson without the worst of them still doubts are listed too."""
    prepared = prepared or learner.prepare(records)
    examples = examples_of(prepared.profile, records, labels, learner.key)
    keys = sorted(labels.keys)
    made: dict[tuple[str, str], Doubt] = {}
    believed = Lesson.believed(prepared, examples, seed)
    for lesson in (Lesson.of(prepared, examples, seed), believed):
        for one in lesson.doubted(prepared):
            if one.confidence >= SURE:
                place = (keys[one.example.record], prepared.profile.columns[one.example.column].name)
                for_what = "leaving it as it was" if one.keep else "a correction"
                why = f"records like it speak for {for_what} ({one.confidence:.0%})"
                made.setdefault(place, Doubt(*place, one.confidence, why))
    return sorted(made.values(), key=lambda doubt: -doubt.confidence)
