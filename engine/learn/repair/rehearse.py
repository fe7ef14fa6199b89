"""Rehearsals: what would happen if a whole way of writing were wrong in a column, and a person corrected one to three
of its cells?

A column's values are written another way (case, order of words or of date parts, a mark before or after), a few are
told as corrections, and the ranker sees how the programs found from those few do on the others. So it knows, before
real corrections are many, how far a program with two witnesses can be trusted, and when it cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays import Ints
from .knowledge import Knowledge
from .profile import Cells, Profile
from .programs import tokens
from .synthesis import Example

TAUGHT = 3
CONFIRMED = 5
WRONG, RIGHT = 6, 5


def _turn(text: str) -> str:
    parts = tokens(text)
    words = [part for part in parts if part[0].isalnum()][::-1]
    return "".join(words.pop(0) if part[0].isalnum() else part for part in parts)


def _swap_ends(text: str) -> str:
    words = text.split(" ")
    return f"{words[-1]}, {' '.join(words[:-1])}" if len(words) > 1 else text


def _other_marks(text: str) -> str:
    return text.translate(str.maketrans("-/.,_", "/.-; "))


WAYS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    str.title,
    _turn,
    _swap_ends,
    _other_marks,
    lambda text: text.lstrip("0") or text,
    lambda text: "0" + text if text[:1].isdigit() else text,
    lambda text: text + ".",
    lambda text: "#" + text,
    lambda text: text.replace(" ", "  "),
    lambda text: text.replace(" ", "").replace("-", ""),
    lambda text: text[:1] + text[1:].replace("e", "3"),
)


@dataclass(frozen=True)
class Rehearsal:
    """Cells of one column to answer with what the taught ones teach, and the right values' codes."""

    column: int
    knowledge: Knowledge
    cells: Cells
    truth: Ints


def rehearse(profile: Profile, column: int, rng: np.random.Generator) -> Rehearsal | None:
    """One rehearsal on a column; None where no way of writing changes enough of its values."""
    about = profile.columns[column]
    way = WAYS[int(rng.integers(len(WAYS)))]
    rows = rng.permutation(len(profile.codes))[:60]
    values = list(about.values)
    texts = [values[code] for code in profile.codes[rows, column].tolist()]
    changed = [i for i, text in enumerate(texts) if text.strip() and way(text) != text]
    taught = 1 + int(rng.integers(TAUGHT))
    if len(changed) < taught + WRONG:
        return None
    rest = [i for i in range(len(rows)) if i not in set(changed[: taught + WRONG])]
    confirmed, right = rest[:CONFIRMED], rest[CONFIRMED : CONFIRMED + RIGHT]
    told = [(i, way(texts[i])) for i in changed[:taught]] + [(i, texts[i]) for i in confirmed]
    examples = [_example(profile, int(rows[i]), column, n, text) for n, (i, text) in enumerate(told)]
    asked = [*changed[taught : taught + WRONG], *right]
    codes = profile.codes[rows[asked]].copy()
    truth = codes[:, column].copy()
    place = {value: code for code, value in enumerate(values)}
    for n, i in enumerate(asked[:WRONG]):
        text = way(texts[i])
        if text not in place:
            place[text] = len(values)
            values.append(text)
        codes[n, column] = place[text]
    domains = tuple(values if k == column else list(c.values) for k, c in enumerate(profile.columns))
    return Rehearsal(column, Knowledge.of(len(profile.columns), examples), Cells(codes, domains), truth)


def _example(profile: Profile, row: int, column: int, record: int, before: str) -> Example:
    others = {k: c.values[profile.codes[row, k]] for k, c in enumerate(profile.columns)}
    return Example(record, column, before, others[column], {**others, column: before})
