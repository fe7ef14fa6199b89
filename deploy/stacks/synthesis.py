"""From a plan to CloudFormation templates: what comes out, and the one call that makes it.

The records here are all that leaves this room; whoever publishes or reports reads them and no CDK. Synthesis itself
runs in a process of its own (CDK is large, and needs a Node), and its result is kept by what it was made from, so that
asking again costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packyak.deploy.stacks.profiles import Profile

if TYPE_CHECKING:
    from packyak.deploy.plan import CloudPlan


@dataclass(frozen=True)
class StackTemplate:
    """One stack to deploy. after: stacks that must stand before it. parameters: names that need a value when it is
    deployed and are known only then, such as an image's digest; every other parameter has a default."""

    name: str
    path: Path
    sha256: str
    after: tuple[str, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What a rule pack holds against a resource and nobody acknowledged."""

    rule: str
    resource: str
    message: str


@dataclass(frozen=True)
class Acknowledgement:
    """A finding that stands for a reason. evidence: what the reason rests on, `file:line` where it is a grant."""

    rule: str
    resource: str
    reason: str
    evidence: str


@dataclass(frozen=True)
class Synthesis:
    """The stacks of a plan under a profile, in the order in which they are deployed. seconds: of CPU, 0 when kept."""

    plan_hash: str
    profile: Profile
    folder: Path
    stacks: tuple[StackTemplate, ...]
    findings: tuple[Finding, ...]
    acknowledgements: tuple[Acknowledgement, ...]
    seconds: float


def synthesize(
    plan: CloudPlan, profile: Profile, folder: Path, *, tell: Callable[[str], None] = lambda text: None
) -> Synthesis:
    """Writes the templates of a plan below a folder. tell: gets a line for each step.

    Raises SynthesisFailed with what CDK said where it did not come to templates.
    """
    from packyak.deploy.stacks.running import run

    return run(plan, profile, folder, tell)
