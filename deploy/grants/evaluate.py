"""Whether an IAM policy allows a request: Effect, Action, Resource and Condition, as identity policies are evaluated.

An explicit Deny wins, then an Allow; what nothing allows is denied. An operator, an element of a statement or a policy
variable that is not known here raises instead of being passed over. Written here because no package that is kept on
PyPI evaluates Resource and Condition offline (policyuniverse and py-iam-expand expand policies; moto looks at actions
alone). Not evaluated: resource policies, permission boundaries, organisations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from packyak.engine.errors import PackyakError

Values = tuple[str, ...]
_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})


@dataclass(frozen=True)
class Request:
    """What someone wants to do: an action on a resource, and what else is known (condition keys, lower case)."""

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)

    def __str__(self) -> str:
        known = ", ".join(f"{key}={'|'.join(values)}" for key, values in self.context.items())
        return f"{self.action} on {self.resource}" + (f" ({known})" if known else "")


@dataclass(frozen=True)
class Decision:
    """Whether it may be done, and the statement that decided; None where nothing allowed it."""

    allowed: bool
    statement: Mapping[str, Any] | None = None


def decide(policies: Iterable[Mapping[str, Any]], request: Request) -> Decision:
    """What a role's policies say to a request."""
    allowing: Mapping[str, Any] | None = None
    request = Request(request.action, request.resource, {key.lower(): each for key, each in request.context.items()})
    for policy in policies:
        for statement in _listed(policy["Statement"]):
            _known(statement)
            if not _applies(statement, request):
                continue
            if statement["Effect"] == "Deny":
                return Decision(False, statement)
            allowing = statement
    return Decision(allowing is not None, allowing)


def _known(statement: Mapping[str, Any]) -> None:
    """A statement of an identity policy has an effect, actions and resources, each told in one way."""
    strange = statement.keys() - _ELEMENTS
    if strange:
        raise PackyakError(f"the element {min(strange)!r} of a statement is not known", choices=sorted(_ELEMENTS))
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise PackyakError(f"the effect {statement.get('Effect')!r} is not known", choices=["Allow", "Deny"])
    for element in ("Action", "Resource"):
        if (element in statement) is (f"Not{element}" in statement):
            raise PackyakError(
                f"a statement needs one of {element} and Not{element}", next_step="write which of them is meant"
            )


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _named(statement, "Action", request.action.lower(), fold=True)
        and _named(statement, "Resource", request.resource, fold=False)
        and all(
            _holds(operator, key.lower(), _texts(wanted), request.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _named(statement: Mapping[str, Any], element: str, value: str, *, fold: bool) -> bool:
    """Whether Action (or NotAction), or Resource (or NotResource), is about a value."""
    negated = f"Not{element}" in statement
    patterns = _texts(statement[f"Not{element}" if negated else element])
    found = any(like(each.lower() if fold else each, value) for each in patterns)
    return found is not negated


def _plain(pattern: str) -> None:
    if "${" in pattern:
        raise PackyakError(
            f"the policy variable in {pattern!r} is not known", next_step="write the value out instead of ${...}"
        )


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    _plain(pattern)
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.compile("".join(parts), re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """IAM's wildcards: `*` for any characters, `?` for one."""
    return _expression(pattern).fullmatch(value) is not None


def _same(wanted: str, value: str) -> bool:
    _plain(wanted)
    return wanted == value


def _same_folded(wanted: str, value: str) -> bool:
    _plain(wanted)
    return wanted.lower() == value.lower()


def _arn_like(pattern: str, value: str) -> bool:
    """Part by part: a wildcard does not reach over a colon of an ARN's first five."""
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) and all(like(one, other) for one, other in zip(wanted, given, strict=True))


def _number(test: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(wanted: str, value: str) -> bool:
        try:
            limit = float(wanted)
        except ValueError as error:
            raise PackyakError(f"the number {wanted!r} is not known", next_step="write a number") from error
        try:
            return test(float(value), limit)
        except ValueError:
            return False  # what is no number matches none

    return compared


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringEqualsIgnoreCase": _same_folded,
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _same_folded,
    "NumericEquals": _number(lambda value, wanted: value == wanted),
    "NumericLessThan": _number(lambda value, wanted: value < wanted),
    "NumericLessThanEquals": _number(lambda value, wanted: value <= wanted),
    "NumericGreaterThan": _number(lambda value, wanted: value > wanted),
    "NumericGreaterThanEquals": _number(lambda value, wanted: value >= wanted),
}
_NEGATED: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
}


def _holds(operator: str, key: str, wanted: Values, context: Mapping[str, Values]) -> bool:
    """One operator on one key. A key that the request lacks fails a test and passes a negated one."""
    quantifier, _, name = operator.rpartition(":")
    if operator == "Null":
        return any((not context.get(key)) is _truth(each) for each in wanted)
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    test = _TESTS.get(_NEGATED.get(name, name))
    if test is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise PackyakError(f"the condition operator {operator!r} is not known", choices=[*_TESTS, *_NEGATED, "Null"])
    given = context.get(key, ())
    if not given:
        return optional or quantifier == "ForAllValues" or (negated and not quantifier)
    met = [any(test(one, value) for one in wanted) is not negated for value in given]
    return any(met) if quantifier == "ForAnyValue" or (not quantifier and not negated) else all(met)


def _truth(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise PackyakError(f"the truth {value!r} is not known", choices=["true", "false"])
    return value.lower() == "true"


def _texts(value: Any) -> Values:
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in _listed(value))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)
