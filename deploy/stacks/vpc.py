"""A network as both kinds here need it: what runs units in, and what serves the studio.

It has subnets in zones of their own, the free ways to S3 and DynamoDB, and a log of what passes. What leads in or out
is said by who makes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from packyak.deploy.stacks.acknowledging import Acknowledged, in_all
from packyak.deploy.stacks.filling import filled, text


class Vpc:
    """One network, and what is made within it. block: its addresses; name: the tag that it is found by."""

    def __init__(self, stack: cdk.Stack, block: str, name: str, acknowledged: Acknowledged) -> None:
        self._stack = stack
        self._named = [cdk.CfnTag(key="Name", value=name)]
        network = ec2.CfnVPC(
            stack, "Network", cidr_block=block, enable_dns_hostnames=True, enable_dns_support=True, tags=self._named
        )
        acknowledged.stand(
            network,
            in_all("VPCDefaultSecurityGroupClosed"),
            "a template cannot change the group that AWS makes; publishing takes its rules away, and nothing uses it",
            "deploy/publish",
        )
        self.id = network.ref

    def routes(self, id: str) -> ec2.CfnRouteTable:
        """A table of routes: at first none that leads out."""
        return ec2.CfnRouteTable(self._stack, id, vpc_id=self.id, tags=self._named)

    def subnet(self, number: int, block: str, routes: ec2.CfnRouteTable) -> ec2.CfnSubnet:
        """number: from 1, and the zone that it lies in."""
        made = ec2.CfnSubnet(
            self._stack,
            f"Subnet{number}",
            vpc_id=self.id,
            cidr_block=block,
            availability_zone=cdk.Fn.select(number - 1, cdk.Fn.get_azs()),
            map_public_ip_on_launch=False,
            tags=self._named,
        )
        ec2.CfnSubnetRouteTableAssociation(
            self._stack, f"Subnet{number}Routes", route_table_id=routes.ref, subnet_id=made.ref
        )
        return made

    def internet(self) -> tuple[ec2.CfnInternetGateway, ec2.CfnVPCGatewayAttachment]:
        """The door to the internet, and its place in this network, which a route through it must wait for."""
        gateway = ec2.CfnInternetGateway(self._stack, "Gateway", tags=self._named)
        return gateway, ec2.CfnVPCGatewayAttachment(
            self._stack, "GatewayAttached", vpc_id=self.id, internet_gateway_id=gateway.ref
        )

    def free_way(
        self, id: str, service: str, routes: Sequence[ec2.CfnRouteTable], allowed: Mapping[str, Any] | None = None
    ) -> ec2.CfnVPCEndpoint:
        """The way to S3 or DynamoDB that costs nothing. allowed: a policy document of what may pass it."""
        return ec2.CfnVPCEndpoint(
            self._stack,
            id,
            vpc_id=self.id,
            service_name=text(f"com.amazonaws.${{AWS::Region}}.{service}"),
            vpc_endpoint_type="Gateway",
            route_table_ids=[each.ref for each in routes],
            policy_document=filled(allowed) if allowed else None,
        )

    def logged(self, place: str) -> ec2.CfnFlowLog:
        """All that passes is written down. place: the ARN of a bucket's folder."""
        return ec2.CfnFlowLog(
            self._stack,
            "FlowLog",
            resource_id=self.id,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=place,
            max_aggregation_interval=600,
        )
