"""What the last proof of a project found, kept in its home, so that a grant can be shown with what is known of it.

The proof ran in a home of its own; grants are therefore known by action and by their place within the home. A grant
that the proof did not know is told as not tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from packyak.deploy.grants.declared import CloudHome
from packyak.deploy.grants.grant import Grant
from packyak.deploy.grants.proof import Proof
from packyak.engine.store.home import Home

NAME = "proof.json"
NOT_TRIED = "not tried"


@dataclass(frozen=True)
class LastProof:
    """Verdicts by grant, and by role what it was denied. at: when."""

    verdicts: Mapping[str, str] = field(default_factory=dict)
    denied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at: str = ""

    def verdict(self, grant: Grant, home: CloudHome) -> str:
        """`proven`, `unneeded`, `unobserved` or `not tried`."""
        return self.verdicts.get(_known_by(grant, home), NOT_TRIED)


def keep(proof: Proof, proven_in: CloudHome, home: Home, at: str) -> None:
    """Writes a proof down."""
    facts = {
        "at": at,
        "verdicts": {_known_by(each.grant, proven_in): each.verdict for role in proof.roles for each in role.judged},
        "denied": {role.role: list(role.denied) for role in proof.roles if role.denied},
    }
    home.write(NAME, json.dumps(facts, sort_keys=True, indent=1).encode())


def last_proof(home: Home) -> LastProof:
    """The proof that was written down last; one without verdicts where there is none that can be read."""
    data = home.read(NAME)
    try:
        facts = json.loads(data) if data else {}
        denied = {role: tuple(each) for role, each in facts.get("denied", {}).items()}
        return LastProof(dict(facts.get("verdicts", {})), denied, str(facts.get("at", "")))
    except (ValueError, AttributeError, TypeError):
        return LastProof()


def place_of(grant: Grant, home: CloudHome) -> str:
    """Where in the home a grant is about: a name, a pattern, or `its key`."""
    if grant.prefix:
        return _within(grant.prefix, home)
    if grant.resource == home.key:
        return "its key"
    return _within(grant.resource.rpartition(":::")[2].removeprefix(f"{home.bucket}/"), home)


def _within(path: str, home: CloudHome) -> str:
    return path.removeprefix(f"{home.prefix}/") if home.prefix else path


def _known_by(grant: Grant, home: CloudHome) -> str:
    return f"{grant.role}|{grant.action}|{place_of(grant, home)}"
