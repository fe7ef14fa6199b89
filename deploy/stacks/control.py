"""A stack made to be wrong, beside the real ones: a clean report looks like one of packs that never ran.

Each pack must find something here. It is never deployed, and an ejected app has none.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

NAME = "packyak-negative-control"


class Control(cdk.Stack):
    """An open bucket without encryption, versions or log, and a role that may do everything."""

    def __init__(self, app: cdk.App) -> None:
        super().__init__(app, NAME, synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False))
        s3.CfnBucket(self, "OpenBucket")
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        iam.CfnRole(
            self,
            "MightyRole",
            assume_role_policy_document={"Version": "2012-10-17", "Statement": [trust]},
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="everything",
                    policy_document={"Version": "2012-10-17", "Statement": [everything]},
                )
            ],
        )
