"""The table from operations to permissions: every line against AWS's own models, and what each comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from packyak.deploy.grants.evaluate import like
from packyak.deploy.grants.infer.found import Need, NotKnown
from packyak.deploy.grants.infer.observed import needs_of_call
from packyak.deploy.grants.infer.rows import SERVICES
from packyak.deploy.grants.infer.table import PLACE, Row, rows_of

SOURCE = "CopySource"
LINES = [(service, row) for service in SERVICES for rows in rows_of(service).values() for row in rows]
ARNS = {
    "arn": "arn:aws:states:us-east-1:123456789012:stateMachine:m",
    "key": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "queue": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
}


def model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service_name=service)


def paths(row: Row) -> list[str]:
    named = [found for found, *_ in PLACE.findall(row.resource) if found not in ("region", "account")]
    return named + [row.options[word] for word in ("if", "unless", "prefix") if word in row.options]


def shape_at(shape: Shape | None, path: str) -> Shape | None:
    path = path.removesuffix(".VersionId") if path.startswith(SOURCE) else path  # boto3 takes a dict as well
    for step in path.replace("{}", "").replace("[]", ".[]").split("."):
        if shape is None:
            return None
        shape = shape.member if step == "[]" else shape.members.get(step)
    return shape


@pytest.mark.parametrize(("service", "row"), LINES, ids=lambda each: each if isinstance(each, str) else f"{each}"[4:60])
def test_every_line_names_what_there_is(service: str, row: Row) -> None:
    operations = model(service)
    assert row.operation in operations.operation_names
    for path in paths(row):
        assert shape_at(operations.operation_model(row.operation).input_shape, path) is not None, path
    assert row.action == "-" or re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", row.action)
    assert set(row.options) <= {"if", "unless", "prefix", "via"}


def filled(service: str, row: Row) -> dict[str, Any]:
    """Parameters with which a line applies, and every other line of its operation that always does."""
    given: dict[str, Any] = {}
    for each in (row, *(each for each in rows_of(service)[row.operation] if "if" not in each.options)):
        for path in paths(each):
            if path not in (row.options.get("unless"), *([each.options["unless"]] if "unless" in each.options else [])):
                form = re.search(re.escape(path) + r"\*?:(\w+)", each.resource)
                known = form[1] if form else ""
                if path == f"{SOURCE}.VersionId":
                    given[SOURCE] = "bucket/x?versionId=7"
                    continue
                _put(given, path, "bucket/x" if known == "source" else ARNS.get(known, "name-x"))
    return given


def _put(into: dict[str, Any], path: str, value: str) -> None:
    *steps, last = path.split(".")
    for step in steps:
        inner = into.setdefault(step.removesuffix("[]"), [{}] if step.endswith("[]") else {})
        into = inner[0] if step.endswith("[]") else inner
    if last.endswith("{}"):
        into[last.removesuffix("{}")] = {value: []}
    elif last.endswith("[]"):
        into.setdefault(last.removesuffix("[]"), [value])
    else:
        into.setdefault(last, value)


@pytest.mark.parametrize(("service", "row"), LINES, ids=lambda each: each if isinstance(each, str) else f"{each}"[4:60])
def test_every_line_comes_to_its_permission(service: str, row: Row) -> None:
    if ":phone" in row.resource:
        with pytest.raises(NotKnown):
            needs_of_call(service, row.operation, filled(service, row))
        return
    needs = needs_of_call(service, row.operation, filled(service, row))
    if row.action == "-":
        assert needs == ()
        return
    mine = [each for each in needs if each.action == row.action]
    assert mine
    for need in mine:
        assert need.resource == "*" if row.resource == "*" else need.resource.startswith("arn:aws:")
        assert not re.search(r"\{(?!region|account)", need.resource)


CALLS: list[tuple[str, str, Mapping[str, Any], set[tuple[str, str, str | None]]]] = [
    ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}, {("s3:GetObject", "arn:aws:s3:::b/k", None)}),
    ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "p/"}, {("s3:ListBucket", "arn:aws:s3:::b", "p/")}),
    ("s3", "ListObjectsV2", {"Bucket": "b"}, {("s3:ListBucket", "arn:aws:s3:::b", None)}),
    ("s3", "HeadBucket", {"Bucket": "b"}, {("s3:ListBucket", "arn:aws:s3:::b", None)}),
    (
        "s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "a", "Key": "j"}},
        {("s3:GetObject", "arn:aws:s3:::a/j", None), ("s3:PutObject", "arn:aws:s3:::b/k", None)},
    ),
    (
        "s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "/a/j?versionId=7"},
        {("s3:GetObjectVersion", "arn:aws:s3:::a/j", None), ("s3:PutObject", "arn:aws:s3:::b/k", None)},
    ),
    (
        "s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": {"Bucket": "a", "Key": "j", "VersionId": "7"}},
        {("s3:GetObjectVersion", "arn:aws:s3:::a/j", None), ("s3:PutObject", "arn:aws:s3:::b/k", None)},
    ),
    (
        "s3", "PutObject", {"Bucket": "b", "Key": "k", "IfMatch": "x", "ObjectLockMode": "GOVERNANCE"},
        {(f"s3:{each}", "arn:aws:s3:::b/k", None) for each in ("PutObject", "GetObject", "PutObjectRetention")},
    ),
    (
        "dynamodb", "Query", {"TableName": "t", "IndexName": "i"},
        {("dynamodb:Query", "arn:aws:dynamodb:{region}:{account}:table/t/index/i", None)},
    ),
    (
        "sqs", "SendMessage", {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/1/q"},
        {("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:q", None)},
    ),
    (
        "secretsmanager", "GetSecretValue", {"SecretId": "arn:aws:secretsmanager:eu-west-1:1:secret:x-AbCdEf"},
        {("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:1:secret:x-AbCdEf", None)},
    ),
    (
        "lambda", "Invoke", {"FunctionName": "123456789012:function:f"},
        {("lambda:InvokeFunction", "arn:aws:lambda:{region}:123456789012:function:f", None)},
    ),
    ("sts", "GetCallerIdentity", {}, set()),
]  # fmt: skip


def named(each: object) -> str:
    """Of a set no name: its order differs from process to process."""
    return "" if isinstance(each, set) else str(each)[:30]


@pytest.mark.parametrize(("service", "operation", "params", "expected"), CALLS, ids=named)
def test_what_a_call_asks_for(
    service: str, operation: str, params: Mapping[str, Any], expected: set[tuple[str, str, str | None]]
) -> None:
    assert {(n.action, n.resource, n.prefix) for n in needs_of_call(service, operation, params)} == expected


@pytest.mark.parametrize(
    ("service", "operation", "params", "said"),
    [
        ("s3", "PutBucketPolicy", {"Bucket": "b"}, "in no table"),
        ("s3", "GetObject", {"Bucket": "b", "Key": "a*"}, "wildcard"),
        ("s3", "GetObject", {"Bucket": "", "Key": "a"}, "is empty"),
        ("s3", "GetObject", {"Key": "a"}, "Bucket is not known"),
        ("s3", "GetObject", {"Bucket": "arn:aws:s3:us-east-1:1:accesspoint/a", "Key": "k"}, "access point"),
        ("s3", "GetObject", {"Bucket": "b--use1-az4--x-s3", "Key": "k"}, "directory bucket"),
        ("s3", "CopyObject", {"Bucket": "b", "Key": "k", "CopySource": "x-s3alias/k"}, "access point"),
        ("kms", "Encrypt", {"KeyId": "alias/a"}, "alias"),
        ("sqs", "SendMessage", {"QueueUrl": "jobs"}, "no address of a queue"),
        ("sns", "Publish", {"PhoneNumber": "+41"}, "phone"),
        ("bedrock-runtime", "Converse", {"modelId": "us.anthropic.x"}, "several regions"),
        ("stepfunctions", "StartExecution", {"stateMachineArn": "m"}, "is no ARN"),
    ],
)
def test_what_has_no_narrow_resource_is_not_decided(
    service: str, operation: str, params: Mapping[str, Any], said: str
) -> None:
    with pytest.raises(NotKnown, match=said):
        needs_of_call(service, operation, params)


def test_a_secret_by_name_matches_the_arn_that_aws_gives_it() -> None:
    (need,) = needs_of_call("secretsmanager", "GetSecretValue", {"SecretId": "app/db"})
    assert like(need.resource, "arn:aws:secretsmanager:{region}:{account}:secret:app/db-a1B2c3")
    assert not like(need.resource, "arn:aws:secretsmanager:{region}:{account}:secret:app/db2-a1B2c3")
    assert isinstance(need, Need)
