"""The stack that everything stands on: what holds data, the network, images, and who watches."""

from __future__ import annotations

import aws_cdk as cdk
from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import Blueprint
from packyak.deploy.stacks.filling import said
from packyak.deploy.stacks.images import Images
from packyak.deploy.stacks.network import Network
from packyak.deploy.stacks.storage import Storage
from packyak.deploy.stacks.watching import Watching


class Ground(cdk.Stack):
    """Deployed first: the others refer to what it exports, and images must be made before units can be."""

    def __init__(self, app: cdk.App, drawn: Blueprint, acknowledged: Acknowledged) -> None:
        super().__init__(
            app,
            drawn.names.ground,
            description=f"What {said(drawn.project, 100)} stands on: data, network, images, the trail",
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=True,
        )
        storage = Storage(self, drawn, acknowledged)
        Network(self, drawn, storage, acknowledged)
        Images(self, drawn, storage, acknowledged)
        Watching(self, drawn, storage, acknowledged)
