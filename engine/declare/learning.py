"""What a learned transform can be taught, from its return annotation: its task, and whether it starts with a rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import signature
from typing import Any

from packyak.engine.declare.declared import Learned
from packyak.engine.declare.nodes import Column
from packyak.engine.declare.options import refuse
from packyak.engine.declare.parameters import View
from packyak.engine.declare.returns import Returned, says_nothing

REPAIRABLE = ("string", "int64", "float64", "date", "timestamp")
TEACHABLE = (
    "Literal[...]",
    "bool",
    "an Enum",
    "int",
    "float",
    "str",
    "a date in place of one",
    "a record class of these",
)


def learned_facts(thing: Learned[..., Any], returned: Returned, view: View | None) -> Mapping[str, Any]:
    """The fields of a LearnedNode beyond a transform's. Raises DeclarationError for what nobody can teach."""
    name, teaching = thing.__name__, thing.teaching
    if returned.many or returned.columns is None:
        raise _not_teachable(thing, "several records" if returned.many else "a dict without named fields")
    there = set(view) if view is not None else set(signature(thing.function).parameters)
    for column in returned.columns:
        if _task(column, there) is None:
            raise _not_teachable(thing, f"`{column.name}` as {column.type}")
    one = returned.columns[0]
    task = "record" if returned.returns == "record" else _task(one, there)
    known = {choice for column in returned.columns for choice in column.choices or ()}
    for answer in teaching.costs:
        if known and answer not in known:
            what = f"costs= of learned `{name}` names {answer!r}, which it never answers"
            raise refuse(thing.origin, what, "name its answers", sorted(map(str, known)))
    return {
        "task": task, "abstain_below": teaching.abstain_below, "costs": dict(teaching.costs), "by": teaching.by,
        "using": teaching.using, "train_after": teaching.train_after, "has_rule": not says_nothing(thing.function),
    }  # fmt: skip


def _task(column: Column, there: Collection[str]) -> str | None:
    """What a column asks to be learned. there: the source's columns, or, before they are known, those that are read."""
    if column.choices is not None or column.type == "bool":
        return "classification"
    if column.type in REPAIRABLE and column.name in there:
        return "repair"
    if column.type in ("int64", "float64"):
        return "regression"
    return "extraction" if column.type == "string" else None


def _not_teachable(thing: Learned[..., Any], what: str) -> Exception:
    return refuse(
        thing.origin,
        f"learned `{thing.__name__}` answers {what}, which cannot be taught",
        "answer one of these",
        TEACHABLE,
    )
