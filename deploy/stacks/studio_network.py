"""The studio's own network: it answers people on the internet, and asks who signs them in there.

Nothing else is in it, and nothing leads from it to where units run. Data comes by its own free way to S3, which leads
to the home's bucket alone. The load balancer is reached from where the project says; the studio from there alone.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged, in_all
from packyak.deploy.stacks.blueprint import Blueprint, StudioDrawing
from packyak.deploy.stacks.container import PORT
from packyak.deploy.stacks.filling import text
from packyak.deploy.stacks.vpc import Vpc

RANGE = "10.78.0.0/16"
SUBNETS = ("10.78.0.0/20", "10.78.16.0/20")
EVERYWHERE = "0.0.0.0/0"
HERE = "deploy/stacks/studio_network.py"


class StudioNetwork:
    """The network, its two groups and its way to S3."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, studio: StudioDrawing, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.studio, self.acknowledged = stack, drawn, studio, acknowledged
        self.names = drawn.names
        self.vpc = Vpc(stack, RANGE, self.names.studio, acknowledged)
        self.routes = self.vpc.routes("Routes")
        self._way_out()
        self.subnets = [self.vpc.subnet(number, block, self.routes) for number, block in enumerate(SUBNETS, start=1)]
        self.door = self._door()
        self.group = self._group()
        self.to_s3 = self._to_s3()
        self.vpc.logged(text(f"arn:${{AWS::Partition}}:s3:::{self.names.logs}/flow"))

    def _way_out(self) -> None:
        gateway, attached = self.vpc.internet()
        route = ec2.CfnRoute(
            self.stack,
            "WayOut",
            route_table_id=self.routes.ref,
            destination_cidr_block=EVERYWHERE,
            gateway_id=gateway.ref,
        )
        route.node.add_dependency(attached)
        self.acknowledged.stand(
            route,
            in_all("VPCNoUnrestrictedRouteToIGW"),
            "people come from the internet, and who signs them in is there; units have a network without a way out",
            HERE,
        )

    def _door(self) -> ec2.CfnSecurityGroup:
        """HTTPS from where the project says, and on to the studio's port."""
        door = ec2.CfnSecurityGroup(
            self.stack,
            "DoorGroup",
            group_name=self.names.own("studio-door"),
            group_description="The load balancer before the studio: HTTPS in, the studio out",
            vpc_id=self.vpc.id,
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp", from_port=443, to_port=443, cidr_ip=each, description="HTTPS from people"
                )
                for each in self.studio.reach
            ],
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp", from_port=PORT, to_port=PORT, cidr_ip=RANGE, description="the studio"
                )
            ],
        )
        if EVERYWHERE in self.studio.reach:
            self.acknowledged.stand(
                door,
                ["AwsSolutions-EC23"],
                "people come from anywhere, and sign in before they see anything; reach in [cloud.studio] narrows it",
                "packyak.toml",
            )
        return door

    def _group(self) -> ec2.CfnSecurityGroup:
        return ec2.CfnSecurityGroup(
            self.stack,
            "StudioGroup",
            group_name=self.names.studio,
            group_description="The studio: from its load balancer alone, HTTPS out",
            vpc_id=self.vpc.id,
            security_group_ingress=[
                ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp",
                    from_port=PORT,
                    to_port=PORT,
                    source_security_group_id=self.door.attr_group_id,
                    description="the load balancer",
                )
            ],
            security_group_egress=[
                ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp",
                    from_port=443,
                    to_port=443,
                    cidr_ip=EVERYWHERE,
                    description="HTTPS to AWS and to who signs people in",
                )
            ],
        )

    def _to_s3(self) -> ec2.CfnVPCEndpoint:
        home = f"arn:${{AWS::Partition}}:s3:::{self.drawn.bucket}"
        verbs = ("s3:GetObject", "s3:ListBucket", "s3:PutObject")
        allowed = [
            {**each, "Principal": "*"} for each in (statements.allow(verbs, [home, f"{home}/*"]), statements.layers())
        ]
        return self.vpc.free_way("ToS3", "s3", [self.routes], statements.document(allowed))
