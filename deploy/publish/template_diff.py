"""What changes from one template to the next, in words: resources by what they are there for, policies by statement.

Only what the plan does not say already is told of permissions: a statement that allows more, a boundary taken away, a
bucket opened. What replaces or removes a data store is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from packyak.deploy.publish.records import Change, Diff
from packyak.deploy.publish.schemas import create_only
from packyak.deploy.publish.stack import STORES

Resource: TypeAlias = Mapping[str, Any]
Template: TypeAlias = Mapping[str, Any]
Statement: TypeAlias = tuple[str, str, str, str, str]  # effect, principal, action, resource, condition
NAMES = ("FunctionName", "RoleName", "ManagedPolicyName", "LogGroupName", "QueueName", "Name", "StateMachineName")
NOUNS = {
    "AWS::Lambda::Function": "function",
    "AWS::IAM::Role": "role",
    "AWS::IAM::ManagedPolicy": "policy",
    "AWS::Logs::LogGroup": "log group",
    "AWS::SQS::Queue": "queue",
    "AWS::S3::Bucket": "bucket",
    "AWS::KMS::Key": "key",
    "AWS::StepFunctions::StateMachine": "state machine",
}
METADATA = "packyak"  # a resource may say itself what it is there for: {"packyak": {"unit": ..., "place": ...}}


@dataclass(frozen=True)
class Explained:
    """What the plan says already. units: the line of each; new: those that were not there; allowed: action and place
    of each grant that is new."""

    units: Mapping[str, str] = field(default_factory=dict)
    new: frozenset[str] = frozenset()
    allowed: frozenset[tuple[str, str]] = frozenset()


def template_diff(stack: str, before: Template | None, after: Template, explained: Explained) -> Diff:
    """What bringing a stack from one template to another changes; `before` is None where it does not stand."""
    old, new = (before or {}).get("Resources", {}), after.get("Resources", {})
    units = units_of(new, explained.units) | units_of(old, explained.units)
    added = _grouped("is new", {name: new[name] for name in new if name not in old}, units, explained, stack)
    removed = _grouped("goes", {name: old[name] for name in old if name not in new}, units, explained, stack)
    changed, widened, refused = list[Change](), list[Change](), list[Change]()
    had = _had(old, units)
    for name, resource in old.items():
        unit = units.get(name, "")
        place = explained.units.get(unit, "")
        if name not in new:
            if resource["Type"] in STORES:
                refused.append(Change(f"{_the(name, resource, unit)} would go, and data with it", name, place))
            continue
        refused += _replaced(name, resource, new[name], unit, place)
        changed += _properties(name, resource, new[name], unit, place)
        widened += _wider(name, resource, new[name], unit, place, _Before(explained, had.get(unit, frozenset())))
    for name in new.keys() - old.keys() if before is not None else ():
        if units.get(name, "") not in explained.new:
            unit = units.get(name, "")
            before_it = _Before(explained, had.get(unit, frozenset()))
            widened += _wider(name, {}, new[name], unit, explained.units.get(unit, ""), before_it)
    return Diff(tuple(added), tuple(removed), tuple(changed), tuple(widened), tuple(refused), first=False)


def units_of(resources: Mapping[str, Resource], units: Mapping[str, str]) -> dict[str, str]:
    """For each resource, the unit that it is there for, where that is known: it says so, or is named after it."""
    folded = {_folded(unit): unit for unit in units}
    found = {}
    for name, resource in resources.items():
        said = resource.get("Metadata", {}).get(METADATA, {})
        if isinstance(said, Mapping) and said.get("unit"):
            found[name] = str(said["unit"])
            continue
        called = [_folded(name), *(_folded(str(resource.get("Properties", {}).get(each, ""))) for each in NAMES)]
        meant = [key for key in folded if any(key in each for each in called)]
        if meant:
            found[name] = folded[max(meant, key=len)]
    return found


def places_of(template: Template, units: Mapping[str, str]) -> dict[str, str]:
    """For each resource, the line of the project that it is there for."""
    return {name: units[unit] for name, unit in units_of(template.get("Resources", {}), units).items() if unit in units}


def _folded(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def _noun(resource: Resource) -> str:
    kind = str(resource["Type"])
    return NOUNS.get(kind, " ".join(kind.split("::")[1:]))


def _the(name: str, resource: Resource, unit: str) -> str:
    return f"the {_noun(resource)} of {unit}" if unit else f"the {_noun(resource)} {name}"


def _grouped(
    verb: str, resources: Mapping[str, Resource], units: Mapping[str, str], explained: Explained, stack: str
) -> Iterator[Change]:
    """One line for each unit, and one for what belongs to none."""
    groups: dict[str, list[Resource]] = {}
    for name, resource in resources.items():
        groups.setdefault(units.get(name, ""), []).append(resource)
    for unit, members in groups.items():
        if unit in explained.new:  # the plan says that it is new
            continue
        counts: dict[str, int] = {}
        for each in members:
            counts[_noun(each)] = counts.get(_noun(each), 0) + 1
        listed = ", ".join(f"{number} x {noun}" if number > 1 else noun for noun, number in sorted(counts.items()))
        of = f" of {unit}" if unit else f" of the stack {stack}"
        yield Change(
            f"{listed}{of} {verb if len(members) == 1 else _plural(verb)}", unit, explained.units.get(unit, "")
        )


def _plural(verb: str) -> str:
    return {"is new": "are new", "goes": "go"}[verb]


def _replaced(name: str, old: Resource, new: Resource, unit: str, place: str) -> Iterator[Change]:
    if old["Type"] not in STORES:
        return
    if old["Type"] != new["Type"]:
        yield Change(f"{_the(name, old, unit)} would be replaced by a {_noun(new)}", name, place)
    one, other = old.get("Properties", {}), new.get("Properties", {})
    for each in sorted(create_only(old["Type"])):
        if _text(one.get(each)) != _text(other.get(each)):
            yield Change(f"{_the(name, old, unit)} would be replaced, because its {each} changes", name, place)


def _properties(name: str, old: Resource, new: Resource, unit: str, place: str) -> Iterator[Change]:
    one, other = old.get("Properties", {}), new.get("Properties", {})
    names = [each for each in sorted({*one, *other}) if _text(one.get(each)) != _text(other.get(each))]
    if names:
        yield Change(f"{_the(name, new, unit)} changes: {', '.join(names)}", unit or name, place)


@dataclass(frozen=True)
class _Before:
    """What needs no second word: what the plan says, and what other policies of the same unit allowed already."""

    explained: Explained
    had: frozenset[Statement]


def _had(resources: Mapping[str, Resource], units: Mapping[str, str]) -> dict[str, frozenset[Statement]]:
    """What each unit's policies allow together: which of them says it is no difference."""
    found: dict[str, frozenset[Statement]] = {}
    for name, resource in resources.items():
        unit = units.get(name, "")
        if unit and resource["Type"] in ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
            found[unit] = found.get(unit, frozenset()) | set(statements(resource.get("Properties", {})))
    return found


def _wider(name: str, old: Resource, new: Resource, unit: str, place: str, before_it: _Before) -> Iterator[Change]:
    before = set(statements(old.get("Properties", {})))
    after = set(statements(new.get("Properties", {})))
    for statement in sorted(after - before):
        known = statement in before_it.had or _said(statement, before_it.explained)
        if statement[0] == "Allow" and not known:
            yield Change(f"{_the(name, new, unit)} allows more: {_told(statement)}", unit or name, place)
    for statement in sorted(before - after) if new.get("Type") else ():
        if statement[0] == "Deny":
            yield Change(f"{_the(name, new, unit)} denies less: {_told(statement)}", unit or name, place)
    one, other = old.get("Properties", {}), new.get("Properties", {})
    if one.get("PermissionsBoundary") and not other.get("PermissionsBoundary"):
        yield Change(f"{_the(name, new, unit)} loses its boundary", unit or name, place)
    more = {_text(each) for each in other.get("ManagedPolicyArns", ())} - {
        _text(each) for each in one.get("ManagedPolicyArns", ())
    }
    if old and more:
        yield Change(f"{_the(name, new, unit)} has further policies: {', '.join(sorted(more))}", unit or name, place)
    yield from _opened(name, one, other, new, unit, place)


def _opened(name: str, one: Resource, other: Resource, new: Resource, unit: str, place: str) -> Iterator[Change]:
    closed, still = one.get("PublicAccessBlockConfiguration", {}), other.get("PublicAccessBlockConfiguration", {})
    for each, value in closed.items():
        if value and not still.get(each):
            yield Change(f"{_the(name, new, unit)} may be opened to the public: {each} is off", unit or name, place)


def _said(statement: Statement, explained: Explained) -> bool:
    _, _, action, resource, condition = statement
    return any(action == allowed and place in resource + condition for allowed, place in explained.allowed)


def _told(statement: Statement) -> str:
    _, principal, action, resource, condition = statement
    who = f"{principal} may " if principal else ""
    where = f" where {condition}" if condition else ""
    return f"{who}{action} on {resource or 'itself'}{where}"


def statements(value: Any) -> Iterator[Statement]:
    """Every single allowance and denial in the policy documents anywhere below a value."""
    if isinstance(value, Mapping):
        if "Statement" in value:
            for each in _listed(value["Statement"]):
                yield from _single(each)
            return
        for each in value.values():
            yield from statements(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from statements(each)


def _single(statement: Any) -> Iterator[Statement]:
    if not isinstance(statement, Mapping):
        return
    negated = "".join(sorted(name for name in statement if name.startswith("Not")))
    actions = _listed(statement.get("Action", statement.get("NotAction", "*")))
    resources = _listed(statement.get("Resource", statement.get("NotResource", "")))
    principal = _text(statement.get("Principal", statement.get("NotPrincipal", "")))
    condition = _text(statement.get("Condition", "")) + negated
    for action in actions:
        for resource in resources:
            yield (str(statement.get("Effect", "Allow")), principal, _text(action), _text(resource), condition)


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _text(value: Any) -> str:
    """A value as text, the same for the same value; references as they are written."""
    if isinstance(value, str):
        return value
    return "" if value in (None, {}, []) else json.dumps(value, sort_keys=True)
