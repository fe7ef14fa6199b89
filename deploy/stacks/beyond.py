"""What units reach beside the home: it widens the boundary, and the network gets a way to each service, and no more.

The boundary names every such action and resource, so that no unit's role can be given anything that no code asks for.
Where that is longer than a policy may be, it names the services whole; the roles themselves stay as narrow as they are.
Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from packyak.deploy.stacks import statements
from packyak.deploy.stacks.blueprint import Blueprint
from packyak.deploy.stacks.statements import Statement

# Where the way to a service has another name than its actions (AWS PrivateLink, services that integrate).
WAYS = {
    "bedrock": "bedrock-runtime",
    "cloudwatch": "monitoring",
    "firehose": "kinesis-firehose",
    "kinesis": "kinesis-streams",
}


def fixed_boundary(drawn: Blueprint) -> list[Statement]:
    """The part of the boundary that every project has."""
    return statements.of_the_boundary(drawn.names, drawn.bucket, drawn.folder, "${HomeKey}", "${ToS3}")


def boundary(drawn: Blueprint) -> dict[str, Any]:
    """The most that any role of a unit can do."""
    fixed, beyond = fixed_boundary(drawn), list(_beyond(drawn, whole=False))
    narrow = list(statements.paged([*beyond, *fixed]))
    return narrow[0] if len(narrow) == 1 else statements.document([*_beyond(drawn, whole=True), *fixed])


def reached(drawn: Blueprint) -> Iterator[tuple[str, str]]:
    """Actions on resources that units are granted and the fixed boundary does not cover."""
    within = [(action, resource) for each in fixed_boundary(drawn) for action, resource in _pairs(each)]
    found = {
        pair
        for unit in drawn.units
        for policy in unit.policies
        for statement in policy["Statement"]
        for pair in _pairs(statement)
    }
    yield from sorted(pair for pair in found if not any(_covers(most, pair) for most in within))


def services(drawn: Blueprint) -> tuple[str, ...]:
    """The services that need a way of their own, as the network's endpoints name them."""
    found = {action.partition(":")[0] for action, _ in reached(drawn)}
    return tuple(sorted(WAYS.get(each, each) for each in found if each != "s3"))


def buckets(drawn: Blueprint) -> tuple[str, ...]:
    """Other buckets, and objects in them."""
    return tuple(sorted({resource for action, resource in reached(drawn) if action.startswith("s3:")}))


def _beyond(drawn: Blueprint, *, whole: bool) -> Iterator[Statement]:
    actions: dict[tuple[str, ...], list[str]] = {}
    by_resource: dict[str, list[str]] = {}
    for action, resource in reached(drawn):
        service = resource.split(":")[2] if resource.startswith("arn:") else ""
        wide = f"arn:${{AWS::Partition}}:{service}:*" if whole and service else resource
        by_resource.setdefault(wide, []).append(action)
    for resource, listed in by_resource.items():
        actions.setdefault(tuple(sorted(set(listed))), []).append(resource)
    for listed_actions, resources in sorted(actions.items()):
        yield statements.allow(listed_actions, resources)


def _pairs(statement: Statement) -> Iterable[tuple[str, str]]:
    if statement["Effect"] != "Allow":
        return []
    actions, resources = (
        [each] if isinstance(each, str) else each for each in (statement["Action"], statement["Resource"])
    )
    return [(action, resource) for action in actions for resource in resources]


def _covers(most: tuple[str, str], pair: tuple[str, str]) -> bool:
    """Whether one allowance holds another; a resource ends in `*` at most."""
    action, resource = most[0], most[1].replace("${AWS::Partition}", "aws")
    asked = pair[1].replace("${AWS::Partition}", "aws")
    return action == pair[0] and (asked == resource or (resource.endswith("*") and asked.startswith(resource[:-1])))
