"""What the columns of an asset hold, in one line each: filled, different, smallest, largest, how they are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.studio.views import words

BINS = 16
FREQUENT = 4
WORTH_SAYING = 0.01


@dataclass(frozen=True)
class ColumnFacts:
    """One column. filled: a share. spread: how many records fall into each of up to 16 equal parts of the range, or
    have each of the most frequent values."""

    name: str
    type: str
    filled: float
    distinct: int | None
    smallest: str
    largest: str
    mean: str
    spread: tuple[int, ...]
    frequent: str


def column_facts(table: pa.Table, names: Sequence[str] | None = None) -> tuple[ColumnFacts, ...]:
    """The facts of these columns; default all."""
    return tuple(_facts(name, table[name]) for name in names or table.column_names)


def _facts(name: str, values: pa.ChunkedArray) -> ColumnFacts:
    kind = values.type
    filled = 1 - values.null_count / len(values) if len(values) else 0.0
    held = values.drop_null().combine_chunks()
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or not len(held):
        return ColumnFacts(name, _type_words(kind), filled, None, "", "", "", (), "")
    counts = _counts(held)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    low, high = (bound.as_py() for bound in pc.min_max(held).values()) if _ordered(kind) else (None, None)
    often = [number for _, number in counts[:BINS]]
    often = often if often[0] > 1 else []  # all different: nothing is more frequent than anything else
    spread = often if pa.types.is_string(kind) or not _ordered(kind) else _histogram(held)
    return ColumnFacts(
        name,
        _type_words(kind),
        filled,
        len(counts),
        words.value(low, 60) if low is not None else "",
        words.value(high, 60) if high is not None else "",
        words.value(pc.mean(held).as_py()) if numeric else "",
        tuple(spread),
        "" if len(counts) == len(held) else _frequent(counts, len(held)),
    )


def _type_words(kind: pa.DataType) -> str:
    """A type in one word."""
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "number"
    if pa.types.is_fixed_size_list(kind):
        return f"vector of {kind.list_size}"
    return str(kind).partition("[")[0].partition("<")[0]


def _ordered(kind: pa.DataType) -> bool:
    return not pa.types.is_boolean(kind)


def _counts(held: pa.Array) -> list[tuple[Any, int]]:
    """Each value with how often it occurs, most often first."""
    found = pc.value_counts(held)
    numbers = found.field("counts")
    order = pc.sort_indices(numbers, sort_keys=[("", "descending")]) if len(numbers) else pa.array([], pa.int64())
    values, often = found.field("values").take(order), numbers.take(order)
    head = list(zip(values[:BINS].to_pylist(), often[:BINS].to_pylist(), strict=True))
    return head + [(None, 0)] * (len(numbers) - len(head))


def _histogram(held: pa.Array) -> list[int]:
    """How many values fall into each part of the range."""
    if pa.types.is_temporal(held.type):
        held = held.cast(pa.int64() if held.type.bit_width == 64 else pa.int32())
    numbers = held.cast(pa.float64(), safe=False)
    numbers = numbers.filter(pc.is_finite(numbers))
    if not len(numbers):
        return []
    low, high = (bound.as_py() for bound in pc.min_max(numbers).values())
    if low == high:
        return [len(numbers)]
    place = pc.min_element_wise(pc.floor(pc.multiply(pc.subtract(numbers, low), BINS / (high - low))), BINS - 1)
    found = {int(row["values"]): row["counts"] for row in pc.value_counts(place).to_pylist()}
    return [found.get(part, 0) for part in range(BINS)]


def _frequent(counts: Sequence[tuple[Any, int]], total: int) -> str:
    worth = [each for each in counts[:FREQUENT] if each[1] > max(1, WORTH_SAYING * total)]
    said = [f"{words.value(value, 24)} {number / total:.0%}" for value, number in worth]
    return " · ".join(said)
