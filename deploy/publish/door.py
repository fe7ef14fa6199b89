"""The studio in the account in words: what publishing changes about it, what it costs, how it is opened and closed.

It stands closed, and costs nothing then. Opening it is a parameter of its stack; publishing again leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from ipaddress import IPv4Network

from packyak.deploy.plan import CloudPlan
from packyak.deploy.publish.records import Change, Output
from packyak.deploy.served import Served
from packyak.deploy.stacks.names import Names

PLACE = "packyak.toml"
WIDENS = ("domain", "issuer", "client_id", "client_secret")  # others sign in, or elsewhere


Told = tuple[list[Change], list[Change], list[Change]]


def command(wanted: str, plan: CloudPlan) -> str:
    """The command that opens it ("yes") or closes it ("no")."""
    return (
        f"aws cloudformation update-stack --stack-name {Names(plan.project, plan.home.bucket).studio} "
        f"--region {plan.home.region} --use-previous-template --capabilities CAPABILITY_NAMED_IAM "
        f"--parameters ParameterKey=Open,ParameterValue={wanted} ParameterKey=ImageStudio,UsePreviousValue=true"
    )


def outputs(plan: CloudPlan, stacks: Sequence[str]) -> Iterator[Output]:
    """Where it is, and how it is opened and closed."""
    if plan.studio is None or Names(plan.project, plan.home.bucket).studio not in stacks:
        return
    yield Output("studio in the account", f"{plan.studio.site} while it is open", plan.studio.site)
    yield Output("open the studio", command("yes", plan))
    yield Output("close the studio", command("no", plan))


def told(before: CloudPlan | None, after: CloudPlan, dollars: float) -> Told:
    """What is added, what is only changed, and what lets somebody else in. dollars: of an hour in which it is open."""
    new, old = after.studio, before.studio if before else None
    if new is None:
        gone = [Change("the studio in the account goes; the home stays", "", PLACE)] if old else []
        return [], gone, []
    words = f"it stands closed and costs nothing then; open, about ${dollars:.2f} an hour"
    if old is None:
        made = Change(f"the studio can be opened at {new.site}, {_reached(new)}, {_by(new)}; {words}", "", PLACE)
        return ([made], [], []) if before is None else ([], [], [made])
    changed, widened = list[Change](), list[Change]()
    for field in fields(Served):
        one, other = getattr(old, field.name), getattr(new, field.name)
        if one == other or field.name in ("cpu", "reach"):
            continue
        change = Change(f"the studio's {field.name} is {_shown(other)}, it was {_shown(one)}", "", PLACE)
        (widened if field.name in WIDENS else changed).append(change)
    if old.reach != new.reach:
        change = Change(f"the studio is {_reached(new)}, it was {_reached(old)}", "", PLACE)
        (changed if _within(new.reach, old.reach) else widened).append(change)
    return [], changed, widened


def _within(ranges: Sequence[str], others: Sequence[str]) -> bool:
    """Whether each range lies in one of the others."""
    wide = [IPv4Network(each) for each in others]
    return all(any(IPv4Network(each).subnet_of(one) for one in wide) for each in ranges)


def _reached(studio: Served) -> str:
    everywhere = studio.reach == ("0.0.0.0/0",)
    return f"reached from {'everywhere' if everywhere else ', '.join(studio.reach)}"


def _by(studio: Served) -> str:
    return f"for people whom {studio.issuer} signs in and [roles] names"


def _shown(value: object) -> str:
    return str(value) or "nothing"
