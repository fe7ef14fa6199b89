"""What a transform answers for a batch, and who decided: the function, a learned transform's rule, or its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from packyak.engine.declare.nodes import LearnedNode, TransformNode
from packyak.engine.run.apply import Answers, Tick, call_on_records
from packyak.engine.run.scope import Scope


@dataclass
class Decision:
    """Answers with their origin: one word for all (`by` a string) or one per record."""

    values: list[Any]
    errors: dict[int, str] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    by: Sequence[str] | str = "function"
    model: str | None = None
    confidence: Sequence[float | None] | None = None


def decide(scope: Scope, node: TransformNode, columns: Sequence[Sequence[Any]], count: int, tick: Tick) -> Decision:
    """Calls the function, or asks what a learned transform has been taught. Until it has a model its first rule
    answers; no opinion is null, or the value as it was where the transform repairs a column.
    """
    if not isinstance(node, LearnedNode):
        answers = call_on_records(node, node.function, columns, count, tick)
        return Decision(answers.values, answers.errors, answers.skipped)
    answers = call_on_records(node, node.function, columns, count, tick) if node.has_rule else Answers([None] * count)
    silent = {place for place, value in enumerate(answers.values) if value is None or value is ...}
    through = _passed_through(node, columns)
    values = [through[place] if place in silent else value for place, value in enumerate(answers.values)]
    by = ["none" if place in silent else "rule" for place in range(count)]
    return Decision(values, answers.errors, answers.skipped, by)


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
