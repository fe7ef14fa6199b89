"""What a transform answers for a batch, and who decided: the function, a learned transform's rule, or its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import LearnedNode, TransformNode
from packyak.engine.run.compute.apply import Answers, Tick, call_on_records
from packyak.engine.run.scope import Scope


@dataclass
class Decision:
    """Answers with their origin: one word for all (`by` a string) or one per record. details: kept beside them."""

    values: list[Any]
    errors: dict[int, str] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    by: Sequence[str] | str = "function"
    model: str | None = None
    confidence: Sequence[float | None] | None = None
    details: Sequence[str | None] | None = None


def decide(scope: Scope, node: TransformNode, part: pa.Table, tick: Tick, left: int) -> Decision:
    """Calls the function on a slice of work, or asks what a learned transform has been taught. Until it has a model its
    first rule answers; no opinion is null, or the value as it was where the transform repairs a column. left: records
    still to come, these included.
    """
    if isinstance(node, LearnedNode):
        model = scope.model_of(node.name)
        return by_model(scope, node, model, part, tick) if model else by_rule(node, part, tick)
    answers = scope.call(node, arguments(node, part), part.num_rows, tick, left)
    return Decision(answers.values, answers.errors, answers.skipped)


def arguments(node: TransformNode, part: pa.Table) -> list[list[Any]]:
    """The values of each parameter, one per record."""
    return [part[f"a{place}"].to_pylist() for place in range(len(node.parameters))]


def by_rule(node: LearnedNode, part: pa.Table, tick: Tick) -> Decision:
    """The first rule's answers."""
    count, columns = part.num_rows, arguments(node, part)
    answers = call_on_records(node, node.function, columns, count, tick) if node.has_rule else Answers([None] * count)
    silent = {place for place, value in enumerate(answers.values) if value is None or value is ...}
    through = _passed_through(node, columns)
    values = [through[place] if place in silent else value for place, value in enumerate(answers.values)]
    by = ["none" if place in silent else "rule" for place in range(count)]
    return Decision(values, answers.errors, answers.skipped, by)


def by_model(scope: Scope, node: LearnedNode, model: str, part: pa.Table, tick: Tick) -> Decision:
    """A model's answers, those that it is too unsure of withheld."""
    from packyak.engine.run.teach.answering import answer, taught
    from packyak.engine.run.teach.examples import ask_rule, by_field, named, with_rule

    count = part.num_rows
    answers = ask_rule(node, arguments(node, part) if node.has_rule else [], count, tick)
    opinions = by_field(node, answers.values)
    loaded = taught(scope, node, model)
    assert loaded is not None
    said = answer(node, loaded, with_rule(node, named(node, part), opinions), opinions)
    values = _as_answers(node, said.values)
    by = ["none" if withheld else "model" for withheld in said.withheld]
    for place in _without_input(node, part):
        values[place], by[place] = None, "none"
    return Decision(values, answers.errors, answers.skipped, by, model, said.confidence, said.details)


def _without_input(node: LearnedNode, part: pa.Table) -> list[int]:
    """Records that lack a value which the function does not take as null: it would not be called on them either."""
    missing: set[int] = set()
    for place, parameter in enumerate(node.parameters):
        if parameter.takes == "column" and not parameter.optional and part[f"a{place}"].null_count:
            missing |= set(pc.indices_nonzero(part[f"a{place}"].is_null()).to_pylist())
    return sorted(missing)


def _as_answers(node: LearnedNode, columns: dict[str, list[Any]]) -> list[Any]:
    """One answer a record, as the function would give it."""
    if node.returns == "scalar":
        return next(iter(columns.values()))
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _passed_through(node: LearnedNode, columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """What stands where nobody has an opinion: the repaired column's own value, else nothing."""
    if node.returns == "scalar" and node.columns:
        for parameter, values in zip(node.parameters, columns, strict=True):
            if parameter.takes == "column" and parameter.of == node.columns[0].name:
                return values
    if node.returns == "record":
        for parameter, values in zip(node.parameters, columns, strict=True):
            if parameter.takes == "record":
                return values
    return [None] * len(columns[0]) if columns else []
