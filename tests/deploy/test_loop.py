"""The loop goes on in the cloud: a person corrects under the reviewer's role, the units learn, promote and recompute
under theirs, all in one home on S3.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packyak.deploy.grants.declared import CloudHome, Declared
from packyak.deploy.grants.grant import document_of
from packyak.deploy.grants.home import first_objects
from packyak.deploy.grants.local_s3 import ADMIN, LocalS3, local_s3
from packyak.deploy.grants.reviewer import REVIEWER, reviewer_grants
from packyak.deploy.grants.running import Runners
from packyak.engine.project import Project

pytest.importorskip("werkzeug")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

HOME = CloudHome("lake", "place", "arn:aws:kms:us-east-1:123456789012:key/home")
SOURCE = """
from collections.abc import Iterator
from typing import Literal
from packyak import Bucket, File, learned, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    for row in read_csv(file):
        yield {"id": row["id"], "n": int(row["n"])}

@learned(rows, train_after=6)
def kind(n: int) -> Literal["few", "many"] | None:
    return "few"

kinds = sql("select kind, count(*) as n from kind group by all")
"""
UNITS = ("rows", "kind", "kinds")


class Cloud:
    """A home on S3 with the roles of a project."""

    def __init__(self, server: LocalS3, folder: Path, runners: Runners) -> None:
        self.server, self.folder, self.runners = server, folder, runners

    def as_role(self, role: str) -> dict[str, str]:
        return self.server.environment(ADMIN if role == ADMIN else f"AKIA{role.upper()}")

    def run(self, unit: str, role: str = "") -> dict[str, Any]:
        with self.runners.under(self.as_role(role or unit)) as ask:
            return ask({"run": unit})

    def packyak(self, role: str, *arguments: str) -> tuple[int, Any]:
        """The command line with this home, as a person under a role."""
        code, out, err = self.in_words(role, *arguments, "--json")
        assert out, err
        return code, json.loads(out)

    def in_words(self, role: str, *arguments: str) -> tuple[int, str, str]:
        """The same as a person reads it: exit code, answer, and what is said beside it."""
        command = [sys.executable, "-m", "packyak", *arguments, "--home", HOME.uri]
        environment = {**os.environ, **self.as_role(role), "PACKYAK_WORKER": "off", "PACKYAK_PREFECT": "off"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=200)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def cloud(project_folder: Callable[..., Path]) -> Iterator[Cloud]:
    folder = project_folder(SOURCE)
    graph = Project.open(folder).graph
    declared = Declared(graph, HOME, folder)
    with local_s3(key=HOME.key) as server, Runners(folder, HOME.uri) as runners:
        server.make_bucket(HOME.bucket)
        for name, data in first_objects(graph):
            server.put(HOME.bucket, HOME.path(name), data)
        text = "id,n\n" + "".join(f"r{n:02},{n}\n" for n in range(20))
        server.put(HOME.bucket, HOME.path("buckets/inbox/a.csv"), text.encode())
        for unit in UNITS:
            server.gate.roles[f"AKIA{unit.upper()}"] = document_of(declared.grants([unit]))
        server.gate.roles[f"AKIA{REVIEWER.upper()}"] = document_of(reviewer_grants(declared))
        made = Cloud(server, folder, runners)
        for unit in UNITS:
            assert made.run(unit)["state"] == "done"
        yield made


def test_correct_learn_promote_recompute(cloud: Cloud) -> None:
    counted = "select kind, n from kinds order by kind"
    assert cloud.packyak(REVIEWER, "sql", counted)[1]["rows"] == [{"kind": "few", "n": 20}]
    for n in (12, 13, 14, 15, 16, 17):
        code, _ = cloud.packyak(REVIEWER, "correct", "kind", f"r{n:02}", "kind", "many")
        assert code == 0
    for n in (1, 2, 3, 4, 5):
        assert cloud.packyak(REVIEWER, "correct", "kind", f"r{n:02}", "kind", "few")[0] == 0

    code, plan = cloud.packyak(REVIEWER, "plan")  # what the corrections touch, and nothing above it
    assert {each["asset"] for each in plan["steps"]} == {"kind", "kinds"}, plan
    for command, told in (("plan", "kind"), ("doctor", "can be written"), ("lineage export", '"eventType"')):
        code, words, beside = cloud.in_words(REVIEWER, *command.split())
        assert (code, told in words) == (0, True), (command, beside)

    assert cloud.run("kind")["state"] == "done"
    models = cloud.server.names(HOME.bucket, HOME.path("models/kind/"))
    promotions = cloud.server.names(HOME.bucket, HOME.path("promotions/"))
    assert models and promotions
    assert cloud.run("kinds")["state"] == "done"
    rows = cloud.packyak(REVIEWER, "sql", counted)[1]["rows"]
    assert {each["kind"] for each in rows} == {"few", "many"} and sum(each["n"] for each in rows) == 20
    corrected = cloud.packyak(REVIEWER, "sql", "select kind from kind where n between 12 and 17")[1]["rows"]
    assert [each["kind"] for each in corrected] == ["many"] * 6
    learned = cloud.packyak(REVIEWER, "sql", "select kind from kind where n in (18, 19)")[1]["rows"]
    assert [each["kind"] for each in learned] == ["many"] * 2  # nobody said so: the model did
    assert not (cloud.folder / ".packyak" / "tables").exists()


def test_who_reviews_can_neither_compute_nor_decide_nor_delete(cloud: Cloud) -> None:
    assert cloud.packyak(REVIEWER, "correct", "kind", "r01", "kind", "many")[0] == 0
    before = {
        name: cloud.server.get(HOME.bucket, name) for name in cloud.server.names(HOME.bucket, HOME.path("tables/"))
    }
    assert cloud.run("kind", REVIEWER)["state"] == "error"
    code, told = cloud.packyak(REVIEWER, "run")
    assert code != 0 and "S3 refused" in json.dumps(told)
    cloud.server.gate.take()
    assert cloud.packyak(REVIEWER, "models", "kind", "--pin")[0] != 0
    assert {each.request.action for each in cloud.server.gate.take() if not each.allowed} <= {"s3:PutObject"}
    after = {
        name: cloud.server.get(HOME.bucket, name) for name in cloud.server.names(HOME.bucket, HOME.path("tables/"))
    }
    assert before == after
