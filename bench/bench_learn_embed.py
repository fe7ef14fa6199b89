"""Texts embedded against SentenceTransformer.encode in the same run; and never twice, in any batch, asset or run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import partial

import numpy as np
from bench_learn_messages import messages
from bench_learn_table import Line, show, timed
from packyak.engine.learn.arrays import Floats
from packyak.engine.learn.embed import Embedder, weights_folder
from packyak.engine.learn.text_vectors import TextVectors
from packyak.engine.store.home import open_home

TEXTS = int(os.environ.get("PACKYAK_BENCH_TEXTS", "5000"))
CHUNK = 500


class Counting(Embedder):
    """Remembers how many texts the language model was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def embed(self, texts: Sequence[str]) -> Floats:
        self.asked += len(texts)
        return super().embed(texts)


def _texts() -> tuple[list[str], list[str]]:
    """Distinct texts, and the same with so many again that three in ten repeat one before."""
    base = messages().texts
    rng = np.random.default_rng(0)
    pairs = rng.integers(len(base), size=(TEXTS, 2)).tolist()
    distinct = list(dict.fromkeys(base + [f"{base[a]} {base[b]}" for a, b in pairs]))
    distinct = [distinct[i] for i in rng.permutation(len(distinct))[:TEXTS].tolist()]
    repeated = [*distinct, *(distinct[i] for i in rng.integers(len(distinct), size=round(TEXTS * 3 / 7)).tolist())]
    return distinct, [repeated[i] for i in rng.permutation(len(repeated)).tolist()]


def embed() -> bool:
    """Records a second, in turns with the library's own `encode`, each set in a home of its own."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    theirs = SentenceTransformer(str(weights_folder()), device="cpu", local_files_only=True)
    distinct, repeated = _texts()
    lines, apart = [], 0.0
    counting = Counting()
    counting.embed(["warm up"])
    for what, texts, least in (("distinct texts", distinct, 1.0), ("three in ten repeated", repeated, 1.4)):
        with tempfile.TemporaryDirectory() as folder:
            home, seconds = open_home(folder), np.zeros(4)
            counting.asked = 0
            ours = TextVectors(home, counting)
            for start in range(0, len(texts), CHUNK):
                part = texts[start : start + CHUNK]
                their_vectors, *their_time = timed(partial(theirs.encode, part, normalize_embeddings=True))
                our_vectors, *our_time = timed(partial(ours, part))
                seconds += [*their_time, *our_time]
                apart = max(apart, float(np.abs(their_vectors - our_vectors).max()))
            rate = [f"{len(texts) / s:.0f}" for s in seconds]
            anchor = f"records/s: encode {rate[0]}, here {rate[2]}; by CPU seconds {rate[1]} and {rate[3]}"
            lines.append(Line(f"speed against encode, {what}", float(seconds[0] / seconds[2]), ">=", least, anchor))
            again = counting.asked - len(set(texts))
            counting.asked = 0
            _, wall, cpu = timed(partial(TextVectors(home, counting), [*texts, *reversed(texts)]))
            told = f"another asset and run: {2 * len(texts) / wall:,.0f} records/s, {cpu:.2f} CPU s"
            lines.append(Line("texts embedded twice", again + counting.asked, "<=", 0, told))
    lines.append(Line("largest difference of any number", apart, "<=", 2e-4, "half precision"))
    return show(f"embedding: {TEXTS:,} distinct texts, in turns of {CHUNK}", lines)
