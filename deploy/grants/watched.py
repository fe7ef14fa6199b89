"""What code was seen to ask AWS for in runs on this machine, kept in the home beside the proof.

A call that a role makes and nothing grants is an error: in the cloud it would be denied. What clients other than
botocore do (Lance and Arrow on the home) is seen by the gate of the proof instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.grant import Grant
from packyak.deploy.grants.infer.found import Need, NotKnown
from packyak.deploy.grants.infer.observed import Observed, covers, watching
from packyak.deploy.grants.infer.paste import line_for_operation
from packyak.engine.store.home import Home

if TYPE_CHECKING:
    from packyak.deploy.plan import CloudPlan, Role
    from packyak.engine.project import Project

NAME = "calls.json"
SEEN = "seen"


@dataclass(frozen=True)
class Calls:
    """needs: what each role was seen to need; undeclared: calls that nothing grants, in words, with the line to write;
    problems: runs that did not end well."""

    needs: frozenset[tuple[str, Need]] = frozenset()
    undeclared: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def saw(self, grant: Grant, region: str) -> bool:
        """Whether a run was seen to use a grant."""
        return any(role == grant.role and covers(need_of(grant, region), need) for role, need in self.needs)


def need_of(grant: Grant, region: str) -> Need:
    """A grant, wherever it runs."""
    resource = grant.resource.replace("${AWS::AccountId}", "{account}").replace(f":{region}:", ":{region}:")
    return Need(grant.action, resource, grant.prefix or None)


def watch(project: Project, plan: CloudPlan, roles: Iterable[Role], tell: Callable[[str], None]) -> Calls:
    """Runs each role's unit here, inputs first, and listens. What was seen before stays known."""
    needs = set(last_calls(project.home).needs)
    undeclared: dict[str, None] = {}
    problems: list[str] = []
    for role in roles:
        with watching() as seen:
            record = project.run([role.name], alone=True)
        if record.state != "done":
            problems.append(f"{role.name}: {record.error or record.state}")
        for call in seen:
            needs |= {(role.name, need) for need in _needs(call)}
            undeclared |= dict.fromkeys(_not_granted(call, role, plan, project.root))
        tell(f"{role.name}: {record.state}, {len(seen)} calls of AWS")
    found = Calls(frozenset(needs), tuple(undeclared), tuple(problems))
    project.home.write(NAME, json.dumps(_plain(found), sort_keys=True, indent=1).encode())
    return found


def _needs(call: Observed) -> tuple[Need, ...]:
    try:
        return call.needs
    except NotKnown:
        return ()


def _not_granted(call: Observed, role: Role, plan: CloudPlan, root: Path) -> Iterable[str]:
    file = Path(call.file)
    shown = file.relative_to(root) if call.file and file.is_relative_to(root) else file
    place = f"{shown.as_posix()}:{call.line}" if call.file else "code that is not the project's"
    line = line_for_operation(call.service, call.operation)
    said = f"{place} in {role.name} was seen to call {call.service}.{call.operation}"
    try:
        missing = [
            need
            for need in call.needs
            if not any(covers(need_of(grant, plan.home.region), need) for grant in role.grants)
        ]
    except NotKnown as problem:
        yield f"{said}, and {problem.what}. Write grants=[{line}] on what is declared."
        return
    for need in missing:
        yield f"{said}, and nothing grants {need}. Write grants=[{line}] on what is declared."


def _plain(found: Calls) -> dict[str, Any]:
    needs = [[role, need.action, need.resource, need.prefix] for role, need in found.needs]
    return {
        "needs": sorted(needs, key=str),
        "undeclared": list(found.undeclared),
        "problems": list(found.problems),
    }


def last_calls(home: Home) -> Calls:
    """What was kept last; nothing where nothing was, or it cannot be read."""
    data = home.read(NAME)
    try:
        facts = json.loads(data) if data else {}
        needs = frozenset((role, Need(action, on, prefix)) for role, action, on, prefix in facts.get("needs", ()))
        return Calls(needs, tuple(facts.get("undeclared", ())), tuple(facts.get("problems", ())))
    except (ValueError, AttributeError, TypeError):
        return Calls()
