"""The proof itself, on real runs: it finds every grant needed, and it notices what is missing, in vain or too wide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packyak.deploy.grants import prove as proving
from packyak.deploy.grants.declared import Declared
from packyak.deploy.grants.grant import Evidence, Grant, document_of
from packyak.deploy.grants.local_s3 import LocalS3, local_s3
from packyak.deploy.grants.reviewer import REVIEWER
from packyak.deploy.grants.seen import keep, last_proof
from packyak.deploy.grants.tidying import TIDYING
from packyak.engine.project import Project
from packyak.engine.store.home import Home, open_home

pytest.importorskip("moto")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, check, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(rows)
def size(word: str) -> int:
    return len(word)
"""
FILES = {"inbox/a.csv": "id,word\n1,one\n2,three\n3,seven\n", "inbox/b.csv": "id,word\n2,threes\n4,six\n"}


def test_every_grant_is_needed_and_everything_foreign_denied(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE, files=FILES))
    proof = proving.prove(project)
    assert proof.holds, [(role.problems, role.denied) for role in proof.roles]
    units = [role for role in proof.roles if role.role not in (REVIEWER, TIDYING)]
    assert [each.verdict for role in units for each in role.judged] == ["proven"] * 52
    assert {each.verdict for role in proof.roles for each in role.judged} == {"proven"}
    assert len(proof.probes) > 100 and not proof.allowed
    actions = {each.grant.action for role in proof.roles if role.role != TIDYING for each in role.judged}
    assert not [each for each in actions if "Delete" in each]

    keep(proof, proving.HOME, project.home, "2026-10-01T00:00:00+00:00")
    known = last_proof(project.home)
    grants = Declared(project.graph, proving.HOME).grants()
    assert sum(each.tried for each in known.tried) == len(proof.probes)
    assert {known.verdict(each, proving.HOME) for each in grants} == {"proven"}


def test_what_is_missing_in_vain_or_too_wide_is_noticed(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.open(project_folder(SOURCE, files=FILES))
    declared = Declared.grants
    bucket, why = f"arn:aws:s3:::{proving.HOME.bucket}", (Evidence("a mistake", "declaration"),)
    in_vain = Grant("rows", "s3:GetObject", f"{bucket}/{proving.HOME.prefix}/elsewhere/*", evidence=why)
    too_wide = Grant("rows", "s3:DeleteObject", f"{bucket}/{proving.HOME.prefix}/*", evidence=why)

    def mistaken(self: Declared) -> tuple[Grant, ...]:
        right = [
            each for each in declared(self) if (each.role, each.prefix) != ("size", "home/tables/rows.lance/_versions/")
        ]
        return (*right, in_vain, too_wide)

    monkeypatch.setattr(Declared, "grants", mistaken)
    proof = proving.prove(project, mutants=False)
    rows, size, *_ = proof.roles
    assert not proof.holds
    assert not rows.problems and not rows.denied
    assert size.problems and any("rows.lance/_versions/" in each for each in size.denied)
    assert {each.role for each in proof.allowed} == {"rows"}
    assert all(each.what.startswith("delete ") for each in proof.allowed)
    assert [each.verdict for each in rows.judged if each.grant in (in_vain, too_wide)] == ["unobserved"] * 2


@pytest.fixture
def server() -> Iterator[LocalS3]:
    with local_s3() as running:
        running.make_bucket("bucket")
        yield running


def test_a_home_is_read_by_a_role_that_may_not_list_the_bucket(
    server: LocalS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment("AKIAROLE").items():
        monkeypatch.setenv(name, value)
    server.put("bucket", "place/format.json", b'{"format": 1}')
    bucket = "arn:aws:s3:::bucket"
    reads = Grant("role", "s3:GetObject", f"{bucket}/place/*")
    server.gate.roles["AKIAROLE"] = document_of([reads, Grant("role", "s3:ListBucket", bucket, prefix="place/told")])
    home: Home = open_home("s3://bucket/place")
    assert home.read("told") is None  # S3 says 403; a listing of this one key tells
    server.put("bucket", "place/told2", b"x")
    assert home.read("told") is None
    with pytest.raises(Exception, match="refused to read"):
        home.read("elsewhere")


def test_going_back_undoes_every_kind_of_write(server: LocalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name, value in server.environment("AKIAROLE").items():
        monkeypatch.setenv(name, value)
    server.gate.roles["AKIAROLE"] = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    server.put("bucket", "kept", b"before")
    server.put("bucket", "deleted", b"before")
    server.mark()
    client = boto3.client("s3")
    client.put_object(Bucket="bucket", Key="kept", Body=b"after")
    client.put_object(Bucket="bucket", Key="new", Body=b"after")
    client.delete_object(Bucket="bucket", Key="deleted")
    part = {"Bucket": "bucket", "Key": "in parts"}
    upload = client.create_multipart_upload(**part)["UploadId"]
    made = client.upload_part(**part, UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"ETag": made["ETag"], "PartNumber": 1}]}
    client.complete_multipart_upload(**part, UploadId=upload, MultipartUpload=parts)
    server.back()
    listed = client.list_objects_v2(Bucket="bucket")["Contents"]
    assert {each["Key"]: client.get_object(Bucket="bucket", Key=each["Key"])["Body"].read() for each in listed} == {
        "kept": b"before",
        "deleted": b"before",
    }


FEW = """
from packyak import asset, learned
from typing import Literal

@asset(key="id")
def few() -> list[dict]:
    return [{"id": str(at), "n": at, "word": "same"} for at in range(3)]

@learned(few, train_after=50)
def size(n: int) -> Literal["small", "large"] | None:
    return "small" if n < 9 else "large"

@learned(few)
def first(word: str) -> str:
    return word[0]
"""


def test_what_learns_is_seen_to_learn_also_where_there_are_few_records(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(FEW))
    proof = proving.prove(project, mutants=False)
    assert proof.holds, [(role.problems, role.denied) for role in proof.roles]
    assert not [(role.role, each.grant) for role in proof.roles for each in role.judged if each.verdict == "unobserved"]
    places = {(role.role, each.grant.action.rpartition(":")[2]) for role in proof.roles for each in role.judged
              if "models" in f"{each.grant.resource}{each.grant.prefix}" and role.role != REVIEWER}  # fmt: skip
    assert places == {("size", "GetObject"), ("size", "PutObject"), ("size", "ListBucket")}


def test_tidying_deletes_and_nothing_else_does(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE, files=FILES))
    proof = proving.prove(project, mutants=False)
    deleting = {
        (role.role, each.grant.resource.partition("/home/")[2], each.verdict)
        for role in proof.roles
        for each in role.judged
        if "Delete" in each.grant.action
    }
    assert {each[:2] for each in deleting} == {
        (TIDYING, f"{place}/*") for place in ("corrections", "leases/run", "lineage", "memo", "published", "tables")
    }
    assert {each[2] for each in deleting} == {"not tried"}  # used, and not taken away in this proof
    tried = {each.what for each in proof.probes if each.role == TIDYING}
    assert {f"delete {proving.HOME.uri}/buckets/inbox/x", f"get {proving.HOME.uri}/models/rows/x"} <= tried
    assert not proof.allowed
