"""Cached records predicted again after one more correction, compared with what stands, and committed; and what else a
correction would change, before anything is learned.

The vectors are read from a home, as in a run. What a run adds (memo, checks, lineage, downstream) is measured by
`propagate`.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from bench_learn_messages import Messages, messages, some_of_each
from bench_learn_table import Line, show, timed
from bench_learn_text import learned
from packyak.engine.learn.classify import ClassifyModel
from packyak.engine.learn.preview import Neighbours
from packyak.engine.learn.text_vectors import TextVectors
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.tables import Table

ROWS = 16_384
KEPT_AT_ONCE = 50_000


@dataclass(frozen=True)
class Records:
    """Many distinct texts whose vectors are kept in a home, and the table of their answers."""

    texts: pa.Array
    keys: pa.Array
    vectors: TextVectors
    answers: Table

    @staticmethod
    def invent(home: Home, data: Messages, many: int) -> Records:
        """Texts that differ by a number, with vectors near those of real messages."""
        texts = [f"{data.texts[i % len(data.texts)]} ({i})" for i in range(many)]
        rng = np.random.default_rng(1)
        vectors = TextVectors(home)
        for start in range(0, many, KEPT_AT_ONCE):
            rows = np.arange(start, min(start + KEPT_AT_ONCE, many)) % len(data.texts)
            moved = data.vectors[rows] + rng.normal(0, 0.02, (len(rows), vectors.width)).astype(np.float32)
            vectors.keep(texts[start : start + KEPT_AT_ONCE], moved)
        keys = pa.array([f"{i:09d}" for i in range(many)])
        return Records(pa.array(texts), keys, vectors, Table(home, "tables", "intent"))

    def predicted(self, model: ClassifyModel) -> pa.ChunkedArray:
        """The answers of a model, batch by batch."""
        parts = []
        for start in range(0, len(self.texts), ROWS):
            vectors = self.vectors.of(self.texts.slice(start, ROWS).to_pylist())
            parts += model.predict_encoded(vectors).values["intent"].chunks
        return pa.chunked_array(parts)

    def again(self, model: ClassifyModel, before: pa.ChunkedArray) -> tuple[int, pa.ChunkedArray]:
        """Predict all, compare, commit what changed; answers how many did, and the new answers."""
        now = self.predicted(model)
        changed = pc.not_equal(now, before)
        self.answers.upsert(
            pa.table({"_key": self.keys.filter(changed.combine_chunks()), "intent": now.filter(changed)})
        )
        return int(pc.sum(changed).as_py()), now


def speed() -> bool:
    """Both tables."""
    data = messages()
    rows = some_of_each(np.arange(len(data.truth)), data.truth, 8, np.random.default_rng(0))
    before = learned(data, rows[:-1])
    after, *fit = timed(partial(learned, data, rows))
    lines = [Line("fit, 77 answers, 616 labels, s", fit[0], anchor=f"{fit[1]:.1f} CPU s")]
    for many, most in ((100_000, 1.5), (1_000_000, 12.0)):
        with tempfile.TemporaryDirectory() as folder:
            records = Records.invent(open_home(folder), data, many)
            stood = records.predicted(before)
            records.answers.create(pa.table({"_key": records.keys, "intent": stood}), unique=True)
            (changed, stands), *first = timed(partial(records.again, after, stood))
            _, *second = timed(partial(records.again, before, stands))
            wall, cpu = min(first, second)
            what = f"{many:>9,} records predicted, compared, committed, s"
            told = f"{cpu:.1f} CPU s, {changed:,} changed; the product alone .2 / 2.5"
            lines.append(Line(what, wall, "<=", most, told))
        if many == 1_000_000:
            lines.append(_preview(data, many))
    return show("speed: one more correction, 77 answers, the best of a few times", lines)


def _preview(data: Messages, many: int) -> Line:
    """The records like one, among all."""
    rows = np.arange(many) % len(data.texts)
    neighbours = Neighbours.of(data.vectors[rows[start : start + ROWS]] for start in range(0, many, ROWS))
    asked = [timed(partial(neighbours.like, data.vectors[7 + i])) for i in range(5)]
    wall, cpu = (min(one[at] for one in asked) for at in (1, 2))
    return Line(f"{many:>9,} records: what else would change, s", wall, "<=", 0.2, f"{cpu:.2f} CPU s; prototype .14")
