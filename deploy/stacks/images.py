"""Where container images come from: a repository, and a CodeBuild project that makes them from sources in the home.

No Docker on anybody's machine: publishing puts an archive with a Dockerfile below `build/` of the home, starts a build
with SOURCE, VARIANT and TAG, and hands the digest of what was pushed to the other stacks. A build runs outside the
network of units, as it fetches packages.
"""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, Reach
from packyak.deploy.stacks.filling import filled, hand_over
from packyak.deploy.stacks.storage import Storage

MACHINE = "aws/codebuild/standard:7.0"
KEPT_IMAGES = 10
STEPS = {
    "pre_build": [
        "aws ecr get-login-password | docker login --username AWS --password-stdin ${REPOSITORY%%/*}",
        "aws s3 cp s3://$BUCKET/$SOURCE source.zip",
        "unzip -q source.zip -d source",
    ],
    "build": ["docker build --build-arg VARIANT=$VARIANT -t $REPOSITORY:$TAG source"],
    "post_build": ["docker push $REPOSITORY:$TAG"],
}


class Images:
    """The repository and its builder."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, storage: Storage, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.names, self.acknowledged = stack, drawn, drawn.names, acknowledged
        self.storage = storage
        self.repository = self._repository()
        self.log = logs.CfnLogGroup(
            stack,
            "BuildLog",
            log_group_name=self.names.own_log("image"),
            kms_key_id=storage.key.attr_arn,
            retention_in_days=drawn.retention.run_log_days,
        )
        self.project = self._project()
        hand_over(stack, self.names, "repository", self.repository.attr_repository_uri, "Where images are pushed")
        hand_over(stack, self.names, "build", self.project.ref, "The project that makes images")

    def _repository(self) -> ecr.CfnRepository:
        pulled = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Condition": {"ArnLike": {"aws:SourceArn": statements.function_arn(f"{self.names.prefix}-*")}},
        }
        kept = {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": KEPT_IMAGES},
            "action": {"type": "expire"},
        }
        made = ecr.CfnRepository(
            self.stack,
            "Repository",
            repository_name=self.names.repository,
            encryption_configuration=ecr.CfnRepository.EncryptionConfigurationProperty(
                encryption_type="KMS", kms_key=self.storage.key.attr_arn
            ),
            image_scanning_configuration=ecr.CfnRepository.ImageScanningConfigurationProperty(scan_on_push=True),
            image_tag_mutability="IMMUTABLE",
            repository_policy_text=filled(statements.document([pulled])),
            lifecycle_policy=ecr.CfnRepository.LifecyclePolicyProperty(
                lifecycle_policy_text=json.dumps({"rules": [kept]}, separators=(",", ":"))
            ),
        )
        made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return made

    def _project(self) -> codebuild.CfnProject:
        role = iam.CfnRole(
            self.stack,
            "BuildRole",
            role_name=self.names.own("image"),
            description="CodeBuild makes images under it",
            assume_role_policy_document=filled(statements.trust("codebuild", **statements.of_this_account())),
        )
        self._may(role)
        values = {"BUCKET": self.drawn.bucket, "REPOSITORY": self.repository.attr_repository_uri}
        project = codebuild.CfnProject(
            self.stack,
            "Build",
            name=self.names.build,
            description="Makes the container images of units",
            service_role=role.attr_arn,
            encryption_key=self.storage.key.attr_arn,
            timeout_in_minutes=60,
            source=codebuild.CfnProject.SourceProperty(
                type="NO_SOURCE",
                build_spec=json.dumps(
                    {"version": "0.2", "phases": {name: {"commands": lines} for name, lines in STEPS.items()}}, indent=1
                ),
            ),
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
            environment=codebuild.CfnProject.EnvironmentProperty(
                type="LINUX_CONTAINER",
                compute_type="BUILD_GENERAL1_MEDIUM",
                image=MACHINE,
                privileged_mode=True,
                environment_variables=[
                    codebuild.CfnProject.EnvironmentVariableProperty(name=name, value=value)
                    for name, value in values.items()
                ],
            ),
            logs_config=codebuild.CfnProject.LogsConfigProperty(
                cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                    status="ENABLED", group_name=self.log.ref
                )
            ),
        )
        here = "deploy/stacks/images.py"
        self.acknowledged.stand(
            project,
            ["HIPAA.Security-CodeBuildProjectSourceRepoUrl"],
            "there is no repository to log in to: the source is an archive in the home's bucket",
            here,
        )
        return project

    def _may(self, role: iam.CfnRole) -> None:
        lake = f"arn:${{AWS::Partition}}:s3:::{self.drawn.bucket}"
        sources = f"{lake}/{self.drawn.folder}/build/*" if self.drawn.folder else f"{lake}/build/*"
        here = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/" + self.names.repository
        push = (
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:GetDownloadUrlForLayer",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
        )
        allowed = statements.document(
            [
                statements.allow("s3:GetObject", sources),
                *statements.of_the_key("${HomeKey}", self.drawn.region),
                statements.allow(push, here),
                statements.allow("ecr:GetAuthorizationToken", "*"),
                statements.allow(
                    ("logs:CreateLogStream", "logs:PutLogEvents"), statements.log_group(self.names.own_log("image"))
                ),
            ]
        )
        policy = iam.CfnManagedPolicy(
            self.stack,
            "BuildRolePolicy",
            managed_policy_name=self.names.own("image"),
            policy_document=filled(allowed, {"HomeKey": self.storage.key.attr_arn}),
            roles=[role.ref],
        )
        place = "deploy/stacks/images.py"
        self.acknowledged.wildcards(
            policy,
            allowed,
            [
                Reach(sources, "sources are named by their hash", place),
                Reach("*", "a registry token has no resource", place),
                Reach(statements.log_group(self.names.own_log("image")), "streams of its own log", place),
            ],
        )
