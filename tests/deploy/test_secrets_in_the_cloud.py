"""A secret in the cloud: read from Secrets Manager under a role that may read this one and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.deploy.grants.declared import Declared
from packyak.deploy.grants.home import first_objects
from packyak.deploy.grants.local_s3 import local_s3
from packyak.deploy.grants.prove import HOME, document_here
from packyak.deploy.grants.running import Runners
from packyak.engine.project import Project

pytest.importorskip("werkzeug")

SOURCE = """
from packyak import Secret, asset

key = Secret("llm/key")

@asset(key="id")
def mine() -> list[dict]:
    return [{"id": "1", "n": len(key.value())}]

def length(secret: Secret) -> int:
    return len(secret.value())

@asset(key="id")
def other() -> list[dict]:
    return [{"id": "1", "n": length(Secret("other"))}]

@asset(key="id")
def none() -> list[dict]:
    return [{"id": "1", "n": 1}]
"""


def test_who_may_read_which(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(SOURCE)
    project = Project.open(folder)
    declared = Declared(project.graph, HOME, folder)
    assert not declared.undecided()
    reads = [each for each in declared.grants() if ":secret:" in each.resource]
    may = {(each.role, each.resource.partition(":secret:")[2], each.evidence[0].place) for each in reads}
    assert may == {("mine", "llm/key-??????", "pipeline.py:8"), ("other", "other-??????", "pipeline.py:11")}
    with local_s3(key=HOME.key) as server, Runners(folder, HOME.uri) as runners:
        server.make_bucket(HOME.bucket)
        for name, data in first_objects(project.graph):
            server.put(HOME.bucket, HOME.path(name), data)
        for unit, policy_of in (("mine", "mine"), ("other", "other"), ("mine", "other")):
            swapped = [each for each in declared.grants([unit]) if each not in reads]
            swapped += [each for each in reads if each.role == policy_of]
            server.gate.roles["AKIAROLE"] = document_here(swapped)
            server.mark()
            with runners.under(server.environment("AKIAROLE")) as ask:
                outcome = ask({"run": unit})
            assert (outcome["state"] == "done") is (unit == policy_of), outcome
            server.back()
        assert "Secrets Manager gives no secret 'llm/key' (ClientError)" in outcome["problem"]
