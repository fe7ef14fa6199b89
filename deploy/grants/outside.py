"""Accesses outside the home that must be denied: tried as each role on everything that any role's code reaches.

A role whose code does nothing with a queue, a table or a secret may do nothing with it, and one whose code does may do
that and nothing else; of what belongs to nobody here nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from http.client import HTTPConnection

from packyak.deploy.grants.evaluate import like
from packyak.deploy.grants.inferred import Code
from packyak.deploy.grants.proof import Probe
from packyak.deploy.grants.requests import ACCOUNT, DELETE, READ, WRITE

_ARN = re.compile(r"arn:aws:([\w-]+):([\w-]*):[^:]*:(.+)")
# What is tried: the service as it is signed for; the operation, with what JSON calls name it by; the action.
_TARGETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "dynamodb": ("DynamoDB_20120810", ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")),
    "sqs": ("AmazonSQS", ("SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue")),
    "secretsmanager": ("secretsmanager", ("GetSecretValue", "PutSecretValue", "DescribeSecret")),
    "ssm": ("AmazonSSM", ("GetParameter", "PutParameter", "DeleteParameter")),
    "kinesis": ("Kinesis_20131202", ("PutRecord",)),
    "states": ("AWSStepFunctions", ("StartExecution", "ListExecutions")),
    "kms": ("TrentService", ("Encrypt", "Decrypt")),
}
_FORMS: Mapping[str, tuple[str, ...]] = {"sns": ("Publish", "Subscribe", "GetTopicAttributes")}
_STRANGE = (
    "arn:aws:dynamodb:{0}:table/somebody-elses",
    "arn:aws:sqs:{0}:somebody-elses",
    "arn:aws:secretsmanager:{0}:secret:somebody-elses-proof0",
)
Try = tuple[str, str, str]  # service, operation, ARN


def forbidden_outside(resources: Iterable[str], codes: Iterable[Code], region: str) -> Iterator[Try]:
    """What a role with this code must not be able to do with resources that somebody's code reaches."""
    may = set(_allowed(codes, region))
    strange = (each.format(f"{region}:{ACCOUNT}") for each in _STRANGE)
    for arn in dict.fromkeys([*map(_one, resources), *strange]):
        found = _ARN.fullmatch(arn)
        service = found[1] if found else ""
        for operation in _TARGETS.get(service, ("", ()))[1] or _FORMS.get(service, ()):
            if not any(action == f"{service}:{operation}" and like(pattern, arn) for action, pattern in may):
                yield service, operation, arn


def forbidden_in_buckets(resources: Iterable[str], codes: Iterable[Code]) -> Iterator[Try]:
    """The same for objects of other buckets in S3: verb, bucket, key."""
    may = set(_allowed(codes, ""))
    verbs = {"get": READ, "put": WRITE, "delete": DELETE}
    for resource in resources:
        bucket, _, key = _one(resource).partition(":::")[2].partition("/")
        for verb, action in verbs.items() if key else ():
            if not any(action == each and like(pattern, f"arn:aws:s3:::{bucket}/{key}") for each, pattern in may):
                yield verb, bucket, key


def _allowed(codes: Iterable[Code], region: str) -> Iterator[tuple[str, str]]:
    """What code was read to do, or may by declaration: actions and patterns of resources."""
    for code in codes:
        found = [(read.need.action, read.need.resource) for read in code.inference.actions]
        found += [(each.action, each.resource) for each in code.allowed]
        for action, resource in found:
            yield action, resource.replace("{region}", region).replace("{account}", ACCOUNT)


def _one(resource: str) -> str:
    """One thing that a resource's pattern is about."""
    secret = resource.removesuffix("-??????")
    return (secret if secret == resource else f"{secret}-proof0").replace("*", "x").replace("?", "x")


def probe_outside(connection: HTTPConnection, access_key: str, role: str, tried: Try) -> Probe:
    """Tries one thing as a role."""
    service, operation, arn = tried
    region, what = arn.split(":")[3], arn.split(":", 5)[5]
    signed = f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{service}/aws4_request, SignedHeaders=host"
    headers = {"Authorization": signed}
    if service in _TARGETS:
        headers["X-Amz-Target"] = f"{_TARGETS[service][0]}.{operation}"
        body = json.dumps(_named(service, arn, what))
    else:
        body = f"Action={operation}&TopicArn={arn}"
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    denied = b"AccessDenied" in answer.read()
    return Probe(role, f"{operation} {arn}", denied)


def _named(service: str, arn: str, what: str) -> dict[str, str]:
    """The parameters by which an operation is told what it is about."""
    name = what.partition("/")[2]
    table, _, index = name.partition("/index/")
    return {
        "dynamodb": {"TableName": table, **({"IndexName": index} if index else {})},
        "sqs": {"QueueUrl": f"https://sqs.{arn.split(':')[3]}.amazonaws.com/{arn.split(':')[4]}/{what}"},
        "secretsmanager": {"SecretId": arn},
        "ssm": {"Name": f"/{name}"},
        "kinesis": {"StreamName": name},
        "states": {"stateMachineArn": arn},
        "kms": {"KeyId": arn},
    }[service]
