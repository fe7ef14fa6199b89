"""The one shape of every learner: labels in, a model out, answers with confidence and evidence.

A learner is a pure function of the records shown, the people's labels and a seed. A model is a few named files of
bytes (JSON and `.npy` arrays, never pickle), so that equal labels give equal bytes on every machine; its id is the
hash of those bytes and of what went in. Nothing here reads or writes a disk: the store keeps the files, the runner
decides when to learn and predict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pyarrow as pa

Kind = Literal["correct", "accept"]


@dataclass(frozen=True)
class Labels:
    """What people said, one entry a field: parallel tuples.

    `value` is the right value (for an accept: the value that was accepted). `snapshot` holds the inputs that the
    person saw, as a mapping of column to value; a learner trains on it and not on the record's present inputs. None:
    use the present ones.
    """

    key: tuple[str, ...] = ()
    column: tuple[str, ...] = ()
    value: tuple[Any, ...] = ()
    kind: tuple[Kind, ...] = ()
    snapshot: tuple[Mapping[str, Any] | None, ...] = ()

    def __len__(self) -> int:
        return len(self.key)

    def pick(self, positions: Iterable[int]) -> Labels:
        """The labels at these positions."""
        at = list(positions)
        return Labels(
            tuple(self.key[i] for i in at),
            tuple(self.column[i] for i in at),
            tuple(self.value[i] for i in at),
            tuple(self.kind[i] for i in at),
            tuple(self.snapshot[i] for i in at),
        )

    def of(self, column: str) -> Labels:
        """The labels of one column."""
        return self.pick(i for i, name in enumerate(self.column) if name == column)

    def only(self, keys: Iterable[str]) -> Labels:
        """The labels of these records."""
        wanted = frozenset(keys)
        return self.pick(i for i, key in enumerate(self.key) if key in wanted)

    def without(self, keys: Iterable[str]) -> Labels:
        """The labels of all other records."""
        left_out = frozenset(keys)
        return self.pick(i for i, key in enumerate(self.key) if key not in left_out)

    def ordered(self) -> Labels:
        """The same labels in their one canonical order, so that the order of arrival never reaches a model."""
        return self.pick(sorted(range(len(self)), key=lambda i: (self.key[i], self.column[i])))

    @property
    def keys(self) -> tuple[str, ...]:
        """The labelled records, each once, in order of first appearance."""
        return tuple(dict.fromkeys(self.key))

    @staticmethod
    def from_rows(rows: Sequence[tuple[str, str, Any, Kind, Mapping[str, Any] | None]]) -> Labels:
        """Labels from rows of (key, column, value, kind, snapshot)."""
        if not rows:
            return Labels()
        key, column, value, kind, snapshot = zip(*rows, strict=True)
        return Labels(key, column, value, kind, snapshot)

    def fingerprint(self) -> str:
        """A hash of the labels, whatever order they came in."""
        ordered = self.ordered()
        rows = zip(ordered.key, ordered.column, ordered.value, ordered.kind, ordered.snapshot, strict=True)
        return hash_of(json.dumps([list(row) for row in rows], sort_keys=True, default=str).encode())


@dataclass(frozen=True)
class Prediction:
    """Answers for a batch, one column per learned column, rows in the order of the batch.

    `values` has the answers (null: no answer), `confidence` the calibrated chance that each is right (float32),
    `evidence` a short reason in words, or null where there is nothing to tell.
    """

    values: pa.Table
    confidence: pa.Table
    evidence: pa.Table


class Model(Protocol):
    """One trained version."""

    def predict(self, batch: pa.Table) -> Prediction:
        """Answers for the records of `batch`, which has the columns that the learner read."""
        ...

    def to_files(self) -> dict[str, bytes]:
        """The whole model as named bytes."""
        ...


class Learner(Protocol):
    """Something that turns labels into a model. `key` names the column of `records` that holds the record's key."""

    def fit(self, records: pa.Table, labels: Labels, seed: int = 0) -> Model:
        """Learn from `labels` on `records`; the same arguments give the same bytes."""
        ...


def hash_of(*parts: bytes) -> str:
    """A hex SHA-256 of the parts, each preceded by its length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def model_id(files: Mapping[str, bytes], *inputs: str) -> str:
    """The id of a model: its bytes and whatever else went in (code, weights, labels), 16 hex digits."""
    parts = [part for name in sorted(files) for part in (name.encode(), files[name])]
    return hash_of(*parts, *(value.encode() for value in inputs))[:16]
