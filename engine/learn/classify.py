"""Classification: which of a fixed set of answers, with a calibrated chance, from a few labelled records."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .arrays import Bools, Doubles, Floats, Ints, json_bytes, one_thread
from .calibrate import Temperature, threshold_for
from .head import Head, Shape, fit_head, held_out_scores
from .protocol import Labels, Prediction
from .vectors import Embed, Encoder

SHAPES = (Shape(30.0, 1.0), Shape(30.0, 0.0), Shape(8.0, 1.0))
FEW = 12
RANDOM_ENOUGH = 40
_ROWS = 16_384


@dataclass(frozen=True)
class HeldOut:
    """How the labelled records were answered by heads that never saw them: calibrated confidence, whether right, and
    which were asked at random."""

    confidence: Doubles = field(default_factory=lambda: np.zeros(0))
    right: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))
    at_random: Bools = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @property
    def judged(self) -> Bools:
        """The records to judge by: those asked at random when they are many enough, else all."""
        enough = int(self.at_random.sum()) >= RANDOM_ENOUGH
        return self.at_random if enough else np.ones(len(self.right), dtype=bool)


@dataclass(frozen=True)
class ClassifyModel:
    """One trained version. `embed` is not part of it: give the embedder it was trained with."""

    column: str
    choices: tuple[Any, ...]
    encoder: Encoder
    head: Head
    temperature: Temperature
    costs: tuple[float, ...]
    held_out: HeldOut
    embed: Embed

    def chances(self, vectors: Floats) -> Doubles:
        """Calibrated chances of every answer, for encoded records."""
        return self.temperature.chances(self.head.scores(vectors))

    def predict(self, batch: pa.Table) -> Prediction:
        """The answer of least expected cost for each record, with the chance that it is right."""
        return self.predict_encoded(self.encoder.encode(batch, self.embed))

    def predict_encoded(self, vectors: Floats) -> Prediction:
        """The same for records that are encoded already: a matrix product."""
        best = np.empty(len(vectors), dtype=np.int64)
        confidence = np.empty(len(vectors), dtype=np.float32)
        for start in range(0, len(vectors), _ROWS):
            part = slice(start, start + _ROWS)
            best[part], confidence[part] = self._best(vectors[part])
        values = pa.array(self.choices).take(pa.array(best))
        evidence = pa.nulls(len(best), pa.string())
        return Prediction(*(pa.table({self.column: part}) for part in (values, pa.array(confidence), evidence)))

    def _best(self, vectors: Floats) -> tuple[Ints, Floats]:
        """The answer of least expected cost and its chance, in single precision: this runs over every record."""
        scores = np.asarray(vectors, dtype=np.float32) @ (self.head.weights / np.float32(self.temperature.value))
        scores += self.head.bias / np.float32(self.temperature.value)
        best = np.argmax(scores + np.log(np.array(self.costs, dtype=np.float32)), axis=1)
        scores -= scores[np.arange(len(best)), best][:, None]
        np.exp(np.minimum(scores, 80, out=scores), out=scores)
        return best, np.asarray(1.0 / scores.sum(axis=1), dtype=np.float32)

    def threshold(self, precision: float) -> float:
        """The least confidence at which answers, applied without a person, are right this often (by held-out
        records)."""
        judged = self.held_out.judged
        return threshold_for(self.held_out.confidence[judged], self.held_out.right[judged], precision)

    def to_files(self) -> dict[str, bytes]:
        """The whole model as named bytes."""
        out = io.BytesIO()
        held = self.held_out
        np.savez(
            out,
            allow_pickle=False,
            weights=self.head.weights,
            bias=self.head.bias,
            confidence=held.confidence,
            right=held.right,
            at_random=held.at_random,
        )
        facts = {
            "column": self.column,
            "choices": self.choices,
            "encoder": self.encoder.to_json(),
            "temperature": self.temperature.value,
            "costs": self.costs,
        }
        return {"arrays.npz": out.getvalue(), "model.json": json_bytes(facts)}

    @staticmethod
    def from_files(files: Mapping[str, bytes], embed: Embed) -> ClassifyModel:
        """The model of `to_files`."""
        facts = json.loads(files["model.json"])
        with np.load(io.BytesIO(files["arrays.npz"]), allow_pickle=False) as stored:
            head = Head(stored["weights"], stored["bias"])
            held = HeldOut(stored["confidence"], stored["right"], stored["at_random"])
        return ClassifyModel(
            facts["column"],
            tuple(facts["choices"]),
            Encoder.from_json(facts["encoder"]),
            head,
            Temperature(facts["temperature"]),
            tuple(facts["costs"]),
            held,
            embed,
        )


@dataclass(frozen=True)
class ClassifyLearner:
    """Learns `column`, one of `choices`, from the columns `reads`. `rule` names the column with the first rule's
    answer, `costs` what missing an answer costs (1 where nothing is said), `key` the column with the record's key."""

    column: str
    choices: tuple[Any, ...]
    reads: tuple[str, ...]
    embed: Embed
    rule: str | None = None
    costs: Mapping[str, float] = field(default_factory=dict)
    key: str = "_key"

    def fit(
        self, records: pa.Table, labels: Labels, seed: int = 0, asked_at_random: Collection[str] = ()
    ) -> ClassifyModel:
        """Learn from the labels; `asked_at_random` are the keys of records that were drawn, not chosen."""
        encoder = Encoder.of(records, self.reads, self.rule, tuple(str(choice) for choice in self.choices))
        ordered = labels.of(self.column).ordered()
        shown, found = shown_records(records, ordered, self.key)
        ordered = ordered.pick(found)
        place = {choice: i for i, choice in enumerate(self.choices)}
        usable = [i for i, value in enumerate(ordered.value) if value in place]
        ordered, shown = ordered.pick(usable), shown.take(pa.array(usable, pa.int64()))
        truth = np.array([place[value] for value in ordered.value], dtype=np.int64)
        return self.fit_encoded(encoder, encoder.encode(shown, self.embed), truth, ordered.key, seed, asked_at_random)

    def fit_encoded(
        self,
        encoder: Encoder,
        vectors: Floats,
        truth: Ints,
        keys: Sequence[str],
        seed: int = 0,
        asked_at_random: Collection[str] = (),
    ) -> ClassifyModel:
        """The same for labelled records that are encoded already."""
        names = self._names(encoder)
        with one_thread():
            return self._fit(encoder, vectors, truth, keys, names, seed, asked_at_random)

    def _fit(
        self,
        encoder: Encoder,
        vectors: Floats,
        truth: Ints,
        keys: Sequence[str],
        names: Floats | None,
        seed: int,
        asked_at_random: Collection[str],
    ) -> ClassifyModel:
        _, groups = np.unique(np.array(keys, dtype=str), return_inverse=True)
        at_random = np.isin(np.array(keys, dtype=str), list(asked_at_random)) if asked_at_random else groups < 0
        shape, scores = self._best_shape(vectors, truth, groups, names, seed)
        if scores is None:
            temperature, held = Temperature(), HeldOut()
        else:
            judged = HeldOut(np.zeros(len(truth)), np.zeros(len(truth), dtype=bool), at_random).judged
            temperature = Temperature.fit(scores[judged], truth[judged])
            held = self._held_out(temperature.chances(scores), truth, at_random)
        head = fit_head(vectors, truth, len(self.choices), shape, names)
        costs = tuple(float(self.costs.get(str(choice), 1.0)) for choice in self.choices)
        return ClassifyModel(self.column, self.choices, encoder, head, temperature, costs, held, self.embed)

    def _held_out(self, chances: Doubles, truth: Ints, at_random: Bools) -> HeldOut:
        costs = np.array([float(self.costs.get(str(choice), 1.0)) for choice in self.choices])
        best = np.argmax(chances * costs, axis=1)
        return HeldOut(np.round(chances[np.arange(len(best)), best], 6), best == truth, at_random)

    def _best_shape(
        self, vectors: Floats, truth: Ints, groups: Ints, names: Floats | None, seed: int
    ) -> tuple[Shape, Doubles | None]:
        """The head with the best held-out scores; the first while labels are too few to tell."""
        if len(np.unique(groups)) < FEW or len(np.unique(truth)) < 2:
            return SHAPES[0], None
        best: tuple[float, Shape, Doubles] | None = None
        for shape in SHAPES:
            if names is None and shape.names > 0 and shape is not SHAPES[0]:
                continue
            scores = held_out_scores(vectors, truth, groups, len(self.choices), shape, names, seed)
            chances = Temperature.fit(scores, truth).chances(scores)
            surprise = -float(np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-9)).mean())
            if best is None or surprise < best[0] * 0.98:
                best = (surprise, shape, scores)
        assert best is not None
        return best[1], best[2]

    def _names(self, encoder: Encoder) -> Floats | None:
        """The answers' names as vectors, where they are words."""
        words = [" ".join(str(choice).replace("_", " ").replace("-", " ").split()) for choice in self.choices]
        telling = all(isinstance(c, str) and sum(letter.isalpha() for letter in c) >= 3 for c in self.choices)
        if not encoder.texts or not telling:
            return None
        return encoder.like_text(self.embed(words))


def shown_records(records: pa.Table, labels: Labels, key: str) -> tuple[pa.Table, list[int]]:
    """The labelled records as the people saw them, a row a label, and the places of the labels whose record is
    known."""
    place = pc.index_in(pa.array(labels.key, pa.string()), value_set=records[key].combine_chunks().cast(pa.string()))
    at = place.to_pylist()
    found = [i for i, row in enumerate(at) if row is not None or labels.snapshot[i] is not None]
    if all(labels.snapshot[i] is None for i in found):
        return records.take(pa.array([at[i] for i in found], pa.int64())), found
    names = [name for name in records.column_names if name != key]
    rows = []
    for i in found:
        now = records.slice(at[i], 1).to_pylist()[0] if at[i] is not None else {}
        rows.append({name: (labels.snapshot[i] or {}).get(name, now.get(name)) for name in names})
    columns = {name: pa.array([row[name] for row in rows], records.schema.field(name).type) for name in names}
    return pa.table({key: pa.array([labels.key[i] for i in found]), **columns}), found
