"""The only roles that delete: tidying, weekly by itself, and erasing, which a person takes with a second factor."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as awslambda
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, Reach
from packyak.deploy.stacks.filling import filled, handed_over, said
from packyak.deploy.stacks.units import OPEN_TO_ALL, acknowledge_concurrency, image_parameter, keep_log, make_function

HERE = "deploy/stacks/tidying.py"
WEEKLY = "cron(30 2 ? * SUN *)"
NAME = "tidying"


class Tidying:
    """A function that keeps tables in few pieces, and a role to erase under."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.names, self.acknowledged = stack, drawn, drawn.names, acknowledged
        self._weekly(self._function())
        self._erasing()

    def _function(self) -> awslambda.CfnFunction:
        keep_log(self.stack, self.drawn, "TidyingLog", self.names.own_log(NAME))
        drawn = self.drawn
        own = statements.document(statements.of_tidying(drawn.bucket, drawn.folder, "${HomeKey}", drawn.region))
        platform = statements.document(
            statements.of_a_function(self.names, self.names.own(NAME), self.names.own_log(NAME))
        )
        why = "tidying goes over every table, and is the only unit that deletes"
        role = iam.CfnRole(
            self.stack,
            "TidyingRole",
            role_name=self.names.own(NAME),
            description="Keeps tables in few pieces and lets go of old versions",
            assume_role_policy_document=filled(statements.trust("lambda")),
            managed_policy_arns=[
                self._attach("TidyingGrants", f"{NAME}-1", own, why).ref,
                self._attach("TidyingPlatform", f"{NAME}-platform", platform, OPEN_TO_ALL).ref,
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

    def _erasing(self) -> None:
        drawn = self.drawn
        allowed = statements.document(statements.of_erasing(drawn.bucket, drawn.folder, "${HomeKey}", drawn.region))
        why = "what is about a person may lie in any object of the home, and in any version of it"
        iam.CfnRole(
            self.stack,
            "ErasingRole",
            role_name=self.names.own("erasing"),
            description=said("Erases what is about a person; taken by hand, with a second factor"),
            assume_role_policy_document=filled(statements.trust_of_a_person()),
            max_session_duration=3600,
            managed_policy_arns=[self._attach("ErasingGrants", "erasing-1", allowed, why).ref],
        )

    def _attach(self, id: str, name: str, document: dict[str, object], why: str) -> iam.CfnManagedPolicy:
        made = iam.CfnManagedPolicy(
            self.stack,
            id,
            managed_policy_name=self.names.own(name),
            policy_document=filled(document, {"HomeKey": handed_over(self.names, "key")}),
        )
        reaches = [Reach(each, why, HERE) for each in sorted(statements.resources_of(document)) if "*" in each]
        self.acknowledged.wildcards(made, document, reaches)
        return made
