"""The project taken out of the account: what only works goes, what holds data stays, and it is said what that costs.

A stack in which buckets or keys lie is left standing as it is, so that publishing again goes on with the same data. It
goes only by a person's own hand, after they emptied it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from packyak.deploy.publish.account import Account, asking, pages
from packyak.deploy.publish.cost import price
from packyak.deploy.publish.kept import forget
from packyak.deploy.publish.records import Event
from packyak.deploy.publish.stack import TAG, Stacks, stores_of
from packyak.engine.store.home import Home

WHY = {
    "AWS::S3::Bucket": "a bucket: its objects are the data",
    "AWS::KMS::Key": "a key: without it nothing in the buckets can be read",
    "AWS::ECR::Repository": "images: an export from here goes on with them",
    "AWS::DynamoDB::Table": "a table",
}


@dataclass(frozen=True)
class Stays:
    """Something that is left there. dollars: what it costs a month by itself, without what lies in it."""

    what: str
    why: str
    dollars: float


@dataclass(frozen=True)
class Destroyed:
    """What went, or is going: stacks by name, the last made first; and what stays."""

    going: tuple[str, ...]
    stays: tuple[Stays, ...]


def standing(account: Account, project: str) -> Destroyed:
    """What of a project stands in the account: what would go, and what would stay."""
    stacks = Stacks(account)
    with asking("the stacks of the account were listed"):
        every = list(pages(account.client("cloudformation").describe_stacks, "Stacks"))
    mine = [each for each in every if _project_of(each) == project and each["StackStatus"] != "DELETE_COMPLETE"]
    going, stays = [], list[Stays]()
    for each in sorted(mine, key=lambda stack: str(stack.get("CreationTime", "")), reverse=True):
        name = each["StackName"]
        template = stacks.template(name) or {}
        if stores_of(template):
            stays += _stays(stacks, name, template)
        else:
            going.append(name)
    return Destroyed(_in_turn(stacks, going), tuple(stays))


def _project_of(stack: Mapping[str, Any]) -> str:
    return next((each["Value"] for each in stack.get("Tags") or () if each["Key"] == TAG), "")


def _in_turn(stacks: Stacks, names: list[str]) -> tuple[str, ...]:
    """Those that refer to another before that one, where it is known; a stack that is referred to cannot go."""
    return tuple(sorted(names, key=lambda name: (not _refers(stacks.template(name) or {}), names.index(name))))


def _refers(template: Mapping[str, Any]) -> bool:
    return "Fn::ImportValue" in str(template)


def _stays(stacks: Stacks, name: str, template: Mapping[str, Any]) -> list[Stays]:
    found = []
    for logical, (kind, physical) in stacks.resources(name).items():
        if kind in WHY and logical in template.get("Resources", {}):
            dollars = price("kms_key_month") if kind == "AWS::KMS::Key" else 0.0
            found.append(Stays(physical or logical, WHY[kind], dollars))
    return found


def destroy(account: Account, project: str, home: Home, tell: Callable[[Any], None] = lambda event: None) -> Destroyed:
    """Takes away what holds no data. Whatever fails, the next call goes on."""

    def told(event: Event) -> None:
        tell(event)

    stacks, found = Stacks(account, told), standing(account, project)
    for name in found.going:
        if stacks.state(name):
            stacks.delete(name)
    forget(home)
    return found
