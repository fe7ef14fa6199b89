"""One stack brought to a template: from whatever state it was left in, through a change set, with every event told.

What AWS says is the only state. A stack left half made is taken away, one in the middle of something is waited for, one
that could not go back is helped back; after that the same call does the same as on a clean account. Data stores are
never replaced or removed: a change set that would is taken back, not executed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packyak.deploy.publish.account import Account, absent, asking, code_of, pages
from packyak.deploy.publish.records import Change, Event
from packyak.engine.errors import NotConfirmed, PublishFailed

STORES = (
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::DynamoDB::Table",
    "AWS::EFS::FileSystem",
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBCluster",
)
GONE = ("", "DELETE_COMPLETE")
STUCK = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
WELL = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
NOTHING = ("didn't contain changes", "No updates are to be performed")
BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
FOLLOWED = "Resource creation cancelled", "Resource update cancelled"
PATIENCE = 2 * 3600.0
TAG = "packyak:project"
KEEP_STORES = {
    "Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": ["Update:Replace", "Update:Delete"],
            "Principal": "*",
            "Resource": "*",
            "Condition": {"StringEquals": {"ResourceType": list(STORES)}},
        },
    ]
}
Tell = Callable[[Event], None]


@dataclass(frozen=True)
class Wanted:
    """What a stack is to be. url: of the template in S3; values: of its parameters; places: by resource, the line of
    the project that it is there for."""

    name: str
    project: str
    url: str
    sha256: str
    template: Mapping[str, Any]
    values: Mapping[str, str]
    places: Mapping[str, str]

    @property
    def has_stores(self) -> bool:
        """Whether data lies in it."""
        return bool(stores_of(self.template))


@dataclass(frozen=True)
class Prepared:
    """A change set that is ready. changes: what AWS says it does, resource by resource."""

    wanted: Wanted
    name: str
    creates: bool
    changes: tuple[Mapping[str, Any], ...]


def stores_of(template: Mapping[str, Any]) -> tuple[str, ...]:
    """The resources of a template that hold data."""
    return tuple(name for name, each in template.get("Resources", {}).items() if each.get("Type") in STORES)


class Stacks:
    """The stacks of an account. tell: hears of every event."""

    def __init__(self, account: Account, tell: Tell = lambda event: None) -> None:
        self.account = account
        self.tell = tell
        self._seen: dict[str, set[str]] = {}

    @property
    def _cloud(self) -> Any:
        return self.account.client("cloudformation")

    def described(self, name: str) -> Mapping[str, Any]:
        """What AWS says of a stack; empty where there is none."""
        with asking(f"the stack {name} was looked for"):
            try:
                found = self._cloud.describe_stacks(StackName=name)["Stacks"]
            except Exception as error:
                if absent(error):
                    return {}
                raise
        return found[0] if found and found[0]["StackStatus"] != "DELETE_COMPLETE" else {}

    def state(self, name: str) -> str:
        """How a stack stands; "" where there is none."""
        return str(self.described(name).get("StackStatus", ""))

    def template(self, name: str) -> Mapping[str, Any] | None:
        """The template that a stack was last brought to; None where there is none."""
        if self.state(name) in ("", "REVIEW_IN_PROGRESS"):
            return None
        with asking(f"the template of {name} was read"):
            body = self._cloud.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        found: Mapping[str, Any] = json.loads(body) if isinstance(body, str) else body
        return found

    def resources(self, name: str) -> dict[str, tuple[str, str]]:
        """Type and physical name of each resource of a stack, by its name in the template."""
        with asking(f"the resources of {name} were listed"):
            found = pages(self._cloud.list_stack_resources, "StackResourceSummaries", StackName=name)
            return {
                each["LogicalResourceId"]: (each["ResourceType"], each.get("PhysicalResourceId", ""))
                for each in found
                if each.get("ResourceStatus") != "DELETE_COMPLETE"
            }

    def outputs(self, name: str) -> dict[str, str]:
        """What a stack gives to others."""
        return {each["OutputKey"]: each["OutputValue"] for each in self.described(name).get("Outputs") or ()}

    def settle(self, wanted: Wanted) -> None:
        """Brings a stack to a state from which it can be changed."""
        for _ in range(6):
            state = self.state(wanted.name)
            if state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS":
                self.follow(wanted.name, wanted.places)
            elif state == "UPDATE_ROLLBACK_FAILED":
                with asking(f"{wanted.name} was helped back"):
                    self._cloud.continue_update_rollback(StackName=wanted.name)
                if self.follow(wanted.name, wanted.places) == "UPDATE_ROLLBACK_FAILED":
                    raise self._failure(wanted.name, wanted.places, "it could not go back to what it was")
            elif state in STUCK:
                self.delete(wanted.name, wanted.places, never_stood=state != "DELETE_FAILED")
            else:
                return
        raise self._failure(wanted.name, wanted.places, "it does not come to rest")

    def delete(self, name: str, places: Mapping[str, str] | None = None, *, never_stood: bool = False) -> None:
        """Takes a stack away, but nothing that holds data and is not kept by its template. never_stood: its creation
        failed, so that nothing lies in it."""
        before = {} if never_stood else self.template(name) or {}
        kept = [each for each in stores_of(before) if not _stays(before["Resources"][each])]
        if kept:
            raise NotConfirmed(
                f"the stack {name} holds data that would go with it: {', '.join(kept)}",
                next_step="delete it in the console once the data is not needed",
                stack=name,
            )
        failed = self.state(name) == "DELETE_FAILED"
        left = [event.resource for event in self.failures(name, places or {})] if failed else []
        with asking(f"the stack {name} was taken away"):
            self._cloud.delete_stack(StackName=name, **({"RetainResources": left} if left else {}))
        if self.follow(name, places or {}) not in GONE:
            raise self._failure(name, places or {}, "it could not be taken away")

    def prepare(self, wanted: Wanted) -> Prepared | None:
        """A change set that brings a stack to what is wanted; None where nothing changes."""
        creates = self.state(wanted.name) in ("", "REVIEW_IN_PROGRESS")
        name = f"packyak-{wanted.sha256[:12]}"
        with asking(f"the change set of {wanted.name} was made"):
            try:
                self._begin(wanted, name, creates)
            except Exception as error:
                if code_of(error) != "AlreadyExistsException":
                    raise
                self._forget(wanted.name, name)  # left there by a publication that was cut off
                self._begin(wanted, name, creates)
            found = self._ready(wanted.name, name)
        if found["Status"] == "FAILED":
            reason = str(found.get("StatusReason", ""))
            with asking(f"the change set of {wanted.name} was taken back"):
                self._forget(wanted.name, name)
            if any(text in reason for text in NOTHING):
                return None
            raise PublishFailed(
                f"AWS takes no change set for {wanted.name}: {reason}", next_step="see the reason", stack=wanted.name
            )
        with asking(f"the change set of {wanted.name} was read"):
            each = pages(self._cloud.describe_change_set, "Changes", StackName=wanted.name, ChangeSetName=name)
            changes = tuple(change["ResourceChange"] for change in each if "ResourceChange" in change)
        return Prepared(wanted, name, creates, changes)

    def _begin(self, wanted: Wanted, name: str, creates: bool) -> None:
        self._cloud.create_change_set(
            StackName=wanted.name,
            ChangeSetName=name,
            ChangeSetType="CREATE" if creates else "UPDATE",
            TemplateURL=wanted.url,
            Parameters=list(_parameters(wanted, creates, self._said(wanted.name))),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": TAG, "Value": wanted.project}],
            ImportExistingResources=True,
        )

    def _said(self, name: str) -> set[str]:
        """The parameters that a stack has a value for."""
        return {each["ParameterKey"] for each in self.described(name).get("Parameters") or ()}

    def execute(self, prepared: Prepared) -> None:
        """Does what a change set says and waits for its end; what would lose data is taken back instead."""
        wanted = prepared.wanted
        lost = tuple(losses(prepared))
        if lost:
            with asking(f"the change set of {wanted.name} was taken back"):
                self._forget(wanted.name, prepared.name)
            raise NotConfirmed(
                f"data would be lost: {'; '.join(change.words for change in lost)}",
                next_step="take that change back, or move the data first",
                stack=wanted.name,
            )
        self._remember(wanted.name)
        with asking(f"the change set of {wanted.name} was executed"):
            self._cloud.execute_change_set(StackName=wanted.name, ChangeSetName=prepared.name)
        if self.follow(wanted.name, wanted.places) not in WELL:
            raise self._failure(wanted.name, wanted.places, "it went back to what it was")
        self.protect(wanted)

    def protect(self, wanted: Wanted) -> None:
        """AWS itself is told not to replace or delete what holds data."""
        if wanted.has_stores:
            with asking(f"the stack {wanted.name} was protected"):
                self._cloud.set_stack_policy(StackName=wanted.name, StackPolicyBody=json.dumps(KEEP_STORES))
                self._cloud.update_termination_protection(StackName=wanted.name, EnableTerminationProtection=True)

    def follow(self, name: str, places: Mapping[str, str]) -> str:
        """Waits until a stack comes to rest, telling each event; answers its state then."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            state = self.state(name)
            for event in self._news(name, places) if state else ():
                self.tell(event)
            if not state.endswith("_IN_PROGRESS") or state == "REVIEW_IN_PROGRESS":
                return state
            time.sleep(self.account.pause)
        raise PublishFailed(f"{name} does not come to an end", next_step="look at it in the console", stack=name)

    def failures(self, name: str, places: Mapping[str, str]) -> list[Event]:
        """What failed in the last thing that a stack did, the first first."""
        found: list[Event] = []
        for raw in self._raw(name):
            each = _event(raw, places)
            of_resource = each.type != "AWS::CloudFormation::Stack"
            if of_resource and each.state.endswith("_FAILED") and not each.reason.startswith(FOLLOWED):
                found.append(each)
            if not of_resource and each.state in BEGINNINGS:
                break
        return found[::-1]

    def _failure(self, name: str, places: Mapping[str, str], what: str) -> PublishFailed:
        failed = self.failures(name, places)
        first = failed[0] if failed else Event(name, "", "", "", "")
        told = f"{first.resource} ({first.type}): {first.reason}" if first.resource else "AWS gives no reason"
        place = f", which is there for {first.place}" if first.place else ""
        return PublishFailed(
            f"{name}: {what}: {told}{place}",
            next_step="mend that and export again: it goes on from here",
            stack=name,
            resource=first.resource,
            reason=first.reason,
            place_in_project=first.place,
        )

    def _raw(self, name: str) -> Iterator[Mapping[str, Any]]:
        """What AWS tells of a stack, newest first."""
        with asking(f"the events of {name} were read"):
            yield from pages(self._cloud.describe_stack_events, "StackEvents", StackName=name)

    def _news(self, name: str, places: Mapping[str, str]) -> list[Event]:
        seen = self._seen.setdefault(name, set())
        found = []
        for raw in self._raw(name):
            if raw["EventId"] in seen:
                break
            seen.add(raw["EventId"])
            found.append(_event(raw, places))
        return found[::-1]

    def _remember(self, name: str) -> None:
        """What happened before is no news."""
        if self.state(name):
            self._news(name, {})

    def _ready(self, stack: str, name: str) -> Mapping[str, Any]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found: Mapping[str, Any] = self._cloud.describe_change_set(StackName=stack, ChangeSetName=name)
            if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return found
            time.sleep(self.account.pause)
        raise PublishFailed(f"the change set of {stack} does not come to an end", stack=stack)

    def _forget(self, stack: str, name: str) -> None:
        """Takes a change set away that was left there."""
        try:
            self._cloud.delete_change_set(StackName=stack, ChangeSetName=name)
        except Exception as error:
            if not absent(error) and "ChangeSetNotFound" not in str(error):
                raise


def losses(prepared: Prepared) -> Iterator[Change]:
    """What of a change set would lose data, as AWS itself says."""
    for each in prepared.changes:
        if each["ResourceType"] not in STORES:
            continue
        name = each["LogicalResourceId"]
        place = prepared.wanted.places.get(name, "")
        if each["Action"] == "Remove":
            yield Change(f"{prepared.wanted.name} would let go of {name} ({each['ResourceType']})", name, place)
        elif each.get("Replacement") in ("True", "Conditional"):
            yield Change(f"{prepared.wanted.name} would replace {name} ({each['ResourceType']})", name, place)


def _event(raw: Mapping[str, Any], places: Mapping[str, str]) -> Event:
    resource, reason = raw["LogicalResourceId"], raw.get("ResourceStatusReason") or ""
    return Event(
        raw["StackName"], resource, raw["ResourceType"], raw["ResourceStatus"], reason, places.get(resource, "")
    )


def _stays(resource: Mapping[str, Any]) -> bool:
    return str(resource.get("DeletionPolicy", "")).startswith("Retain")


def _parameters(wanted: Wanted, creates: bool, said: Collection[str]) -> Iterator[Mapping[str, Any]]:
    declared: Mapping[str, Any] = wanted.template.get("Parameters", {})
    for name, each in declared.items():
        if name in wanted.values:
            yield {"ParameterKey": name, "ParameterValue": wanted.values[name]}
        elif not creates and ("Default" not in each or name in said):  # somebody may have said that the studio is open
            yield {"ParameterKey": name, "UsePreviousValue": True}
        elif "Default" not in each:
            raise PublishFailed(
                f"the stack {wanted.name} needs a value for {name}, and nothing gives one", stack=wanted.name
            )
