"""The plan of a project: what it says, that it is stable, and that its grants are as narrow as the graph allows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.deploy.grants.declared import cloud_home
from packyak.deploy.grants.grant import Evidence, Grant, document_of, merged
from packyak.deploy.plan import CloudPlan, plan_of
from packyak.engine.errors import SettingError
from packyak.engine.project import Project

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, Index, asset, check, function, learned, read_csv, sql, transform
from typing import Literal

inbox = Bucket("inbox")
archive = Bucket("archive")

@transform(inbox.files("in/*.csv"), key="id", personal={"name": "contact"}, keep="3 years")
def rows(file: File) -> Iterator[dict]:
    "Rows of files."
    yield from read_csv(file)

@transform(rows)
def clean(word: str) -> str:
    return word.strip()

@transform(clean)
def size(clean: str) -> int:
    return len(clean)

@learned(clean)
def topic(clean: str) -> Literal["a", "b"]:
    ...

search = Index(clean, on="clean")
per_topic = sql("select topic, count(*) as n from topic group by all")

@check(per_topic)
def few(per_topic, size): return True

@function(on=inbox.created("*.pdf"))
async def keep_pdf(file: File):
    await archive.put(file.key, b"")

@function(cron="0 3 * * *")
def nightly(): ...
"""
HOME = cloud_home("s3://lake/shop")


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    return project_folder(SOURCE)


def planned(folder: Path) -> CloudPlan:
    project = Project.open(folder)
    return plan_of(project.name, project.graph, HOME, root=project.root)


def of(plan: CloudPlan, role: str, action: str, part: str) -> set[str]:
    """What the role may do with an action below a part of the home."""
    found = plan.role(role)
    assert found is not None
    places = [each.prefix or each.resource.partition("lake/")[2] for each in found.grants if each.action == action]
    return {each.removeprefix("shop/") for each in places if each.startswith(f"shop/{part}")}


def test_what_it_says(folder: Path) -> None:
    plan = planned(folder)
    units = {each.name: each for each in plan.units}
    assert list(units) == ["rows", "clean", "size", "topic", "search", "per_topic", "keep_pdf", "nightly"]
    assert units["rows"].place == "pipeline.py:9" and units["rows"].doc == "Rows of files."
    assert units["rows"].personal == ("name",) and units["rows"].keep == "3 years"
    assert [units[name].image for name in ("rows", "topic", "search")] == ["slim", "full", "full"]
    assert plan.order == (("rows",), ("clean",), ("size", "topic", "search"), ("per_topic",))
    assert [(each.kind, each.of, each.starts) for each in plan.triggers] == [
        ("file", "inbox/in/*.csv", "rows"),
        ("file", "inbox/*.pdf", "keep_pdf"),
        ("cron", "0 3 * * *", "nightly"),
    ]
    assert {each.name: each.prefix for each in plan.buckets}["archive"] == "shop/buckets/archive/"


def test_it_is_the_same_text_in_every_process(folder: Path) -> None:
    program = (
        "import sys; from packyak.engine.project import Project; from packyak.deploy.plan import plan_of; "
        "from packyak.deploy.grants.declared import cloud_home; p = Project.open(sys.argv[1]); "
        "print(plan_of(p.name, p.graph, cloud_home('s3://lake/shop'), root=p.root).to_json(), end='')"
    )
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    other = subprocess.run(
        [sys.executable, "-c", program, str(folder)], env=environment, capture_output=True, text=True, check=True
    )
    plan = planned(folder)
    assert other.stdout == plan.to_json()
    facts = json.loads(other.stdout)
    assert facts["hash"] == plan.hash and len(plan.hash) == 64
    assert str(folder) not in other.stdout  # a plan is the same on another machine


def test_its_hash_follows_what_is_deployed(project_folder: Callable[..., Path]) -> None:
    before = planned(project_folder(SOURCE, name="before"))
    other = SOURCE.replace("@transform(clean)\ndef size(clean: str)", "@transform(rows)\ndef size(word: str)")
    after = planned(project_folder(other.replace("return len(clean)", "return len(word)"), name="after"))
    assert before.hash != after.hash
    assert of(before, "size", "s3:GetObject", "tables/clean") == {"tables/clean.lance/*"}
    assert of(after, "size", "s3:GetObject", "tables/clean") == set()


def test_a_role_reads_only_what_its_function_reads(folder: Path) -> None:
    plan = planned(folder)
    assert of(plan, "rows", "s3:GetObject", "tables") == {"tables/rows.lance/*"}
    assert of(plan, "rows", "s3:GetObject", "buckets") == {"buckets/inbox/in/*.csv"}
    assert of(plan, "clean", "s3:GetObject", "buckets") == set()
    assert of(plan, "size", "s3:GetObject", "tables") == {
        "tables/size.lance/*",
        "tables/clean.lance/*",
        "tables/rows.lance/*",  # whose keys it has
    }
    assert "tables/size.lance/*" in of(plan, "per_topic", "s3:GetObject", "tables")  # for its check
    assert of(plan, "topic", "s3:PutObject", "models") == {"models/topic/*"}
    assert of(plan, "search", "s3:PutObject", "indexes") == {"indexes/search.lance/*"}


@pytest.mark.parametrize("role", ["rows", "clean", "size", "topic", "search", "per_topic", "keep_pdf"])
def test_no_role_deletes_or_holds_more_than_one_place(folder: Path, role: str) -> None:
    found = planned(folder).role(role)
    assert found is not None
    for grant in found.grants:
        assert "Delete" not in grant.action and "*" not in grant.action
        assert grant.resource.startswith("arn:aws:s3:::lake")
        within = (grant.prefix or grant.resource.partition("lake/")[2]).removeprefix("shop/")
        assert within.split("*")[0].strip("/"), f"{grant} reaches over the whole home"
        assert (grant.action == "s3:ListBucket") == bool(grant.prefix)
    writes = {each.resource for each in found.grants if each.action == "s3:PutObject" and "/tables/" in each.resource}
    assert all(f"/tables/{role}.lance/" in each for each in writes)


def test_every_grant_says_why(folder: Path) -> None:
    for role in planned(folder).roles:
        for grant in role.grants:
            assert grant.evidence
            for reason in grant.evidence:
                assert reason.why and (reason.source == "engine" or reason.place.startswith("pipeline.py:"))


def test_what_code_does_is_granted_with_the_line_of_the_very_call(folder: Path) -> None:
    plan = planned(folder)
    assert plan.undecided == ()
    assert of(plan, "keep_pdf", "s3:PutObject", "buckets") == {"buckets/archive/*.pdf"}
    role = plan.role("keep_pdf")
    assert role is not None
    (written,) = [each for each in role.grants if "archive" in each.resource]
    assert [(each.why, each.source, each.place) for each in written.evidence] == [
        ("calls archive.put", "code", "pipeline.py:34")
    ]


def test_a_policy_has_one_statement_for_each_action() -> None:
    bucket = "arn:aws:s3:::lake"
    made = document_of(
        [
            Grant("r", "s3:GetObject", f"{bucket}/b/*"),
            Grant("r", "s3:GetObject", f"{bucket}/a"),
            Grant("r", "s3:ListBucket", bucket, prefix="b/"),
            Grant("r", "s3:ListBucket", bucket, prefix="a/"),
            Grant("r", "kms:Decrypt", "arn:k", via="s3.eu-west-1.amazonaws.com"),
        ]
    )
    assert [(each["Action"], each["Resource"], each.get("Condition")) for each in made["Statement"]] == [
        ("kms:Decrypt", ["arn:k"], {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}),
        ("s3:GetObject", [f"{bucket}/a", f"{bucket}/b/*"], None),
        ("s3:ListBucket", [bucket], {"StringLike": {"s3:prefix": ["a/", "b/"]}}),
    ]


@pytest.mark.parametrize("uri", ["/tmp/home", "s3://", "gs://b/x"])
def test_a_home_must_be_in_s3(uri: str) -> None:
    with pytest.raises(SettingError, match="no home in S3"):
        cloud_home(uri)


def test_a_grant_that_lies_within_another_is_not_there_beside_it() -> None:
    def of(action: str, resource: str, prefix: str = "", role: str = "rows") -> Grant:
        why = Evidence(f"{resource} {prefix}".strip(), "graph")
        return Grant(role, action, resource, prefix, evidence=(why,))

    found = merged(
        [
            of("s3:GetObject", "b/t/_versions/*"),
            of("s3:GetObject", "b/t/*"),
            of("s3:GetObject", "b/t/_versions/*", role="other"),
            of("s3:PutObject", "b/t/_versions/*"),
            of("s3:GetObject", "b/in/?.csv"),
            of("s3:GetObject", "b/in/*.csv"),
            of("s3:GetObject", "b/in/?"),
            of("s3:ListBucket", "b", "x/y/"),
            of("s3:ListBucket", "b", "x/*"),
            of("s3:ListBucket", "c", "x/y/"),
        ]
    )
    assert [(each.role, str(each), [why.why for why in each.evidence]) for each in found] == [
        ("other", "s3:GetObject on b/t/_versions/*", ["b/t/_versions/*"]),
        ("rows", "s3:GetObject on b/in/*.csv", ["b/in/?.csv", "b/in/*.csv"]),
        ("rows", "s3:GetObject on b/in/?", ["b/in/?"]),
        ("rows", "s3:GetObject on b/t/*", ["b/t/_versions/*", "b/t/*"]),
        ("rows", "s3:ListBucket on b where prefix is x/*", ["b x/y/", "b x/*"]),
        ("rows", "s3:ListBucket on c where prefix is x/y/", ["c x/y/"]),
        ("rows", "s3:PutObject on b/t/_versions/*", ["b/t/_versions/*"]),
    ]
