"""Labels that may be wrong: cells that a forest which never saw their record would answer otherwise, and surely so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ..protocol import Labels
from .knowledge import Knowledge
from .learner import RepairLearner, examples_of
from .ranker import Prepared, held_out, material, vote_weights

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
    """Labels that the others speak against, most doubtful first; none while there are too few records."""
    prepared = prepared or learner.prepare(records)
    examples = examples_of(prepared.profile, records, labels, learner.key)
    knowledge = Knowledge.of(len(prepared.profile.columns), examples)
    found = material(prepared, knowledge, vote_weights(prepared, examples), seed)
    answered = held_out(found, seed)
    if answered is None:
        return []
    chosen, people = answered
    told = [e for column in prepared.targets for e in examples if e.column == column]
    keys = sorted(labels.keys)
    wrong = np.flatnonzero((people.y[chosen.option] == 0) & (chosen.confidence >= SURE))
    order = wrong[np.argsort(-chosen.confidence[wrong], kind="stable")]
    made = []
    for cell in order.tolist():
        example, sure = told[cell], float(chosen.confidence[cell])
        kept = bool(people.keep[chosen.option[cell]])
        why = f"records like it speak {'for leaving it as it was' if kept else 'for a correction'} ({sure:.0%})"
        made.append(Doubt(keys[example.record], prepared.profile.columns[example.column].name, sure, why))
    return made
