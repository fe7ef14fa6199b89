"""What code does beside S3 is proven like the rest: each grant is taken away, and what others reach is denied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.deploy.grants import prove as proving
from packyak.deploy.grants.declared import Declared
from packyak.deploy.grants.seen import keep, last_proof, place_of
from packyak.deploy.plan import plan_project
from packyak.deploy.reports.access import access_report
from packyak.deploy.reports.page import page
from packyak.engine.project import Project

pytest.importorskip("moto")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SOURCE = """
import boto3
from packyak import Bucket, File, Secret, asset, function
from packyak.grants import Dynamo

inbox = Bucket("inbox")
crm = Secret("crm/token")
jobs = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"


@function(on=inbox.created("*.txt"))
def count(file: File) -> None:
    table = boto3.client("dynamodb")
    table.put_item(TableName="files", Item={"key": {"S": file.key}, "size": {"N": "1"}})
    table.get_item(TableName="files", Key={"key": {"S": file.key}})["Item"]


@function(on=inbox.created("*.txt"))
def tell(file: File) -> None:
    boto3.client("sqs").send_message(QueueUrl=jobs, MessageBody=file.key)
    boto3.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:news", Message=crm.value())
    boto3.client("s3").put_object(Bucket="reports", Key=f"days/{file.key}", Body=b"x")


@function(on=inbox.created("*.txt"))
def work(file: File) -> None:
    queue = boto3.client("sqs")
    for message in queue.receive_message(QueueUrl=jobs).get("Messages", ()):
        queue.delete_message(QueueUrl=jobs, ReceiptHandle=message["ReceiptHandle"])


@asset(key="id", grants=[Dynamo.scan("files")])
def files() -> list[dict]:
    verb = "sc" + "an"
    found = getattr(boto3.client("dynamodb"), verb.lower())(TableName="files")["Items"]
    return [{"id": each["key"]["S"], "word": "one"} for each in found] + [{"id": "none", "word": "two"}]
"""
HERE = "us-east-1:123456789012"
OUTSIDE = {
    ("count", "dynamodb:PutItem", "dynamodb:table/files"),
    ("count", "dynamodb:GetItem", "dynamodb:table/files"),
    ("tell", "sqs:SendMessage", "sqs:jobs"),
    ("tell", "sns:Publish", "sns:news"),
    ("tell", "secretsmanager:GetSecretValue", "secretsmanager:secret:crm/token-??????"),
    ("tell", "s3:PutObject", "s3://reports/days/*.txt"),
    ("work", "sqs:ReceiveMessage", "sqs:jobs"),
    ("work", "sqs:DeleteMessage", "sqs:jobs"),
    ("files", "dynamodb:Scan", "dynamodb:table/files"),
}


def test_services_beside_s3(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE, files={"inbox/a.txt": "a", "inbox/b.txt": "b"}))
    proof = proving.prove(project)
    assert not [(role.role, role.problems, role.denied) for role in proof.roles if role.problems or role.denied]
    verdicts = {
        (role.role, each.grant.action, place_of(each.grant, proving.HOME)): each.verdict
        for role in proof.roles
        for each in role.judged
    }
    assert set(verdicts) >= OUTSIDE
    assert {each: verdict for each, verdict in verdicts.items() if verdict != "proven"} == {}
    assert not proof.allowed and proof.holds
    tried = {(each.role, each.what) for each in proof.probes}
    table, queue = f"arn:aws:dynamodb:{HERE}:table/files", f"arn:aws:sqs:{HERE}:jobs"
    assert ("tell", f"GetItem {table}") in tried and ("count", f"DeleteItem {table}") in tried
    assert ("count", f"PutItem {table}") not in tried and ("reviewer", f"Scan {table}") in tried
    assert ("work", f"SendMessage {queue}") in tried and ("tidying", f"PurgeQueue {queue}") in tried
    assert ("count", f"GetSecretValue arn:aws:secretsmanager:{HERE}:secret:crm/token-proof0") in tried
    assert ("work", "put s3://reports/days/x.txt") in tried

    keep(proof, proving.HOME, project.home, "2026-10-01T00:00:00+00:00")
    known = last_proof(project.home)
    assert {known.verdict(each, proving.HOME) for each in Declared(project.graph, proving.HOME).grants()} == {"proven"}
    assert {"DynamoDB", "queues", "topics", "secrets"} <= {each.on for each in known.tried}
    assert sum(each.tried for each in known.tried) == len(proof.probes) == sum(each.denied for each in known.tried)

    report = access_report(plan_project(project), known)
    [tell] = [each for each in report.roles if each.role == "tell"]
    shown = {place.place: dict(place.verbs) for place in tell.access}
    assert shown["sqs:jobs"] == {"sqs:SendMessage": "proven"} and shown["s3://reports/days/*.txt"] == {
        "write": "proven"
    }
    assert report.count("grants") == report.count("proven")
    html = page(report)
    assert "Nothing is open." in html and "PurgeQueue" in html and "<th>DynamoDB</th>" in html
    assert html == page(access_report(plan_project(project), last_proof(project.home)))
