"""The stack that makes things happen: the state machine, what starts it, people's roles, the only roles that delete."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_logs as logs
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, Reach, Start
from packyak.deploy.stacks.definition import cluster_arn, definition, starting_role, task_arn
from packyak.deploy.stacks.filling import filled, handed_over, said, text
from packyak.deploy.stacks.names import fitting, logical
from packyak.deploy.stacks.people import add_people
from packyak.deploy.stacks.tidying import Tidying

HERE = "deploy/stacks/flow.py"
GATHER_SECONDS = 30  # files that arrive together start one run
LOG_DELIVERY = (  # what Step Functions asks for to write its log (Developer Guide, logging with CloudWatch Logs)
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
TRACING = ("xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments")


class Flow(cdk.Stack):
    """The state machine and its triggers."""

    def __init__(self, app: cdk.App, drawn: Blueprint, acknowledged: Acknowledged) -> None:
        super().__init__(
            app,
            drawn.names.flow,
            description=f"Runs of {said(drawn.project, 100)}: their order, and what starts them",
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        self.drawn, self.names, self.acknowledged = drawn, drawn.names, acknowledged
        self.arn = f"arn:${{AWS::Partition}}:states:${{AWS::Region}}:${{AWS::AccountId}}:stateMachine:{self.names.flow}"
        if drawn.on_fargate:
            ecs.CfnCluster(
                self,
                "Cluster",
                cluster_name=self.names.prefix,
                cluster_settings=[ecs.CfnCluster.ClusterSettingsProperty(name="containerInsights", value="enabled")],
            )
        self.machine = self._machine()
        self._alarm()
        self._gathering()
        for start in drawn.starts:
            self._rule(start)
        Tidying(self, drawn, acknowledged)
        add_people(self, drawn, acknowledged)
        cdk.CfnOutput(self, "FlowOut", value=self.machine.ref, description="The state machine")

    def _role(self, id: str, name: str, service: str, allowed: list[Any], reaches: list[Reach] = []) -> iam.CfnRole:  # noqa: B006
        named = fitting(self.names.own(name))
        policies = []
        for number, page in enumerate(statements.paged(allowed), start=1):
            last = f"-{number}" if number > 1 else ""
            policy = iam.CfnManagedPolicy(
                self,
                f"{id}Policy{last.removeprefix('-')}",
                managed_policy_name=f"{named}{last}",
                policy_document=filled(page),
            )
            self.acknowledged.wildcards(policy, page, reaches)
            policies.append(policy.ref)
        return iam.CfnRole(
            self,
            id,
            role_name=named,
            assume_role_policy_document=filled(statements.trust(service, **statements.of_this_account())),
            managed_policy_arns=policies,
        )

    def _machine(self) -> stepfunctions.CfnStateMachine:
        log = logs.CfnLogGroup(
            self,
            "FlowLog",
            log_group_name=self.names.machine_log,
            kms_key_id=handed_over(self.names, "key"),
            retention_in_days=self.drawn.retention.run_log_days,
        )
        in_order = [self.drawn.unit(name) for level in self.drawn.levels for name in level]
        functions = [each.name for each in in_order if each.runs_on == "lambda"]
        tasks = [each.name for each in in_order if each.runs_on == "fargate"]
        allowed: list[Any] = [statements.allow(LOG_DELIVERY, "*"), statements.allow(TRACING, "*")]
        allowed += statements.of_starting(self.names, functions)
        if tasks:
            allowed += self._running(tasks)
        reaches = [Reach("*", "log delivery and traces have no resource of their own", HERE)]
        reaches += [Reach(f"{task_arn(self.names, each)}:*", "every revision of the task", HERE) for each in tasks]
        reaches += [Reach(f"{cluster_arn(self.names).replace(':cluster/', ':task/')}/*", "tasks it started", HERE)]
        role = self._role("FlowRole", "flow", "states", allowed, reaches)
        return stepfunctions.CfnStateMachine(
            self,
            "Flow",
            state_machine_name=self.names.flow,
            state_machine_type="STANDARD",
            role_arn=role.attr_arn,
            definition_string=self._definition(),
            tracing_configuration=stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True),
            logging_configuration=stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=False,
                destinations=[
                    stepfunctions.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log.attr_arn
                        )
                    )
                ],
            ),
        )

    def _definition(self) -> str:
        """The names of subnets and group are values of the ground; everything else is written in the text."""
        written = definition(self.drawn)
        if not self.drawn.on_fargate:
            return text(written)
        subnets = cdk.Fn.split(",", handed_over(self.names, "subnets"))
        quoted = cdk.Fn.join("", ['["', cdk.Fn.join('","', subnets), '"]'])
        written = written.replace('"${Subnets}"', "${Subnets}")
        return cdk.Fn.sub(written, {"Subnets": quoted, "Group": handed_over(self.names, "group")})

    def _running(self, tasks: list[str]) -> list[Any]:
        """What `runTask.sync` needs (Step Functions Developer Guide, IAM policies for Amazon ECS)."""
        account = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
        roles = [account + self.names.of(each) for each in tasks]
        roles += [account + starting_role(self.names, each) for each in tasks]
        rule = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/StepFunctionsGetEventsForECSTaskRule"
        started = f"{cluster_arn(self.names).replace(':cluster/', ':task/')}/*"
        within = {"ecs:cluster": cluster_arn(self.names)}
        return [
            statements.allow("ecs:RunTask", [f"{task_arn(self.names, each)}:*" for each in tasks], ArnEquals=within),
            statements.allow(("ecs:DescribeTasks", "ecs:StopTask"), started),
            statements.allow("iam:PassRole", roles, StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
            statements.allow(("events:DescribeRule", "events:PutRule", "events:PutTargets"), rule),
        ]

    def _alarm(self) -> None:
        cloudwatch.CfnAlarm(
            self,
            "Failed",
            alarm_name=self.names.own("failed"),
            alarm_description=said(f"A run of {self.drawn.project} failed"),
            namespace="AWS/States",
            metric_name="ExecutionsFailed",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="StateMachineArn", value=self.machine.ref)],
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[handed_over(self.names, "notices")],
        )

    def _gathering(self) -> None:
        """New files and corrections wait in a queue for half a minute, so that a thousand of them start one run."""
        arn = statements.queue_arn(self.names.arrivals)
        queue = sqs.CfnQueue(
            self,
            "Arrivals",
            queue_name=self.names.arrivals,
            sqs_managed_sse_enabled=True,
            visibility_timeout=300,
            message_retention_period=14 * 24 * 3600,
            redrive_policy=filled(
                {"deadLetterTargetArn": statements.queue_arn(self.names.dead_letters), "maxReceiveCount": 5}
            ),
        )
        sent = statements.given(
            "events", "sqs:SendMessage", arn, ArnLike={"aws:SourceArn": statements.rules(self.names)}
        )
        sqs.CfnQueuePolicy(
            self,
            "ArrivalsPolicy",
            queues=[queue.ref],
            policy_document=filled(statements.document([*statements.of_a_queue(arn), sent])),
        )
        taken = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
        allowed = [statements.allow(taken, arn), statements.allow("states:StartExecution", self.arn)]
        role = self._role("GatheringRole", "arrivals", "pipes", allowed)
        pipes.CfnPipe(
            self,
            "Gathering",
            name=self.names.arrivals,
            description="New files and corrections start one run together",
            role_arn=role.attr_arn,
            source=queue.attr_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                sqs_queue_parameters=pipes.CfnPipe.PipeSourceSqsQueueParametersProperty(
                    batch_size=1000, maximum_batching_window_in_seconds=GATHER_SECONDS
                )
            ),
            target=self.machine.ref,
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(
                input_template='{"because":"arrivals"}',
                step_function_state_machine_parameters=pipes.CfnPipe.PipeTargetStateMachineParametersProperty(
                    invocation_type="FIRE_AND_FORGET"
                ),
            ),
        )

    def _rule(self, start: Start) -> None:
        own = logical(f"{start.name}_starts")
        rule = events.CfnRule(
            self,
            own,
            name=fitting(self.names.own(f"{start.name}-starts")),
            description=said(f"starts {start.unit or 'everything'}: {start.doc}"),
            state="ENABLED",
            schedule_expression=start.schedule or None,
            event_pattern=_created(self.drawn.bucket, start.keys) if start.keys else None,
            targets=[self._target(start)],
        )
        if start.unit and self.drawn.unit(start.unit).runs_on == "lambda":
            awslambda.CfnPermission(
                self,
                f"{own}Permission",
                action="lambda:InvokeFunction",
                function_name=text(statements.function_arn(self.names.of(start.unit))),
                principal="events.amazonaws.com",
                source_arn=rule.attr_arn,
            )

    def _target(self, start: Start) -> events.CfnRule.TargetProperty:
        property = events.CfnRule.TargetProperty
        letters = events.CfnRule.DeadLetterConfigProperty(arn=text(statements.queue_arn(self.names.dead_letters)))
        if start.keys and not start.unit:
            return property(
                id="arrivals", arn=text(statements.queue_arn(self.names.arrivals)), dead_letter_config=letters
            )
        if not start.unit:
            role = self._role(
                logical(f"{start.name}_role"),
                f"{start.name}-starts",
                "events",
                [statements.allow("states:StartExecution", self.arn)],
            )
            return property(
                id="flow", arn=self.machine.ref, role_arn=role.attr_arn, input="{}", dead_letter_config=letters
            )
        if self.drawn.unit(start.unit).runs_on == "fargate":
            return self._task_target(start, letters)
        return property(
            id="function",
            arn=text(statements.function_arn(self.names.of(start.unit))),
            input=json.dumps({"run": start.unit}),
            dead_letter_config=letters,
        )

    def _task_target(self, start: Start, letters: Any) -> events.CfnRule.TargetProperty:
        role = self._role(
            logical(f"{start.name}_role"),
            f"{start.name}-starts",
            "events",
            self._running([start.unit])[:1] + self._running([start.unit])[2:3],
            [Reach(f"{task_arn(self.names, start.unit)}:*", "every revision of the task", HERE)],
        )
        return events.CfnRule.TargetProperty(
            id="task",
            arn=text(cluster_arn(self.names)),
            role_arn=role.attr_arn,
            dead_letter_config=letters,
            ecs_parameters=events.CfnRule.EcsParametersProperty(
                task_definition_arn=text(task_arn(self.names, start.unit)),
                launch_type="FARGATE",
                network_configuration=events.CfnRule.NetworkConfigurationProperty(
                    aws_vpc_configuration=events.CfnRule.AwsVpcConfigurationProperty(
                        subnets=cdk.Fn.split(",", handed_over(self.names, "subnets")),
                        security_groups=[handed_over(self.names, "group")],
                        assign_public_ip="DISABLED",
                    )
                ),
            ),
        )


def _created(bucket: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """New objects of the home whose keys match: a pattern of EventBridge."""
    matched = [{"wildcard": key} if "*" in key else key for key in keys]
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": matched}},
    }
