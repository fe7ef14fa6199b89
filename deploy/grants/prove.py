"""The proof that grants are enough and not too many, against an S3 server on this machine behind the gate.

Every asset, index and function runs alone under its own role, in stages: from nothing; after a file came and people
corrected something, under their own role; for what learns, with a model; and at last all is tidied. A run that is
denied anything, or does not end well, shows a grant that is missing. Then each grant that was used is taken away and
the same run tried again from the same moment: it must break. At last each role tries what it must not be able to do
(`laterals`).
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from packyak.deploy.grants.declared import CloudHome, Declared
from packyak.deploy.grants.evaluate import decide
from packyak.deploy.grants.gate import Seen
from packyak.deploy.grants.grant import Grant, document_of
from packyak.deploy.grants.home import first_objects
from packyak.deploy.grants.inferred import codes_of
from packyak.deploy.grants.laterals import OTHER_BUCKET, forbidden, forbidden_to_people, forbidden_to_tidying, probe
from packyak.deploy.grants.local_s3 import ADMIN, LocalS3, local_s3
from packyak.deploy.grants.outside import forbidden_in_buckets, forbidden_outside, probe_outside
from packyak.deploy.grants.proof import Judged, Probe, Proof, RoleProof
from packyak.deploy.grants.requests import ACCOUNT, READ, WRITE
from packyak.deploy.grants.reviewer import REVIEWER, reviewer_grants
from packyak.deploy.grants.running import Ask, Runners
from packyak.deploy.grants.seen import ANY_ACCOUNT
from packyak.deploy.grants.tidying import TIDYING, tidying_grants
from packyak.engine.declare.nodes import FunctionNode, LearnedNode, TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.project import Project
from packyak.engine.store.published import FOLDER as PUBLISHED

KEY = "arn:aws:kms:us-east-1:123456789012:key/home"
HOME = CloudHome("packyak-proof", "home", KEY)
VECTORS = "vectors/texts.lance"
FIRST, LATER, TAUGHT, LAST = "from nothing", "after news", "with a model", "when all is done"
Tell = Callable[[str], None]


@dataclass
class _Role:
    """What is known of a role so far. deed: what it does, where that is not to run the unit of its name."""

    name: str
    grants: tuple[Grant, ...]
    deed: Mapping[str, Any] | None = None
    requests: int = 0
    judged: dict[Grant, Judged] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    denied: dict[str, None] = field(default_factory=dict)

    @property
    def access_key(self) -> str:
        return f"AKIA{'' if self.deed is None else '-'}{self.name}"


def prove(
    project: Project, *, mutants: bool = True, share: float = 1.0, seed: int = 0, tell: Tell = lambda line: None
) -> Proof:
    """Proves a project's grants with the files in its buckets. tell: hears of each step.

    mutants: False only runs everything under its role and tries what must be denied. share: which part of the grants is
    taken away, drawn anew for each role by `seed`.
    """
    began = time.monotonic()
    declared = Declared(project.graph, HOME, project.root)
    by_role: dict[str, list[Grant]] = {name: [] for name in declared.roles()}
    for grant in declared.grants():
        by_role[grant.role].append(grant)
    roles = [_Role(name, tuple(grants)) for name, grants in by_role.items()]
    tables = [name for name in by_role if isinstance(project.graph[name], TableNode)]
    people = _Role(REVIEWER, reviewer_grants(declared), {"review": tables})
    tidying = _Role(TIDYING, tidying_grants(declared), {"tidy": False})
    every = (*roles, people, tidying)
    with local_s3(key=HOME.key) as server, Runners(project.root, HOME.uri) as runners:
        later = _fill(server, project)
        beside = _beside(every)
        _make_buckets(server, beside)
        for role in every:
            server.gate.roles[role.access_key] = document_here(role.grants)
        bench = _Bench(server, runners, share if mutants else 0.0, seed, tell)
        for role in roles:
            bench.stage(role, FIRST)
        for name, data in later:
            server.put(HOME.bucket, HOME.path(name), data)
        said = bench.stage(people, LATER).get("corrected", {})
        learned = [name for name in by_role if isinstance(project.graph[name], LearnedNode)]
        bench.enough = {name: count for name, count in said.items() if name in learned}
        for role in roles:
            if _came_after(role):  # whoever comes first makes them: let it be this one
                server.take_away(HOME.bucket, HOME.path(f"{VECTORS}/"))
            bench.stage(role, LATER)
        with runners.under(server.environment(ADMIN)) as ask:
            ask({"promote": learned, "enough": bench.enough})
        for role in roles:
            if role.name in learned:
                bench.stage(role, TAUGHT)
        bench.stage(people, TAUGHT)
        bench.stage(tidying, LAST)
        probes = tuple(_probes(server, project, every, beside))
    return Proof(
        project.name,
        tuple(_proof_of(role) for role in every),
        probes,
        declared.undecided(),
        round(time.monotonic() - began, 1),
        bench.mutants,
        round(bench.cpu, 1),
    )


class _Bench:
    """Runs roles and their mutants on a server. enough: with how many corrections each learned transform is content,
    as many as were said; mutants: how many there were; cpu: seconds that their runs took."""

    def __init__(self, server: LocalS3, runners: Runners, share: float, seed: int, tell: Tell) -> None:
        self.server = server
        self.runners = runners
        self.share = share
        self.seed = seed
        self.tell = tell
        self.enough: dict[str, int] = {}
        self.mutants = 0
        self.cpu = 0.0
        self.last = 0.0  # seconds that the last run took in its process

    def stage(self, role: _Role, stage: str) -> dict[str, Any]:
        """One stage of one role: its run as it is, then with each used grant taken away, then as it is for good.
        Answers what came of it."""
        self.server.mark()
        with self.runners.under(self.server.environment(role.access_key)) as ask:
            return self._stage(role, stage, ask)

    def _stage(self, role: _Role, stage: str, ask: Ask) -> dict[str, Any]:
        outcome, seen = self._run(role, ask)
        role.requests += len(seen)
        self._note(role, stage, outcome, seen)
        used = [each for each in role.grants if _is_used(each, seen) and _open(role, each)]
        for grant in used:
            role.judged.setdefault(grant, Judged(grant, "not tried", stage))
        tried = self._drawn(role, used) if outcome["state"] == "done" else []
        if tried:
            for grant in tried:
                self.server.back()
                role.judged[grant] = self._judge(role, grant, stage, outcome, ask)
            self.server.back()
            again, _ = self._run(role, ask)
            if again != outcome:
                role.problems.append(f"{stage}: a second run came to something else: {again['problem']}")
        problem = f" ({_short(outcome)})" if outcome["problem"] else ""
        self.tell(f"{role.name} {stage}: {outcome['state']}{problem}, {len(seen)} requests, {_told(role)}")
        return outcome

    def _drawn(self, role: _Role, used: Sequence[Grant]) -> list[Grant]:
        """The share of a role's grants that is taken away; the same ones for the same seed."""
        if self.share >= 1:
            return list(used)
        return [each for each in used if random.Random(f"{self.seed}|{role.name}|{each}").random() < self.share]

    def _judge(self, role: _Role, grant: Grant, stage: str, well: dict[str, Any], ask: Ask) -> Judged:
        rest = document_here(each for each in role.grants if each != grant)
        began = time.process_time()
        with self.server.gate.under(role.access_key, rest):
            outcome, _ = self._run(role, ask)
        self.mutants += 1
        self.cpu += time.process_time() - began + self.last
        if outcome == well:
            return Judged(grant, "unneeded", stage)
        notes = "; ".join(each for each in outcome.get("notes", ()) if each not in well.get("notes", ()))
        broke = str(outcome.get("problem") or notes or f"the run ended {outcome['state']} with other results")
        return Judged(grant, "proven", stage, broke.splitlines()[0][:300])

    def _run(self, role: _Role, ask: Ask) -> tuple[dict[str, Any], list[Seen]]:
        """The run's outcome, with the version that is then published, and what it was seen to want."""
        self.server.gate.take()
        deed = {"run": role.name} if role.deed is None else role.deed
        outcome = ask({**deed, "enough": self.enough})
        self.last = float(outcome.pop("cpu"))
        seen = self.server.gate.take()
        strangers = {each.role for each in seen} - {role.access_key}
        if strangers:
            raise PackyakError(f"{role.name} was seen to act as {', '.join(sorted(strangers))}")
        return {"problem": "", **outcome, "version": self._published(role.name), "left": self._left(role)}, seen

    def _left(self, role: _Role) -> dict[str, int]:
        """How many objects there are now: a file that was not written or deleted is another result, also where the code
        says nothing of it."""
        folders = ("buckets", *(("leases", "memo", "tables") if role.name == TIDYING else ()))
        return {each: self.server.count(HOME.bucket, HOME.path(f"{each}/")) for each in folders}

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


def document_here(grants: Iterable[Grant]) -> dict[str, Any]:
    """A policy as it is in the account of this machine's server."""
    made: dict[str, Any] = json.loads(json.dumps(document_of(grants)).replace(ANY_ACCOUNT, ACCOUNT))
    return made


def _short(outcome: dict[str, Any]) -> str:
    return str(outcome["problem"] or outcome["state"]).splitlines()[0][:400]


def _open(role: _Role, grant: Grant) -> bool:
    """Whether a grant is not proven yet."""
    return grant not in role.judged or role.judged[grant].verdict != "proven"


def _is_used(grant: Grant, seen: Sequence[Seen]) -> bool:
    policy = document_here([grant])
    return any(each.allowed and decide([policy], each.request).allowed for each in seen)


def _came_after(role: _Role) -> bool:
    """Whether a role has read the vectors of texts and never had to make one: others had, each time."""
    place = f"arn:aws:s3:::{HOME.bucket}/{HOME.path(VECTORS)}/*"
    used = {each.action: each in role.judged for each in role.grants if each.resource == place}
    return used.get(READ, False) and not used.get(WRITE, True)


def _told(role: _Role) -> str:
    proven = sum(each.verdict == "proven" for each in role.judged.values())
    return f"{proven} of {len(role.grants)} grants proven"


def _proof_of(role: _Role) -> RoleProof:
    judged = tuple(role.judged.get(each, Judged(each, "unobserved")) for each in role.grants)
    return RoleProof(role.name, role.requests, judged, tuple(role.problems), tuple(role.denied))


def _beside(roles: Iterable[_Role]) -> list[str]:
    """What lies outside the home and somebody may reach: ARNs, some with a wildcard at their end."""
    named = document_here(grant for role in roles for grant in role.grants)
    every = {resource for statement in named["Statement"] for resource in statement["Resource"]}
    home = f"arn:aws:s3:::{HOME.bucket}"
    return sorted(each for each in every - {HOME.key, home} if not each.startswith(f"{home}/"))


def _make_buckets(server: LocalS3, beside: Iterable[str]) -> None:
    """The buckets that are not the project's, each with an object wherever somebody may do something."""
    for each in beside:
        bucket, _, key = each.partition(":::")[2].partition("/")
        if bucket:
            server.make_bucket(bucket)
        if key:
            server.put(bucket, key.replace("*", "x"), b"made for the proof")


def _probes(server: LocalS3, project: Project, roles: Sequence[_Role], beside: Sequence[str]) -> Iterator[Probe]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    for role in roles:
        listed = {REVIEWER: forbidden_to_people, TIDYING: forbidden_to_tidying}.get(role.name, forbidden)
        for verb, bucket, name in dict.fromkeys(listed(project.graph, HOME, role.name)):
            yield probe(connection, role.access_key, role.name, verb, bucket, name)
        codes = codes_of(project.graph, role.name, project.root) if role.deed is None else ()
        for tried in dict.fromkeys(forbidden_outside(beside, codes, HOME.region)):
            yield probe_outside(connection, role.access_key, role.name, tried)
        for verb, bucket, name in dict.fromkeys(forbidden_in_buckets(beside, codes)):
            yield probe(connection, role.access_key, role.name, verb, bucket, name)
    connection.close()


def _fill(server: LocalS3, project: Project) -> list[tuple[str, bytes]]:
    """Puts there what a deployment does, and the project's files. The last file of each bucket comes later, and then
    one for each function that waits for a file of which there is none."""
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
    return [(name, project.home.read(name) or b"") for name in sorted(later)] + list(_awaited(project, names))


def _awaited(project: Project, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for node in project.graph.nodes.values():
        if isinstance(node, FunctionNode) and node.on is not None:
            pattern = f"buckets/{node.on[0]}/{node.on[1]}"
            if not any(fnmatchcase(name, pattern) for name in names):
                yield pattern.replace("*", "proof").replace("?", "x"), b"made for the proof"
