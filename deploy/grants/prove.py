"""The proof that grants are enough and not too many, against an S3 server on this machine behind the gate.

Every asset, index and function runs alone under its own role, in two stages: from nothing, and after a file came and
people corrected something. A run that is denied anything, or does not end well, shows a grant that is missing. Then
each grant that was used is taken away and the same run tried again from the same moment: it must break. At last each
role tries what it must not be able to do (`laterals`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packyak.deploy.grants.declared import CloudHome, Declared
from packyak.deploy.grants.evaluate import decide
from packyak.deploy.grants.gate import Seen
from packyak.deploy.grants.grant import Grant, document_of
from packyak.deploy.grants.home import first_objects
from packyak.deploy.grants.laterals import OTHER_BUCKET, forbidden, probe
from packyak.deploy.grants.local_s3 import ADMIN, LocalS3, local_s3
from packyak.deploy.grants.proof import Judged, Probe, Proof, RoleProof
from packyak.engine.declare.nodes import TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.project import Project
from packyak.engine.store.published import FOLDER as PUBLISHED

KEY = "arn:aws:kms:us-east-1:123456789012:key/home"
HOME = CloudHome("packyak-proof", "home", KEY)
FIRST, LATER = "from nothing", "after news"
Tell = Callable[[str], None]
Ask = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class _Role:
    """What is known of a role so far."""

    name: str
    grants: tuple[Grant, ...]
    requests: int = 0
    judged: dict[Grant, Judged] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    denied: dict[str, None] = field(default_factory=dict)

    @property
    def access_key(self) -> str:
        return f"AKIA{self.name.upper()}"


def prove(project: Project, *, mutants: bool = True, tell: Tell = lambda line: None) -> Proof:
    """Proves a project's grants with the files in its buckets. tell: hears of each step.

    mutants: False only runs everything under its role and tries what must be denied.
    """
    began = time.monotonic()
    declared = Declared(project.graph, HOME, project.root)
    by_role: dict[str, list[Grant]] = {name: [] for name in declared.roles()}
    for grant in declared.grants():
        by_role[grant.role].append(grant)
    roles = [_Role(name, tuple(grants)) for name, grants in by_role.items()]
    with local_s3(key=HOME.key) as server:
        later = _fill(server, project)
        for role in roles:
            server.gate.roles[role.access_key] = document_of(role.grants)
        bench = _Bench(server, project.root, mutants, tell)
        for role in roles:
            bench.stage(role, FIRST)
        for name, data in later:
            server.put(HOME.bucket, HOME.path(name), data)
        tables = [name for name in by_role if isinstance(project.graph[name], TableNode)]
        with _runner(project.root, server.environment(ADMIN)) as ask:
            ask({"correct": tables})
        for role in roles:
            bench.stage(role, LATER)
        probes = tuple(_probes(server, project, roles))
    return Proof(
        project.name,
        tuple(_proof_of(role) for role in roles),
        probes,
        declared.undecided(),
        round(time.monotonic() - began, 1),
    )


class _Bench:
    """Runs roles and their mutants on a server."""

    def __init__(self, server: LocalS3, root: Path, mutants: bool, tell: Tell) -> None:
        self.server = server
        self.root = root
        self.mutants = mutants
        self.tell = tell

    def stage(self, role: _Role, stage: str) -> None:
        """One stage of one role: its run as it is, then with each used grant taken away, then as it is for good."""
        self.server.mark()
        with _runner(self.root, self.server.environment(role.access_key)) as ask:
            self._stage(role, stage, ask)

    def _stage(self, role: _Role, stage: str, ask: Ask) -> None:
        outcome, seen = self._run(role, ask)
        role.requests += len(seen)
        self._note(role, stage, outcome, seen)
        used = [each for each in role.grants if _is_used(each, seen) and _open(role, each)]
        if self.mutants and outcome["state"] == "done" and used:
            for grant in used:
                self.server.back()
                role.judged[grant] = self._judge(role, grant, stage, outcome, ask)
            self.server.back()
            again, _ = self._run(role, ask)
            if again != outcome:
                role.problems.append(f"{stage}: a second run came to something else: {again['problem']}")
        problem = f" ({_short(outcome)})" if outcome["problem"] else ""
        self.tell(f"{role.name} {stage}: {outcome['state']}{problem}, {len(seen)} requests, {_told(role)}")

    def _judge(self, role: _Role, grant: Grant, stage: str, well: dict[str, Any], ask: Ask) -> Judged:
        rest = document_of(each for each in role.grants if each != grant)
        with self.server.gate.under(role.access_key, rest):
            outcome, _ = self._run(role, ask)
        if outcome == well:
            return Judged(grant, "unneeded", stage)
        broke = str(outcome.get("problem") or f"the run ended {outcome['state']} with other results")
        return Judged(grant, "proven", stage, broke.splitlines()[0][:300])

    def _run(self, role: _Role, ask: Ask) -> tuple[dict[str, Any], list[Seen]]:
        """The run's outcome, with the version that is then published, and what it was seen to want."""
        self.server.gate.take()
        outcome = ask({"run": role.name})
        seen = self.server.gate.take()
        strangers = {each.role for each in seen} - {role.access_key}
        if strangers:
            raise PackyakError(f"{role.name} was seen to act as {', '.join(sorted(strangers))}")
        return {"problem": "", **outcome, "version": self._published(role.name)}, seen

    def _published(self, asset: str) -> str:
        latest = self.server.latest(HOME.bucket, HOME.path(f"{PUBLISHED}/"))
        assets = json.loads(latest)["assets"] if latest else {}
        return str(assets.get(asset, {}).get("version", ""))

    def _note(self, role: _Role, stage: str, outcome: dict[str, Any], seen: Sequence[Seen]) -> None:
        if outcome["state"] != "done" or outcome["problem"]:
            role.problems.append(f"{stage}: {_short(outcome)}")
        for each in seen:
            if not each.allowed or each.hidden:
                absent = ", which is not there" if each.hidden else ""
                role.denied[f"{each.request}{absent}"] = None


def _short(outcome: dict[str, Any]) -> str:
    return str(outcome["problem"] or outcome["state"]).splitlines()[0][:400]


def _open(role: _Role, grant: Grant) -> bool:
    """Whether a grant is not proven yet."""
    return grant not in role.judged or role.judged[grant].verdict != "proven"


def _is_used(grant: Grant, seen: Sequence[Seen]) -> bool:
    policy = document_of([grant])
    return any(each.allowed and decide([policy], each.request).allowed for each in seen)


def _told(role: _Role) -> str:
    proven = sum(each.verdict == "proven" for each in role.judged.values())
    return f"{proven} of {len(role.grants)} grants proven"


def _proof_of(role: _Role) -> RoleProof:
    judged = tuple(role.judged.get(each, Judged(each, "unobserved")) for each in role.grants)
    return RoleProof(role.name, role.requests, judged, tuple(role.problems), tuple(role.denied))


def _probes(server: LocalS3, project: Project, roles: Sequence[_Role]) -> Iterator[Probe]:
    for role in roles:
        for verb, bucket, name in dict.fromkeys(forbidden(project.graph, HOME, role.name)):
            yield probe(server.url, role.access_key, role.name, verb, bucket, name)


def _fill(server: LocalS3, project: Project) -> list[tuple[str, bytes]]:
    """Puts there what a deployment does, and the project's files; the last file of each bucket comes later."""
    server.make_bucket(HOME.bucket)
    server.make_bucket(OTHER_BUCKET)
    for name, data in first_objects(project.graph):
        server.put(HOME.bucket, HOME.path(name), data)
    names = sorted(name for name, _, _ in project.home.walk("buckets"))
    last = {name.split("/")[1]: name for name in names}
    several = {bucket for bucket in last if sum(name.split("/")[1] == bucket for name in names) > 1}
    later = {last[bucket] for bucket in several}
    for name in names:
        if name not in later:
            server.put(HOME.bucket, HOME.path(name), project.home.read(name) or b"")
    return [(name, project.home.read(name) or b"") for name in sorted(later)]


@contextmanager
def _runner(root: Path, role: Mapping[str, str]) -> Iterator[Ask]:
    """A process that runs the project under a role. Each role has one of its own: a library may keep the credentials
    that it first saw (boto3 does)."""
    command = [sys.executable, "-m", "packyak.deploy.grants.runner", str(root), HOME.uri]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**_clean_environment(), **role},
        cwd=root,
    )
    assert process.stdin is not None and process.stdout is not None

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise PackyakError("the process that runs the project ended", next_step="its last words are above")
        found: dict[str, Any] = json.loads(line)
        return found

    try:
        yield ask
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _clean_environment() -> dict[str, str]:
    """Nothing of the user's own account reaches the runs."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return own | {"PACKYAK_PREFECT": "off", "PACKYAK_WORKER": "off"}
