"""All stacks of a blueprint in one CDK app, and the rule packs that look at them."""

from __future__ import annotations

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint
from packyak.deploy.stacks.flow import Flow
from packyak.deploy.stacks.ground import Ground
from packyak.deploy.stacks.studio import Studio
from packyak.deploy.stacks.units import Units

PACKS = (AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks)


def build(drawn: Blueprint, acknowledged: Acknowledged, folder: str | None = None) -> tuple[cdk.App, list[cdk.Stack]]:
    """The app, and its stacks in the order in which they are deployed. folder: where the templates go; by default where
    the CDK command line wants them."""
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
    stacks = [ground, *units, flow]
    if drawn.studio is not None:
        print("the studio, and its door", flush=True)
        stacks.append(Studio(app, drawn, drawn.studio, acknowledged))
        stacks[-1].add_stack_dependency(ground)
    cdk.Tags.of(app).add("packyak:project", drawn.project)
    for pack in PACKS:
        cdk.Validations.of(app).add_plugins(pack(app))
    print("three rule packs look at it", flush=True)
    return app, stacks
