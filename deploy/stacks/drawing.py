"""From a plan to a blueprint: names, policies that fit, stacks that fit, and what starts what.

Limits are AWS's own: 6,144 characters a managed policy and ten of them a role; 500 resources and 1 MB a template; 1 MB
a state machine. What cannot fit is refused here, before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packyak.deploy.grants.grant import Grant
from packyak.deploy.plan import CloudPlan, Role, Trigger, Unit
from packyak.deploy.stacks.blueprint import Blueprint, Reach, RoleDrawing, Start, StudioDrawing, UnitDrawing
from packyak.deploy.stacks.names import Names
from packyak.deploy.stacks.profiles import RETENTION, Profile
from packyak.deploy.stacks.schedule import expressions
from packyak.deploy.stacks.statements import POLICY_LIMIT, document, of_starting, paged
from packyak.deploy.wanted import STUDIO
from packyak.engine.errors import PackyakError

POLICIES_LIMIT = 8  # of the ten of a role; one is the platform's, one is left to the account's administrators
UNITS_A_STACK = 40  # some 5 resources and 20 KB each


def blueprint_of(plan: CloudPlan, profile: Profile) -> Blueprint:
    """What the stacks of a plan are built from, under a profile."""
    units = tuple(_unit(each, plan.role(each.name)) for each in plan.units)
    names = Names(plan.project, plan.home.bucket)
    _fitting("the state machine", document(of_starting(names, [each.name for each in units])))
    return Blueprint(
        project=plan.project,
        profile=profile,
        region=plan.home.region,
        bucket=plan.home.bucket,
        folder=plan.home.prefix,
        budget=plan.budget,
        notify=plan.notify,
        retention=RETENTION[profile],
        units=units,
        stacks=tuple(
            tuple(each.name for each in units[at : at + UNITS_A_STACK]) for at in range(0, len(units), UNITS_A_STACK)
        ),
        levels=plan.order,
        starts=tuple(_starts(plan)),
        people=tuple(_role(each) for each in plan.people if each.name != STUDIO),
        upkeep=tuple(_role(each) for each in plan.upkeep),
        studio=_studio(plan),
    )


def _unit(unit: Unit, role: Role | None) -> UnitDrawing:
    grants = role.grants if role else ()
    return UnitDrawing(
        name=unit.name,
        kind=unit.kind,
        doc=unit.doc.strip().partition("\n")[0],
        place=unit.place,
        image=unit.image,
        runs_on=unit.size.runs_on,
        memory_mb=unit.size.memory_mb,
        minutes=unit.size.minutes,
        disk_mb=unit.size.disk_mb,
        cpu=unit.size.cpu,
        policies=_fitting(unit.name, role.policy if role else document(())),
        reaches=tuple(_reaches(grants)),
    )


def _studio(plan: CloudPlan) -> StudioDrawing | None:
    asked, role = plan.studio, plan.role(STUDIO)
    if asked is None or role is None:
        return None
    return StudioDrawing(
        domain=asked.domain,
        certificate=asked.certificate,
        issuer=asked.issuer,
        client_id=asked.client_id,
        secret=asked.client_secret,
        zone=asked.zone,
        reach=asked.reach,
        memory_mb=asked.memory_mb,
        cpu=asked.cpu,
        policies=_fitting("the studio", role.policy),
        reaches=tuple(_reaches(role.grants)),
    )


def _role(role: Role) -> RoleDrawing:
    return RoleDrawing(role.name, _fitting(role.name, role.policy), tuple(_reaches(role.grants)))


def _reaches(grants: Iterable[Grant]) -> Iterator[Reach]:
    """The grants whose resource ends in a wildcard, with their reasons."""
    found: dict[str, list[Grant]] = {}
    for each in grants:
        if "*" in each.resource:
            found.setdefault(each.resource, []).append(each)
    for resource, mine in sorted(found.items()):
        reasons = [reason for each in mine for reason in each.evidence]
        why = "; ".join(dict.fromkeys(each.why for each in reasons))
        places = dict.fromkeys(each.place or "what every run does" for each in reasons)
        yield Reach(resource, why, ", ".join(places))


def _fitting(unit: str, policy: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """A policy in as few documents as fit."""
    pages = tuple(paged(policy["Statement"]))
    if len(pages) > POLICIES_LIMIT:
        raise PackyakError(
            f"the role of {unit} needs {len(pages)} policies of {POLICY_LIMIT:,} characters, and a role may have "
            f"{POLICIES_LIMIT} of them here",
            next_step="let it read fewer assets, or split it in two",
            unit=unit,
        )
    return pages


def _starts(plan: CloudPlan) -> Iterator[Start]:
    """Triggers as rules. What new files start is everything below them, so assets have one rule together with what
    people say; a function has its own."""
    functions = {each.name for each in plan.units if each.kind == "function"}
    arriving = [each for each in plan.triggers if each.kind == "file" and each.starts not in functions]
    keys = {plan.home.path(f"buckets/{_pattern(each.of)}"): each.place for each in arriving}
    said = plan.home.path("corrections/*")
    doc = f"new files ({', '.join(dict.fromkeys(keys.values()))}) and corrections"
    yield Start("arrivals", "", doc if keys else "corrections", keys=(*sorted(keys), said))
    for each in plan.triggers:
        if each.kind == "file" and each.starts in functions:
            yield Start(
                f"unit-{each.starts}", each.starts, each.place, keys=(plan.home.path(f"buckets/{_pattern(each.of)}"),)
            )
        elif each.kind != "file":
            yield from _schedules(each)


def _schedules(trigger: Trigger) -> Iterator[Start]:
    for number, expression in enumerate(expressions(trigger), start=1):
        name = f"unit-{trigger.starts}" if trigger.starts else "everything"
        yield Start(f"{name}-{number}", trigger.starts, trigger.place, schedule=expression)


def _pattern(of: str) -> str:
    """A file pattern as EventBridge matches keys: `*` alone, never twice in a row. Wider is harmless: a run looks at
    what is new itself."""
    written = re.sub(r"\[[^\]]*\]|\?", "*", of)
    return re.sub(r"\*+", "*", written)
