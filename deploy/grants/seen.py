"""What the last proof of a project found, kept in its home, so that a grant can be shown with what is known of it.

The proof ran in a home of its own; grants are therefore known by action and by their place within the home. A grant
that the proof did not know is told as not tried.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from packyak.deploy.grants.declared import CloudHome
from packyak.deploy.grants.grant import Grant
from packyak.deploy.grants.proof import Probe, Proof
from packyak.engine.store.home import Home

NAME = "proof.json"
ANY_ACCOUNT = "${AWS::AccountId}"
NOT_TRIED = "not tried"


@dataclass(frozen=True, order=True)
class Tried:
    """Foreign accesses of one kind that a role tried: how many, and how many were denied."""

    role: str
    verb: str
    on: str
    tried: int
    denied: int


@dataclass(frozen=True)
class LastProof:
    """Verdicts by grant, and by role what it was denied. broke: what went wrong without a grant; tried: the foreign
    accesses; allowed: those that got through. at: when."""

    verdicts: Mapping[str, str] = field(default_factory=dict)
    denied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at: str = ""
    broke: Mapping[str, str] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()
    allowed: tuple[str, ...] = ()

    def verdict(self, grant: Grant, home: CloudHome) -> str:
        """`proven`, `unneeded`, `unobserved` or `not tried`."""
        return self.verdicts.get(_known_by(grant, home), NOT_TRIED)

    def broken(self, grant: Grant, home: CloudHome) -> str:
        """What went wrong without a grant; "" where it was not taken away, or nothing did."""
        return self.broke.get(_known_by(grant, home), "")


def keep(proof: Proof, proven_in: CloudHome, home: Home, at: str) -> None:
    """Writes a proof down."""
    judged = [each for role in proof.roles for each in role.judged]
    facts = {
        "at": at,
        "verdicts": {_known_by(each.grant, proven_in): each.verdict for each in judged},
        "broke": {_known_by(each.grant, proven_in): each.broke for each in judged if each.broke},
        "denied": {role.role: list(role.denied) for role in proof.roles if role.denied},
        "tried": [asdict(each) for each in counted_probes(proof.probes, proven_in)],
        "allowed": [f"{each.role} could {each.what}" for each in proof.allowed],
    }
    home.write(NAME, json.dumps(facts, sort_keys=True, indent=1).encode())


def last_proof(home: Home) -> LastProof:
    """The proof that was written down last; one without verdicts where there is none that can be read."""
    data = home.read(NAME)
    try:
        facts: Mapping[str, Any] = json.loads(data) if data else {}
        denied = {role: tuple(each) for role, each in facts.get("denied", {}).items()}
        return LastProof(
            dict(facts.get("verdicts", {})),
            denied,
            str(facts.get("at", "")),
            dict(facts.get("broke", {})),
            tuple(Tried(**each) for each in facts.get("tried", ())),
            tuple(facts.get("allowed", ())),
        )
    except (ValueError, AttributeError, TypeError):
        return LastProof()


def counted_probes(probes: Iterable[Probe], home: CloudHome) -> list[Tried]:
    """Probes by role, verb and kind of place."""
    counts: dict[tuple[str, str, str], tuple[int, int]] = {}
    for each in probes:
        verb, _, address = each.what.partition(" ")
        key = each.role, verb, _kind_of(address, home)
        tried, denied = counts.get(key, (0, 0))
        counts[key] = tried + 1, denied + each.denied
    return sorted(Tried(*key, *numbers) for key, numbers in counts.items())


_KINDS = {
    "tables": "records",
    "memo": "bookkeeping",
    "models": "models",
    "promotions": "models",
    "buckets": "files",
    "corrections": "corrections",
}


_SERVICES = {
    "dynamodb": "DynamoDB",
    "sqs": "queues",
    "sns": "topics",
    "secretsmanager": "secrets",
    "ssm": "parameters",
    "kinesis": "streams",
    "states": "state machines",
    "kms": "keys",
}


def _kind_of(address: str, home: CloudHome) -> str:
    """What kind of place an address or an ARN is."""
    if address.startswith("arn:"):
        service = address.split(":")[2]
        return _SERVICES.get(service, service)
    bucket, _, name = address.removeprefix("s3://").partition("/")
    return _kind(bucket, _within(name, home), home)


def _kind(bucket: str, name: str, home: CloudHome) -> str:
    """What kind of place a probe was about."""
    folder, cut, rest = name.partition("/")
    if bucket != home.bucket:
        return "other buckets"
    if not rest and (cut or name in ("", home.prefix)):
        return "wide listings"
    return _KINDS.get(folder, "what all share")


def place_of(grant: Grant, home: CloudHome) -> str:
    """Where in the home a grant is about: a name, a pattern, or `its key`. Outside it a bucket's address, or a service
    with a name."""
    if grant.resource == home.key:
        return "its key"
    service, _, rest = grant.resource.removeprefix("arn:aws:").partition(":")
    if service != "s3":
        return f"{service}:{rest.replace(ANY_ACCOUNT, '').split(':', 2)[-1]}" if rest else grant.resource
    bucket, _, name = rest.removeprefix("::").partition("/")
    name = grant.prefix or name
    return _within(name or bucket, home) if bucket == home.bucket else f"s3://{bucket}/{name}".rstrip("/")


def _within(path: str, home: CloudHome) -> str:
    return path.removeprefix(f"{home.prefix}/") if home.prefix else path


def _known_by(grant: Grant, home: CloudHome) -> str:
    return f"{grant.role}|{grant.action}|{place_of(grant, home)}"
