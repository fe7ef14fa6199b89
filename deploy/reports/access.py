"""The access report: who may do what on what and why, what was tried and denied, and what no proof covers.

Made from a plan, the last proof and, where there is one, the last synthesis; the same three always give the same
report, byte for byte: nothing in it comes from a clock. It is technical evidence for those who judge, not a
certification.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.grant import Grant
from packyak.deploy.grants.seen import LastProof, Tried, place_of

if TYPE_CHECKING:
    from packyak.deploy.plan import CloudPlan, Role
    from packyak.deploy.stacks.synthesis import Synthesis

FORMAT = 1
TITLE = "Access report"
WHAT_IT_IS = (
    "This report is technical evidence, not a certification. It says what was generated, what was tried on one "
    "machine, and what came of it; whether that is enough is for those who are responsible to judge."
)
NOT_COVERED = (
    "bucket policies, permission boundaries, service control and session policies: the proof evaluates the policy of "
    "each role alone",
    "the fixed statements of the stacks, such as those for logs, network interfaces and images",
    "whether the table of what an operation beside S3 asks for is right: grants are made and judged by the same one",
    "signatures: the gate of the proof knows a role by its access key and verifies nothing",
    "what happened in the account: that is for its trail to show",
    "code that is changed afterwards: a report is about the plan whose hash it names",
)
VERBS = {
    "s3:ListBucket": "list",
    "s3:GetObject": "read",
    "s3:PutObject": "write",
    "s3:DeleteObject": "delete",
    "kms:Decrypt": "decrypt",
    "kms:GenerateDataKey": "encrypt",
}
_LOOKS = "Looks at records, models and runs, and corrects"
_TIDIES = "Keeps tables in few pieces and lets go of old versions, once a week"
COLUMNS = ("list", "read", "write", "delete", "decrypt", "encrypt", "other")


@dataclass(frozen=True)
class Access:
    """One place that a role may use. verbs: what it may do there, each with the verdict of the proof. why: the reasons,
    each as (why, file:line or "every run")."""

    place: str
    verbs: tuple[tuple[str, str], ...]
    why: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RoleAccess:
    """One role, with the proof's counts. declared: where its unit is."""

    role: str
    kind: str
    declared: str
    purpose: str
    personal: tuple[str, ...]
    access: tuple[Access, ...]
    grants: int
    proven: int
    survived: int
    unobserved: int
    not_tried: int


@dataclass(frozen=True)
class Wildcard:
    """A grant that ends in `*`, and why it cannot name one object."""

    role: str
    action: str
    place: str
    reason: str
    where: str


@dataclass(frozen=True)
class Since:
    """What changed since the report before. before: its plan's hash, "" for the first report."""

    before: str
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccessReport:
    """The whole report. proven_at: "" where there is no proof. synthesis: None where no stacks were made."""

    project: str
    plan: str
    home: str
    encrypted: bool
    profile: str
    proven_at: str
    roles: tuple[RoleAccess, ...]
    tried: tuple[Tried, ...]
    allowed: tuple[str, ...]
    wanted: tuple[tuple[str, str], ...]
    wildcards: tuple[Wildcard, ...]
    undecided: tuple[tuple[str, str, str], ...]
    findings: tuple[tuple[str, str, str], ...]
    acknowledged: tuple[tuple[str, str, str, str], ...]
    synthesized: bool
    since: Since

    def count(self, what: str) -> int:
        """A count over all roles: grants, proven, survived, unobserved or not_tried."""
        return sum(int(getattr(each, what)) for each in self.roles)

    def to_json(self) -> str:
        """The report as text, always the same for the same report."""
        facts = {"format": FORMAT, "title": TITLE, "what_it_is": WHAT_IT_IS, "not_covered": NOT_COVERED}
        return json.dumps({**facts, **asdict(self)}, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def access_report(
    plan: CloudPlan, proof: LastProof, synthesis: Synthesis | None = None, since: Since | None = None
) -> AccessReport:
    """The report. synthesis: the stacks of this very plan; one of another plan is left out."""
    made = synthesis if synthesis is not None and synthesis.plan_hash == plan.hash else None
    roles = plan.every_role
    return AccessReport(
        project=plan.project,
        plan=plan.hash,
        home=plan.home.uri,
        encrypted=bool(plan.home.key),
        profile=plan.profile,
        proven_at=proof.at,
        roles=tuple(_role(plan, role, proof) for role in roles),
        tried=proof.tried,
        allowed=proof.allowed,
        wanted=tuple((role, each) for role, wanted in sorted(proof.denied.items()) for each in wanted),
        wildcards=tuple(_wildcards(plan, roles)),
        undecided=tuple((each.role, each.what, each.place) for each in plan.undecided),
        findings=tuple(sorted((each.rule, each.resource, each.message) for each in made.findings)) if made else (),
        acknowledged=_acknowledged(made) if made else (),
        synthesized=made is not None,
        since=since or Since(""),
    )


def allowances(plan: CloudPlan) -> list[str]:
    """Every grant as one line, to be compared with those of another plan."""
    lines = []
    for role in plan.every_role:
        lines += [f"{role.name} may {_verb(each)} {place_of(each, plan.home)}" for each in role.grants]
    return sorted(lines)


def name_of(plan: CloudPlan, proof: LastProof, synthesis: Synthesis | None) -> str:
    """A name for what a report is made from."""
    parts = (plan.hash, proof.at, synthesis.plan_hash if synthesis else "")
    return hashlib.sha256("\n".join(f"{len(each)}:{each}" for each in parts).encode()).hexdigest()


def _acknowledged(made: Synthesis) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(sorted((each.rule, each.resource, each.reason, each.evidence) for each in made.acknowledgements))


def _role(plan: CloudPlan, role: Role, proof: LastProof) -> RoleAccess:
    unit = next((each for each in plan.units if each.name == role.name), None)
    verdicts = [proof.verdict(each, plan.home) for each in role.grants]
    return RoleAccess(
        role=role.name,
        kind=unit.kind if unit else "upkeep" if role in plan.upkeep else "people",
        declared=unit.place if unit else "",
        purpose=(unit.purpose or unit.doc) if unit else _TIDIES if role in plan.upkeep else _LOOKS,
        personal=unit.personal if unit else (),
        access=tuple(_places(plan, role.grants, proof)),
        grants=len(role.grants),
        proven=verdicts.count("proven"),
        survived=verdicts.count("unneeded"),
        unobserved=verdicts.count("unobserved"),
        not_tried=verdicts.count("not tried"),
    )


def _places(plan: CloudPlan, grants: Iterable[Grant], proof: LastProof) -> Iterable[Access]:
    """Grants by place: what a listing of a table's versions and the reading of the table say is one row."""
    together: dict[str, list[Grant]] = {}
    for each in grants:
        together.setdefault(_row(place_of(each, plan.home)), []).append(each)
    for place, mine in sorted(together.items()):
        reasons = dict.fromkeys((why.why, why.place or "every run") for each in mine for why in each.evidence)
        order = sorted(mine, key=lambda each: COLUMNS.index(_verb(each)) if _verb(each) in COLUMNS else len(COLUMNS))
        yield Access(place, tuple((_verb(each), proof.verdict(each, plan.home)) for each in order), tuple(reasons))


def _row(place: str) -> str:
    """The row that a grant is shown in: `tables/x.lance/_versions/` goes with `tables/x.lance/*`."""
    if ".lance/" in place:
        return place[: place.index(".lance/") + len(".lance")]
    return place.rstrip("*").rstrip("/") or place


def _verb(grant: Grant) -> str:
    return VERBS.get(grant.action, grant.action)


def _wildcards(plan: CloudPlan, roles: Iterable[Role]) -> Iterable[Wildcard]:
    for role in roles:
        for each in role.grants:
            place = place_of(each, plan.home)
            if set(place) & set("*?"):
                reason = "; ".join(dict.fromkeys(why.why for why in each.evidence))
                where = ", ".join(dict.fromkeys(why.place or "every run" for why in each.evidence))
                yield Wildcard(role.name, _verb(each), place, f"{reason}: {_why_open(place)}", where)


def _why_open(place: str) -> str:
    """Why a place ends in a wildcard."""
    if ".lance/" in place:
        return "names of a table's files are hashes that are known only once they are written"
    if place.startswith("buckets/"):
        return "the pattern that the declaration names"
    if place.endswith("-??????"):
        return "AWS ends a secret's name with six signs of its own"
    if ":" in place:
        return "the code puts the rest of the name together"
    return "names are numbers, times or hashes that are known only once they are written"


def as_plain(report: AccessReport) -> Mapping[str, Any]:
    """The report as plain values."""
    return dict(json.loads(report.to_json()))
