"""A tiny embedder for tests: counts of letter triples, hashed to 64 numbers, always the same; and invented messages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from packyak.engine.learn.arrays import Floats
from packyak.engine.learn.protocol import Labels

TOPICS = ("billing", "delivery", "account")
_SAID = {
    "billing": ("wrong invoice", "charged twice", "refund my payment", "the invoice total", "billing question"),
    "delivery": (
        "parcel is late",
        "driver never came",
        "delivery address",
        "package arrived broken",
        "where is my parcel",
    ),
    "account": ("reset my password", "cannot log in", "change my email", "account locked", "login fails"),
}
_MORE = ("please", "hello,", "urgent:", "again", "today", "since Monday", "thanks", "I think")


def embed(texts: Sequence[str]) -> Floats:
    """Texts as vectors of length one."""
    out = np.zeros((len(texts), 64), dtype=np.float32)
    for row, text in enumerate(texts):
        low = f" {text.lower()} "
        for i in range(len(low) - 2):
            out[row, hashlib.md5(low[i : i + 3].encode()).digest()[0] % 64] += 1.0
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


def messages(rows: int = 300, seed: int = 0) -> tuple[pa.Table, list[str]]:
    """Messages with a key, and their true topics."""
    rng = np.random.default_rng(seed)
    topics = [TOPICS[i] for i in rng.integers(3, size=rows)]
    texts = []
    for topic in topics:
        parts = [_MORE[rng.integers(8)], _SAID[topic][rng.integers(5)], _MORE[rng.integers(8)], str(rng.integers(1000))]
        texts.append(" ".join(parts))
    return pa.table({"_key": [f"m{i:04}" for i in range(rows)], "text": texts}), topics


def told(topics: list[str], rows: Sequence[int]) -> Labels:
    """What people said of these rows."""
    return Labels.from_rows([(f"m{i:04}", "topic", topics[i], "correct", None) for i in rows])
