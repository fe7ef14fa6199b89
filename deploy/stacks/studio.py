"""The stack with the studio in the account: for people who sign in, under a role that looks and corrects.

It stands closed. What is paid by the hour, the load balancer and the task, is there only while the parameter `Open`
says "yes"; nothing is lost by closing it, as everything lies in the home. TLS ends at the load balancer, which has no
other way in and answers under no other name; people sign in with the organisation's provider (`packyak studio --site`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_route53 as route53
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged, in_all
from packyak.deploy.stacks.blueprint import Blueprint, Reach, StudioDrawing
from packyak.deploy.stacks.container import ASKS, HEALTH, PLACE, PORT, USER, command, variable_of
from packyak.deploy.stacks.filling import filled, handed_over, said, text
from packyak.deploy.stacks.storage import LOG_PREFIXES
from packyak.deploy.stacks.studio_network import StudioNetwork
from packyak.deploy.stacks.units import image_parameter, keep_log

HERE = "deploy/stacks/studio.py"
CONTAINER = "studio"
TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
STAYS_SECONDS = 4000  # a WebSocket without a word; Streamlit speaks more often


class Studio(cdk.Stack):
    """The studio, its network and its door."""

    def __init__(self, app: cdk.App, drawn: Blueprint, studio: StudioDrawing, acknowledged: Acknowledged) -> None:
        super().__init__(
            app,
            drawn.names.studio,
            description=f"The studio of {said(drawn.project, 100)}, for people who sign in",
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        self.drawn, self.names, self.studio, self.acknowledged = drawn, drawn.names, studio, acknowledged
        asked = cdk.CfnParameter(
            self,
            "Open",
            type="String",
            default="no",
            allowed_values=["no", "yes"],
            description="Whether people can reach it; while they can, it is paid by the hour",
        )
        self.open = cdk.CfnCondition(self, "IsOpen", expression=cdk.Fn.condition_equals(asked.value_as_string, "yes"))
        self.log = self.names.own_log("studio")
        self.group = keep_log(self, drawn, "StudioLog", self.log)
        self.network = StudioNetwork(self, drawn, studio, acknowledged)
        cluster = ecs.CfnCluster(
            self,
            "Cluster",
            cluster_name=self.names.studio,
            cluster_settings=[ecs.CfnCluster.ClusterSettingsProperty(name="containerInsights", value="enabled")],
        )
        balancer = self._balancer()
        target, rule = self._target(balancer)
        self._service(cluster, self._task(), target, rule)
        if studio.zone:
            self._record(balancer)
        out = cdk.CfnOutput(self, "DoorOut", value=balancer.attr_dns_name, description=f"{studio.domain} points there")
        out.condition = self.open

    def _while_open(self, *resources: cdk.CfnResource) -> None:
        for each in resources:
            each.cfn_options.condition = self.open

    def _managed(
        self, id: str, name: str, document: Any, reaches: Iterable[Reach], given: dict[str, str] | None = None
    ) -> str:
        made = iam.CfnManagedPolicy(
            self, id, managed_policy_name=f"{self.names.studio}-{name}", policy_document=filled(document, given)
        )
        self.acknowledged.wildcards(made, document, reaches)
        return made.ref

    def _role(self) -> iam.CfnRole:
        """The studio's: what the plan grants to who looks and corrects, within a boundary of its own."""
        key = handed_over(self.names, "key")
        most = statements.document(
            statements.of_the_studio(self.drawn.bucket, self.drawn.folder, "${HomeKey}", "${ToS3}")
        )
        why = "a boundary gives nothing; it names the most that the studio may be given"
        wide = [Reach(each, why, HERE) for each in sorted(statements.resources_of(most)) if "*" in each]
        boundary = self._managed("Boundary", "boundary", most, wide, {"HomeKey": key, "ToS3": self.network.to_s3.ref})
        policies = [
            self._managed(f"StudioGrants{number}", str(number), granted, self.studio.reaches, {"HomeKey": key})
            for number, granted in enumerate(self.studio.policies, start=1)
        ]
        return iam.CfnRole(
            self,
            "StudioRole",
            role_name=self.names.studio,
            description="The studio: looks at the home and appends corrections",
            assume_role_policy_document=filled(statements.trust("ecs-tasks", **statements.of_this_account())),
            permissions_boundary=boundary,
            managed_policy_arns=policies,
        )

    def _starting_role(self) -> iam.CfnRole:
        """ECS's: fetches the image, opens the log, and hands the studio the one secret that it signs people in with."""
        secret = f"{statements.secret_arn(self.studio.secret)}-??????"
        allowed = statements.document(
            [*statements.of_a_task(self.names, self.log), statements.allow("secretsmanager:GetSecretValue", secret)]
        )
        reaches = [
            Reach("*", "a registry token has no resource", HERE),
            Reach(statements.log_group(self.log), "streams of its own log", HERE),
        ]
        return iam.CfnRole(
            self,
            "StudioOfEcsRole",
            role_name=f"{self.names.studio}-start",
            description="ECS starts the studio under it",
            assume_role_policy_document=filled(statements.trust("ecs-tasks", **statements.of_this_account())),
            managed_policy_arns=[self._managed("StudioOfEcs", "start", allowed, reaches)],
        )

    def _task(self) -> ecs.CfnTaskDefinition:
        made, secret = ecs.CfnTaskDefinition, text(statements.secret_arn(self.studio.secret))
        return made(
            self,
            "StudioTask",
            family=self.names.studio,
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            cpu=str(self.studio.cpu),
            memory=str(self.studio.memory_mb),
            execution_role_arn=self._starting_role().attr_arn,
            task_role_arn=self._role().attr_arn,
            volumes=[made.VolumeProperty(name="own")],
            container_definitions=[
                made.ContainerDefinitionProperty(
                    name=CONTAINER,
                    image=image_parameter(self, "studio").value_as_string,
                    essential=True,
                    user=USER,
                    readonly_root_filesystem=True,
                    linux_parameters=made.LinuxParametersProperty(
                        capabilities=made.KernelCapabilitiesProperty(drop=["ALL"]), init_process_enabled=True
                    ),
                    mount_points=[made.MountPointProperty(container_path=PLACE, source_volume="own", read_only=False)],
                    entry_point=["python", "-m", "packyak"],
                    command=command(self.studio, self.drawn.home),
                    port_mappings=[made.PortMappingProperty(container_port=PORT, protocol="tcp")],
                    secrets=[made.SecretProperty(name=variable_of(self.studio.secret), value_from=secret)],
                    health_check=made.HealthCheckProperty(
                        command=["CMD", "python", "-c", ASKS], interval=30, timeout=10, retries=3, start_period=120
                    ),
                    log_configuration=made.LogConfigurationProperty(
                        log_driver="awslogs",
                        options={
                            "awslogs-group": self.group.ref,
                            "awslogs-region": cdk.Aws.REGION,
                            "awslogs-stream-prefix": "studio",
                        },
                    ),
                )
            ],
        )

    def _balancer(self) -> elb.CfnLoadBalancer:
        attributes = {
            "access_logs.s3.bucket": self.names.logs,
            "access_logs.s3.enabled": "true",
            "access_logs.s3.prefix": LOG_PREFIXES["studio"].rstrip("/"),
            "deletion_protection.enabled": "false",
            "idle_timeout.timeout_seconds": str(STAYS_SECONDS),
            "routing.http.drop_invalid_header_fields.enabled": "true",
        }
        made = elb.CfnLoadBalancer(
            self,
            "Door",
            name=self.names.door,
            type="application",
            scheme="internet-facing",
            subnets=[each.ref for each in self.network.subnets],
            security_groups=[self.network.door.attr_group_id],
            load_balancer_attributes=[
                elb.CfnLoadBalancer.LoadBalancerAttributeProperty(key=key, value=value)
                for key, value in attributes.items()
            ],
        )
        self._while_open(made)
        self.acknowledged.stand(
            made,
            in_all("ELBDeletionProtectionEnabled"),
            "closing the studio takes it away, and opening makes it anew; nothing lies in it",
            HERE,
        )
        self.acknowledged.stand(
            made,
            in_all("ALBWAFEnabled", "NIST.800.53.R5"),
            "it forwards one host name to a studio that shows nothing before people sign in; reach in [cloud.studio] "
            "closes it to all but an organisation's own addresses",
            HERE,
        )
        return made

    def _target(self, balancer: elb.CfnLoadBalancer) -> tuple[elb.CfnTargetGroup, elb.CfnListenerRule]:
        """HTTPS alone, and for the studio's own name alone."""
        target = elb.CfnTargetGroup(
            self,
            "Studios",
            name=self.names.door,
            target_type="ip",
            protocol="HTTP",
            port=PORT,
            vpc_id=self.network.vpc.id,
            health_check_path=HEALTH,
            target_group_attributes=[
                elb.CfnTargetGroup.TargetGroupAttributeProperty(key="deregistration_delay.timeout_seconds", value="10")
            ],
        )
        refused = elb.CfnListener.FixedResponseConfigProperty(status_code="404", content_type="text/plain")
        listener = elb.CfnListener(
            self,
            "Tls",
            load_balancer_arn=balancer.ref,
            port=443,
            protocol="HTTPS",
            ssl_policy=TLS,
            certificates=[elb.CfnListener.CertificateProperty(certificate_arn=self.studio.certificate)],
            default_actions=[elb.CfnListener.ActionProperty(type="fixed-response", fixed_response_config=refused)],
        )
        names = elb.CfnListenerRule.HostHeaderConfigProperty(values=[self.studio.domain])
        rule = elb.CfnListenerRule(
            self,
            "ItsName",
            listener_arn=listener.ref,
            priority=1,
            conditions=[elb.CfnListenerRule.RuleConditionProperty(field="host-header", host_header_config=names)],
            actions=[elb.CfnListenerRule.ActionProperty(type="forward", target_group_arn=target.ref)],
        )
        self._while_open(target, listener, rule)
        return target, rule

    def _service(
        self,
        cluster: ecs.CfnCluster,
        task: ecs.CfnTaskDefinition,
        target: elb.CfnTargetGroup,
        rule: elb.CfnListenerRule,
    ) -> None:
        made = ecs.CfnService
        service = made(
            self,
            "Service",
            cluster=cluster.ref,
            service_name=self.names.studio,
            task_definition=task.ref,
            desired_count=1,
            launch_type="FARGATE",
            enable_execute_command=False,
            health_check_grace_period_seconds=180,
            deployment_configuration=made.DeploymentConfigurationProperty(
                minimum_healthy_percent=0,
                maximum_percent=100,
                deployment_circuit_breaker=made.DeploymentCircuitBreakerProperty(enable=True, rollback=True),
            ),
            network_configuration=made.NetworkConfigurationProperty(
                awsvpc_configuration=made.AwsVpcConfigurationProperty(
                    subnets=[each.ref for each in self.network.subnets],
                    security_groups=[self.network.group.attr_group_id],
                    assign_public_ip="ENABLED",  # its only way out; nothing comes in but from the load balancer
                )
            ),
            load_balancers=[
                made.LoadBalancerProperty(container_name=CONTAINER, container_port=PORT, target_group_arn=target.ref)
            ],
        )
        service.node.add_dependency(rule)
        self._while_open(service)

    def _record(self, balancer: elb.CfnLoadBalancer) -> None:
        record = route53.CfnRecordSet(
            self,
            "Record",
            name=self.studio.domain,
            type="A",
            hosted_zone_id=self.studio.zone,
            alias_target=route53.CfnRecordSet.AliasTargetProperty(
                dns_name=balancer.attr_dns_name, hosted_zone_id=balancer.attr_canonical_hosted_zone_id
            ),
        )
        self._while_open(record)
