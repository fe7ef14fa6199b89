"""One click against an account on this machine, end to end, then parity: `make export-demo`.

The sample project is published by the command that the studio's button starts. Then every unit runs in the order of the
deployed state machine, under the policies that were really deployed, against an S3 server behind the gate; tables,
versions and lineage must equal those of a run in a folder. Ends with 1 where anything falls short.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from local_cloud import LocalCloud, local_cloud
from packyak.deploy.grants.local_s3 import LocalS3, local_s3
from packyak.deploy.grants.memory_s3 import MemoryS3
from packyak.deploy.grants.running import Runners
from packyak.deploy.stacks.names import Names
from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project
from packyak.engine.run.correct.saving import Said
from packyak.sample_data import create

TICKETS = 400
READY_SECONDS = 30.0
IDLE_DOLLARS = 2.0
OFF = {"PACKYAK_PREFECT": "off", "PACKYAK_WORKER": "off"}
CORRECTED = (("tickets", "city"), ("topic", "topic"))


@dataclass(frozen=True)
class Clicked:
    """What one export came to. ready: seconds of the clock until every change set was ready; cpu: of the processor."""

    lines: list[dict[str, Any]]
    ready: float
    cpu: float

    @property
    def outcome(self) -> dict[str, Any]:
        last: dict[str, Any] = self.lines[-1]
        return last.get("outcome", last)


def click(folder: Path, cloud: LocalCloud, *more: str) -> Clicked:
    """The command that the button starts, line by line."""
    command = [sys.executable, "-m", "packyak", "export", "--yes", "--json", *more]
    before, began, ready = _spent(), time.monotonic(), 0.0
    environment = {**os.environ, **cloud.environment, **OFF}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for text in process.stdout:
        told = json.loads(text)
        lines.append(told)
        if "change set is ready" in told.get("stage", {}).get("line", ""):
            ready = time.monotonic() - began
    process.wait()
    return Clicked(lines, ready, _spent() - before)


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def stages(clicked: Clicked) -> Iterator[str]:
    """A line for each stage, with its seconds."""
    for told in clicked.lines:
        stage = told.get("stage")
        if stage and stage["state"] in ("done", "failed"):
            yield f"  {stage['stage']:<12} {stage['state']:<7} {stage['seconds']:>7.2f} s  {stage['line'][:90]}"


def levels(cloud: LocalCloud, outcome: Mapping[str, Any]) -> list[list[str]]:
    """The units in the order of the deployed state machine, those of a level together."""
    arn = next(each["value"] for each in outcome["outputs"] if each["name"] == "state machine")
    found = json.loads(client(cloud, "stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"])
    order, state = [], found["StartAt"]
    while state:
        each = found["States"][state]
        if each["Type"] == "Parallel":
            order.append([task["Parameters"]["Payload"]["run"] for branch in each["Branches"]
                          for task in branch["States"].values() if task["Type"] == "Task"])  # fmt: skip
        state = each.get("Next") or each.get("Default", "")
    return order


def client(cloud: LocalCloud, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id="AKIAADMIN",
        aws_secret_access_key="unused-on-this-machine",
    )  # fmt: skip


def deployed(cloud: LocalCloud, role: str) -> Mapping[str, Any]:
    """What a role may do, as IAM says it."""
    iam = client(cloud, "iam")
    statements: list[Any] = []
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)
        statements += document["PolicyVersion"]["Document"]["Statement"]
    return {"Version": "2012-10-17", "Statement": statements}


def key_of(cloud: LocalCloud) -> str:
    """The key that the home is encrypted with, as the deployed policies name it."""
    keys = client(cloud, "kms").list_keys()["Keys"]
    assert len(keys) == 1, keys
    return str(keys[0]["KeyArn"])


def correct(project: Project) -> list[Said]:
    """A person's word on a few records."""
    said = []
    for asset, column in CORRECTED:
        rows = sorted(project.read(asset).to_pylist(), key=lambda row: str(row["ticket_id"]))
        values = sorted({row[column] for row in rows if row[column] is not None}) or ["billing", "delivery"]
        for row in rows[:6]:
            other = next(value for value in values if value != row[column])
            said.append(Said(asset, row["ticket_id"], column, other, "the demonstration says so"))
    project.correct_many(said, by="ana")
    return said


@dataclass(frozen=True)
class Deployed:
    """What the export left in the account. home: its address; order: of the state machine; policies: of each unit's
    role; key: that the home is encrypted with; objects: what lies in the home's bucket."""

    home: str
    order: list[list[str]]
    policies: Mapping[str, Mapping[str, Any]]
    key: str
    objects: Mapping[str, bytes]

    @property
    def bucket(self) -> str:
        return self.home.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        return self.home.removeprefix("s3://").partition("/")[2]


def look(cloud: LocalCloud, outcome: Mapping[str, Any], project: str) -> Deployed:
    """Asks the account's own services."""
    home, order, s3 = _home(outcome), levels(cloud, outcome), client(cloud, "s3")
    bucket = home.removeprefix("s3://").partition("/")[0]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names = [each["Key"] for page in pages for each in page.get("Contents", ())]
    return Deployed(
        home,
        order,
        {unit: deployed(cloud, Names(project, bucket).of(unit)) for level in order for unit in level},
        key_of(cloud),
        {name: s3.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names},
    )


def run_in_cloud(local: Project, server: LocalS3, there: Deployed) -> list[str]:
    """Every unit under its role, in the state machine's order, twice: from nothing, and after people said something."""
    problems: list[str] = []
    server.make_bucket(there.bucket)
    for name, data in there.objects.items():
        server.put(there.bucket, name, data)
    _upload(local, server, there, "buckets")
    for unit, policy in there.policies.items():
        server.gate.roles[f"AKIA{unit.upper()}"] = policy
    with Runners(local.root, there.home) as runners:
        for turn in ("from nothing", "after corrections"):
            if turn != "from nothing":
                _upload(local, server, there, "corrections")
            for level in there.order:
                for unit in level:
                    with runners.under(server.environment(f"AKIA{unit.upper()}")) as ask:
                        done = ask({"run": unit})
                    print(f"  {unit:<16} {turn:<18} {done['state']:<6} {done.get('computed', 0):>5} computed")
                    if done["state"] != "done" or done["problem"]:
                        problems.append(f"{unit} {turn}: {done['problem'] or done['state']}")
    refused = [f"{each.role} was denied {each.request}" for each in server.gate.take() if not each.allowed]
    return problems + sorted(set(refused))


def _home(outcome: Mapping[str, Any]) -> str:
    return str(next(each["value"] for each in outcome["outputs"] if each["name"] == "home"))


def _upload(local: Project, server: LocalS3, there: Deployed, folder: str) -> None:
    """Puts files there as old as they are here: where two hold the same record, the newer one is right."""
    memory = server.inner
    assert isinstance(memory, MemoryS3)
    for name, _, changed in local.home.walk(folder):
        key = f"{there.prefix}/{name}"
        server.put(there.bucket, key, local.home.read(name) or b"")
        objects = memory.buckets[there.bucket]
        objects[key] = replace(objects[key], changed=datetime.fromtimestamp(changed // 10**9, UTC))


def facts(project: Project) -> dict[str, tuple[str, str, str]]:
    """Of each asset: its version, a hash of its records, and one of its lineage."""
    events = EventLog(project.home).read()
    found = {}
    for name, each in project.published.load().assets.items():
        rows = project.read(name).to_pylist() if name in {asset.name for asset in project.status()} else []
        lines = sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
        last = [event for event in events if event.get("eventType") == "COMPLETE" and event["job"]["name"] == name]
        found[name] = (each.version, _hash("\n".join(lines)), _hash(_lineage(last[-1]) if last else ""))
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _lineage(event: Mapping[str, Any]) -> str:
    """What an event says of where an asset comes from, without when, by which run and in which home."""

    def thing(each: Mapping[str, Any]) -> dict[str, Any]:
        kept = {word: each.get("facets", {}).get(word) for word in ("schema", "columnLineage", "version", "symlinks")}
        return {"name": _place(each["name"]), "facets": _without(kept)}

    job = event["job"]
    return json.dumps(
        {
            "job": job["name"],
            "code": job["facets"].get("sourceCodeLocation", {}).get("version"),
            "inputs": sorted((thing(each) for each in event["inputs"]), key=str),
            "outputs": sorted((thing(each) for each in event["outputs"]), key=str),
        },
        sort_keys=True,
    )


def _place(name: str) -> str:
    return "/".join(name.split("/")[-2:])


def _without(value: Any) -> Any:
    """Names of tables by their place in the home, and no namespaces, which name the home."""
    if isinstance(value, Mapping):
        return {word: _place(each) if word == "name" and isinstance(each, str) else _without(each)
                for word, each in value.items() if word != "namespace"}  # fmt: skip
    return [_without(each) for each in value] if isinstance(value, list) else value


def main() -> int:
    wrong: list[str] = []
    os.environ.update(OFF)
    with tempfile.TemporaryDirectory() as place, local_cloud() as cloud:
        folder = create(Path(place) / "sample", tickets=TICKETS)
        print("One click: packyak export --yes --json, against a server on this machine")
        first = click(folder, cloud)
        print("\n".join(stages(first)))
        if first.outcome.get("state") != "published":
            print(json.dumps(first.lines[-1], indent=1))
            return 1
        busy = os.getloadavg()[0] > (os.cpu_count() or 1)
        print(f"click to the last change set ready: {first.ready:.1f} s, {first.cpu:.1f} s of the processor in all"
              f"{' (this machine is busy with other things: the processor counts)' if busy else ''}")  # fmt: skip
        if (first.cpu if busy else first.ready) > READY_SECONDS:
            wrong.append(f"it takes more than {READY_SECONDS:.0f} s to the last change set")
        again = click(folder, cloud)
        print(f"a second click: {again.outcome.get('state')}, built {len(cloud.builds)} images in all")
        if again.outcome.get("state") != "unchanged":
            wrong.append("a second click changes something")
        wrong += _cost(folder)
        wrong += _parity(folder, cloud, first)
    for each in wrong:
        print(f"SHORT: {each}")
    print("Falls short" if wrong else "Everything holds")
    return 1 if wrong else 0


def _cost(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "packyak", "cost", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env={**os.environ, **OFF})
    found = json.loads(done.stdout)
    items = ", ".join(f"{each['what']} ${each['dollars']:.3f}" for each in found["idle"])
    print(f"a month when nothing runs: ${found['month']:.2f} ({items}); a whole run: ${found['once']:.4f}")
    return [f"an idle month costs more than ${IDLE_DOLLARS}"] if found["month"] > IDLE_DOLLARS else []


def _parity(folder: Path, cloud: LocalCloud, clicked: Clicked) -> list[str]:
    print("Parity: every unit under its deployed role, in the state machine's order")
    with Project.open(folder) as local:
        there = look(cloud, clicked.outcome, local.name)
    with local_s3(key=there.key) as server, Project.open(folder) as local:
        local.run()
        correct(local)
        local.run()
        problems = run_in_cloud(local, server, there)
        os.environ.update(server.environment())
        with Project.open(folder, home=there.home) as opened:
            here_facts, there_facts = facts(local), facts(opened)
    for name in sorted(here_facts.keys() | there_facts.keys()):
        one, other = here_facts.get(name), there_facts.get(name)
        words = "equal" if one == other else f"DIFFERENT: {one} here, {other} there"
        print(f"  {name:<16} version {one[0] if one else '-'}, records and lineage: {words}")
        if one != other:
            problems.append(f"{name} is not the same in the cloud: {one} here, {other} there")
    if not here_facts:
        problems.append("nothing was compared")
    return problems


if __name__ == "__main__":
    sys.exit(main())
