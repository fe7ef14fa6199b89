"""Cells spoiled on purpose: examples of damage whose right answer is known, at little weight beside what people say.

They tell the ranker, before the first correction, that an odd value next to a frequent one is often its misspelling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Ints
from .profile import Cells, Profile

USUALLY_SINGLE = 0.25
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Spoiled:
    """Rows with one cell each replaced: their cells, and the right value's code, for one column."""

    column: int
    cells: Cells
    truth: Ints


def spoil(profile: Profile, column: int, many: int, rng: np.random.Generator) -> Spoiled | None:
    """Up to `many` rows of the profile with the cell of this column spoiled; None for a column that gives no
    material."""
    about = profile.columns[column]
    usable = np.flatnonzero(about.counts >= 2)
    usable = usable[[bool(about.values[i].strip()) for i in usable.tolist()]] if len(usable) else usable
    if not len(usable):
        return None
    rows = np.flatnonzero(np.isin(profile.codes[:, column], usable))
    chosen = np.sort(rng.choice(rows, size=min(many, len(rows)), replace=False))
    codes = profile.codes[chosen].copy()
    truth = codes[:, column].copy()
    values = list(about.values)
    place = {value: code for code, value in enumerate(values)}
    for i, code in enumerate(truth.tolist()):
        text = _damage(values[code], about.values, rng)
        if text not in place:
            place[text] = len(values)
            values.append(text)
        codes[i, column] = place[text]
    changed = codes[:, column] != truth
    all_values = tuple(values if k == column else list(c.values) for k, c in enumerate(profile.columns))
    return Spoiled(column, Cells(codes[changed], all_values), truth[changed])


def single(profile: Profile, column: int, many: int, rng: np.random.Generator) -> Spoiled | None:
    """Up to `many` rows, as they are, whose value nobody else has, in a column where that is usual (most of them are
    right then); None elsewhere."""
    about = profile.columns[column]
    alone = int((about.counts == 1).sum())
    if alone < USUALLY_SINGLE * about.rows:
        return None
    rows = np.flatnonzero(about.counts[profile.codes[:, column]] == 1)
    chosen = np.sort(rng.choice(rows, size=min(many, len(rows)), replace=False))
    codes = profile.codes[chosen]
    return Spoiled(column, Cells(codes, tuple(list(c.values) for c in profile.columns)), codes[:, column].copy())


def _damage(text: str, domain: tuple[str, ...], rng: np.random.Generator) -> str:
    """One kind of damage: mistyped letters, a letter lost, doubled or swapped, another value, other case, a blank."""
    kind = int(rng.choice(8, p=[0.4, 0.12, 0.1, 0.08, 0.12, 0.06, 0.06, 0.06]))
    at = int(rng.integers(len(text)))
    if kind == 0:
        wrong = _LETTERS[int(rng.integers(len(_LETTERS)))]
        times = 1 + int(rng.integers(3)) * (len(text) > 6)
        for _ in range(times):
            at = int(rng.integers(len(text)))
            text = text[:at] + wrong + text[at + 1 :]
        return text
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at] + text[at:]
    if kind == 3:
        return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    if kind == 4:
        return domain[int(rng.integers(len(domain)))]
    if kind == 5:
        return text.swapcase()
    if kind == 6:
        return " " + text if at % 2 else text + text[-1]
    return ""
