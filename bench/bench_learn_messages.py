"""The banking77 messages with their vectors, made once and kept in the machine's temporary folder."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from packyak.engine.learn.arrays import Floats, Ints
from packyak.engine.learn.embed import Embedder

DATA = Path(os.environ.get("PACKYAK_BENCH_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
KEPT = Path(tempfile.gettempdir()) / "packyak-bench"


class OnDisk:
    """A vector store in one file of the temporary folder."""

    def __init__(self, name: str) -> None:
        KEPT.mkdir(exist_ok=True)
        self._file = KEPT / f"{name}.npz"
        self._kept: dict[str, Floats] = {}
        if self._file.exists():
            with np.load(self._file, allow_pickle=False) as stored:
                self._kept = dict(zip(stored["names"].tolist(), stored["vectors"], strict=True))

    def find(self, weights: str, texts: Sequence[str]) -> Mapping[str, Floats]:
        """The kept vectors."""
        return {text: self._kept[text] for text in texts if text in self._kept}

    def keep(self, weights: str, vectors: Mapping[str, Floats]) -> None:
        """Keep these too."""
        self._kept |= vectors
        np.savez(self._file, names=np.array(list(self._kept)), vectors=np.stack(list(self._kept.values())))


@dataclass(frozen=True)
class Messages:
    """Texts, their vectors, their true intents as numbers, and the names of the intents."""

    texts: list[str]
    vectors: Floats
    truth: Ints
    names: tuple[str, ...]

    def folds(self, many: int = 5, seed: int = 0) -> Iterator[tuple[Ints, Ints]]:
        """(pool to label, test) with every intent in equal parts."""
        rng = np.random.default_rng(seed)
        fold = np.empty(len(self.truth), dtype=np.int64)
        for intent in range(len(self.names)):
            rows = np.flatnonzero(self.truth == intent)
            fold[rng.permutation(rows)] = np.arange(len(rows)) % many
        for part in range(many):
            yield np.flatnonzero(fold != part), np.flatnonzero(fold == part)


def messages() -> Messages:
    """All 3,080."""
    with (DATA / "banking77" / "messages.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = tuple(sorted({row["category"] for row in rows}))
    place = {name: i for i, name in enumerate(names)}
    texts = [row["text"] for row in rows]
    truth = np.array([place[row["category"]] for row in rows], dtype=np.int64)
    return Messages(texts, Embedder(OnDisk("banking77"))(texts), truth, names)


def some_of_each(rows: Ints, truth: Ints, each: int, rng: np.random.Generator) -> Ints:
    """`each` rows of every class, at random."""
    picked = [rng.choice(rows[truth[rows] == k], each, replace=False) for k in np.unique(truth[rows]).tolist()]
    return np.sort(np.concatenate(picked))
