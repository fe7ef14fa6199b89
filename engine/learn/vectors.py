"""Records as rows of numbers: the text columns by their meaning, the others as numbers and choices, the first rule's
answer beside them.

What is decided from the records (which column is text, means, known choices) is decided once, at fit, and frozen into
the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Floats

Embed = Callable[[Sequence[str]], Floats]
MOST_CHOICES = 40
_NUMBER_SHARE = 0.3
_CHOICE_SHARE = 0.3
_RULE_SHARE = 0.6


@dataclass(frozen=True)
class Encoder:
    """How records become vectors. `texts` are joined and embedded; `numbers` hold (name, mean, spread); `choices`
    (name, values)."""

    texts: tuple[str, ...]
    numbers: tuple[tuple[str, float, float], ...]
    choices: tuple[tuple[str, tuple[str, ...]], ...]
    rule: str | None = None
    answers: tuple[str, ...] = ()

    @staticmethod
    def of(records: pa.Table, reads: Sequence[str], rule: str | None = None, answers: Sequence[str] = ()) -> Encoder:
        """Decide how each column is read: numbers as numbers, few short values as choices, the rest as text."""
        texts, numbers, choices = [], [], []
        for name in reads:
            column = records[name]
            if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
                numbers.append((name, *_centre(column)))
            elif (values := _few(column)) is not None:
                choices.append((name, values))
            else:
                texts.append(name)
        return Encoder(tuple(texts), tuple(numbers), tuple(choices), rule, tuple(answers))

    def encode(self, records: pa.Table, embed: Embed) -> Floats:
        """One row a record."""
        parts: list[Floats] = []
        if self.texts:
            parts.append(embed(joined(records, self.texts)))
        for name, mean, spread in self.numbers:
            filled = pc.fill_null(records[name].cast(pa.float64()), mean).to_numpy()
            scaled = np.clip((np.nan_to_num(filled, nan=mean) - mean) / spread, -4, 4)
            parts.append((_NUMBER_SHARE * scaled[:, None]).astype(np.float32))
        for name, values in self.choices:
            parts.append(_CHOICE_SHARE * _one_hot(records[name], values))
        if self.rule is not None:
            parts.append(_RULE_SHARE * _one_hot(records[self.rule], self.answers))
        return np.hstack(parts) if parts else np.zeros((len(records), 1), np.float32)

    def like_text(self, vectors: Floats) -> Floats:
        """Vectors of bare texts as if they were records of which nothing else is known."""
        width = len(self.numbers) + sum(len(values) for _, values in self.choices)
        width += len(self.answers) if self.rule is not None else 0
        return np.hstack([vectors, np.zeros((len(vectors), width), np.float32)])

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "texts": self.texts,
            "numbers": self.numbers,
            "choices": self.choices,
            "rule": self.rule,
            "answers": self.answers,
        }

    @staticmethod
    def from_json(told: dict[str, Any]) -> Encoder:
        """From JSON."""
        numbers = tuple((str(name), float(mean), float(spread)) for name, mean, spread in told["numbers"])
        choices = tuple((str(name), tuple(values)) for name, values in told["choices"])
        return Encoder(tuple(told["texts"]), numbers, choices, told["rule"], tuple(told["answers"]))


def joined(records: pa.Table, names: Sequence[str]) -> list[str]:
    """The text columns of each record as one text."""
    columns = [pc.fill_null(records[name].cast(pa.string()), "").to_pylist() for name in names]
    return [" \n".join(part for part in row if part) for row in zip(*columns, strict=True)]


def _centre(column: pa.ChunkedArray) -> tuple[float, float]:
    values = column.drop_null().to_numpy().astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    return float(f"{values.mean():.9g}"), float(f"{max(float(values.std()), 1e-9):.9g}")


def _few(column: pa.ChunkedArray) -> tuple[str, ...] | None:
    """The values of a column that has few and short ones."""
    if not (pa.types.is_string(column.type) or pa.types.is_boolean(column.type)):
        return None
    seen = pc.unique(column.combine_chunks().cast(pa.string())).drop_null().to_pylist()
    few = len(seen) <= min(MOST_CHOICES, max(2, len(column) // 10)) and all(len(value) <= 40 for value in seen)
    return tuple(sorted(seen)) if few else None


def _one_hot(column: pa.ChunkedArray, values: Sequence[str]) -> Floats:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = pc.index_in(array.cast(pa.string()), value_set=pa.array(list(values), pa.string()))
    at = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
    out = np.zeros((len(array), len(values)), dtype=np.float32)
    rows = np.flatnonzero(at >= 0)
    out[rows, at[rows]] = 1.0
    return out
