"""What is read from code is enough and not too much: each grant on a bucket is taken away, and the run breaks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.deploy.grants import prove as proving
from packyak.deploy.grants.proof import RoleProof
from packyak.engine.project import Project

pytest.importorskip("moto")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, asset, function
from packyak.grants import Files

inbox = Bucket("inbox")
archive = Bucket("archive")


@function(on=inbox.created("*.txt"))
async def keep(file: File):
    await archive.put(f"kept/{file.key}", await inbox.get(file.key))
    for key in await archive.list("kept/*"):
        await archive.get(key)
    await archive.put("late/one", b"1")
    await archive.delete("late/one")
    await archive.delete("late/one")  # it is gone: no error, and nothing more to ask for


@asset(key="k", grants=[Files.get("inbox/b.txt")])
def words() -> Iterator[dict]:
    verb = bytes.fromhex("6765745f73796e63").decode()
    yield {"k": getattr(inbox, verb)("b.txt").decode()}
"""
FILES = {"inbox/a.txt": "one", "inbox/b.txt": "two", "inbox/c.txt": "three", "archive/kept/old": "four"}


def on_buckets(role: RoleProof) -> dict[tuple[str, str], tuple[str, str]]:
    """(action, place) -> (verdict, sources) of the grants on declared buckets."""
    found = {}
    for each in role.judged:
        place = (each.grant.prefix or each.grant.resource).partition("home/buckets/")[2]
        if place:
            sources = "+".join(dict.fromkeys(reason.source for reason in each.grant.evidence))
            found[each.grant.action.removeprefix("s3:"), place] = (each.verdict, sources)
    return found


def test_every_grant_that_was_read_is_needed(project_folder: Callable[..., Path]) -> None:
    proof = proving.prove(Project.open(project_folder(SOURCE, files=FILES)))
    roles = {each.role: each for each in proof.roles}
    assert not roles["keep"].problems and not roles["keep"].denied and not proof.allowed
    assert not roles["words"].problems and not proof.undecided
    assert on_buckets(roles["keep"]) == {
        ("ListBucket", "inbox/"): ("proven", "graph"),
        ("GetObject", "inbox/*.txt"): ("proven", "graph+code"),
        ("PutObject", "archive/kept/*.txt"): ("proven", "code"),
        ("ListBucket", "archive/"): ("proven", "code"),
        ("GetObject", "archive/kept/*"): ("proven", "code"),
        ("PutObject", "archive/late/one"): ("proven", "code"),
        ("DeleteObject", "archive/late/one"): ("proven", "code"),
    }
    assert on_buckets(roles["words"]) == {("GetObject", "inbox/b.txt"): ("proven", "declaration")}
