"""The commands about the account: export, destroy, drift and cost."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from packyak.cli.options import Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import find_place
from packyak.cli.publishing import Answers, Telling, lines, say_diff, say_outcome
from packyak.cli.say import BROKEN, DONE, NOT_UP_TO_DATE, WRONG, note, on_terminal, plain, say, say_json
from packyak.cli.tables import show_table
from packyak.cli.words import counted
from packyak.engine.errors import PackyakError, SettingError, nearest

if TYPE_CHECKING:
    from packyak.deploy.publish.records import Outcome
    from packyak.engine.project import Project

TRAVELS = ("tables", "memo", "buckets", "vectors", "indexes", "models", "corrections", "lineage")  # what a home holds
ENDS = {"published": DONE, "unchanged": DONE, "previewed": DONE, "unconfirmed": NOT_UP_TO_DATE, "refused": WRONG}
NO_INDEX = "no --package-index is given: torch comes from the usual index, which has no build for CPUs alone"
To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="URI", help="Where the data lies in the cloud: s3://bucket/prefix.", show_default=False
    ),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="dev, hipaa, gdpr or hipaa+gdpr, instead of packyak.toml's.",
                 show_default=False),
]  # fmt: skip


@command(
    "export",
    ("packyak export --dry-run", "what would change since the last export, in words; asks nobody and needs no account"),
    ("packyak export", "bring the project into your AWS account: shows what changes, asks, then does it"),
    ("packyak export --yes --accept-widening", "without questions, also where somebody may do more than before"),
    ("packyak export --yes --json", "one JSON document a line: every stage, every event, last how it ended"),
)
def export(
    profile: Profile = None,
    to: To = None,
    dry_run: Annotated[bool, flag("--dry-run", "Only say what changes since the last export, without AWS.")] = False,
    yes: Annotated[bool, flag("--yes", "Do it without asking.")] = False,
    accept_widening: Annotated[
        bool, flag("--accept-widening", "Also where an asset or a role may do more than before.")
    ] = False,
    confirmed: Annotated[
        str | None,
        typer.Option("--confirmed", metavar="DIGEST", help="Only if the changes are those that a dry run named so.",
                     show_default=False),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option("--package-index", metavar="URL",
                     help="One more index of packages for the image build; default: PIP_EXTRA_INDEX_URL.",
                     show_default=False),
    ] = None,
    project: ProjectFolder = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:  # fmt: skip
    """Publish the project to your AWS account; with --json one document a line, the last one says how it ended."""
    from packyak.deploy.publish.project import planned

    tell = lines() if as_json else Telling()
    try:
        opened = _opened(project)
        plan = planned(opened, to=to or "", profile=_profile(profile))
        if dry_run:
            return _previewed(opened, plan, as_json, tell)
        outcome = _published(opened, to or "", _profile(profile), index or "", Answers(
            yes, accept_widening, confirmed, as_json, tell
        ), tell)  # fmt: skip
    except PackyakError as error:
        if not as_json:
            raise
        tell({"error": {**error.to_json(), "exit_code": WRONG}})
        return WRONG
    except Exception as error:
        if not as_json:
            raise
        note("".join(traceback.format_exception(error)).rstrip())
        said = {"error": type(error).__name__, "message": str(error), "next_step": "", "exit_code": BROKEN}
        tell({"error": said})
        return BROKEN
    if as_json:
        tell({"outcome": plain(outcome)})
    else:
        say_outcome(outcome)
    return ENDS[outcome.state]


def _published(
    project: Project, to: str, profile: Any, index: str, answers: Answers, tell: Callable[[Any], None]
) -> Outcome:
    from packyak.deploy.publish.account import AwsAccount
    from packyak.deploy.publish.preflight import caller_of
    from packyak.deploy.publish.project import made_of, planned
    from packyak.deploy.publish.publish import Asked, preview, publish
    from packyak.deploy.publish.records import Stage

    project.require("publish")
    tell(Stage("plan", "running"))
    account = AwsAccount(planned(project, to=to, profile=profile).home.region)
    plan = planned(project, to=to, profile=profile, account=caller_of(account).account)
    answers.digest = preview(plan, project.home).diff.digest
    index = index or os.environ.get("PIP_EXTRA_INDEX_URL", "")
    heavy = "" if index or all(unit.image == "slim" for unit in plan.units) else f"; {NO_INDEX}"
    tell(Stage("plan", "done", f"{counted(len(plan.units), 'role')} for {plan.home.uri}{heavy}"))
    made = made_of(project, plan, lambda line: tell(Stage("templates", "running", line)), index)
    asked = Asked(plan.profile, confirm=answers.confirm, accept_widening=answers.accept)
    return publish(made, account, asked, tell)


def _previewed(project: Project, plan: Any, as_json: bool, tell: Callable[[Any], None]) -> int:
    """What is known without an account: the changes and what it costs."""
    from packyak.deploy.publish.account import credentials_seen
    from packyak.deploy.publish.publish import preview
    from packyak.deploy.publish.records import STAGES

    outcome = preview(plan, project.home)
    cost = _cost(project, plan)
    if as_json:
        summary = {
            "units": [{"name": unit.name, "kind": unit.kind, "place": unit.place, "image": unit.image,
                       "grants": len(role.grants) if (role := plan.role(unit.name)) else 0,
                       "reads": unit.reads, "runs_on": unit.size.runs_on, "memory_mb": unit.size.memory_mb}
                      for unit in plan.units],
            "order": plan.order, "triggers": plan.triggers, "home": plan.home.uri, "region": plan.home.region,
            "profile": plan.profile, "own_profile": _own_profile(project), "budget": plan.budget,
            "undecided": plan.undecided,
        }  # fmt: skip
        tell(
            {
                "preview": plain(
                    {
                        "outcome": outcome,
                        "digest": outcome.diff.digest,
                        "plan": summary,
                        "cost": _cost_json(cost),
                        "stages": STAGES,
                        "credentials": credentials_seen(),
                    }
                )
            }
        )
        return DONE
    say_diff(outcome.diff)
    for each in plan.undecided:
        note(f"In the way of exporting: {each.place} in {each.what}")
    say(f"About ${cost.month:.2f} a month when nothing runs, ${cost.once:.4f} for a whole run (`packyak cost`)")
    return DONE


def _own_profile(project: Project) -> str:
    """The profile that packyak.toml names."""
    from packyak.engine.settings import CONFIG_FILE, load_config

    file = project.root / CONFIG_FILE
    return str(load_config(file).cloud.get("profile", "dev")) if file.is_file() else "dev"


@command(
    "destroy",
    ("packyak destroy", "take the project out of the account; what holds data stays, and what that costs is said"),
    ("packyak destroy --yes --json", "without asking; what went and what stays, for a script"),
)
def destroy(
    yes: Annotated[bool, flag("--yes", "Do it without asking.")] = False,
    project: ProjectFolder = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Take roles, functions and the state machine away; buckets and keys stay with all that lies in them."""
    from packyak.deploy.publish.account import AwsAccount
    from packyak.deploy.publish.destroy import destroy as take_away
    from packyak.deploy.publish.destroy import standing
    from packyak.deploy.publish.project import planned

    opened = _opened(project)
    opened.require("publish")
    account = AwsAccount(planned(opened).home.region)
    found = standing(account, opened.name)
    if found.going and not yes:
        for name in found.going:
            note(f"goes: the stack {name}")
        if as_json or not (on_terminal(sys.stdout) and sys.stdin.isatty()):
            note("Nothing was taken away. Next: `packyak destroy --yes`.")
            return NOT_UP_TO_DATE
        if not typer.confirm("Take this away?", default=False, err=True):
            return NOT_UP_TO_DATE
    done = take_away(account, opened.name, opened.home, note if as_json else Telling())
    if as_json:
        say_json(done)
        return DONE
    say(
        f"{counted(len(done.going), 'stack')} taken away"
        if done.going
        else "Nothing of this project was there to take away"
    )
    for each in done.stays:
        say(f"  stays: {each.what}: {each.why} (${each.dollars:.2f} a month and what lies in it)")
    return DONE


@command(
    "drift",
    ("packyak drift", "what in the account is no longer as it was published: templates, resources, permissions"),
    ("packyak drift --json", "the same for a script; exit code 1 where something differs"),
)
def drift(project: ProjectFolder = None, verbose: Verbose = False, as_json: Json = False) -> int:
    """Compare what stands in the account with what was published, and the code here with both."""
    from packyak.deploy.publish.account import AwsAccount
    from packyak.deploy.publish.drift import drift_of
    from packyak.deploy.publish.project import planned

    opened = _opened(project)
    plan = planned(opened)
    found = drift_of(AwsAccount(plan.home.region), opened.home, plan)
    code = NOT_UP_TO_DATE if found.found else DONE
    if as_json:
        say_json(found)
        return code
    for each in found.found:
        say(f"{'CRITICAL ' if each.critical else ''}{each.layer}: {each.words}")
    for line in found.code:
        say(f"not published yet: {line}")
    say(f"{counted(len(found.found), 'difference')} in {counted(found.resources, 'resource')}, "
        f"{counted(found.roles, 'role')} looked at")  # fmt: skip
    return code


@command(
    "cost",
    ("packyak cost", "what the cloud costs a month when nothing runs, and for one run, with every assumption"),
    ("packyak cost --json", "the same for a script"),
)
def cost(
    profile: Profile = None, project: ProjectFolder = None, verbose: Verbose = False, as_json: Json = False
) -> int:
    """Estimate the bill from a dated price table and the last run here."""
    from packyak.deploy.publish.project import planned

    opened = _opened(project)
    found = _cost(opened, planned(opened, profile=_profile(profile)))
    if as_json:
        say_json(_cost_json(found))
        return DONE
    rows = [("a month", each.what, f"{each.dollars:.4f}", each.how) for each in found.idle]
    rows += [("an hour open", each.what, f"{each.dollars:.4f}", each.how) for each in found.open]
    rows += [("a run", each.what, f"{each.dollars:.6f}", each.how) for each in found.run]
    show_table(("per", "what", "dollars", "how"), rows, right=("dollars",))
    open_too = f", ${found.hour:.2f} an hour while the studio is open" if found.open else ""
    say(f"${found.month:.2f} a month when nothing runs, ${found.once:.4f} for a whole run{open_too}")
    for line in found.assumptions:
        note(f"assumed: {line}")
    note(f"prices of {found.region}, {found.as_of}: {found.source}")
    return DONE


def _cost(project: Project, plan: Any) -> Any:
    from packyak.deploy.publish.cost import cost_of
    from packyak.deploy.publish.project import written_templates

    run = next((each for each in project.runs(20) if each.state == "done" and each.assets), None)
    stored = sum(size for name, size, _ in project.home.walk(".") if name.split("/")[0] in TRAVELS)
    return cost_of(plan, run=run, stored=stored, templates=written_templates(project, plan))


def _cost_json(found: Any) -> dict[str, Any]:
    return {**plain(found), "month": round(found.month, 4), "once": round(found.once, 6)}


def _opened(project: str | None) -> Any:
    from packyak.engine.project import Project

    place = find_place(project)
    return Project.open(place.root)


def _profile(name: str | None) -> Any:
    from packyak.deploy.stacks.profiles import PROFILES

    if name is not None and name not in PROFILES:
        meant = nearest(name, PROFILES)
        raise SettingError(
            f"there is no profile {name!r}", choices=PROFILES,
            next_step=f"did you mean {meant}?" if meant else "choose one of them",
        )  # fmt: skip
    return name
