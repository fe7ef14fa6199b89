"""The CDK app: the stacks of a blueprint, checked by three rule packs.

`python -m packyak.deploy.stacks.app BLUEPRINT FOLDER` writes templates, `validation-report.json` and
`acknowledgements.json` into a folder. It is started in a process of its own, with a Node on its path.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint, read_blueprint
from packyak.deploy.stacks.control import Control
from packyak.deploy.stacks.flow import Flow
from packyak.deploy.stacks.ground import Ground
from packyak.deploy.stacks.units import Units

PACKS = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks)
FOUND = 3  # the exit code where a pack found something that nobody acknowledged


def build(
    drawn: Blueprint, folder: str, acknowledged: Acknowledged, *, control: bool = False
) -> tuple[cdk.App, list[cdk.Stack]]:
    """The app, and its stacks in the order in which they are deployed. control: beside them one made to be wrong."""
    app = cdk.App(outdir=folder, analytics_reporting=False)
    print("data, network, images", flush=True)
    ground = Ground(app, drawn, acknowledged)
    units = []
    for number, names in enumerate(drawn.stacks, start=1):
        print(f"{len(names)} units and their roles ({number} of {len(drawn.stacks)})", flush=True)
        units.append(Units(app, drawn, number, acknowledged))
    print("the state machine and what starts it", flush=True)
    flow = Flow(app, drawn, acknowledged)
    for each in units:
        each.add_stack_dependency(ground)
        flow.add_stack_dependency(each)
    flow.add_stack_dependency(ground)
    cdk.Tags.of(app).add("packyak:project", drawn.project)
    if control:
        Control(app)
    check(app)
    return app, [ground, *units, flow]


def check(app: cdk.App) -> None:
    """Has every pack look at an app when it is synthesized."""
    for pack in PACKS:
        cdk.Validations.of(app).add_plugins(pack(app))


def synthesize(app: cdk.App) -> int:
    """Writes the templates; answers FOUND where a pack has findings."""
    print("three rule packs look at it", flush=True)
    try:
        app.synth()
    except RuntimeError as error:
        if "Validation failed" not in str(error):
            raise
        return FOUND
    return 0


def main(blueprint: str, folder: str, *options: str) -> int:
    """Writes everything, the negative control too. --unacknowledged: what the packs find when nothing is explained."""
    acknowledged = Acknowledged(off="--unacknowledged" in options)
    app, stacks = build(read_blueprint(Path(blueprint).read_text(encoding="utf-8")), folder, acknowledged, control=True)
    after = {each.stack_name: sorted(other.stack_name for other in each.dependencies) for each in stacks}
    for name, content in (("acknowledgements.json", acknowledged.made), ("stacks.json", after)):
        Path(folder, name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return synthesize(app)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
