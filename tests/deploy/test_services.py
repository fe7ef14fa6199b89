"""Services beside S3 at the gate: every protocol is understood, judged and refused as its clients expect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from packyak.deploy.grants.grant import Grant, document_of
from packyak.deploy.grants.local_s3 import LocalS3, local_s3
from packyak.deploy.grants.requests import Call
from packyak.deploy.grants.services import asked_of, requests_to, service_of

pytest.importorskip("moto")
botocore = pytest.importorskip("botocore.exceptions")

HERE = "us-east-1:123456789012"


def asked(service: str, path: str = "/", method: str = "POST", body: bytes = b"", target: str = "") -> list[str]:
    signed = f"AWS4-HMAC-SHA256 Credential=AKIAROLE/20260101/us-east-1/{service}/aws4_request, Signature=x"
    headers = {"authorization": signed, **({"x-amz-target": target} if target else {})}
    path, _, query = path.partition("?")
    call = Call(method, path, dict([query.split("=")]) if query else {}, headers, body)
    return [str(each) for each in requests_to(asked_of(call, service_of(call)))]


def as_json(service: str, target: str, **given: Any) -> list[str]:
    return asked(service, target=target, body=json.dumps(given).encode())


def test_what_a_request_asks_for() -> None:
    table = f"arn:aws:dynamodb:{HERE}:table/orders"
    get, both = "DynamoDB_20120810.GetItem", {"orders": {"Keys": []}, "prices": {"Keys": []}}
    assert as_json("dynamodb", get, TableName="orders", Key={}) == [f"dynamodb:GetItem on {table}"]
    assert as_json("dynamodb", get, TableName=table, Key={}) == [f"dynamodb:GetItem on {table}"]
    assert as_json("dynamodb", "DynamoDB_20120810.Query", TableName="orders", IndexName="by_day") == [
        f"dynamodb:Query on {table}/index/by_day"
    ]
    assert [each.rpartition("/")[2] for each in as_json("dynamodb", "X.BatchGetItem", RequestItems=both)] == [
        "orders",
        "prices",
    ]
    queue = f"sqs:SendMessage on arn:aws:sqs:{HERE}:jobs"
    for address in ("http://127.0.0.1:5/123456789012/jobs", "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"):
        assert as_json("sqs", "AmazonSQS.SendMessage", QueueUrl=address) == [queue]
    secret = f"arn:aws:secretsmanager:{HERE}:secret:a/b-proof0"
    value = "secretsmanager.GetSecretValue"
    assert as_json("secretsmanager", value, SecretId="a/b") == [f"secretsmanager:GetSecretValue on {secret}"]
    assert as_json("secretsmanager", value, SecretId=secret) == [f"secretsmanager:GetSecretValue on {secret}"]
    topic = f"arn:aws:sns:{HERE}:news"
    assert asked("sns", body=f"Action=Publish&TopicArn={topic}&Message=x".encode()) == [f"sns:Publish on {topic}"]
    assert as_json("states", "AWSStepFunctions.StartExecution", stateMachineArn="arn:aws:states:a:1:x:y") == [
        "states:StartExecution on arn:aws:states:a:1:x:y"
    ]
    assert asked("lambda", "/2015-03-31/functions/f/invocations?Qualifier=live") == [
        f"lambda:InvokeFunction on arn:aws:lambda:{HERE}:function:f:live"
    ]
    model = "/model/anthropic.claude-v2/invoke"
    assert asked("bedrock", model) == [
        "bedrock:InvokeModel on arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2"
    ]
    put = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    assert asked("monitoring", put) == ["cloudwatch:PutMetricData on *"]


@pytest.mark.parametrize(
    ("service", "more"),
    [
        ("dynamodb", {"target": "DynamoDB_20120810.CreateTable", "body": b"{}"}),  # no line in the table
        ("dynamodb", {"target": "DynamoDB_20120810.GetItem", "body": b"{}"}),  # of no table
        ("dynamodb", {"target": "DynamoDB_20120810.GetItem", "body": b"no JSON"}),
        ("sqs", {"target": "AmazonSQS.SendMessage", "body": b'{"QueueUrl": "elsewhere"}'}),
        ("sns", {"body": b"Action=Publish&PhoneNumber=1"}),
        ("textract", {"path": "/service/Textract/operation/DetectDocumentText"}),  # it may name an object in S3
        ("lambda", {"path": "/elsewhere"}),
        ("iam", {"body": b"Action=CreateUser&UserName=x"}),
    ],
)
def test_what_cannot_be_told_is_not_guessed(service: str, more: dict[str, Any]) -> None:
    assert asked(service, **more) == []


@pytest.fixture(scope="module")
def server() -> Iterator[LocalS3]:
    with local_s3() as running:
        yield running


@pytest.fixture
def client(server: LocalS3) -> Callable[..., Any]:
    import boto3

    def made(service: str, who: str = "AKIAROLE") -> Any:
        return boto3.client(
            service, "us-east-1", endpoint_url=server.url, aws_access_key_id=who, aws_secret_access_key="x"
        )

    return made


CALLS = [
    ("dynamodb", "put_item", {"TableName": "orders", "Item": {"id": {"S": "1"}}}, ["dynamodb:PutItem", "table/orders"]),
    ("dynamodb", "get_item", {"TableName": "orders", "Key": {"id": {"S": "1"}}}, ["dynamodb:GetItem", "table/orders"]),
    ("sqs", "get_queue_url", {"QueueName": "jobs"}, ["sqs:GetQueueUrl", "jobs"]),
    ("sns", "publish", {"TopicArn": f"arn:aws:sns:{HERE}:news", "Message": "x"}, ["sns:Publish", "news"]),
    ("secretsmanager", "get_secret_value", {"SecretId": "crm"}, ["secretsmanager:GetSecretValue", "secret:crm-??????"]),
    ("ssm", "get_parameter", {"Name": "/a/b"}, ["ssm:GetParameter", "parameter/a/b"]),
    ("kinesis", "put_record", {"StreamName": "s", "Data": b"x", "PartitionKey": "k"},
     ["kinesis:PutRecord", "stream/s"]),
    ("events", "put_events", {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}", "EventBusName": "mine"}]},
     ["events:PutEvents", "event-bus/mine"]),
    ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.0}]},
     ["cloudwatch:PutMetricData", "*"]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "verb", "given", "grant"), CALLS, ids=[f"{each[0]}-{each[1]}" for each in CALLS])
def test_a_role_does_what_it_may_and_is_refused_what_it_may_not(
    server: LocalS3, client: Callable[..., Any], service: str, verb: str, given: dict[str, Any], grant: list[str]
) -> None:
    action, what = grant
    resource = what if what == "*" else f"arn:aws:{action.partition(':')[0]}:{HERE}:{what}"
    server.gate.roles["AKIAROLE"] = document_of([Grant("role", action, resource)])
    assert getattr(client(service), verb)(**given)
    others = [Grant("role", f"{action}s", "*")]
    others += [Grant("role", action, f"{resource}s")] if what != "*" else []
    for other in others:
        server.gate.roles["AKIAROLE"] = document_of([other])
        with pytest.raises(botocore.ClientError) as denied:
            getattr(client(service), verb)(**given)
        assert denied.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    with pytest.raises(botocore.ClientError):
        getattr(client(service, "AKIANOBODY"), verb)(**given)
    assert {each.allowed for each in server.gate.take() if each.role == "AKIANOBODY"} == {False}


def test_what_no_table_knows_is_refused_also_to_who_may_do_everything(
    server: LocalS3, client: Callable[..., Any]
) -> None:
    server.gate.roles["AKIAROLE"] = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    with pytest.raises(botocore.ClientError, match="AccessDenied"):
        client("dynamodb").list_backups()
    assert client("sts").get_caller_identity()["Account"] == "123456789012"  # which asks for nothing


def test_everything_goes_back(server: LocalS3, client: Callable[..., Any]) -> None:
    server.gate.roles["AKIAROLE"] = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    table, queues, secrets, parameters = (client(each) for each in ("dynamodb", "sqs", "secretsmanager", "ssm"))
    key = {"TableName": "kept", "Key": {"id": {"S": "1"}}}
    item = {"TableName": "kept", "Item": {"id": {"S": "1"}, "n": {"N": "1"}}}
    jobs = queues.get_queue_url(QueueName="kept")["QueueUrl"]
    table.put_item(**item)
    secrets.put_secret_value(SecretId="kept", SecretString="before")
    parameters.put_parameter(Name="/kept", Value="before", Type="String")
    server.mark()
    for _ in range(2):
        assert table.get_item(**key)["Item"]["n"] == {"N": "1"}
        assert secrets.get_secret_value(SecretId="kept")["SecretString"] == "before"
        assert parameters.get_parameter(Name="/kept")["Parameter"]["Value"] == "before"
        [message] = queues.receive_message(QueueUrl=jobs)["Messages"]
        queues.delete_message(QueueUrl=jobs, ReceiptHandle=message["ReceiptHandle"])
        table.delete_item(**key)
        secrets.put_secret_value(SecretId="kept", SecretString="after")
        parameters.put_parameter(Name="/kept", Value="after", Type="String", Overwrite=True)
        table.put_item(TableName="new", Item={"id": {"S": "1"}})
        server.back()
    assert not table.get_item(TableName="new", Key={"id": {"S": "1"}}).get("Item")
