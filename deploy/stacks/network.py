"""The network that units run in: two isolated subnets, the free way to S3, and nothing else.

No internet gateway, no NAT, no route out. Where the code calls another service (a secret, a queue) or something runs on
Fargate (images, logs), a way to just that service is added, which costs by the hour, but for DynamoDB's. Lambda needs
none: the service fetches its images itself.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from packyak.deploy.stacks import beyond, statements
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, Reach
from packyak.deploy.stacks.filling import filled, hand_over, text
from packyak.deploy.stacks.names import logical
from packyak.deploy.stacks.storage import Storage
from packyak.deploy.stacks.vpc import Vpc

RANGE = "10.77.0.0/16"
SUBNETS = ("10.77.0.0/20", "10.77.16.0/20")
FARGATE_NEEDS = ("ecr.api", "ecr.dkr", "logs")


class Network:
    """The network and the boundary of all that runs in it."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, storage: Storage, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.names, self.acknowledged = stack, drawn, drawn.names, acknowledged
        self.vpc = Vpc(stack, RANGE, self.names.prefix, acknowledged)
        self.routes = [self.vpc.routes(f"Routes{number}") for number, _ in enumerate(SUBNETS, start=1)]
        self.subnets = [
            self.vpc.subnet(number, block, routes)
            for number, (block, routes) in enumerate(zip(SUBNETS, self.routes, strict=True), start=1)
        ]
        self.group = ec2.CfnSecurityGroup(
            stack,
            "UnitsGroup",
            group_name=self.names.own("units"),
            group_description="Units: nothing in, HTTPS out, and no route but to S3",
            vpc_id=self.vpc.id,
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp", from_port=443, to_port=443, cidr_ip="0.0.0.0/0", description="HTTPS to AWS"
                )
            ],
        )
        self.to_s3 = self._to_s3()
        asked = [each for each in beyond.services(drawn) if each != "dynamodb"]
        wanted = sorted({*asked, *(FARGATE_NEEDS if drawn.on_fargate else ())})
        if wanted:
            self._doors(wanted)
        if "dynamodb" in beyond.services(drawn):
            self.vpc.free_way("ToDynamodb", "dynamodb", self.routes)
        self.vpc.logged(f"{storage.logs.attr_arn}/flow").node.add_dependency(storage.logs_policy)
        self.boundary = self._boundary(storage)
        hand_over(
            stack, self.names, "subnets", cdk.Fn.join(",", [each.ref for each in self.subnets]), "Where units run"
        )
        hand_over(stack, self.names, "group", self.group.attr_group_id, "The security group of units")
        hand_over(stack, self.names, "boundary", self.boundary.ref, "What no role of a unit can do more than")
        hand_over(stack, self.names, "network", self.vpc.id, "The network, whose default group publishing closes")

    def _to_s3(self) -> ec2.CfnVPCEndpoint:
        """The way to S3 leads to the home's bucket, and with Fargate to where the registry keeps layers."""
        home = f"arn:${{AWS::Partition}}:s3:::{self.drawn.bucket}"
        verbs = ("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject")
        allowed: list[dict[str, Any]] = [{**statements.allow(verbs, [home, f"{home}/*"]), "Principal": "*"}]
        if self.drawn.on_fargate:
            allowed.append({**statements.layers(), "Principal": "*"})
        others = beyond.buckets(self.drawn)
        if others:
            allowed.append({**statements.allow(verbs, others), "Principal": "*"})
        return self.vpc.free_way("ToS3", "s3", self.routes, statements.document(allowed))

    def _doors(self, services: list[str]) -> None:
        doors = ec2.CfnSecurityGroup(
            self.stack,
            "DoorsGroup",
            group_name=self.names.own("doors"),
            group_description="The ways to other services: HTTPS from units",
            vpc_id=self.vpc.id,
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp",
                    from_port=443,
                    to_port=443,
                    source_security_group_id=self.group.attr_group_id,
                    description="HTTPS from units",
                )
            ],
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp", from_port=443, to_port=443, cidr_ip=RANGE, description="nothing beyond"
                )
            ],
        )
        for service in services:
            ec2.CfnVPCEndpoint(
                self.stack,
                logical(f"to-{service.replace('.', '-')}"),
                vpc_id=self.vpc.id,
                service_name=text(f"com.amazonaws.${{AWS::Region}}.{service}"),
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[self.subnets[0].ref],
                security_group_ids=[doors.attr_group_id],
            )

    def _boundary(self, storage: Storage) -> iam.CfnManagedPolicy:
        allowed = beyond.boundary(self.drawn)
        made = iam.CfnManagedPolicy(
            self.stack,
            "Boundary",
            managed_policy_name=self.names.boundary,
            description="No role of a unit can do more than this, whatever is attached to it",
            policy_document=filled(allowed, {"HomeKey": storage.key.attr_arn, "ToS3": self.to_s3.ref}),
        )
        why = "a boundary gives nothing; it names the most that any unit may be given"
        self.acknowledged.wildcards(
            made,
            allowed,
            [
                Reach(each, why, "deploy/stacks/statements.py")
                for each in sorted(statements.resources_of(allowed))
                if "*" in each
            ],
        )
        return made
