"""A simulated account for the deployer's own logic: the simulated CloudFormation, and what is around it.

Any call can be refused, and the caller can be killed before or after any call took effect. Image builds, which a local
AWS server does not have, are here; it proves nothing about AWS itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from formation import Formation, Stack, refused


class Killed(BaseException):
    """The caller's process ended here."""


class _Client:
    def __init__(self, cloud: FakeCloud, service: str) -> None:
        self._cloud, self._service = cloud, service

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **asked: self._cloud.call(f"{self._service}_{operation}", asked)


class FakeCloud(Formation):
    """The account. kill, refuse: at which call, counted from 1; late: killed only after the call took effect."""

    region = "eu-west-1"
    pause = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.foreign: set[str] = set()
        self.images: dict[str, str] = {}
        self.builds: list[str] = []
        self.build_fails = ""
        self.denied: set[str] = set()
        self.kill = self.refuse = 0
        self.late = False
        self.calls: list[str] = []
        self.free = 1000
        self.by_hand: dict[str, dict[str, Any]] = {}  # a statement that somebody gave a role
        self.gone: set[str] = set()  # roles by physical name and policies by their own that somebody took away

    def client(self, service: str) -> Any:
        return _Client(self, service)

    def call(self, name: str, asked: Mapping[str, Any]) -> Any:
        self.calls.append(name)
        number = len(self.calls)
        if number == self.refuse:
            raise refused("InternalFailure", "something went wrong", name)
        if number == self.kill and not self.late:
            raise Killed
        answer = getattr(self, name)(**asked)
        if number == self.kill:
            raise Killed
        return answer

    # who and where

    def sts_get_caller_identity(self) -> Any:
        return {"Account": "123456789012", "Arn": "arn:aws:sts::123456789012:assumed-role/Deployer/ana"}

    def ec2_describe_regions(self, **_: Any) -> Any:
        return {"Regions": [{"OptInStatus": "opt-in-not-required"}]}

    def lambda_get_account_settings(self) -> Any:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.free}}

    def iam_simulate_principal_policy(self, PolicySourceArn: str, ActionNames: list[str]) -> Any:  # noqa: N803
        assert PolicySourceArn == "arn:aws:iam::123456789012:role/Deployer"
        return {
            "EvaluationResults": [
                {"EvalActionName": each, "EvalDecision": "implicitDeny" if each in self.denied else "allowed"}
                for each in ActionNames
            ]
        }

    def _roles(self) -> dict[str, tuple[str, Stack]]:
        """Logical name and stack of each role, by its physical name."""
        return {
            physical: (name, stack)
            for stack in self.stacks.values()
            for name, (kind, physical) in stack.made.items()
            if kind == "AWS::IAM::Role"
        }

    def iam_get_role(self, RoleName: str) -> Any:  # noqa: N803
        if RoleName not in self._roles() or RoleName in self.gone:
            raise refused("NoSuchEntity", f"no role {RoleName}")
        name, stack = self._roles()[RoleName]
        trust = stack.template["Resources"][name]["Properties"]["AssumeRolePolicyDocument"]
        return {"Role": {"AssumeRolePolicyDocument": trust}}

    def iam_list_role_policies(self, RoleName: str) -> Any:  # noqa: N803
        return {"PolicyNames": ["by-hand"] if RoleName in self.by_hand else []}

    def iam_get_role_policy(self, RoleName: str, PolicyName: str) -> Any:  # noqa: N803
        return {"PolicyDocument": {"Statement": [self.by_hand[RoleName]]}}

    def iam_list_attached_role_policies(self, RoleName: str) -> Any:  # noqa: N803
        name, stack = self._roles()[RoleName]
        found = [
            {"PolicyArn": f"arn:{stack.name}:{other}"}
            for other, each in stack.template["Resources"].items()
            if {"Ref": name} in each.get("Properties", {}).get("Roles", ()) and other not in self.gone
        ]
        return {"AttachedPolicies": found}

    def iam_get_policy(self, PolicyArn: str) -> Any:  # noqa: N803
        return {"Policy": {"DefaultVersionId": "v1"}}

    def iam_get_policy_version(self, PolicyArn: str, VersionId: str) -> Any:  # noqa: N803
        _, stack, name = PolicyArn.split(":")
        document = self.stacks[stack].template["Resources"][name]["Properties"]["PolicyDocument"]
        return {"PolicyVersion": {"Document": document}}

    # S3

    def s3_head_bucket(self, Bucket: str, **_: Any) -> Any:  # noqa: N803
        if Bucket in self.foreign:
            raise refused("403", "Forbidden", "HeadBucket")
        if Bucket not in self.buckets:
            raise refused("404", "Not Found", "HeadBucket")
        return {}

    def s3_create_bucket(self, Bucket: str, **_: Any) -> Any:  # noqa: N803
        self.buckets[Bucket] = {}

    def _closed(self, **_: Any) -> Any:
        return {}

    s3_put_public_access_block = s3_put_bucket_encryption = _closed
    s3_put_bucket_lifecycle_configuration = s3_put_bucket_policy = _closed

    def s3_put_object(self, Bucket: str, Key: str, Body: bytes, **_: Any) -> Any:  # noqa: N803
        if Bucket not in self.buckets:
            raise refused("NoSuchBucket", "The specified bucket does not exist", "PutObject")
        self.buckets[Bucket][Key] = Body

    def s3_head_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        if Key not in self.buckets.get(Bucket, {}):
            raise refused("404", "Not Found", "HeadObject")
        return {}

    def s3_get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        if Bucket not in self.buckets:
            raise refused("NoSuchBucket", "no such bucket", "GetObject")
        if Key not in self.buckets[Bucket]:
            raise refused("NoSuchKey", "no such key", "GetObject")
        return {"Body": BytesIO(self.buckets[Bucket][Key])}

    # images

    def ecr_describe_repositories(self, repositoryNames: list[str]) -> Any:  # noqa: N803
        name = repositoryNames[0]
        return {"repositories": [{"repositoryUri": f"123456789012.dkr.ecr.{self.region}.amazonaws.com/{name}"}]}

    def ecr_describe_images(self, repositoryName: str, imageIds: list[dict[str, str]]) -> Any:  # noqa: N803
        tag = imageIds[0]["imageTag"]
        if tag not in self.images:
            raise refused("ImageNotFoundException", f"The image {tag} does not exist", "DescribeImages")
        return {"imageDetails": [{"imageDigest": self.images[tag]}]}

    def codebuild_start_build(self, **asked: Any) -> Any:
        values = {each["name"]: each["value"] for each in asked["environmentVariablesOverride"]}
        assert values["SOURCE"] in self.buckets["demo-home"]
        self.builds.append(values["TAG"])
        if not self.build_fails:
            self.images[values["TAG"]] = f"sha256:{values['TAG']}"
        return {"build": {"id": f"build:{len(self.builds)}"}}

    def codebuild_batch_get_builds(self, ids: list[str]) -> Any:
        if not self.build_fails:
            return {"builds": [{"buildStatus": "SUCCEEDED"}]}
        phase = {"phaseType": "BUILD", "contexts": [{"message": self.build_fails}]}
        return {"builds": [{"buildStatus": "FAILED", "phases": [phase]}]}
