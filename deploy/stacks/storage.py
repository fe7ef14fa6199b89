"""Where data lies: the key, the home's bucket, its second copy where the profile asks for one, and the bucket of logs.

All are kept when the stack goes. The bucket of logs takes access logs, which S3 writes with its own encryption only.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import region_info
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged, in_all
from packyak.deploy.stacks.blueprint import Blueprint, Reach
from packyak.deploy.stacks.filling import filled, hand_over

LOG_PREFIXES = {"home": "access/home/", "copy": "access/copy/", "studio": "studio/"}
ACCOUNT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"


class Storage:
    """The key, the buckets and the queue of dead letters."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.names, self.acknowledged = stack, drawn, drawn.names, acknowledged
        self.key = self._key()
        self.logs = self._logs()
        self.copy = self._bucket("Copy", self.names.copy, "copy") if drawn.retention.copy else None
        self.home = self._bucket("Home", drawn.bucket, "home", self._replication())
        if not drawn.retention.copy:
            acknowledged.stand(
                self.home,
                in_all("S3BucketReplicationEnabled"),
                f"profile {drawn.profile}: {drawn.retention.why['copy']}",
                "deploy/stacks/profiles.py",
            )
        self.dead_letters = self._dead_letters()
        hand_over(stack, self.names, "key", self.key.attr_arn, "The key that encrypts the home")
        hand_over(stack, self.names, "home", self.home.ref, "The bucket of the home")

    def _key(self) -> kms.CfnKey:
        region = "${AWS::Region}"
        logs = f"arn:${{AWS::Partition}}:logs:{region}:${{AWS::AccountId}}:log-group:*"
        trail = f"arn:${{AWS::Partition}}:cloudtrail:{region}:${{AWS::AccountId}}:trail/{self.names.prefix}"
        uses = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:DescribeKey"]
        allowed = [
            {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"},
            statements.given("logs.${AWS::Region}", uses, "*", ArnLike={"kms:EncryptionContext:aws:logs:arn": logs}),
            statements.given(
                "cloudtrail", ["kms:GenerateDataKey*", "kms:DescribeKey"], "*", StringEquals={"aws:SourceArn": trail}
            ),
            statements.given("cloudwatch", ["kms:Decrypt", "kms:GenerateDataKey*"], "*"),
            statements.given("budgets", ["kms:Decrypt", "kms:GenerateDataKey*"], "*", **statements.of_this_account()),
        ]
        key = kms.CfnKey(
            self.stack,
            "HomeKey",
            description=f"Encrypts the home of {self.drawn.project}",
            enable_key_rotation=True,
            key_policy=filled(statements.document(allowed)),
        )
        key.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        kms.CfnAlias(self.stack, "HomeKeyAlias", alias_name=f"alias/{self.names.prefix}", target_key_id=key.ref)
        return key

    def _logs(self) -> s3.CfnBucket:
        bucket = s3.CfnBucket(
            self.stack,
            "Logs",
            bucket_name=self.names.logs,
            bucket_encryption=_encryption("AES256"),
            public_access_block_configuration=_closed(),
            ownership_controls=_owned(),
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            lifecycle_configuration=_lifecycle(7, self.drawn.retention.audit_days),
        )
        bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        arn = f"arn:${{AWS::Partition}}:s3:::{self.names.logs}"
        region, account = "${AWS::Region}", "${AWS::AccountId}"
        sources = [
            f"arn:${{AWS::Partition}}:s3:::{self.drawn.bucket}",
            f"arn:${{AWS::Partition}}:s3:::{self.names.copy}",
        ]
        trail = f"arn:${{AWS::Partition}}:cloudtrail:{region}:{account}:trail/{self.names.prefix}"
        flows = {
            "StringEquals": {"aws:SourceAccount": account, "s3:x-amz-acl": "bucket-owner-full-control"},
            "ArnLike": {"aws:SourceArn": f"arn:${{AWS::Partition}}:logs:{region}:{account}:*"},
        }
        self.logs_policy = self._attach(
            "Logs",
            self.names.logs,
            bucket,
            [
                *statements.of_a_bucket(arn),
                statements.given(
                    "logging.s3",
                    "s3:PutObject",
                    f"{arn}/access/*",
                    ArnLike={"aws:SourceArn": sources},
                    StringEquals={"aws:SourceAccount": account},
                ),
                statements.given("cloudtrail", "s3:GetBucketAcl", arn, StringEquals={"aws:SourceArn": trail}),
                statements.given(
                    "cloudtrail",
                    "s3:PutObject",
                    f"{arn}/trail/AWSLogs/{account}/*",
                    StringEquals={"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"},
                ),
                statements.given("delivery.logs", "s3:GetBucketAcl", arn, **statements.of_this_account()),
                statements.given("delivery.logs", "s3:PutObject", f"{arn}/flow/AWSLogs/{account}/*", **flows),
                *(self._balancing(arn) if self.drawn.studio else []),
            ],
        )
        self.acknowledged.stand(
            bucket,
            in_all("S3DefaultEncryptionKMS"),
            "S3 writes access logs only to buckets with its own encryption; the trail in it is encrypted with the key",
            "deploy/stacks/storage.py",
        )
        self.acknowledged.stand(
            bucket,
            in_all("S3BucketReplicationEnabled"),
            "logs about the data, not the data; the trail has digests of its own, and CloudWatch has it as well",
            "deploy/stacks/storage.py",
        )
        return bucket

    def _balancing(self, arn: str) -> list[Any]:
        """The studio's load balancer notes who asked; in older regions an account of AWS's writes that for it."""
        account = "${AWS::AccountId}"
        here = "arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:loadbalancer/app/"
        asked = f"{arn}/{LOG_PREFIXES['studio']}AWSLogs/{account}/*"
        doors = {"aws:SourceArn": f"{here}{self.names.door}/*"}
        allowed = [statements.given("logdelivery.elasticloadbalancing", "s3:PutObject", asked, ArnLike=doors)]
        theirs = region_info.RegionInfo.get(self.drawn.region).elbv2_account
        if theirs:
            root = {"AWS": f"arn:${{AWS::Partition}}:iam::{theirs}:root"}
            allowed.append({**statements.allow("s3:PutObject", asked), "Principal": root})
        return allowed

    def _bucket(self, id: str, name: str, logged_as: str, replication: Any = None) -> s3.CfnBucket:
        bucket = s3.CfnBucket(
            self.stack,
            id,
            bucket_name=name,
            bucket_encryption=_encryption("aws:kms", self.key.attr_arn),
            public_access_block_configuration=_closed(),
            ownership_controls=_owned(),
            versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
            lifecycle_configuration=_lifecycle(self.drawn.retention.noncurrent_days),
            logging_configuration=s3.CfnBucket.LoggingConfigurationProperty(
                destination_bucket_name=self.logs.ref, log_file_prefix=LOG_PREFIXES[logged_as]
            ),
            notification_configuration=s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
            )
            if logged_as == "home"
            else None,
            replication_configuration=replication,
        )
        bucket.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        self._attach(id, name, bucket, statements.of_a_bucket(f"arn:${{AWS::Partition}}:s3:::{name}"))
        if logged_as == "copy":
            self.acknowledged.stand(
                bucket, in_all("S3BucketReplicationEnabled"), "this is the copy", "deploy/stacks/storage.py"
            )
        return bucket

    def _attach(self, id: str, name: str, bucket: s3.CfnBucket, allowed: list[Any]) -> s3.CfnBucketPolicy:
        """The bucket is named and not referred to: the packs compare the name with the resources of the statements."""
        made = s3.CfnBucketPolicy(
            self.stack, f"{id}Policy", bucket=name, policy_document=filled(statements.document(allowed))
        )
        made.node.add_dependency(bucket)
        made.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return made

    def _replication(self) -> s3.CfnBucket.ReplicationConfigurationProperty | None:
        """Every object goes to the copy, and so does every deletion."""
        if self.copy is None:
            return None
        home, copy = (f"arn:${{AWS::Partition}}:s3:::{each}" for each in (self.drawn.bucket, self.names.copy))
        allowed = statements.document(
            [
                statements.allow(("s3:GetReplicationConfiguration", "s3:ListBucket"), home),
                statements.allow(
                    (
                        "s3:GetObjectVersionAcl",
                        "s3:GetObjectVersionForReplication",
                        "s3:GetObjectVersionTagging",
                    ),
                    f"{home}/*",
                ),
                statements.allow(("s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"), f"{copy}/*"),
                statements.allow(("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"), "${HomeKey}"),
            ]
        )
        role = iam.CfnRole(
            self.stack,
            "CopyRole",
            role_name=self.names.own("copy"),
            description="S3 copies the home under it",
            assume_role_policy_document=filled(statements.trust("s3")),
        )
        policy = iam.CfnManagedPolicy(
            self.stack,
            "CopyRolePolicy",
            managed_policy_name=self.names.own("copy"),
            policy_document=filled(allowed, {"HomeKey": self.key.attr_arn}),
            roles=[role.ref],
        )
        why = "copying a bucket is about each object in it"
        self.acknowledged.wildcards(
            policy, allowed, [Reach(f"{each}/*", why, "deploy/stacks/storage.py") for each in (home, copy)]
        )
        rule = s3.CfnBucket.ReplicationRuleProperty(
            id="everything",
            status="Enabled",
            priority=1,
            filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=""),
            delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Enabled"),
            source_selection_criteria=s3.CfnBucket.SourceSelectionCriteriaProperty(
                sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status="Enabled")
            ),
            destination=s3.CfnBucket.ReplicationDestinationProperty(
                bucket=self.copy.attr_arn,
                encryption_configuration=s3.CfnBucket.EncryptionConfigurationProperty(
                    replica_kms_key_id=self.key.attr_arn
                ),
            ),
        )
        return s3.CfnBucket.ReplicationConfigurationProperty(role=role.attr_arn, rules=[rule])

    def _dead_letters(self) -> sqs.CfnQueue:
        arn = statements.queue_arn(self.names.dead_letters)
        queue = sqs.CfnQueue(
            self.stack,
            "DeadLetters",
            queue_name=self.names.dead_letters,
            message_retention_period=14 * 24 * 3600,
            sqs_managed_sse_enabled=True,
        )
        sent = statements.given(
            "events", "sqs:SendMessage", arn, ArnLike={"aws:SourceArn": statements.rules(self.names)}
        )
        sqs.CfnQueuePolicy(
            self.stack,
            "DeadLettersPolicy",
            queues=[queue.ref],
            policy_document=filled(statements.document([*statements.of_a_queue(arn), sent])),
        )
        self.acknowledged.stand(
            queue, ["AwsSolutions-SQS3"], "this is the queue of dead letters of the others", "deploy/stacks/storage.py"
        )
        return queue


def _encryption(algorithm: str, key: str | None = None) -> s3.CfnBucket.BucketEncryptionProperty:
    return s3.CfnBucket.BucketEncryptionProperty(
        server_side_encryption_configuration=[
            s3.CfnBucket.ServerSideEncryptionRuleProperty(
                bucket_key_enabled=True if key else None,
                server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                    sse_algorithm=algorithm, kms_master_key_id=key
                ),
            )
        ]
    )


def _closed() -> s3.CfnBucket.PublicAccessBlockConfigurationProperty:
    return s3.CfnBucket.PublicAccessBlockConfigurationProperty(
        block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
    )


def _owned() -> s3.CfnBucket.OwnershipControlsProperty:
    return s3.CfnBucket.OwnershipControlsProperty(
        rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
    )


def _lifecycle(noncurrent_days: int, days: int | None = None) -> s3.CfnBucket.LifecycleConfigurationProperty:
    """Old versions, half-sent uploads and lone delete markers go; with days, everything does."""
    return s3.CfnBucket.LifecycleConfigurationProperty(
        rules=[
            s3.CfnBucket.RuleProperty(
                id="old-versions",
                status="Enabled",
                noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(
                    noncurrent_days=noncurrent_days
                ),
                abort_incomplete_multipart_upload=s3.CfnBucket.AbortIncompleteMultipartUploadProperty(
                    days_after_initiation=1
                ),
                expired_object_delete_marker=True if days is None else None,
                expiration_in_days=days,
            )
        ]
    )
