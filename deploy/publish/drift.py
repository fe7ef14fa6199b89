"""What in the account is no longer as it was published: templates, resources, and what every role may really do.

Three looks, each apart: the template of each stack against the one that was published; CloudFormation's own comparison
of its resources; and the live policies of every role against the stack's template, statement by statement. A role that
may do more than its template says is critical. What the code here would change is told beside, and is no drift.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from packyak.deploy.plan import CloudPlan
from packyak.deploy.publish.account import Account, absent, asking, pages
from packyak.deploy.publish.diff import plan_diff
from packyak.deploy.publish.kept import Published, digest_of, last_published
from packyak.deploy.publish.records import Event
from packyak.deploy.publish.resolve import Known, resolved
from packyak.deploy.publish.stack import Stacks
from packyak.deploy.publish.template_diff import Statement, places_of, statements, units_of
from packyak.engine.errors import PublishFailed
from packyak.engine.store.home import Home

POLICIES = ("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
ANYTHING = "\0"
PATIENCE = 600.0


@dataclass(frozen=True)
class Drifted:
    """One difference. critical: somebody may do more than was published."""

    layer: Literal["template", "resource", "permission"]
    words: str
    critical: bool = False
    place: str = ""


@dataclass(frozen=True)
class Drift:
    """What a look came to. code: what publishing the code here would change; resources, roles: how many were seen."""

    found: tuple[Drifted, ...]
    code: tuple[str, ...]
    resources: int
    roles: int


def drift_of(account: Account, home: Home, plan: CloudPlan) -> Drift:
    """The difference between what was published from here and what stands there. Raises where nothing was published."""
    last = last_published(home)
    if last is None:
        raise PublishFailed("nothing was published from here", next_step="`packyak export` publishes the project")
    return _Look(account, last).all(plan)


class _Look:
    def __init__(self, account: Account, last: Published) -> None:
        self.account = account
        self.last = last
        self.events: list[Event] = []
        self.stacks = Stacks(account, self.events.append)
        self.units = {unit.name: unit.place for unit in last.plan.units}
        self.resources = self.roles = 0

    def all(self, plan: CloudPlan) -> Drift:
        found: list[Drifted] = []
        templates = {}
        for name in self.last.stacks:
            template = self.stacks.template(name)
            if template is None:
                found.append(Drifted("template", f"the stack {name} is gone"))
                continue
            templates[name] = template
            if self.last.templates.get(name) not in (None, digest_of(template)):
                found.append(Drifted("template", f"the stack {name} was brought to another template since"))
        known = Known.of(self.account, self.stacks, templates)
        for name, template in templates.items():
            found += self._resources(name, template)
            found += self._permissions(name, template, known)
        diff = plan_diff(self.last.plan, plan)
        code = [str(each) for part in (diff.added, diff.removed, diff.changed, diff.widened) for each in part]
        return Drift(tuple(found), tuple(code), self.resources, self.roles)

    def _resources(self, name: str, template: Mapping[str, Any]) -> Iterator[Drifted]:
        """As CloudFormation sees it."""
        cloud = self.account.client("cloudformation")
        self.resources += len(template.get("Resources", {}))
        with asking(f"the resources of {name} were compared"):
            detection = cloud.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                status = cloud.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
                if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                    break
                time.sleep(self.account.pause)
            drifts = list(
                pages(
                    cloud.describe_stack_resource_drifts, "StackResourceDrifts", StackName=name,
                    StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
                )
            )  # fmt: skip
        units, places = units_of(template["Resources"], self.units), places_of(template, self.units)
        for each in drifts:
            resource = each["LogicalResourceId"]
            of = f" of {units[resource]}" if resource in units else ""
            paths = ", ".join(part["PropertyPath"] for part in each.get("PropertyDifferences") or ())
            what = f"was changed: {paths}" if each["StackResourceDriftStatus"] == "MODIFIED" else "was deleted"
            yield Drifted("resource", f"{resource} ({each['ResourceType']}){of} {what}", place=places.get(resource, ""))

    def _permissions(self, name: str, template: Mapping[str, Any], known: Known) -> Iterator[Drifted]:
        """Every role of a stack: what it may really do, and what its template says."""
        resources = template["Resources"]
        units, places = units_of(resources, self.units), places_of(template, self.units)
        for logical, (kind, physical) in self.stacks.resources(name).items():
            if kind != "AWS::IAM::Role" or logical not in resources:
                continue
            self.roles += 1
            said = f"the role of {units[logical]}" if logical in units else f"the role {physical}"
            wanted = [_pattern(each) for each in _wanted(logical, resources, known.within(name))]
            live = self._live(physical)
            if live is None:
                yield Drifted("permission", f"{said} is gone", place=places.get(logical, ""))
                continue
            for statement in sorted(live):
                if not any(_matches(pattern, statement) for pattern in wanted):
                    wider = statement[0] == "Allow"
                    word = "may do what no template says" if wider else "is denied what no template denies"
                    yield Drifted("permission", f"{said} {word}: {_told(statement)}", wider, places.get(logical, ""))
            for pattern in wanted:
                if not any(_matches(pattern, statement) for statement in live):
                    wider = pattern[0].pattern == "Deny"
                    word = "is no longer denied" if wider else "may no longer"
                    told = _told(tuple(_readable(part.pattern) for part in pattern))
                    yield Drifted("permission", f"{said} {word}: {told}", wider, places.get(logical, ""))

    def _live(self, role: str) -> set[Statement] | None:
        """What a role may do, by all that is attached to it, and who may take it on."""
        iam = self.account.client("iam")
        found: set[Statement] = set()
        with asking(f"the policies of {role} were read"):
            try:
                trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            except Exception as error:
                if absent(error):
                    return None
                raise
            found |= set(statements(trust))
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                found |= set(statements(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]))
            for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
                arn = attached["PolicyArn"]
                version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
                found |= set(statements(document))
        return found


def _wanted(role: str, resources: Mapping[str, Any], known: Known) -> Iterator[Statement]:
    """What a template lets a role do: its own policies, those attached to it, and who may take it on."""
    properties = resources[role].get("Properties", {})
    yield from statements(resolved(properties, known))
    named = {str(each.get("Ref")) for each in properties.get("ManagedPolicyArns", ()) if isinstance(each, Mapping)}
    for name, each in resources.items():
        if each["Type"] in POLICIES:
            roles = each.get("Properties", {}).get("Roles", ())
            if name in named or any(isinstance(one, Mapping) and one.get("Ref") == role for one in roles):
                yield from statements(resolved(each["Properties"]["PolicyDocument"], known))


def _pattern(statement: Statement) -> tuple[re.Pattern[str], ...]:
    """A statement of which parts may be unknown."""
    return tuple(re.compile(re.escape(part).replace(re.escape(ANYTHING), ".*").replace(r"\\u0000", ".*"))
                 for part in statement)  # fmt: skip


def _matches(pattern: tuple[re.Pattern[str], ...], statement: Statement) -> bool:
    return all(part.fullmatch(text) for part, text in zip(pattern, statement, strict=True))


def _readable(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern.replace(".*", "..."))


def _told(statement: tuple[str, ...]) -> str:
    _, principal, action, resource, condition = statement
    who = f"{principal} may " if principal else ""
    return f"{who}{action} on {resource or 'itself'}{f' where {condition}' if condition else ''}"
