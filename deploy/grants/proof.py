"""What a proof found, as frozen records: for each role what it was seen to need, and for each grant its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from packyak.deploy.grants.declared import Undecided
from packyak.deploy.grants.grant import Grant

Verdict = Literal["proven", "unneeded", "unobserved", "not tried"]
MEANING: Mapping[Verdict, str] = {
    "proven": "without it the run breaks",
    "unneeded": "used, but the run comes to the same without it",
    "unobserved": "no run was seen to use it",
    "not tried": "used, but not taken away",
}


@dataclass(frozen=True)
class Judged:
    """A grant with its verdict. stage: the one in which it was proven. broke: what then went wrong."""

    grant: Grant
    verdict: Verdict
    stage: str = ""
    broke: str = ""


@dataclass(frozen=True)
class RoleProof:
    """One role. problems: why its own run did not end well, by stage; denied: what it wanted and may not."""

    role: str
    requests: int
    judged: tuple[Judged, ...]
    problems: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@dataclass(frozen=True)
class Probe:
    """Something that a role must not be able to do, tried."""

    role: str
    what: str
    denied: bool


@dataclass(frozen=True)
class Proof:
    """The whole proof. mutants: runs with a grant taken away; cpu: seconds that they took."""

    project: str
    roles: tuple[RoleProof, ...]
    probes: tuple[Probe, ...]
    undecided: tuple[Undecided, ...]
    seconds: float = 0.0
    mutants: int = 0
    cpu: float = 0.0

    def count(self, verdict: Verdict) -> int:
        """How many grants have a verdict."""
        return sum(each.verdict == verdict for role in self.roles for each in role.judged)

    @property
    def allowed(self) -> tuple[Probe, ...]:
        """The probes that got through."""
        return tuple(each for each in self.probes if not each.denied)

    @property
    def holds(self) -> bool:
        """Every role could do its work, none could do anything foreign, and no grant is there in vain."""
        well = not any(role.problems or role.denied for role in self.roles)
        return well and not self.allowed and not self.count("unneeded")
