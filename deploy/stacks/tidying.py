"""The only function that deletes: tidying, once a week, under the role that the plan has for it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as awslambda
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, Reach
from packyak.deploy.stacks.filling import filled, handed_over
from packyak.deploy.stacks.units import OPEN_TO_ALL, acknowledge_concurrency, image_parameter, keep_log, make_function

HERE = "deploy/stacks/tidying.py"
WEEKLY = "cron(30 2 ? * SUN *)"
NAME = "tidying"


class Tidying:
    """A function that keeps tables in few pieces."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.names, self.acknowledged = stack, drawn, drawn.names, acknowledged
        self._weekly(self._function())

    def _function(self) -> awslambda.CfnFunction:
        keep_log(self.stack, self.drawn, "TidyingLog", self.names.own_log(NAME))
        drawn = self.drawn
        platform = statements.document(
            statements.of_a_function(self.names, self.names.own(NAME), self.names.own_log(NAME))
        )
        granted = [
            self._attach(f"TidyingGrants{number if number > 1 else ''}", f"{NAME}-{number}", page, each.reaches)
            for each in drawn.upkeep
            for number, page in enumerate(each.policies, start=1)
        ]
        fixed = [Reach(each, OPEN_TO_ALL, HERE) for each in _wild(platform)]
        role = iam.CfnRole(
            self.stack,
            "TidyingRole",
            role_name=self.names.own(NAME),
            description="Keeps tables in few pieces and lets go of old versions",
            assume_role_policy_document=filled(statements.trust("lambda")),
            managed_policy_arns=[
                *(each.ref for each in granted),
                self._attach("TidyingPlatform", f"{NAME}-platform", platform, fixed).ref,
            ],
        )
        function = make_function(
            self.stack,
            drawn,
            "TidyingFunction",
            name=self.names.own(NAME),
            description="Keeps tables in few pieces and lets go of old versions",
            role=role,
            image=image_parameter(self.stack, "slim"),
            memory_mb=3008,
            minutes=15,
            disk_mb=2048,
            log=self.names.own_log(NAME),
            environment={"PACKYAK_UNIT": ""},
        )
        acknowledge_concurrency(self.acknowledged, drawn, function)
        return function

    def _weekly(self, function: awslambda.CfnFunction) -> None:
        rule = events.CfnRule(
            self.stack,
            "TidyingStarts",
            name=f"{self.names.own(NAME)}-starts",
            description="Tidying, once a week",
            schedule_expression=WEEKLY,
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(id="function", arn=function.attr_arn, input=json.dumps({"tidy": True}))
            ],
        )
        awslambda.CfnPermission(
            self.stack,
            "TidyingStartsPermission",
            action="lambda:InvokeFunction",
            function_name=function.attr_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )

    def _attach(
        self, id: str, name: str, document: dict[str, object], reaches: Iterable[Reach]
    ) -> iam.CfnManagedPolicy:
        made = iam.CfnManagedPolicy(
            self.stack,
            id,
            managed_policy_name=self.names.own(name),
            policy_document=filled(document, {"HomeKey": handed_over(self.names, "key")}),
        )
        self.acknowledged.wildcards(made, document, reaches)
        return made


def _wild(document: dict[str, object]) -> list[str]:
    return [each for each in sorted(statements.resources_of(document)) if "*" in each]
