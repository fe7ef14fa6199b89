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
from packyak.deploy.stacks.filling import filled, text

RANGE = "10.78.0.0/16"
SUBNETS = ("10.78.0.0/20", "10.78.16.0/20")
EVERYWHERE = "0.0.0.0/0"
HERE = "deploy/stacks/studio_network.py"


class StudioNetwork:
    """The network, its two groups and its way to S3."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, studio: StudioDrawing, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.studio, self.acknowledged = stack, drawn, studio, acknowledged
        self.names = drawn.names
        self.vpc = ec2.CfnVPC(
            stack, "Network", cidr_block=RANGE, enable_dns_hostnames=True, enable_dns_support=True, tags=self._named()
        )
        acknowledged.stand(
            self.vpc,
            in_all("VPCDefaultSecurityGroupClosed"),
            "a template cannot change the group that AWS makes; publishing takes its rules away, and nothing uses it",
            "deploy/publish",
        )
        self.table = ec2.CfnRouteTable(stack, "Routes", vpc_id=self.vpc.ref, tags=self._named())
        self._way_out()
        self.subnets = [self._subnet(number, block) for number, block in enumerate(SUBNETS, start=1)]
        self.door = self._door()
        self.group = self._group()
        self.to_s3 = self._to_s3()
        ec2.CfnFlowLog(
            stack,
            "FlowLog",
            resource_id=self.vpc.ref,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=text(f"arn:${{AWS::Partition}}:s3:::{self.names.logs}/flow"),
            max_aggregation_interval=600,
        )

    def _named(self) -> list[cdk.CfnTag]:
        return [cdk.CfnTag(key="Name", value=self.names.studio)]

    def _way_out(self) -> None:
        gateway = ec2.CfnInternetGateway(self.stack, "Gateway", tags=self._named())
        attached = ec2.CfnVPCGatewayAttachment(
            self.stack, "GatewayAttached", vpc_id=self.vpc.ref, internet_gateway_id=gateway.ref
        )
        route = ec2.CfnRoute(
            self.stack,
            "WayOut",
            route_table_id=self.table.ref,
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

    def _subnet(self, number: int, block: str) -> ec2.CfnSubnet:
        subnet = ec2.CfnSubnet(
            self.stack,
            f"Subnet{number}",
            vpc_id=self.vpc.ref,
            cidr_block=block,
            availability_zone=cdk.Fn.select(number - 1, cdk.Fn.get_azs()),
            map_public_ip_on_launch=False,
            tags=self._named(),
        )
        ec2.CfnSubnetRouteTableAssociation(
            self.stack, f"Subnet{number}Routes", route_table_id=self.table.ref, subnet_id=subnet.ref
        )
        return subnet

    def _door(self) -> ec2.CfnSecurityGroup:
        """HTTPS from where the project says, and on to the studio's port."""
        door = ec2.CfnSecurityGroup(
            self.stack,
            "DoorGroup",
            group_name=self.names.own("studio-door"),
            group_description="The load balancer before the studio: HTTPS in, the studio out",
            vpc_id=self.vpc.ref,
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
            vpc_id=self.vpc.ref,
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
        return ec2.CfnVPCEndpoint(
            self.stack,
            "ToS3",
            vpc_id=self.vpc.ref,
            service_name=text("com.amazonaws.${AWS::Region}.s3"),
            vpc_endpoint_type="Gateway",
            route_table_ids=[self.table.ref],
            policy_document=filled(statements.document(allowed)),
        )
