"""What is kept of the last publication in the project's home, so that the next can be compared without an account.

AWS says what stands there; this only remembers which plan it was made from and where. A record that cannot be read, or
was written by another version, counts as none: then the next publication says that it compares with nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from packyak.deploy.grants.declared import CloudHome, Undecided
from packyak.deploy.grants.grant import Evidence, Grant
from packyak.deploy.plan import CloudPlan, PlannedBucket, Role, Trigger, Unit
from packyak.deploy.publish.records import Output
from packyak.engine.store.home import Home

NAME = "cloud/published.json"


@dataclass(frozen=True)
class Published:
    """The last publication. stacks: their names in the order in which they were made."""

    plan: CloudPlan
    at: str
    account: str
    region: str
    profile: str
    stacks: tuple[str, ...]
    outputs: tuple[Output, ...] = ()
    templates: Mapping[str, str] = field(default_factory=dict)


def keep(made: Published, home: Home) -> None:
    """Writes it down."""
    facts = {**asdict(made), "plan": json.loads(made.plan.to_json())}
    home.write(NAME, json.dumps(facts, sort_keys=True, indent=1).encode())


def forget(home: Home) -> None:
    """Nothing is published any more."""
    home.remove(NAME)


def last_published(home: Home) -> Published | None:
    """What was published last from here."""
    data = home.read(NAME)
    try:
        facts = json.loads(data) if data else None
        if not facts:
            return None
        return Published(
            plan=plan_from(facts["plan"]),
            at=str(facts["at"]),
            account=str(facts["account"]),
            region=str(facts["region"]),
            profile=str(facts["profile"]),
            stacks=tuple(facts["stacks"]),
            outputs=tuple(_made(Output, each) for each in facts.get("outputs", ())),
            templates=dict(facts.get("templates", {})),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def plan_from(facts: Mapping[str, Any]) -> CloudPlan:
    """A plan from its JSON; fields that are not known here are left out."""
    roles = [
        Role(each["name"], tuple(_grant(grant) for grant in each["grants"]), each["policy"]) for each in facts["roles"]
    ]
    parts: dict[str, Any] = {
        "home": _made(CloudHome, facts["home"]),
        "units": tuple(_made(Unit, each) for each in facts["units"]),
        "order": tuple(tuple(level) for level in facts["order"]),
        "triggers": tuple(_made(Trigger, each) for each in facts["triggers"]),
        "buckets": tuple(_made(PlannedBucket, each) for each in facts["buckets"]),
        "roles": tuple(roles),
        "undecided": tuple(_made(Undecided, each) for each in facts["undecided"]),
    }
    return _made(CloudPlan, {**facts, **parts})


def _grant(facts: Mapping[str, Any]) -> Grant:
    evidence = tuple(_made(Evidence, each) for each in facts["evidence"])
    return _made(Grant, {**facts, "evidence": evidence})


def _made(kind: Any, facts: Mapping[str, Any]) -> Any:
    known = {each.name for each in fields(kind)}
    return kind(**{name: _frozen(value) for name, value in facts.items() if name in known})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
