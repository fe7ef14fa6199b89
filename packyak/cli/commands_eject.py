"""The command that hands the stacks over: eject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from packyak.cli.commands_publish import Profile, To, _opened, _profile
from packyak.cli.options import Json, ProjectFolder, Verbose, command, flag
from packyak.cli.say import DONE, note, say, say_json
from packyak.cli.words import counted


@command(
    "eject",
    ("packyak eject infrastructure", "the stacks as a CDK app in that folder, yours to change"),
    ("packyak eject infrastructure --profile hipaa", "under another profile than packyak.toml's"),
    ("packyak eject space --sagemaker", "instead what starts the studio in a space of SageMaker Studio"),
)
def eject(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A folder that is new or empty.", show_default=False)],
    profile: Profile = None,
    to: To = None,
    sagemaker: Annotated[
        bool, flag("--sagemaker", "A lifecycle script, its archive and a policy for SageMaker Studio, not the stacks.")
    ] = False,
    project: ProjectFolder = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Write the project's AWS stacks as a readable CDK app that you own; it comes to the same templates as export."""
    from packyak.deploy.publish.project import planned, studio_source
    from packyak.deploy.publish.space import write_space
    from packyak.deploy.stacks.ejecting import eject as write

    opened = _opened(project)
    plan = planned(opened, to=to or "", profile=_profile(profile))
    place = Path(folder).expanduser().absolute()
    files = write_space(plan, studio_source(opened, plan), place) if sagemaker else write(plan, plan.profile, place)
    for each in plan.undecided:
        note(f"nothing is granted for what cannot be decided: {each.place} in {each.what}")
    if as_json:
        say_json({"folder": str(place), "files": [each.relative_to(place).as_posix() for each in files]})
        return DONE
    if sagemaker:
        say(f"{counted(len(files), 'file')} in {place}: the studio of {plan.project} for a space of SageMaker Studio.")
        say("README.md there says what to do with each; nothing was put anywhere.")
        return DONE
    say(f"{counted(len(files), 'file')} in {place}: a CDK app for {plan.project}, profile {plan.profile}.")
    say("README.md there says how it is deployed; `packyak export` knows nothing of what you change in it.")
    return DONE
