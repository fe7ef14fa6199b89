"""The policies that are the same in every project: what it takes to run at all, apart from what a function needs.

Plain documents in which `${AWS::AccountId}` and the like stand for what CloudFormation fills in. They are fixed, so
that a test holds each to the letter; what differs between units comes from the plan. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from packyak.deploy.stacks.names import Names

Statement: TypeAlias = Mapping[str, Any]
VERSION = "2012-10-17"
POLICY_LIMIT = 6144  # characters of a managed policy, white space not counted (IAM and STS quotas)
KEY = "${HomeKey}"  # stands for the home's key
LONGEST_KEY = len("arn:aws:kms:ap-southeast-1:123456789012:key/") + 36
NETWORK_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": [dict(each) for each in statements]}


def allow(actions: Iterable[str] | str, resources: Iterable[str] | str, **condition: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Effect": "Allow",
        "Action": actions if isinstance(actions, str) else list(actions),
        "Resource": resources if isinstance(resources, str) else list(resources),
    }
    return made | ({"Condition": condition} if condition else {})


def trust(service: str, **condition: Any) -> dict[str, Any]:
    """Who may take a role: one service."""
    made: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": f"{service}.amazonaws.com"},
    }
    return document([made | ({"Condition": condition} if condition else {})])


def of_this_account() -> dict[str, Any]:
    """A condition: on behalf of this account alone. Only for services that say on whose behalf they ask."""
    return {"StringEquals": {"aws:SourceAccount": "${AWS::AccountId}"}}


def log_group(name: str) -> str:
    return f"arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{name}:*"


def function_arn(name: str) -> str:
    return f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{name}"


def rules(names: Names) -> str:
    """All rules of a project."""
    return f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{names.prefix}-*"


def queue_arn(name: str) -> str:
    return f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}"


def of_a_function(names: Names, name: str, log: str) -> list[Statement]:
    """What Lambda needs of the role to start a function in a network and to keep what it prints. The code itself may
    not touch the network: to requests with its own credentials these actions are denied."""
    me = function_arn(name)
    return [
        allow(("logs:CreateLogStream", "logs:PutLogEvents"), log_group(log)),
        allow("sqs:SendMessage", queue_arn(names.dead_letters)),
        allow(NETWORK_ACTIONS, "*"),
        {
            "Effect": "Deny",
            "Action": list(NETWORK_ACTIONS),
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": me}},
        },
    ]


def of_the_boundary(names: Names, bucket: str, folder: str, key: str, endpoint: str) -> list[Statement]:
    """The most that any role of a unit can do, whatever is attached to it later: objects of the home, through the
    network's own way to S3, and never a deletion, a role, or a policy."""
    lake = f"arn:${{AWS::Partition}}:s3:::{bucket}"
    within = f"{lake}/{folder}/*" if folder else f"{lake}/*"
    return [
        allow(("s3:GetObject", "s3:PutObject"), within),
        allow("s3:ListBucket", lake),
        allow(("kms:Decrypt", "kms:GenerateDataKey"), key),
        allow(("logs:CreateLogStream", "logs:PutLogEvents"), log_group(f"{names.own_log('units')}/*")),
        allow("sqs:SendMessage", queue_arn(names.dead_letters)),
        allow(NETWORK_ACTIONS, "*"),
        only_through(endpoint),
    ]


def of_the_studio(bucket: str, folder: str, key: str, endpoint: str) -> list[Statement]:
    """The most that the studio's role can do: look at the home and append corrections, by one way to S3."""
    lake = f"arn:${{AWS::Partition}}:s3:::{bucket}"
    root = f"{folder}/" if folder else ""
    return [
        allow("s3:GetObject", f"{lake}/{root}*"),
        allow("s3:PutObject", f"{lake}/{root}corrections/*"),
        allow("s3:ListBucket", lake),
        allow(("kms:Decrypt", "kms:GenerateDataKey"), key),
        only_through(endpoint),
    ]


def only_through(endpoint: str) -> Statement:
    """S3 by one way alone."""
    return {
        "Effect": "Deny",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:SourceVpce": endpoint}},
    }


def of_a_task(names: Names, log: str) -> list[Statement]:
    """What ECS needs to fetch an image and open a log; what runs in the task never has it."""
    repository = "arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/" + names.repository
    fetched = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    return [
        allow("ecr:GetAuthorizationToken", "*"),
        allow(fetched, repository),
        allow(("logs:CreateLogStream", "logs:PutLogEvents"), log_group(log)),
    ]


def layers() -> Statement:
    """Where the registry keeps the layers of images: they come by the way to S3."""
    return allow("s3:GetObject", "arn:${AWS::Partition}:s3:::prod-${AWS::Region}-starport-layer-bucket/*")


def secret_arn(name: str) -> str:
    """A secret as ECS is told of it; what may be read of it ends in six more signs."""
    return f"arn:${{AWS::Partition}}:secretsmanager:${{AWS::Region}}:${{AWS::AccountId}}:secret:{name}"


def of_starting(names: Names, units: Iterable[str]) -> list[Statement]:
    """What the state machine may call: these functions, each by its name."""
    functions = [function_arn(names.of(each)) for each in units]
    return [allow("lambda:InvokeFunction", functions)] if functions else []


def of_a_bucket(arn: str) -> list[Statement]:
    """What every bucket's policy begins with: nothing without TLS, and none older than 1.2."""
    everything = [arn, f"{arn}/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": everything}
    return [
        deny | {"Sid": "OnlyTls", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        deny | {"Sid": "OnlyTls12", "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
    ]


def of_a_queue(arn: str) -> list[Statement]:
    """What every queue's policy begins with: nothing without TLS."""
    return [
        {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def given(service: str, actions: Iterable[str] | str, resource: str, **condition: Any) -> dict[str, Any]:
    """A statement of a resource's own policy: what a service may do with it."""
    return {**allow(actions, resource, **condition), "Principal": {"Service": f"{service}.amazonaws.com"}}


def of_the_key(key: str, region: str) -> list[Statement]:
    """The home's key, through S3 alone."""
    return [
        allow(
            ("kms:Decrypt", "kms:GenerateDataKey"), key, StringEquals={"kms:ViaService": f"s3.{region}.amazonaws.com"}
        )
    ]


def trust_of_a_person() -> dict[str, Any]:
    """Anybody of this account whom its administrators let, with a second factor."""
    return document(
        [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            }
        ]
    )


def resources_of(policy: Mapping[str, Any]) -> set[str]:
    """The resources that a policy allows something on."""
    found: set[str] = set()
    for statement in policy["Statement"]:
        if statement["Effect"] == "Allow":
            listed = statement["Resource"]
            found.update([listed] if isinstance(listed, str) else listed)
    return found


def paged(listed: Iterable[Statement]) -> Iterator[dict[str, Any]]:
    """Statements in as few documents as fit. One that is too long alone is split by its resources."""
    page: list[Statement] = []
    for statement in listed:
        for part in _parts(statement):
            if page and _length([*page, part]) > POLICY_LIMIT:
                yield document(page)
                page = []
            page.append(part)
    if page:
        yield document(page)


def _parts(statement: Statement) -> Iterator[Statement]:
    if _length([statement]) <= POLICY_LIMIT:
        yield statement
        return
    listed, condition = list(statement["Resource"]), statement.get("Condition", {})
    prefixes = condition.get("StringLike", {}).get("s3:prefix")
    items = prefixes if prefixes and len(listed) == 1 else listed
    for half in (items[: len(items) // 2], items[len(items) // 2 :]):
        if items is prefixes:
            yield from _parts({**statement, "Condition": {**condition, "StringLike": {"s3:prefix": half}}})
        else:
            yield from _parts({**statement, "Resource": half})


def _length(listed: list[Statement]) -> int:
    """Characters as IAM counts them. What `${...}` stands for is no longer than its name, but for the key."""
    written = json.dumps(document(listed), separators=(",", ":")).replace(KEY, "k" * LONGEST_KEY)
    return len(written) - written.count(" ")
