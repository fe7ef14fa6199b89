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
from packyak.deploy.stacks.acknowledging import Acknowledged, in_all
from packyak.deploy.stacks.blueprint import Blueprint, Reach
from packyak.deploy.stacks.filling import filled, hand_over, text
from packyak.deploy.stacks.names import logical
from packyak.deploy.stacks.storage import Storage

RANGE = "10.77.0.0/16"
SUBNETS = ("10.77.0.0/20", "10.77.16.0/20")
FARGATE_NEEDS = ("ecr.api", "ecr.dkr", "logs")


class Network:
    """The network and the boundary of all that runs in it."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, storage: Storage, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.names, self.acknowledged = stack, drawn, drawn.names, acknowledged
        self.vpc = ec2.CfnVPC(
            stack, "Network", cidr_block=RANGE, enable_dns_hostnames=True, enable_dns_support=True, tags=self._named()
        )
        acknowledged.stand(
            self.vpc,
            in_all("VPCDefaultSecurityGroupClosed"),
            "a template cannot change the group that AWS makes; publishing takes its rules away, and nothing uses it",
            "deploy/publish",
        )
        self.subnets, self.routes = self._subnets()
        self.group = ec2.CfnSecurityGroup(
            stack,
            "UnitsGroup",
            group_name=self.names.own("units"),
            group_description="Units: nothing in, HTTPS out, and no route but to S3",
            vpc_id=self.vpc.ref,
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
            self._gateway("ToDynamodb", "dynamodb")
        self._flow_log(storage)
        self.boundary = self._boundary(storage)
        hand_over(
            stack, self.names, "subnets", cdk.Fn.join(",", [each.ref for each in self.subnets]), "Where units run"
        )
        hand_over(stack, self.names, "group", self.group.attr_group_id, "The security group of units")
        hand_over(stack, self.names, "boundary", self.boundary.ref, "What no role of a unit can do more than")
        hand_over(stack, self.names, "network", self.vpc.ref, "The network, whose default group publishing closes")

    def _named(self) -> list[cdk.CfnTag]:
        return [cdk.CfnTag(key="Name", value=self.names.prefix)]

    def _subnets(self) -> tuple[list[ec2.CfnSubnet], list[ec2.CfnRouteTable]]:
        subnets, routes = [], []
        for number, block in enumerate(SUBNETS):
            subnet = ec2.CfnSubnet(
                self.stack,
                f"Subnet{number + 1}",
                vpc_id=self.vpc.ref,
                cidr_block=block,
                availability_zone=cdk.Fn.select(number, cdk.Fn.get_azs()),
                map_public_ip_on_launch=False,
                tags=self._named(),
            )
            table = ec2.CfnRouteTable(self.stack, f"Routes{number + 1}", vpc_id=self.vpc.ref, tags=self._named())
            ec2.CfnSubnetRouteTableAssociation(
                self.stack, f"Subnet{number + 1}Routes", route_table_id=table.ref, subnet_id=subnet.ref
            )
            subnets.append(subnet)
            routes.append(table)
        return subnets, routes

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
        return self._gateway("ToS3", "s3", statements.document(allowed))

    def _gateway(self, id: str, service: str, allowed: dict[str, Any] | None = None) -> ec2.CfnVPCEndpoint:
        return ec2.CfnVPCEndpoint(
            self.stack,
            id,
            vpc_id=self.vpc.ref,
            service_name=text(f"com.amazonaws.${{AWS::Region}}.{service}"),
            vpc_endpoint_type="Gateway",
            route_table_ids=[each.ref for each in self.routes],
            policy_document=filled(allowed) if allowed else None,
        )

    def _doors(self, services: list[str]) -> None:
        doors = ec2.CfnSecurityGroup(
            self.stack,
            "DoorsGroup",
            group_name=self.names.own("doors"),
            group_description="The ways to other services: HTTPS from units",
            vpc_id=self.vpc.ref,
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
                vpc_id=self.vpc.ref,
                service_name=text(f"com.amazonaws.${{AWS::Region}}.{service}"),
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[self.subnets[0].ref],
                security_group_ids=[doors.attr_group_id],
            )

    def _flow_log(self, storage: Storage) -> None:
        ec2.CfnFlowLog(
            self.stack,
            "FlowLog",
            resource_id=self.vpc.ref,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=f"{storage.logs.attr_arn}/flow",
            max_aggregation_interval=600,
        ).node.add_dependency(storage.logs_policy)

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
