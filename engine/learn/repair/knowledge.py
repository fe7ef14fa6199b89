"""What the labels teach beyond examples for the ranker: programs, letters that errors bring, values known wrong or
right, how dirty a column is. Everything can be asked without one record, so that a label is never its own witness
while training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from rapidfuzz.distance import Levenshtein

from ..arrays import Doubles
from .synthesis import Example, Tried, synthesise

NOBODY = -1
_LONGEST = 200


def edited_letters(before: str, after: str) -> tuple[str, str]:
    """The letters that an edit takes away and those that it brings."""
    ops = Levenshtein.editops(before[:_LONGEST], after[:_LONGEST])
    gone = "".join(before[op.src_pos] for op in ops if op.tag != "insert")
    come = "".join(after[op.dest_pos] for op in ops if op.tag != "delete")
    return gone, come


@dataclass
class Knowledge:
    """All that was learned from the examples, with the share of each record in it."""

    columns: int
    examples: tuple[Example, ...]
    programs: tuple[tuple[Tried, ...], ...] = ()
    gone: Counter[str] = field(default_factory=Counter)
    gone_of: dict[int, Counter[str]] = field(default_factory=dict)
    values: dict[tuple[int, str], tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    asked: Doubles = field(default_factory=lambda: np.zeros(0))
    wrong: Doubles = field(default_factory=lambda: np.zeros(0))

    @staticmethod
    def of(columns: int, examples: Sequence[Example]) -> Knowledge:
        """Learn from labelled cells."""
        found = synthesise(examples)
        programs = tuple(tuple(t for t in found if t.program.column == column) for column in range(columns))
        made = Knowledge(columns, tuple(examples), programs, asked=np.zeros(columns), wrong=np.zeros(columns))
        for example in examples:
            made._add(example)
        return made

    def _add(self, example: Example) -> None:
        is_wrong = example.before != example.after
        self.asked[example.column] += 1
        self.wrong[example.column] += is_wrong
        place = (example.column, example.before)
        wrong, right = self.values.get(place, ((), ()))
        one = (example.record,)
        self.values[place] = (wrong + one, right) if is_wrong else (wrong, right + one)
        if is_wrong and example.before:
            gone, _ = edited_letters(example.before, example.after)
            seen = Counter(gone)
            self.gone.update(seen)
            self.gone_of.setdefault(example.record, Counter()).update(seen)

    def dirt(self, column: int, without: int = NOBODY) -> float:
        """The share of wrong cells in a column, drawn towards that of all columns."""
        asked, wrong = self.asked, self.wrong
        if without != NOBODY:
            own = [e for e in self.examples if e.record == without]
            asked, wrong = asked.copy(), wrong.copy()
            for example in own:
                asked[example.column] -= 1
                wrong[example.column] -= example.before != example.after
        overall = (float(wrong.sum()) + 0.5) / (float(asked.sum()) + 10.0)
        return float((wrong[column] + 4 * overall) / (asked[column] + 4))

    def known(self, column: int, value: str, without: int = NOBODY) -> tuple[float, float]:
        """How many records said that this very value is wrong, and right, in this column."""
        wrong, right = self.values.get((column, value), ((), ()))
        return float(sum(r != without for r in wrong)), float(sum(r != without for r in right))

    def letters(self, gone: str, without: int = NOBODY) -> float:
        """How usual it is that an edit takes these letters away: their mean share of all letters taken away."""
        if not gone:
            return 0.0
        own = self.gone_of.get(without, Counter()) if without != NOBODY else Counter()
        total = self.gone.total() - own.total()
        if total <= 0:
            return 0.0
        return sum(self.gone[letter] - own[letter] for letter in gone) / len(gone) / total
