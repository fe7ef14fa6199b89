"""A simulated CloudFormation: a state machine over events, that makes nothing but buckets.

Time passes when a stack is looked at: each look lets one more resource be done. A resource can be made to fail, and
going back can be made to fail. What a local AWS server does not have (rollback, replacement flags, drift) is here; it
proves nothing about AWS itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

CREATE_ONLY = {"AWS::S3::Bucket": ("BucketName",), "AWS::Lambda::Function": ("FunctionName",)}
NAMED = ("BucketName", "RepositoryName", "FunctionName", "RoleName", "ManagedPolicyName", "StateMachineName", "Name")
PAGE = 3


def refused(code: str, message: str, operation: str = "Any") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class Stack:
    name: str
    status: str = "REVIEW_IN_PROGRESS"
    template: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    made: dict[str, tuple[str, str]] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)
    change_sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: Iterator[None] | None = None
    guard: str = ""
    protected: bool = False
    drifted: dict[str, str] = field(default_factory=dict)


class Formation:
    """The stacks of an account, and the buckets that they make. failing: reason by resource that cannot be made or
    changed; stubborn: resources that cannot go back either."""

    def __init__(self) -> None:
        self.stacks: dict[str, Stack] = {}
        self.buckets: dict[str, dict[str, bytes]] = {}
        self.failing: dict[str, str] = {}
        self.stubborn: set[str] = set()
        self.deleted: list[str] = []
        self.left: dict[str, str] = {}  # by physical name: a resource outside every stack

    def cloudformation_describe_stacks(self, StackName: str = "", NextToken: str = "0") -> Any:  # noqa: N803
        if not StackName:
            every = [{"StackName": each.name, "StackStatus": each.status, "Tags": each.tags}
                     for each in self.stacks.values()]  # fmt: skip
            return self._page("Stacks", every, NextToken)
        stack = self._stack(StackName)
        if stack.steps is not None and next(stack.steps, "over") == "over":
            stack.steps = None
        if stack.status == "DELETE_COMPLETE":
            del self.stacks[StackName]
        return {"Stacks": [{"StackName": stack.name, "StackStatus": stack.status, "Tags": stack.tags,
                            "Parameters": [{"ParameterKey": key, "ParameterValue": value}
                                           for key, value in stack.values.items()],
                            "Outputs": self._outputs(stack)}]}  # fmt: skip

    def cloudformation_get_template(self, StackName: str, TemplateStage: str) -> Any:  # noqa: N803
        return {"TemplateBody": self._stack(StackName).template}

    def cloudformation_list_stack_resources(self, StackName: str, NextToken: str = "0") -> Any:  # noqa: N803
        made = [
            {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical, "ResourceStatus": "X"}
            for name, (kind, physical) in self._stack(StackName).made.items()
        ]
        return self._page("StackResourceSummaries", made, NextToken)

    def cloudformation_describe_stack_events(self, StackName: str, NextToken: str = "0") -> Any:  # noqa: N803
        return self._page("StackEvents", self._stack(StackName).events[::-1], NextToken)

    def cloudformation_set_stack_policy(self, StackName: str, StackPolicyBody: str) -> Any:  # noqa: N803
        self._stack(StackName).guard = StackPolicyBody

    def cloudformation_update_termination_protection(self, StackName: str, EnableTerminationProtection: bool) -> Any:  # noqa: N803
        self._stack(StackName).protected = EnableTerminationProtection

    def cloudformation_create_change_set(self, **asked: Any) -> Any:
        name, creates = asked["StackName"], asked["ChangeSetType"] == "CREATE"
        if creates:
            stack = self.stacks.setdefault(name, Stack(name))
            if stack.status != "REVIEW_IN_PROGRESS":
                raise refused("ValidationError", f"Stack [{name}] already exists and cannot be created again")
        else:
            stack = self._stack(name)
            if not stack.status.endswith("_COMPLETE") or stack.status == "ROLLBACK_COMPLETE":
                raise refused("ValidationError", f"Stack:{name} is in {stack.status} state and can not be updated")
        if asked["ChangeSetName"] in stack.change_sets:
            raise refused("AlreadyExistsException", "ChangeSet already exists")
        template = self._fetched(asked["TemplateURL"])
        given = {each["ParameterKey"]: each for each in asked["Parameters"]}
        usual = {key: each["Default"] for key, each in template.get("Parameters", {}).items() if "Default" in each}
        values = usual | {
            key: stack.values[key] if each.get("UsePreviousValue") else each["ParameterValue"]
            for key, each in given.items()
        }
        changes = list(_changes(stack, template, values))
        ready = {"Status": "CREATE_COMPLETE", "Changes": changes}
        if not changes and not creates:
            ready = {
                "Status": "FAILED",
                "StatusReason": "The submitted information didn't contain changes.",
                "Changes": [],
            }
        stack.change_sets[asked["ChangeSetName"]] = {
            **ready, "template": template, "values": values, "imports": asked.get("ImportExistingResources", False),
            "tags": asked["Tags"],
        }  # fmt: skip

    def cloudformation_describe_change_set(self, StackName: str, ChangeSetName: str, NextToken: str = "0") -> Any:  # noqa: N803
        found = self._change_set(StackName, ChangeSetName)
        page = self._page("Changes", found["Changes"], NextToken)
        return {"Status": found["Status"], "StatusReason": found.get("StatusReason", ""), **page}

    def cloudformation_delete_change_set(self, StackName: str, ChangeSetName: str) -> Any:  # noqa: N803
        self._change_set(StackName, ChangeSetName)
        del self.stacks[StackName].change_sets[ChangeSetName]

    def cloudformation_execute_change_set(self, StackName: str, ChangeSetName: str) -> Any:  # noqa: N803
        found = self._change_set(StackName, ChangeSetName)
        stack = self.stacks[StackName]
        creates = stack.status == "REVIEW_IN_PROGRESS"
        stack.change_sets = {}
        stack.before, stack.template, stack.tags = stack.template, found["template"], found["tags"]
        stack.status = "CREATE_IN_PROGRESS" if creates else "UPDATE_IN_PROGRESS"
        self._note(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)
        stack.steps = self._steps(stack, found, creates)

    def cloudformation_continue_update_rollback(self, StackName: str) -> Any:  # noqa: N803
        stack = self._stack(StackName)
        assert stack.status == "UPDATE_ROLLBACK_FAILED"
        stack.status = "UPDATE_ROLLBACK_IN_PROGRESS"
        stack.steps = self._back(stack, creates=False)

    def cloudformation_delete_stack(self, StackName: str, RetainResources: list[str] | None = None) -> Any:  # noqa: N803
        stack = self._stack(StackName)
        if stack.protected:
            raise refused("ValidationError", f"Stack [{StackName}] cannot be deleted while TerminationProtection is on")
        self.deleted.append(StackName)
        stack.status = "DELETE_IN_PROGRESS"
        self._note(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)
        stack.steps = self._delete(stack, set(RetainResources or ()))

    # drift

    def cloudformation_detect_stack_drift(self, StackName: str) -> Any:  # noqa: N803
        return {"StackDriftDetectionId": StackName}

    def cloudformation_describe_stack_drift_detection_status(self, StackDriftDetectionId: str) -> Any:  # noqa: N803
        return {"DetectionStatus": "DETECTION_COMPLETE"}

    def cloudformation_describe_stack_resource_drifts(self, StackName: str, NextToken: str = "0", **_: Any) -> Any:  # noqa: N803
        stack = self._stack(StackName)
        found = [
            {
                "LogicalResourceId": name, "ResourceType": stack.made[name][0], "StackResourceDriftStatus": "MODIFIED",
                "PropertyDifferences": [{"PropertyPath": path, "ExpectedValue": "a", "ActualValue": "b"}],
            }
            for name, path in stack.drifted.items()
        ]  # fmt: skip
        return self._page("StackResourceDrifts", found, NextToken)

    # inside

    def _stack(self, name: str) -> Stack:
        if name not in self.stacks:
            raise refused("ValidationError", f"Stack with id {name} does not exist")
        return self.stacks[name]

    def _change_set(self, stack: str, name: str) -> dict[str, Any]:
        if stack not in self.stacks or name not in self.stacks[stack].change_sets:
            raise refused("ChangeSetNotFound", f"ChangeSet [{name}] does not exist")
        return self.stacks[stack].change_sets[name]

    def _page(self, key: str, items: list[Any], token: str) -> Any:
        start = int(token)
        more = {"NextToken": str(start + PAGE)} if start + PAGE < len(items) else {}
        return {key: items[start : start + PAGE], **more}

    def _fetched(self, url: str) -> dict[str, Any]:
        host, _, key = url.removeprefix("https://").partition("/")
        found: dict[str, Any] = json.loads(self.buckets[host.partition(".")[0]][key])
        return found

    def _outputs(self, stack: Stack) -> list[dict[str, str]]:
        if not stack.status.endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE")):
            return []
        return [{"OutputKey": name, "OutputValue": str(each["Value"])}
                for name, each in stack.template.get("Outputs", {}).items()]  # fmt: skip

    def _note(self, stack: Stack, resource: str, kind: str, state: str, reason: str = "") -> None:
        stack.events.append(
            {"EventId": f"{stack.name}-{len(stack.events)}", "StackName": stack.name, "LogicalResourceId": resource,
             "ResourceType": kind, "ResourceStatus": state, "ResourceStatusReason": reason}
        )  # fmt: skip

    def _steps(self, stack: Stack, change_set: Mapping[str, Any], creates: bool) -> Iterator[None]:
        verb = "CREATE" if creates else "UPDATE"
        for change in change_set["Changes"]:
            each = change["ResourceChange"]
            name, kind = each["LogicalResourceId"], each["ResourceType"]
            if each["Action"] == "Remove":
                continue
            doing = "CREATE" if each["Action"] == "Add" else "UPDATE"
            self._note(stack, name, kind, f"{doing}_IN_PROGRESS")
            yield
            reason = self.failing.get(name) or self._clash(stack, name, change_set["imports"])
            if reason:
                self._note(stack, name, kind, f"{doing}_FAILED", reason)
                other = next((n for n in stack.template["Resources"] if n not in stack.made and n != name), None)
                if other:
                    self._note(stack, other, "X", f"{doing}_FAILED", "Resource creation cancelled")
                stack.status = "ROLLBACK_IN_PROGRESS" if creates else "UPDATE_ROLLBACK_IN_PROGRESS"
                self._note(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)
                yield from self._back(stack, creates)
                return
            self._make(stack, name)
            self._note(stack, name, kind, f"{doing}_COMPLETE")
            yield
        if not creates:
            for name in [each for each in stack.made if each not in stack.template["Resources"]]:
                self._unmake(stack, name, stack.before["Resources"].get(name, {}))
        stack.values = dict(change_set["values"])
        stack.status = f"{verb}_COMPLETE"
        self._note(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)

    def _back(self, stack: Stack, creates: bool) -> Iterator[None]:
        yield
        if not creates and self.stubborn & set(stack.template["Resources"]):
            stack.status = "UPDATE_ROLLBACK_FAILED"
            name = sorted(self.stubborn)[0]
            self._note(stack, name, "X", "UPDATE_FAILED", "it does not go back")
            return
        keep = {} if creates else stack.before["Resources"]
        for name in [each for each in stack.made if each not in keep]:
            self._unmake(stack, name, stack.template["Resources"][name])
        stack.template = stack.before or stack.template
        stack.status = "ROLLBACK_COMPLETE" if creates else "UPDATE_ROLLBACK_COMPLETE"
        self._note(stack, stack.name, "AWS::CloudFormation::Stack", stack.status)

    def _delete(self, stack: Stack, kept: set[str]) -> Iterator[None]:
        for name in list(stack.made):
            yield
            if name in self.stubborn and name not in kept:
                self._note(stack, name, stack.made[name][0], "DELETE_FAILED", "it is in use")
                stack.status = "DELETE_FAILED"
                return
            self._unmake(
                stack, name, {"DeletionPolicy": "Retain"} if name in kept else stack.template["Resources"][name]
            )
        stack.status = "DELETE_COMPLETE"

    def _clash(self, stack: Stack, name: str, imports: bool) -> str:
        resource = stack.template["Resources"][name]
        physical = _physical(stack, name, resource)
        if name in stack.made or physical not in self.left:
            return ""
        return "" if imports and "DeletionPolicy" in resource else f"{physical} already exists"

    def _make(self, stack: Stack, name: str) -> None:
        resource = stack.template["Resources"][name]
        physical = _physical(stack, name, resource)
        self.left.pop(physical, None)
        stack.made[name] = (resource["Type"], physical)
        if resource["Type"] == "AWS::S3::Bucket":
            self.buckets.setdefault(physical, {})

    def _unmake(self, stack: Stack, name: str, resource: Mapping[str, Any]) -> None:
        kind, physical = stack.made.pop(name)
        stays = resource.get("DeletionPolicy", "") == "Retain" or (
            resource.get("DeletionPolicy") == "RetainExceptOnCreate" and "ROLLBACK" not in stack.status
        )
        if stays:
            self.left[physical] = kind
        elif kind == "AWS::S3::Bucket":
            assert not self.buckets.get(physical), f"{physical} was deleted with data in it"
            self.buckets.pop(physical, None)


def _physical(stack: Stack, name: str, resource: Mapping[str, Any]) -> str:
    given = next(
        (resource.get("Properties", {}).get(each) for each in NAMED if each in resource.get("Properties", {})), ""
    )
    return str(given) or f"{stack.name}-{name}"


def _changes(stack: Stack, template: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    old, new = stack.template.get("Resources", {}) if stack.made else {}, template["Resources"]
    moved = {key for key, value in values.items() if stack.values.get(key) != value}
    for name, each in new.items():
        change: dict[str, Any] = {"LogicalResourceId": name, "ResourceType": each["Type"], "Action": "Add"}
        if name in old:
            refers = any(f'"Ref": "{key}"' in json.dumps(each) for key in moved)
            if old[name] == each and not refers:
                continue
            before, after = old[name].get("Properties", {}), each.get("Properties", {})
            only = CREATE_ONLY.get(each["Type"], ())
            replaces = any(before.get(key) != after.get(key) for key in only)
            change |= {"Action": "Modify", "Replacement": str(replaces)}
        yield {"Type": "Resource", "ResourceChange": change}
    for name, each in old.items():
        if name not in new:
            change = {"LogicalResourceId": name, "ResourceType": each["Type"], "Action": "Remove"}
            yield {"Type": "Resource", "ResourceChange": change}
