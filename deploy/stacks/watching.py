"""Who did what, what it costs, and who is told: the trail of every access to the home, the budget, the notices."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, Reach
from packyak.deploy.stacks.filling import filled, hand_over
from packyak.deploy.stacks.storage import Storage

HERE = "deploy/stacks/watching.py"


class Watching:
    """The trail, the budget and the topic of notices."""

    def __init__(self, stack: cdk.Stack, drawn: Blueprint, storage: Storage, acknowledged: Acknowledged) -> None:
        self.stack, self.drawn, self.names, self.acknowledged = stack, drawn, drawn.names, acknowledged
        self.storage = storage
        self.topic = self._topic()
        self._trail()
        self._budget()
        hand_over(stack, self.names, "notices", self.topic.ref, "The topic of failures and of the budget")

    def _topic(self) -> sns.CfnTopic:
        topic = sns.CfnTopic(
            self.stack,
            "Notices",
            topic_name=self.names.own("notices"),
            kms_master_key_id=self.storage.key.ref,
            subscription=[sns.CfnTopic.SubscriptionProperty(endpoint=self.drawn.notify, protocol="email")]
            if self.drawn.notify
            else None,
        )
        arn = f"arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:{self.names.prefix}-notices"
        alarms = f"arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{self.names.prefix}-*"
        allowed = [
            {
                "Sid": "OnlyTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            statements.given("cloudwatch", "sns:Publish", arn, ArnLike={"aws:SourceArn": alarms}),
            statements.given("budgets", "sns:Publish", arn, **statements.of_this_account()),
        ]
        sns.CfnTopicPolicy(
            self.stack, "NoticesPolicy", topics=[topic.ref], policy_document=filled(statements.document(allowed))
        )
        return topic

    def _trail(self) -> None:
        """Management events are left to the account's own trail: a second copy of them is paid for."""
        log = logs.CfnLogGroup(
            self.stack,
            "TrailLog",
            log_group_name=self.names.own_log("trail"),
            kms_key_id=self.storage.key.attr_arn,
            retention_in_days=self.drawn.retention.audit_days,
        )
        log.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        role = iam.CfnRole(
            self.stack,
            "TrailRole",
            role_name=self.names.own("trail"),
            description="CloudTrail writes its log under it",
            assume_role_policy_document=filled(statements.trust("cloudtrail")),
        )
        group = statements.log_group(self.names.own_log("trail"))
        allowed = statements.document([statements.allow(("logs:CreateLogStream", "logs:PutLogEvents"), group)])
        policy = iam.CfnManagedPolicy(
            self.stack,
            "TrailRolePolicy",
            managed_policy_name=self.names.own("trail"),
            policy_document=filled(allowed),
            roles=[role.ref],
        )
        self.acknowledged.wildcards(policy, allowed, [Reach(group, "streams of its own log", HERE)])
        selector = cloudtrail.CfnTrail.AdvancedEventSelectorProperty
        field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
        trail = cloudtrail.CfnTrail(
            self.stack,
            "Trail",
            trail_name=self.names.prefix,
            is_logging=True,
            s3_bucket_name=self.storage.logs.ref,
            s3_key_prefix="trail",
            kms_key_id=self.storage.key.attr_arn,
            enable_log_file_validation=True,
            is_multi_region_trail=False,
            include_global_service_events=False,
            cloud_watch_logs_log_group_arn=log.attr_arn,
            cloud_watch_logs_role_arn=role.attr_arn,
            advanced_event_selectors=[
                selector(
                    name="every access to an object of the home",
                    field_selectors=[
                        field(field="eventCategory", equal_to=["Data"]),
                        field(field="resources.type", equal_to=["AWS::S3::Object"]),
                        field(field="resources.ARN", starts_with=[f"{self.storage.home.attr_arn}/"]),
                    ],
                )
            ],
        )
        trail.node.add_dependency(self.storage.logs_policy, policy)

    def _budget(self) -> None:
        """Of the whole account: costs are known by tag only once somebody has turned that tag on for billing, and a
        budget that sees nothing would say nothing."""
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=self.topic.ref)
        budgets.CfnBudget(
            self.stack,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=self.names.prefix,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=self.drawn.budget, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=kind, comparison_operator="GREATER_THAN", threshold=share
                    ),
                    subscribers=[subscriber],
                )
                for kind, share in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
