"""The repair learner: wrong cells found and corrected, in one or several columns of a table, from a handful of
corrected records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..arrays import Doubles, Ints
from ..calibrate import Slope
from ..forest import Forest
from ..protocol import Labels, Prediction
from .candidates import NEAR, PROGRAM, VOTE, Options, collect, contexts, reads
from .features import features
from .frozen import freeze, thaw
from .knowledge import Knowledge
from .lesson import Lesson
from .profile import Cells, Profile, as_text
from .ranker import Chosen, Prepared, ask_forest, choose
from .synthesis import Example


@dataclass(frozen=True)
class ColumnAnswer:
    """Answers for one column of some cells: the options, the best of each cell, and which cell each row is."""

    options: Options
    chosen: Chosen
    kind: Ints


@dataclass(frozen=True)
class RepairModel:
    """One trained version; the same bytes give the same answers."""

    prepared: Prepared
    knowledge: Knowledge
    weights: tuple[tuple[float, ...], ...]
    forest: Forest
    slope: Slope
    types: tuple[str, ...]

    def answer(self, cells: Cells, column: int) -> ColumnAnswer:
        """The best answers of one column; records that agree in all that matters are asked once."""
        tables, near = self.prepared.tables[column], self.prepared.near[column]
        first, kind = contexts(cells.codes, (column, *reads(column, tables, self.knowledge)))
        options = collect(self.prepared.profile, cells.take(first), column, tables, near, self.knowledge)
        x = features(self.prepared.profile, options, tables, self.weights[column], self.knowledge, near.crowd)
        return ColumnAnswer(options, choose(ask_forest(self.forest, x), options.cell, options.keep), kind)

    def predict(self, batch: pa.Table) -> Prediction:
        """The columns as they should read; unchanged cells are passed through as they are."""
        cells = Cells.of(self.prepared.profile, batch)
        values: dict[str, pa.Array] = {}
        confidence: dict[str, pa.Array] = {}
        evidence: dict[str, pa.Array] = {}
        for column in self.prepared.targets:
            name = self.prepared.profile.columns[column].name
            found = self.answer(cells, column)
            calibrated = self.slope.chances(found.chosen.confidence).astype(np.float32)
            values[name] = _rewritten(batch[name], found)
            confidence[name] = pa.array(calibrated[found.kind])
            evidence[name] = self._evidence(found)
        return Prediction(pa.table(values), pa.table(confidence), pa.table(evidence))

    def _evidence(self, found: ColumnAnswer) -> pa.Array:
        options, best = found.options, found.chosen.option
        changed = np.flatnonzero(options.value[best] != options.own)
        told: list[str | None] = [None]
        at = np.zeros(len(best), dtype=np.int32)
        for cell in changed.tolist():
            told.append(self._reason(options, int(best[cell])))
            at[cell] = len(told) - 1
        words = pa.array(told, pa.string())
        return words.take(pa.array(at[found.kind]))

    def _reason(self, options: Options, option: int) -> str:
        """Why this answer, in words."""
        source, reasons = int(options.source[option]), []
        names = self.prepared.profile.names
        if source & PROGRAM:
            tried = self.knowledge.programs[options.column][int(options.program[option])]
            reasons.append(f"{len(tried.right)} corrected or confirmed: {tried.program.words(names)}")
        if source & VOTE:
            row = options.codes[options.cell[option]][None, :]
            value = options.value[option : option + 1]
            for table in self.prepared.tables[options.column]:
                group = table.group(row)
                count = int(table.count(group, value)[0])
                if count:
                    same = " and ".join(names[k] for k in table.by)
                    reasons.append(f"{count} of {int(table.totals[group[0]])} records with the same {same} have it")
                    break
        if source & NEAR:
            count = int(options.counts[options.value[option]]) if options.value[option] < len(options.counts) else 0
            reasons.append(f"nearly the same as a value that occurs {count} times")
        return "; ".join(reasons)

    def to_files(self) -> dict[str, bytes]:
        """The whole model as named bytes."""
        slope = [self.slope.slope, self.slope.offset]
        facts = {"weights": self.weights, "slope": slope, "types": self.types}
        return freeze(self.prepared, self.knowledge, self.forest, facts)

    @staticmethod
    def from_files(files: Mapping[str, bytes]) -> RepairModel:
        """The model of `to_files`."""
        prepared, knowledge, forest, facts = thaw(files)
        weights = tuple(tuple(column) for column in facts["weights"])
        return RepairModel(prepared, knowledge, weights, forest, Slope(*facts["slope"]), tuple(facts["types"]))


@dataclass(frozen=True)
class RepairLearner:
    """Learns to repair `columns`. `reads` are all columns that it may look at (the repaired ones included); `key`
    names the column that holds a record's key."""

    columns: tuple[str, ...]
    reads: tuple[str, ...]
    key: str = "_key"

    def prepare(self, records: pa.Table) -> Prepared:
        """What can be known of the records without labels; give it to every refit on the same records."""
        profile = Profile.of(records, self.reads)
        return Prepared.of(profile, [profile.at(name) for name in self.columns])

    def fit(self, records: pa.Table, labels: Labels, seed: int = 0, prepared: Prepared | None = None) -> RepairModel:
        """Learn from the labels; those of one record teach all its columns."""
        prepared = prepared or self.prepare(records)
        examples = examples_of(prepared.profile, records, labels, self.key)
        lesson = Lesson.believed(prepared, examples, seed)
        forest = lesson.found.grow(seed=seed)
        types = tuple(str(records.schema.field(name).type) for name in self.columns)
        return RepairModel(prepared, lesson.knowledge, lesson.weights, forest, _slope(lesson), types)


def _slope(lesson: Lesson) -> Slope:
    """Calibration from labelled cells that were held out."""
    if lesson.answered is None:
        return Slope()
    chosen, people = lesson.answered
    return Slope.fit(chosen.confidence, people.y[chosen.option] == 1, trust=2.0)


def examples_of(profile: Profile, records: pa.Table, labels: Labels, key: str) -> list[Example]:
    """Labelled cells in canonical order, with the record's values as the person saw them."""
    ordered = labels.ordered()
    rows = _rows(profile, records, ordered.keys, key)
    number = {name: place for place, name in enumerate(sorted(rows))}
    seen = _seen(profile, ordered, rows)
    examples = []
    for record, name, value in zip(ordered.key, ordered.column, ordered.value, strict=True):
        if record in seen and name in profile.names:
            column, row = profile.at(name), seen[record]
            examples.append(Example(number[record], column, row[column], _text(value, records.schema.field(name)), row))
    return examples


def _rows(profile: Profile, records: pa.Table, keys: Sequence[str], key: str) -> dict[str, dict[int, str]]:
    """The present values of the labelled records, by key."""
    wanted = records.filter(pc.is_in(records[key], value_set=pa.array(keys, records.schema.field(key).type)))
    columns = [as_text(wanted[name]).to_pylist() for name in profile.names]
    found = {
        str(k): {i: column[row] for i, column in enumerate(columns)} for row, k in enumerate(wanted[key].to_pylist())
    }
    return {str(k): found.get(str(k), {}) for k in keys}


def _seen(profile: Profile, labels: Labels, rows: dict[str, dict[int, str]]) -> dict[str, dict[int, str]]:
    """The values that the person saw: the snapshot where there is one, else the present ones; records with neither
    are left out."""
    seen = dict(rows)
    for key, snapshot in zip(labels.key, labels.snapshot, strict=True):
        if snapshot is not None:
            old = {profile.at(n): _as_str(v) for n, v in snapshot.items() if n in profile.names}
            seen[key] = {**dict.fromkeys(range(len(profile.names)), ""), **rows.get(key, {}), **old}
    return {key: row for key, row in seen.items() if row}


def _as_str(value: Any) -> str:
    return "" if value is None else as_text(pa.array([value]))[0].as_py()


def _text(value: Any, field: pa.Field) -> str:
    """A label's value as the column would print it."""
    if value is None:
        return ""
    if isinstance(value, str) and not pa.types.is_string(field.type):
        return value
    return str(as_text(pa.array([value], field.type))[0].as_py())


def _rewritten(column: pa.ChunkedArray, found: ColumnAnswer) -> pa.Array:
    """The column with its changed cells replaced; a text that is not of the column's type changes nothing."""
    options, best = found.options, found.chosen.option
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    changed = (options.value[best] != options.own)[found.kind]
    if not changed.any():
        return array
    texts = pa.array([options.values[code] for code in options.value[best].tolist()], pa.string())
    if array.null_count or not pa.types.is_string(array.type):
        texts = pc.if_else(pc.equal(texts, ""), None, texts)
    texts = texts.take(pa.array(found.kind))
    new = _typed(texts, array.type)
    usable = pc.equal(pc.is_valid(new), pc.is_valid(texts))
    return pc.if_else(pc.and_(pa.array(changed), usable), new, array)


def _typed(texts: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Texts in the column's type; those that are not of it as null."""
    if pa.types.is_string(wanted):
        return texts
    try:
        return pc.cast(texts, wanted)
    except pa.ArrowInvalid:
        return pa.array([_one(text, wanted) for text in texts.to_pylist()], wanted)


def _one(text: str | None, wanted: pa.DataType) -> Any:
    try:
        return pc.cast(pa.array([text], pa.string()), wanted)[0].as_py()
    except pa.ArrowInvalid:
        return None


def dirty_chance(model: RepairModel, cells: Cells, column: int) -> Doubles:
    """The chance, for each record, that the cell is wrong."""
    found = model.answer(cells, column)
    return (1.0 - found.chosen.keep)[found.kind]
