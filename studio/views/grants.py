"""What a role may do in the cloud, from what `packyak grants --json` says: in words, with the line that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VERBS: Mapping[str, str] = {
    "s3:GetObject": "read",
    "s3:PutObject": "write",
    "s3:DeleteObject": "delete",
    "s3:ListBucket": "list",
    "kms:Decrypt": "decrypt with",
    "kms:GenerateDataKey": "encrypt with",
}
OF_EVERY_RUN = "engine"


@dataclass(frozen=True)
class GrantLine:
    """One thing that a role may do. where: file:line, "" for what every run needs."""

    may: str
    on: str
    why: str
    where: str
    seen: str


@dataclass(frozen=True)
class RoleSheet:
    """A role. own: because of what is declared; engine: what every run needs; undecided: what cannot be told, and is
    not granted."""

    name: str
    own: tuple[GrantLine, ...]
    engine: tuple[GrantLine, ...]
    undecided: tuple[str, ...] = ()
    proven: str = ""


def role_sheet(said: Mapping[str, Any], name: str) -> RoleSheet | None:
    """One role of the plan; None where nothing of that name runs under a role."""
    plan = said["plan"]
    role = next((each for each in plan["roles"] if each["name"] == name), None)
    if role is None:
        return None
    seen = said.get("seen", {}).get(name) or [{}] * len(role["grants"])
    own: list[GrantLine] = []
    engine: list[GrantLine] = []
    for grant, fact in zip(role["grants"], seen, strict=False):
        reasons = grant.get("evidence") or []
        mine = [each for each in reasons if each.get("source") != OF_EVERY_RUN]
        (own if mine else engine).append(_line(grant, fact, mine or reasons))
    undecided = tuple(
        f"{each['place']}: {each['what']}" for each in plan.get("undecided", ()) if each.get("role") == name
    )
    return RoleSheet(name, tuple(own), tuple(engine), undecided, str(said.get("proven_at") or ""))


def _line(grant: Mapping[str, Any], fact: Mapping[str, Any], reasons: Sequence[Mapping[str, Any]]) -> GrantLine:
    action = str(grant["action"])
    return GrantLine(
        VERBS.get(action, action),
        str(fact.get("on") or grant["resource"]),
        "; ".join(dict.fromkeys(str(each.get("why") or "") for each in reasons)),
        ", ".join(dict.fromkeys(str(each.get("place")) for each in reasons if each.get("place"))),
        str(fact.get("seen") or ""),
    )


def table(lines: Sequence[GrantLine]) -> list[dict[str, str]]:
    """Grants as a table."""
    return [{"may": each.may, "on": each.on, "why": each.why, "where": each.where} for each in lines]
