"""A stack of units: for each a role with what the plan grants and no more, a log, and a function or a task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_logs as logs
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged, in_all
from packyak.deploy.stacks.blueprint import Blueprint, Reach, UnitDrawing
from packyak.deploy.stacks.definition import starting_role
from packyak.deploy.stacks.filling import filled, handed_over, said, text
from packyak.deploy.stacks.names import logical

ENTRY = "packyak.deploy.entry"
IMAGES = {"slim": "ImageSlim", "full": "ImageFull", "studio": "ImageStudio"}
HERE = "deploy/stacks/units.py"
OPEN_TO_ALL = "the actions of a network interface have no narrower resource; the code itself is denied them"
# /tmp is all that a function may write to; nothing may call out, and nobody is there to talk to.
ENVIRONMENT = {"HOME": "/tmp", "PACKYAK_PREFECT": "off", "PACKYAK_WORKER": "off", "DO_NOT_TRACK": "1"}


class Units(cdk.Stack):
    """Some of a project's units. Each image is a parameter: its address in the repository with its digest."""

    def __init__(self, app: cdk.App, drawn: Blueprint, number: int, acknowledged: Acknowledged) -> None:
        super().__init__(
            app,
            drawn.names.units(number),
            description=f"Units of {said(drawn.project, 100)}, each under a role of its own",
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        self.drawn, self.names, self.acknowledged = drawn, drawn.names, acknowledged
        mine = [drawn.unit(name) for name in drawn.stacks[number - 1]]
        self.images = {name: image_parameter(self, name) for name in sorted({each.image for each in mine})}
        for unit in mine:
            log = keep_log(self, drawn, f"{logical(unit.name)}Log", drawn.names.log(unit.name))
            if unit.runs_on == "fargate":
                self._task(unit, log)
            else:
                self._function(unit)

    def _role(self, unit: UnitDrawing, service: str, platform: Iterable[Any] = ()) -> iam.CfnRole:
        """A unit's role: its policies from the plan, and what the service needs, apart from them."""
        own = logical(unit.name)
        policies = []
        for number, granted in enumerate(unit.policies, start=1):
            policy = iam.CfnManagedPolicy(
                self,
                f"{own}Grants{number if number > 1 else ''}",
                managed_policy_name=self.names.attached(unit.name, number),
                description=said(f"What {unit.name} reads and writes ({unit.place})"),
                policy_document=filled(granted, {"HomeKey": handed_over(self.names, "key")}),
            )
            self.acknowledged.wildcards(policy, granted, unit.reaches)
            policies.append(policy)
        needs = list(platform)
        if needs:
            fixed = statements.document(needs)
            policy = iam.CfnManagedPolicy(
                self,
                f"{own}Platform",
                managed_policy_name=self.names.attached(unit.name, "platform"),
                description=said(f"What it takes to run {unit.name}, the same for each"),
                policy_document=filled(fixed),
            )
            group = statements.log_group(self.names.log(unit.name))
            reaches = [Reach(group, "streams of its own log", HERE), Reach("*", OPEN_TO_ALL, HERE)]
            self.acknowledged.wildcards(policy, fixed, reaches)
            policies.append(policy)
        conditions = statements.of_this_account() if service == "ecs-tasks" else {}
        return iam.CfnRole(
            self,
            f"{own}Role",
            role_name=self.names.of(unit.name),
            description=said(f"{unit.kind} {unit.name}, {unit.place}"),
            assume_role_policy_document=filled(statements.trust(service, **conditions)),
            permissions_boundary=handed_over(self.names, "boundary"),
            managed_policy_arns=[each.ref for each in policies],
        )

    def _function(self, unit: UnitDrawing) -> None:
        role = self._role(
            unit, "lambda", statements.of_a_function(self.names, self.names.of(unit.name), self.names.log(unit.name))
        )
        function = make_function(
            self,
            self.drawn,
            f"{logical(unit.name)}Function",
            name=self.names.of(unit.name),
            description=said(f"{unit.kind} {unit.name} ({unit.place}): {unit.doc}"),
            role=role,
            image=self.images[unit.image],
            memory_mb=unit.memory_mb,
            minutes=unit.minutes,
            disk_mb=unit.disk_mb,
            log=self.names.log(unit.name),
            environment={"PACKYAK_UNIT": unit.name},
        )
        acknowledge_concurrency(self.acknowledged, self.drawn, function)

    def _task(self, unit: UnitDrawing, log: logs.CfnLogGroup) -> None:
        role = self._role(unit, "ecs-tasks")
        ecs.CfnTaskDefinition(
            self,
            f"{logical(unit.name)}Task",
            family=self.names.of(unit.name),
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(unit.cpu),
            memory=str(unit.memory_mb),
            ephemeral_storage=ecs.CfnTaskDefinition.EphemeralStorageProperty(size_in_gib=unit.disk_mb // 1024),
            execution_role_arn=self._starting_role(unit).attr_arn,
            task_role_arn=role.attr_arn,
            container_definitions=[
                ecs.CfnTaskDefinition.ContainerDefinitionProperty(
                    name="unit",
                    image=self.images[unit.image].value_as_string,
                    essential=True,
                    entry_point=["python", "-m", ENTRY],
                    command=[unit.name, self.drawn.home],
                    log_configuration=ecs.CfnTaskDefinition.LogConfigurationProperty(
                        log_driver="awslogs",
                        options={
                            "awslogs-group": log.ref,
                            "awslogs-region": cdk.Aws.REGION,
                            "awslogs-stream-prefix": "unit",
                        },
                    ),
                )
            ],
        )

    def _starting_role(self, unit: UnitDrawing) -> iam.CfnRole:
        """What ECS needs to fetch the image and open the log; the unit's code never has it."""
        group = statements.log_group(self.names.log(unit.name))
        allowed = statements.document(statements.of_a_task(self.names, self.names.log(unit.name)))
        name = starting_role(self.names, unit.name)
        policy = iam.CfnManagedPolicy(
            self, f"{logical(unit.name)}OfEcsPolicy", managed_policy_name=name, policy_document=filled(allowed)
        )
        reaches = [Reach("*", "a registry token has no resource", HERE), Reach(group, "streams of its own log", HERE)]
        self.acknowledged.wildcards(policy, allowed, reaches)
        return iam.CfnRole(
            self,
            f"{logical(unit.name)}OfEcsRole",
            role_name=name,
            description=said(f"ECS starts {unit.name} under it"),
            assume_role_policy_document=filled(statements.trust("ecs-tasks", **statements.of_this_account())),
            managed_policy_arns=[policy.ref],
        )


def image_parameter(stack: cdk.Stack, image: str) -> cdk.CfnParameter:
    """An image, known only once it was made."""
    return cdk.CfnParameter(
        stack, IMAGES[image], type="String", description=f"The {image} image, as repository@sha256:..."
    )


def keep_log(stack: cdk.Stack, drawn: Blueprint, id: str, name: str) -> logs.CfnLogGroup:
    """What something prints, encrypted, for as long as the profile says."""
    return logs.CfnLogGroup(
        stack,
        id,
        log_group_name=name,
        kms_key_id=handed_over(drawn.names, "key"),
        retention_in_days=drawn.retention.run_log_days,
    )


def make_function(
    stack: cdk.Stack,
    drawn: Blueprint,
    id: str,
    *,
    name: str,
    description: str,
    role: iam.CfnRole,
    image: cdk.CfnParameter,
    memory_mb: int,
    minutes: int,
    disk_mb: int,
    log: str,
    environment: dict[str, str],
) -> awslambda.CfnFunction:
    """A function from an image, in the network, with a queue for what it could not do."""
    names = drawn.names
    made = awslambda.CfnFunction(
        stack,
        id,
        function_name=name,
        description=description,
        package_type="Image",
        code=awslambda.CfnFunction.CodeProperty(image_uri=image.value_as_string),
        image_config=awslambda.CfnFunction.ImageConfigProperty(command=[f"{ENTRY}.run"]),
        role=role.attr_arn,
        memory_size=memory_mb,
        timeout=minutes * 60,
        ephemeral_storage=awslambda.CfnFunction.EphemeralStorageProperty(size=disk_mb),
        reserved_concurrent_executions=1 if drawn.retention.reserved else None,
        dead_letter_config=awslambda.CfnFunction.DeadLetterConfigProperty(
            target_arn=text(statements.queue_arn(names.dead_letters))
        ),
        logging_config=awslambda.CfnFunction.LoggingConfigProperty(log_group=log),
        vpc_config=awslambda.CfnFunction.VpcConfigProperty(
            subnet_ids=cdk.Fn.split(",", handed_over(names, "subnets")),
            security_group_ids=[handed_over(names, "group")],
        ),
        environment=awslambda.CfnFunction.EnvironmentProperty(
            variables={**ENVIRONMENT, "PACKYAK_HOME": drawn.home, **environment}
        ),
    )
    made.node.add_dependency(stack.node.find_child(f"{id.removesuffix('Function')}Log"))
    return made


def acknowledge_concurrency(acknowledged: Acknowledged, drawn: Blueprint, function: awslambda.CfnFunction) -> None:
    if not drawn.retention.reserved:
        why = f"profile {drawn.profile}: {drawn.retention.why['reserved']}"
        acknowledged.stand(function, in_all("LambdaConcurrency"), why, "deploy/stacks/profiles.py")
