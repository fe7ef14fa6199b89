"""What runs on this machine were seen to ask AWS for, beside what was read: proven, unobserved, undeclared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from infer_executed import answer
from packyak.deploy.grants.declared import cloud_home
from packyak.deploy.grants.infer import infer
from packyak.deploy.grants.infer.observed import hooked, stands, watching
from packyak.deploy.grants.watched import last_calls, watch
from packyak.deploy.plan import plan_of
from packyak.engine.project import Project

from packyak.cli.app import run_command

HOME = cloud_home("s3://lake/shop")
SOURCE = """
import boto3
from packyak import asset
from packyak.grants import S3

s3 = boto3.client("s3", region_name="us-east-1")


@asset(key="k", grants=[S3.get("declared/*")])
def words():
    s3.put_object(Bucket="notes", Key="a", Body=b"")
    getattr(s3, "get_" + input_name())(Bucket="declared", Key="x")
    if not s3:
        s3.delete_object(Bucket="notes", Key="never")
    return [{"k": "a"}]


@asset(key="k", grants=[S3.get("declared/*")])
def sly():
    getattr(s3, "delete_" + input_name())(Bucket="notes", Key="b")
    return [{"k": "a"}]


def input_name():
    return "".join(reversed("tcejbo"))
"""


@pytest.fixture
def unanswered() -> Iterator[None]:
    with hooked({"before-call": answer}, last=True):
        yield


def test_reading_and_running_agree(unanswered: None) -> None:
    client = boto3.client("s3", region_name="us-east-1")

    def both(other: bool) -> None:
        client.put_object(Bucket="notes", Key="a", Body=b"")
        if other:
            client.delete_object(Bucket="notes", Key="b")

    def more() -> None:
        client.head_object(Bucket="elsewhere", Key="c")

    with watching() as seen:
        both(False)
        more()
    line = both.__code__.co_firstlineno
    assert [(each.operation, each.line) for each in seen] == [("PutObject", line + 1), ("HeadObject", line + 6)]
    found = {(each.state, each.need.action): each for each in stands(infer(both), seen)}
    assert set(found) == {
        ("proven", "s3:PutObject"),
        ("unobserved", "s3:DeleteObject"),
        ("undeclared", "s3:GetObject"),
    }
    undeclared = found["undeclared", "s3:GetObject"]
    assert undeclared.grant == 'S3.get("my-bucket/*")'
    assert undeclared.place == f"{__file__}:{line + 6}"


def test_a_run_is_listened_to(project_folder: Callable[..., Path], unanswered: None) -> None:
    project = Project.open(project_folder(SOURCE))
    plan = plan_of(project.name, project.graph, HOME, root=project.root)
    watch(project, plan, plan.roles, lambda line: None)
    calls = last_calls(project.home)
    assert calls.problems == ()
    assert {(role, need.action, need.resource) for role, need in calls.needs} == {
        ("words", "s3:PutObject", "arn:aws:s3:::notes/a"),
        ("words", "s3:GetObject", "arn:aws:s3:::declared/x"),
        ("sly", "s3:DeleteObject", "arn:aws:s3:::notes/b"),
    }
    assert calls.undeclared == (
        "pipeline.py:20 in sly was seen to call s3.DeleteObject, and nothing grants s3:DeleteObject on "
        'arn:aws:s3:::notes/b. Write grants=[S3.delete("my-bucket/*")] on what is declared.',
    )
    words = plan.role("words")
    assert words is not None
    state = {each.resource: calls.saw(each, HOME.region) for each in words.grants if ":::lake" not in each.resource}
    assert state == {
        "arn:aws:s3:::notes/a": True,
        "arn:aws:s3:::declared/*": True,
        "arn:aws:s3:::notes/never": False,
    }


def test_grants_shows_what_was_seen(
    project_folder: Callable[..., Path], unanswered: None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project_folder(SOURCE)
    assert run_command(["grants", "--run", "--project", str(folder)]) != 0
    told = capsys.readouterr()
    rows = {line.split("  ")[0] + line.rsplit("  ", 1)[-1] for line in told.out.splitlines() if "notes/a" in line}
    assert rows and all(each.endswith("seen") for each in rows)
    assert "pipeline.py:20 in sly was seen to call s3.DeleteObject" in told.err
