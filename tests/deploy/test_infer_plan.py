"""What is read from the code of a project's functions becomes grants, refusals or grants by declaration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.deploy.grants.declared import cloud_home
from packyak.deploy.grants.laterals import forbidden
from packyak.deploy.plan import CloudPlan, plan_of
from packyak.engine.errors import DeclarationError
from packyak.engine.project import Project

HOME = cloud_home("s3://lake/shop")
SOURCE = """
from collections.abc import Iterator
from typing import Literal

import boto3
from packyak import Bucket, File, asset, check, function, learned, read_csv, transform
from packyak.grants import S3, Dynamo, Files

import shelf

inbox = Bucket("inbox")
archive = Bucket("archive")
s3 = boto3.client("s3", region_name="us-east-1")


@transform(inbox.files("in/*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    shelf.remember(file.key)
    yield from read_csv(file)


@transform(rows)
def known(word: str) -> bool:
    return bool(boto3.client("dynamodb").get_item(TableName="words", Key={"w": {"S": word}}).get("Item"))


@learned(rows)
def topic(word: str) -> Literal["a", "b"] | None:
    return shelf.rule(word)


@check(rows)
def all_there(rows):
    return bool(s3.list_objects_v2(Bucket="mirror", Prefix="rows/"))


@asset()
def labels(archive: Bucket) -> Iterator[dict]:
    for key in archive.list_sync("l/*"):
        yield {"text": archive.get_sync(key).decode()}


@function(on=inbox.created("*.pdf"))
async def keep(file: File):
    await archive.put(f"kept/{file.key}", await inbox.get(file.key))


@function(grants=[S3.get("notes/*"), Files.delete("inbox/old/*")])
def labeled():
    verb = input()
    getattr(s3, verb)(Bucket="notes", Key="a")
    getattr(inbox, f"{verb}_sync")("a")


@asset(grants=[Dynamo.scan("words")])
def words() -> Iterator[dict]:
    yield {"n": 1}


@function()
def loose():
    return getattr(s3, input())(Bucket="notes", Key="a")
"""
SHELF = """
import boto3

s3 = boto3.client("s3", region_name="us-east-1")


def remember(key):
    s3.put_object(Bucket="seen", Key=f"keys/{key}")


def rule(word):
    return "a" if s3.head_object(Bucket="rules", Key=word) else None
"""


@pytest.fixture
def plan(project_folder: Callable[..., Path]) -> CloudPlan:
    folder = project_folder(SOURCE)
    (folder / "shelf.py").write_text(SHELF)
    project = Project.open(folder)
    return plan_of(project.name, project.graph, HOME, root=project.root)


def by_code(plan: CloudPlan, role: str, source: str = "code") -> set[tuple[str, str, str]]:
    """(action, resource, place) of the grants of a role from a source."""
    found = plan.role(role)
    assert found is not None
    return {
        (each.action, each.prefix or each.resource, reason.place)
        for each in found.grants
        for reason in each.evidence
        if reason.source == source
    }


def test_every_function_of_a_role_is_read(plan: CloudPlan) -> None:
    home = "arn:aws:s3:::lake/shop/buckets"
    assert by_code(plan, "rows") == {
        ("s3:PutObject", "arn:aws:s3:::seen/keys/in/*.csv", "shelf.py:8"),
        ("s3:GetObject", f"{home}/inbox/in/*.csv", "pipeline.py:19"),
        ("s3:ListBucket", "rows/", "pipeline.py:34"),  # its check runs under its role
    }
    table = "arn:aws:dynamodb:us-east-1:${AWS::AccountId}:table/words"
    assert by_code(plan, "known") == {("dynamodb:GetItem", table, "pipeline.py:24")}
    assert by_code(plan, "topic") == {("s3:GetObject", "arn:aws:s3:::rules/*", "shelf.py:12")}
    assert by_code(plan, "labels") == {
        ("s3:ListBucket", "shop/buckets/archive/", "pipeline.py:39"),
        ("s3:GetObject", f"{home}/archive/l/*", "pipeline.py:40"),
    }
    assert by_code(plan, "keep") == {
        ("s3:PutObject", f"{home}/archive/kept/*.pdf", "pipeline.py:45"),
        ("s3:GetObject", f"{home}/inbox/*.pdf", "pipeline.py:45"),
    }


def test_what_is_declared_is_granted_and_answers_what_cannot_be_read(plan: CloudPlan) -> None:
    assert by_code(plan, "labeled", "declaration") == {
        ("s3:GetObject", "arn:aws:s3:::notes/*", "pipeline.py:48"),
        *(
            (action, f"arn:aws:s3:::lake/shop/buckets/inbox/{place}", "pipeline.py:48")
            for action, place in [
                ("s3:DeleteObject", "old/*"),
            ]
        ),
    }
    assert {each[0] for each in by_code(plan, "words", "declaration")} == {"dynamodb:Scan"}
    assert [(each.role, each.place) for each in plan.undecided] == [("loose", "pipeline.py:62")]


def test_what_is_undecided_says_what_to_write(plan: CloudPlan) -> None:
    (open_one,) = plan.undecided
    assert open_one.what == (
        "function loose: getattr(<s3 client>, <computed>) cannot be decided. "
        'Write grants=[S3.get("my-bucket/*")] on what is declared, or narrow the code.'
    )
    assert by_code(plan, "loose") == set()


def test_what_code_does_in_a_bucket_is_not_tried_as_foreign(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(SOURCE)
    (folder / "shelf.py").write_text(SHELF)
    graph = Project.open(folder).graph
    tried = {(verb, name.removeprefix("shop/")) for verb, _, name in forbidden(graph, HOME, "labels")}
    assert ("list", "buckets/archive/") not in tried
    assert {("put", "buckets/archive/x"), ("get", "buckets/archive/x"), ("list", "buckets/inbox/")} <= tried


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('S3.get("notes")', "names no objects of a bucket"),
        ('S3.get("*/x")', "names no objects of a bucket"),
        ('Allow("s3:*", "arn:aws:s3:::notes/a")', "is no action"),
        ('Allow("s3:GetObject", "*")', "is no resource"),
        ('Allow("s3:GetObject", "arn:aws:s3:::a*b")', "is no resource"),
        ('Allow("dynamodb:Scan", "arn:aws:dynamodb:us-east-1:1:*")', "is everything of a service"),
        ('"s3:GetObject"', "which is no grant"),
    ],
)
def test_a_grant_that_says_too_little_is_refused(project_folder: Callable[..., Path], written: str, said: str) -> None:
    folder = project_folder(
        f"from packyak import function\nfrom packyak.grants import S3, Allow\n\n@function(grants=[{written}])\n"
        "def f(): ...\n"
    )
    with pytest.raises(DeclarationError, match=said):
        _ = Project.open(folder).graph
