"""The access report: all that is known is in it, open ends stand on page one, and the same gives the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packyak.deploy.grants.declared import CloudHome
from packyak.deploy.grants.grant import Grant
from packyak.deploy.grants.proof import Judged, Probe, Proof, RoleProof
from packyak.deploy.grants.seen import keep, last_proof
from packyak.deploy.plan import CloudPlan, Role, plan_project
from packyak.deploy.reports.access import access_report, allowances, name_of
from packyak.deploy.reports.page import page
from packyak.deploy.reports.since import Kept, since_last
from packyak.deploy.stacks.synthesis import Acknowledgement, Finding, Synthesis
from packyak.engine.project import Project

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, read_csv, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id", personal={"word": "contact"}, purpose="count <words>")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(rows)
def size(word: str) -> int:
    return len(word)
"""


@pytest.fixture
def project(project_folder: Callable[..., Path]) -> Project:
    return Project.open(project_folder(SOURCE, files={"inbox/a.csv": "id,word\n1,one\n"}))


def proven(project: Project, plan: CloudPlan, *, survivor: Grant | None = None, through: str = "") -> None:
    """Keeps a proof in which every grant was taken away."""
    roles = []
    for role in plan.every_role:
        judged = tuple(
            Judged(
                each, "unneeded" if each == survivor else "proven", "from nothing", "" if each == survivor else "403"
            )
            for each in role.grants
        )
        roles.append(RoleProof(role.name, 9, judged))
    probes = (
        Probe("size", "delete s3://lake/place/tables/rows.lance/data/x", True),
        Probe("size", "put s3://lake/place/memo/rows.lance/data/x", True),
        Probe("size", "list s3://lake/place", True),
        Probe("size", "get s3://elsewhere/x", through != "get"),
    )
    keep(Proof("shop", tuple(roles), probes, ()), plan.home, project.home, "2026-10-01T00:00:00+00:00")


def plan_in(project: Project) -> CloudPlan:
    plan = plan_project(project, "s3://lake/place")
    return replace(plan, home=CloudHome("lake", "place", plan.home.key))


def test_every_grant_with_its_reason_and_verdict_is_in_it(project: Project) -> None:
    plan = plan_in(project)
    proven(project, plan)
    report = access_report(plan, last_proof(project.home))
    assert report.count("grants") == report.count("proven") == sum(len(each.grants) for each in plan.every_role)
    shown = {
        (role.role, access.place, verb) for role in report.roles for access in role.access for verb, _ in access.verbs
    }
    assert ("size", "tables/rows.lance", "read") in shown and ("rows", "buckets/inbox/*.csv", "read") in shown
    assert ("reviewer", "corrections", "write") in shown
    assert {each[0] for each in shown if each[2] == "delete"} == {"tidying"}
    why = {each for role in report.roles for access in role.access for each in access.why}
    assert ("reads rows", "pipeline.py:11") in why
    assert {each.on for each in report.tried} == {"records", "bookkeeping", "wide listings", "other buckets"}
    html = page(report)
    assert "Nothing is open." in html and "technical evidence, not a certification" in html
    assert "count &lt;words&gt;" in html and "count <words>" not in html
    assert "http://" not in html and "https://" not in html and "<script" not in html


def test_what_is_open_stands_on_the_first_page(project: Project) -> None:
    plan = plan_in(project)
    role = plan.role("size")
    assert role is not None
    proven(project, plan, survivor=role.grants[0], through="get")
    report = access_report(plan, last_proof(project.home))
    first = page(report).partition("<section>")[0]
    assert "in vain: 1" in first and "got through: 1" in first
    assert report.allowed == ("size could get s3://elsewhere/x",) and report.count("survived") == 1
    assert "there is no proof of this project yet" in page(access_report(plan, type(last_proof(project.home))()))


def test_findings_are_those_of_this_very_plan(project: Project, tmp_path: Path) -> None:
    plan = plan_in(project)
    made = Synthesis(
        plan.hash, "dev", tmp_path, (), (Finding("S3-1", "Lake", "is open"),),
        (Acknowledgement("IAM5", "Role", "one prefix", "pipeline.py:8"),), 1.0,
    )  # fmt: skip
    report = access_report(plan, last_proof(project.home), made)
    assert report.findings == (("S3-1", "Lake", "is open"),)
    assert "one prefix" in page(report) and "is open" in page(report)
    other = access_report(plan, last_proof(project.home), replace(made, plan_hash="another"))
    assert not other.synthesized and not other.findings


def test_what_changed_since_the_report_before(project: Project) -> None:
    plan, proof = plan_in(project), last_proof(project.home)

    def since(of: CloudPlan) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        found = since_last(project.home, Kept(name_of(of, proof, None), of.hash, tuple(allowances(of))))
        return found.before, found.gained, found.lost

    assert since(plan) == since(plan) == ("", (), ())
    more = Grant("size", "s3:DeleteObject", "arn:aws:s3:::lake/place/elsewhere/*")
    size = plan.role("size")
    assert size is not None
    roles = tuple(Role(each.name, (*each.grants, more), {}) if each == size else each for each in plan.roles)
    wider = replace(plan, roles=roles, hash="wider")
    assert since(wider) == since(wider) == (plan.hash, ("size may delete elsewhere/*",), ())
    assert since(plan) == ("wider", (), ("size may delete elsewhere/*",))


def test_the_same_project_gives_the_same_bytes(project: Project, tmp_path: Path) -> None:
    def write(name: str) -> dict[str, bytes]:
        command = [sys.executable, "-m", "packyak", "report", "access", "--out", str(tmp_path / name)]
        environment = dict(os.environ, PYTHONHASHSEED=str(len(name)))
        done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stderr
        return {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}

    once, again = write("once"), write("once again")
    assert once == again and set(once) == {"access.html", "access.json"}
    facts = json.loads(once["access.json"])
    assert facts["project"] == project.name and facts["proven_at"] == ""
    assert str(tmp_path) not in once["access.json"].decode()
