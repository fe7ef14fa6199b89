"""Roles that people take, with a second factor, to look at the project in the account and correct it.

They have what the plan grants, like units, and nothing runs under them. A correction that is made under one of them
starts a run, under the units' own roles.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, RoleDrawing
from packyak.deploy.stacks.filling import filled, handed_over, said
from packyak.deploy.stacks.names import logical

SHIFT = 8 * 3600  # seconds after which somebody has to show the second factor again


def add_people(stack: cdk.Stack, drawn: Blueprint, acknowledged: Acknowledged) -> None:
    """A role for each kind of people."""
    for each in drawn.people:
        _add(stack, drawn, each, acknowledged)


def _add(stack: cdk.Stack, drawn: Blueprint, people: RoleDrawing, acknowledged: Acknowledged) -> None:
    name, own = drawn.names.own(f"people-{people.name}"), logical(people.name)
    policies = []
    for number, granted in enumerate(people.policies, start=1):
        policy = iam.CfnManagedPolicy(
            stack,
            f"{own}PeopleGrants{number if number > 1 else ''}",
            managed_policy_name=f"{name}-{number}",
            policy_document=filled(granted, {"HomeKey": handed_over(drawn.names, "key")}),
        )
        acknowledged.wildcards(policy, granted, people.reaches)
        policies.append(policy.ref)
    role = iam.CfnRole(
        stack,
        f"{own}PeopleRole",
        role_name=name,
        description=said(f"Taken by a {people.name}, with a second factor"),
        assume_role_policy_document=filled(statements.trust_of_a_person()),
        max_session_duration=SHIFT,
        managed_policy_arns=policies,
    )
    cdk.CfnOutput(stack, f"{own}PeopleOut", value=role.attr_arn, description=f"The role of a {people.name}")
