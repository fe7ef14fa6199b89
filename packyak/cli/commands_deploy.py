"""The commands about a deployment: grants and prove."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from packyak.cli.options import HomeUri, Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import Place, find_place
from packyak.cli.say import DONE, NOT_UP_TO_DATE, note, say, say_json
from packyak.cli.tables import show_table
from packyak.cli.words import counted
from packyak.engine.errors import PackyakError, nearest

VERBS = {
    "s3:GetObject": "read",
    "s3:PutObject": "write",
    "s3:ListBucket": "list",
    "kms:Decrypt": "decrypt with",
    "kms:GenerateDataKey": "encrypt with",
}


@command(
    "grants",
    ("packyak grants", "who may do what on what in the cloud, and why"),
    ("packyak grants topic", "only the role of this asset"),
    ("packyak grants topic --policy", "its IAM policy"),
    ("packyak grants reviewer", "what people may who look and correct"),
    ("packyak grants --run", "run everything here first, and listen to what its code asks AWS for"),
    ("packyak grants --json", "the whole plan for a script: units, triggers, roles, grants, evidence"),
)
def grants(
    asset: Annotated[
        str | None, typer.Argument(metavar="ASSET", help="Only this one's role; default: all.", show_default=False)
    ] = None,
    policy: Annotated[bool, flag("--policy", "The role's IAM policy as JSON.")] = False,
    run: Annotated[bool, flag("--run", "Run it here first, and listen to what its code asks AWS for.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Say what each role may do, why (file:line), and whether a run was seen to need it."""
    from packyak.deploy.grants.seen import last_proof, place_of
    from packyak.deploy.grants.watched import last_calls, watch

    place = find_place(project, home)
    opened, plan = _planned(place)
    every = plan.every_role
    roles = [each for each in every if asset in (None, each.name)]
    if not roles:
        names = [each.name for each in every]
        meant = nearest(asset or "", names)
        raise PackyakError(
            f"nothing called {asset!r} runs under a role",
            choices=names,
            next_step=f"did you mean {meant}?" if meant else "choose one of them",
        )
    proof = last_proof(opened.home)
    if run:
        watch(opened, plan, [each for each in roles if each in plan.roles], note)
    calls = last_calls(opened.home)

    def verdict(grant: Any) -> str:
        """What the proof says, and where it does not know, whether a run here was seen to do it."""
        found: str = proof.verdict(grant, plan.home)
        unknown = found in ("not tried", "unobserved")
        return "seen" if unknown and calls.saw(grant, plan.home.region) else found

    undecided = [each for each in plan.undecided if asset in (None, each.role)]
    denied = {role.name: proof.denied[role.name] for role in roles if role.name in proof.denied}
    code = NOT_UP_TO_DATE if undecided or denied or calls.undeclared or calls.problems else DONE
    told = [f"{each.place} in {each.what}" for each in undecided]
    told += [f"{role} was seen to want what nothing grants: {text}" for role, texts in denied.items() for text in texts]
    told += [*calls.undeclared, *calls.problems]
    if policy:
        say_json({role.name: role.policy for role in roles})
        _note_all(told)
        return code
    if as_json:
        seen = {
            role.name: [
                {"action": each.action, "on": place_of(each, plan.home), "seen": verdict(each)} for each in role.grants
            ]
            for role in roles
        }
        say_json(
            {
                "plan": plan,
                "seen": seen,
                "denied": denied,
                "undeclared": calls.undeclared,
                "proven_at": proof.at or None,
            }
        )
        return code
    rows = [
        (
            role.name,
            VERBS.get(each.action, each.action),
            place_of(each, plan.home),
            "; ".join(dict.fromkeys(reason.why for reason in each.evidence)),
            ", ".join(dict.fromkeys(reason.place or "every run" for reason in each.evidence)),
            verdict(each),
        )
        for role in roles
        for each in role.grants
    ]
    show_table(("role", "may", "on", "why", "where", "seen"), rows, state="seen")
    _note_all(told)
    _say_proof(proof.at, len(rows))
    return code


def _note_all(told: list[str]) -> None:
    for text in told:
        note(text)


def _say_proof(at: str, rows: int) -> None:
    tried = f"tried on {at}" if at else "not tried yet: `packyak prove` runs everything under its role"
    note(f"{counted(rows, 'grant')}, {tried}")


@command(
    "prove",
    ("packyak prove", "run everything under its own role on this machine; take each grant away; try what is foreign"),
    ("packyak prove --quick", "without taking grants away: seconds instead of minutes"),
    ("packyak prove --json", "every grant with its verdict, every probe, for a script"),
)
def prove(
    quick: Annotated[bool, flag("--quick", "Do not take grants away one by one.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Prove on this machine that each role may do all that it needs and nothing else."""
    from packyak.deploy.grants import prove as proving
    from packyak.deploy.grants.seen import keep

    opened = _opened(find_place(project, home))
    proof = proving.prove(opened, mutants=not quick, tell=note)
    if not quick:
        keep(proof, proving.HOME, opened.home, datetime.now(UTC).isoformat(timespec="seconds"))
    if as_json:
        say_json(proof)
    else:
        for line in _told(proof, quick):
            say(line)
    return DONE if proof.holds else NOT_UP_TO_DATE


def _told(proof: Any, quick: bool) -> Sequence[str]:
    lines = []
    for role in proof.roles:
        lines += [f"{role.role}: {problem}" for problem in role.problems]
        lines += [f"{role.role} wants what nothing grants: {each}" for each in role.denied]
    for role in proof.roles:
        for each in role.judged:
            if each.verdict == "unneeded" or (each.verdict == "unobserved" and not quick):
                lines.append(f"{role.role}: {each.verdict}: {each.grant}")
    lines += [f"{each.place} in {each.what}" for each in proof.undecided]
    lines += [f"{each.role} could {each.what}" for each in proof.allowed]
    proven, vain, unseen = (proof.count(each) for each in ("proven", "unneeded", "unobserved"))
    if not quick:
        lines.append(f"{proven} of {counted(proven + vain, 'grant')} taken away broke the run, {vain} survived,")
        lines.append(f"{unseen} were never used in it")
    denied = len(proof.probes) - len(proof.allowed)
    lines.append(f"{denied:,} of {counted(len(proof.probes), 'foreign access', 'foreign accesses')} denied")
    return lines


def _opened(place: Place) -> Any:
    from packyak.engine.project import Project

    return Project.open(place.root, home=place.given)


def _planned(place: Place) -> tuple[Any, Any]:
    """The project, and what it becomes in the cloud; a home that is no bucket yet gets one named as the project."""
    from packyak.deploy.grants.declared import cloud_home
    from packyak.deploy.plan import plan_of, wanted_by

    opened = _opened(place)
    uri = place.home if place.home.startswith("s3://") else f"s3://{place.name}-home/home"
    codes = {name: each.code for name, each in opened.codes.fingerprints.items()}
    wanted = wanted_by(opened)
    return opened, plan_of(opened.name, opened.graph, cloud_home(uri), root=opened.root, codes=codes, wanted=wanted)
