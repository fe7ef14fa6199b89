"""How fast: texts embedded against SentenceTransformer.encode in the same run, and cached records predicted again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bench_learn_messages import messages, some_of_each
from bench_learn_table import Line, show
from bench_learn_text import learned
from packyak.engine.learn.embed import Embedder, weights_folder

TEXTS = int(os.environ.get("PACKYAK_BENCH_TEXTS", "5000"))
CHUNK = 500


def embed() -> bool:
    """Records a second, in turns with the library's own `encode`; then a set where three in ten texts repeat."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(weights_folder()), device="cpu", local_files_only=True)
    base = messages().texts
    rng = np.random.default_rng(0)
    distinct = list(
        dict.fromkeys(base + [f"{base[a]} {base[b]}" for a, b in rng.integers(len(base), size=(TEXTS, 2)).tolist()])
    )
    distinct = [distinct[i] for i in rng.permutation(len(distinct))[:TEXTS].tolist()]
    repeated = [*distinct, *(distinct[i] for i in rng.integers(len(distinct), size=round(TEXTS * 3 / 7)).tolist())]
    repeated = [repeated[i] for i in rng.permutation(len(repeated)).tolist()]
    lines, apart = [], 0.0
    for what, texts, least in (("distinct texts", distinct, 1.0), ("three in ten repeated", repeated, 1.4)):
        ours, seconds = Embedder(), np.zeros(4)
        ours(["warm up"])
        for start in range(0, len(texts), CHUNK):
            part = texts[start : start + CHUNK]
            their_vectors, *their_time = _timed(partial(theirs.encode, part, normalize_embeddings=True))
            our_vectors, *our_time = _timed(partial(ours, part))
            seconds += [*their_time, *our_time]
            apart = max(apart, float(np.abs(their_vectors - our_vectors).max()))
        rate = [f"{len(texts) / s:.0f}" for s in seconds]
        anchor = f"records/s: encode {rate[0]}, here {rate[2]}; by CPU time {rate[1]} and {rate[3]}"
        lines.append(Line(f"speed against encode, {what}", float(seconds[0] / seconds[2]), ">=", least, anchor))
    lines.append(Line("largest difference of any number", apart, "<=", 1e-4))
    return show(f"embedding: {TEXTS:,} distinct texts, in turns of {CHUNK}", lines)


def _timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    made = call()
    return made, time.perf_counter() - wall, time.process_time() - cpu


def speed() -> bool:
    """Predict cached records again and compare; preview what else a correction would change. Writing is the store's."""
    data = messages()
    model = learned(data, some_of_each(np.arange(len(data.truth)), data.truth, 8, np.random.default_rng(0)))
    rng = np.random.default_rng(1)
    lines = []
    for rows, most in ((100_000, 1.5), (1_000_000, 12.0)):
        vectors = np.tile(data.vectors, (rows // len(data.vectors) + 1, 1))[:rows]
        vectors += rng.normal(0, 0.02, size=(1, vectors.shape[1])).astype(np.float32)
        before = model.predict_encoded(vectors).values["intent"]
        best = min(_timed(partial(_again, model, vectors, before))[1] for _ in range(2))
        what = f"{rows:>9,} records, 77 answers: predict and compare, s"
        lines.append(Line(what, best, "<=", most, "the product alone .2 / 2.5"))
        if rows == 1_000_000:
            preview = min(_timed(partial(_alike, vectors, data.vectors[7]))[1] for _ in range(3))
            lines.append(Line("preview: what else is like this one, 1M, s", preview, "<=", 0.2, ".14"))
    return show("speed: cached records (writing not counted)", lines)


def _again(model: Any, vectors: Any, before: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(pc.not_equal(model.predict_encoded(vectors).values["intent"], before)).as_py() or 0)


def _alike(vectors: Any, one: Any) -> Any:
    return np.flatnonzero(vectors @ one > 0.8)
