"""What a set of labelled cells teaches: programs, weights and material for the forest, and how each cell fares when
held out.

People err. A label that a forest which never saw its record would surely answer otherwise is not believed: it stands
as the person's answer for its own cell, but teaches nothing, and is listed to be looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .knowledge import Knowledge
from .ranker import Chosen, Material, Prepared, held_out, material, vote_weights
from .synthesis import Example

DISBELIEF = 0.75
ROUNDS = 2


@dataclass(frozen=True)
class Doubted:
    """A label that the others speak against: how sure they are, and whether they would leave the cell as it was."""

    example: Example
    confidence: float
    keep: bool


@dataclass(frozen=True)
class Lesson:
    """Everything learned from some examples, before the forest. `answered` is None with too few records."""

    examples: tuple[Example, ...]
    knowledge: Knowledge
    weights: tuple[tuple[float, ...], ...]
    found: Material
    answered: tuple[Chosen, Material] | None

    @staticmethod
    def of(prepared: Prepared, examples: Sequence[Example], seed: int, judged: bool = True) -> Lesson:
        """Learn from all of these; `judged` also answers each with a forest that never saw its record."""
        knowledge = Knowledge.of(len(prepared.profile.columns), examples)
        weights = vote_weights(prepared, examples)
        found = material(prepared, knowledge, weights, seed)
        return Lesson(tuple(examples), knowledge, weights, found, held_out(found, seed) if judged else None)

    @staticmethod
    def believed(prepared: Prepared, examples: Sequence[Example], seed: int) -> Lesson:
        """Learn from those that the others do not surely contradict."""
        lesson = Lesson.of(prepared, examples, seed)
        for _ in range(ROUNDS):
            wrong = [one.example for one in lesson.doubted(prepared) if one.confidence >= DISBELIEF]
            if not wrong:
                break
            places = {(example.record, example.column) for example in wrong}
            kept = [example for example in lesson.examples if (example.record, example.column) not in places]
            lesson = Lesson.of(prepared, kept, seed)
        return lesson

    def doubted(self, prepared: Prepared) -> list[Doubted]:
        """The labels that held-out forests answer otherwise, the surest contradiction first."""
        if self.answered is None:
            return []
        chosen, people = self.answered
        told = [example for column in prepared.targets for example in self.examples if example.column == column]
        wrong = np.flatnonzero(people.y[chosen.option] == 0)
        order = wrong[np.argsort(-chosen.confidence[wrong], kind="stable")]
        return [
            Doubted(told[cell], float(chosen.confidence[cell]), bool(people.keep[chosen.option[cell]]))
            for cell in order.tolist()
        ]
