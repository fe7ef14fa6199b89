"""Forgetting somebody in a home on S3: no object of the bucket has anything of the record afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_s3 import KEYS, local_s3
from packyak.engine.project import Project
from somebody import HIS, SOURCE, WORDS, tickets

pytestmark = pytest.mark.slow
pytest.importorskip("moto")
pytest.importorskip("sentence_transformers")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with local_s3() as url:
        yield url


def who_has(server: str) -> set[str]:
    import boto3

    found = set()
    bucket = boto3.resource("s3", endpoint_url=server).Bucket("home-bucket")
    for each in bucket.objects.all():
        data = each.get()["Body"].read()
        found |= {word.decode() for word in WORDS if word in data}
    return found


def test_no_object_has_anything_of_it(
    server: str, project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": server}).items():
        monkeypatch.setenv(name, value)
    folder = project_folder(SOURCE, settings={"home": "s3://home-bucket/p"})
    project = Project.open(folder)
    rows = tickets()
    project.put_bytes("inbox", "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert project.run().state == "done"
    project.correct("tickets", HIS, "city", "Quartzville")
    assert project.run().state == "done"
    project.put_bytes("inbox", "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows if row["id"] != HIS).encode())
    assert project.run().state == "done"
    assert who_has(server) == {word.decode() for word in WORDS}
    done = project.forget("tickets", [HIS])
    assert who_has(server) == set()
    assert (dict(done.left), len(done.corrections)) == ({}, 1)
    assert "A bucket that keeps versions has the erased objects" in done.note
    assert len(project.read("tickets")) == len(rows) - 1
    assert project.run().state == "done"
