"""`make synth-check`: the stacks of four projects under all four profiles, checked by rule packs and cfn-lint.

Prints a table; exits with 1 when one has a finding, a linter's complaint, more than CloudFormation takes, or took
longer than it may; when a pack or the linter let pass what was made to be wrong; or when an acknowledgement explains
nothing that a pack finds. `make synth-check ARGS=--keep` leaves the templates in build/synth.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packyak.deploy.plan import CloudPlan, plan_project
from packyak.deploy.stacks.definition import LIMIT
from packyak.deploy.stacks.profiles import PROFILES, Profile
from packyak.deploy.stacks.running import PACKS, RESULT, findings_of, run_app
from packyak.deploy.stacks.synthesis import Synthesis, synthesize
from packyak.engine.project import Project
from packyak.sample_data import create
from random_projects import RandomProject

RESOURCES, BYTES, SECONDS = 500, 1_000_000, 15.0
CLOCKED = """
from collections.abc import Iterator
from packyak import Bucket, File, function, read_csv, sql, transform
from packyak.grants import Dynamo, Queue, Secrets

inbox = Bucket("inbox")

@transform(inbox.files("in/*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(rows)
def heavy(word: str) -> str:
    return word.upper()

counts = sql("select heavy, count(*) as n from heavy group by all")

@function(cron="*/15 6-18 1 * MON-FRI")
async def remind() -> None: ...

@function(every=90, grants=[Queue.send("orders"), Secrets.get("crm"), Dynamo.get("prices")])
async def look() -> None: ...

@function(on=inbox.created("*.pdf"))
async def keep(file: File) -> None: ...
"""
CLOUD = """
[cloud]
region = "eu-central-1"
notify = "ops@example.com"
cron = "0 3 * * *"

[cloud.heavy]
runs_on = "fargate"
memory_mb = 9000

[cloud.keep]
runs_on = "fargate"
"""
STUDIO = """
[roles]
admin = ["ana@example.com"]

[cloud.studio]
domain = "studio.example.com"
certificate = "arn:aws:acm:us-east-1:123456789012:certificate/0123abcd"
issuer = "https://login.example.com"
client_id = "packyak"
client_secret = "studio/oidc"
zone = "Z0123456789"
"""
WRONG = {
    "Resources": {
        "A": {"Type": "AWS::S3::Bucket", "Properties": {"BucketNam": "a"}},
        "B": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": "soon"}},
        "C": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Ref": "Nobody"}}},
    }
}


@dataclass(frozen=True)
class Row:
    """One project under one profile."""

    project: str
    profile: Profile
    made: Synthesis
    resources: int
    largest: int
    machine: int
    control: dict[str, int]
    lint: list[str]

    @property
    def problems(self) -> Iterator[str]:
        yield from (f"{each.rule} at {each.resource}" for each in self.made.findings)
        yield from self.lint
        if self.resources >= RESOURCES or self.largest >= BYTES or self.machine >= LIMIT:
            yield f"too large: {self.resources} resources, {self.largest:,} bytes, state machine {self.machine:,}"
        if self.made.seconds > SECONDS:
            yield f"took {self.made.seconds} CPU seconds, and may take {SECONDS}"
        yield from (f"{pack} found nothing in what is wrong" for pack in PACKS if not self.control.get(pack))


def main(*options: str) -> int:
    os.environ.update(PACKYAK_PREFECT="off", PACKYAK_WORKER="off")
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        plans = dict(_plans(room))
        rows = [
            _row(name, plan, profile, room / "synth" / name) for name, plan in plans.items() for profile in PROFILES
        ]
        problems = [f"{row.project}, {row.profile}: {each}" for row in rows for each in row.problems]
        problems += [each for row in rows for each in _needless(row)]
        problems += _linter_sleeps(room)
        if "--keep" in options:
            shutil.rmtree("build/synth", ignore_errors=True)
            shutil.copytree(room / "synth", "build/synth")
    print()
    for each in problems:
        print(f"MISSED {each}")
    print("MISSED" if problems else "all stacks clean, all negative controls noticed")
    return 1 if problems else 0


def _plans(room: Path) -> Iterator[tuple[str, CloudPlan]]:
    yield "sample", plan_project(Project.open(create(room / "sample", tickets=20)))
    yield "20-assets", plan_project(Project.open(RandomProject(7, 20).create(room / "twenty")))
    clocked = room / "clocked"
    clocked.mkdir()
    (clocked / "pipeline.py").write_text(CLOCKED)
    (clocked / "packyak.toml").write_text(f'name = "clocked"\n{CLOUD}')
    yield "fargate", plan_project(Project.open(clocked))
    (clocked / "packyak.toml").write_text(f'name = "served"\n{STUDIO}')
    yield "studio", plan_project(Project.open(clocked))


def _row(name: str, plan: CloudPlan, profile: Profile, folder: Path) -> Row:
    made = synthesize(plan, profile, folder)
    bodies = [json.loads(each.path.read_text()) for each in made.stacks]
    row = Row(
        name,
        profile,
        made,
        resources=max(len(each["Resources"]) for each in bodies),
        largest=max(each.path.stat().st_size for each in made.stacks),
        machine=max(len(json.dumps(_definition(each))) for each in bodies),
        control=json.loads((made.folder / RESULT).read_text())["control"],
        lint=lint([each.path for each in made.stacks]),
    )
    _say(row, sum(len(each["Resources"]) for each in bodies))
    return row


def _definition(body: dict[str, Any]) -> Any:
    found = (each for each in body["Resources"].values() if each["Type"] == "AWS::StepFunctions::StateMachine")
    return next((each["Properties"]["DefinitionString"] for each in found), "")


def _say(row: Row, resources: int) -> None:
    if not hasattr(_say, "begun"):
        _say.begun = True  # type: ignore[attr-defined]
        print(
            f"{'project':<10} {'profile':<10} {'stacks':>6} {'resources':>9} {'findings':>8} {'acknowledged':>12} "
            f"{'cfn-lint':>8} {'control':>14} {'CPU s':>6}"
        )
    control = "+".join(str(row.control.get(pack, 0)) for pack in PACKS)
    print(
        f"{row.project:<10} {row.profile:<10} {len(row.made.stacks):>6} {resources:>9} {len(row.made.findings):>8} "
        f"{len(row.made.acknowledgements):>12} {len(row.lint):>8} {control:>14} {row.made.seconds:>6.1f}",
        flush=True,
    )


def lint(templates: list[Path]) -> list[str]:
    """What cfn-lint holds against templates."""
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--format", "json", *map(str, templates)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        return [] if done.returncode == 0 else [f"cfn-lint failed: {done.stderr.strip()[-300:]}"]
    return [f"{each['Rule']['Id']} {each['Filename']}: {each['Message']}" for each in json.loads(done.stdout)]


def _linter_sleeps(room: Path) -> Iterator[str]:
    wrong = room / "wrong.template.json"
    wrong.write_text(json.dumps(WRONG))
    found = {each.partition(" ")[0] for each in lint([wrong])}
    if not {"E3002", "E1020"} <= found:
        yield f"cfn-lint let pass what is wrong: it found {sorted(found)}"


def _needless(row: Row) -> Iterator[str]:
    """Acknowledgements of what no pack finds, for one row of each project and profile that differ in them."""
    if row.profile not in ("dev", "hipaa"):
        return
    with tempfile.TemporaryDirectory() as folder:
        run_app([str(row.made.folder / "blueprint.json"), folder, "--unacknowledged"])
        found = {(each.rule, each.resource) for each in findings_of(Path(folder, "validation-report.json"))}
    said = {(each.rule, each.resource) for each in row.made.acknowledgements}
    for rule, resource in sorted(said - found):
        yield f"{row.project}, {row.profile}: {rule} at {resource} is acknowledged and not found"
    print(f"{row.project:<10} {row.profile:<10} {len(said):>6} acknowledgements, each of something that is found")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
