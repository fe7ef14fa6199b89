"""Which findings of the rule packs stand, why, and what the reason rests on.

Every acknowledgement is made where the resource is made, from the fact that explains it: the grant that needs a
wildcard, the profile that keeps no copy. They are collected, so that reports show each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
from packyak.deploy.stacks.blueprint import Reach
from packyak.deploy.stacks.statements import resources_of


@dataclass
class Acknowledged:
    """The acknowledgements of an app. off: none is made, to see what the packs find without them."""

    off: bool = False
    made: list[dict[str, str]] = field(default_factory=list)

    def stand(self, resource: cdk.CfnResource, rules: Iterable[str], reason: str, evidence: str) -> None:
        """These rules' findings at a resource stand."""
        listed = list(rules)
        if self.off or not listed:
            return
        cdk.Validations.of(resource).acknowledge(
            *(cdk.Acknowledgment(id=rule, reason=f"{reason} [{evidence}]") for rule in listed)
        )
        at = resource.node.path
        self.made += [{"rule": rule, "resource": at, "reason": reason, "evidence": evidence} for rule in listed]

    def wildcards(self, resource: cdk.CfnResource, document: Any, reaches: Iterable[Reach]) -> None:
        """The wildcards in a policy, each with its own reason; one that nobody explains is left to the packs."""
        for each in reaches:
            if each.resource in resources_of(document):
                self.stand(
                    resource,
                    [f"AwsSolutions-IAM5[Resource::{flat(each.resource)}]"],
                    f"all that lies at {each.resource.partition(':::')[2] or each.resource}: {each.why}",
                    each.place,
                )


def flat(resource: str) -> str:
    """A resource as the packs write it in the name of a finding."""
    return resource.replace("${", "<").replace("}", ">")


# The packs' names for the same demand.
def in_all(rule: str, *packs: str) -> list[str]:
    return [f"{pack}-{rule}" for pack in packs or ("HIPAA.Security", "NIST.800.53.R5")]
