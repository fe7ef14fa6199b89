"""From an opened project to what is published: its plan for the cloud, its templates, its sources.

The cloud's home is the one that was asked for, else the project's own where that lies on S3, else the one published to
last, else a bucket named after project and account, as bucket names are shared by all accounts of the world.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packyak.deploy.plan import CloudPlan, plan_project
from packyak.deploy.publish.image import STUDIO, Source, images_of, searches, source_of
from packyak.deploy.publish.kept import last_published
from packyak.deploy.publish.publish import Made
from packyak.deploy.stacks.names import slug
from packyak.deploy.stacks.profiles import Profile
from packyak.deploy.stacks.synthesis import StackTemplate, synthesize
from packyak.engine.errors import SynthesisFailed
from packyak.engine.project import Project

TEMPLATES = Path(".packyak") / "cloud" / "templates"


def planned(project: Project, *, to: str = "", profile: Profile | None = None, account: str = "") -> CloudPlan:
    """A project's plan. to: the cloud's home; account: whose number makes the bucket's name one of its own."""
    return plan_project(project, to or _home(project, account), profile=profile)


def _home(project: Project, account: str) -> str:
    if project.home.uri.startswith("s3://"):
        return ""
    last = last_published(project.home)
    if last is not None and account in ("", last.account):
        return last.plan.home.uri
    return f"s3://{slug(project.name)[:40]}-home-{account}/home" if account else ""


def made_of(project: Project, plan: CloudPlan, tell: Callable[[str], None], index: str = "") -> Made:
    """What publishing needs. tell: hears what CDK says; index: one more index of packages for the images."""

    def templates() -> tuple[StackTemplate, ...]:
        made = synthesize(plan, plan.profile, project.root / TEMPLATES, tell=tell)
        if made.findings:
            count, first = len(made.findings), made.findings[0]
            raise SynthesisFailed(
                f"rule packs found {count} things that nobody explained, first {first.rule} at {first.resource}",
                next_step="`packyak report access --stacks` lists them",
            )
        return made.stacks

    def source() -> Source:
        files = [Path(file) for file in project.source_files()]
        return source_of(project.root, files, images_of(plan), index, learns=searches(plan))

    return Made(plan, project.graph, project.home, templates, source)


def studio_source(project: Project, plan: CloudPlan, index: str = "") -> Source:
    """The archive with what a studio needs that runs elsewhere."""
    files = [Path(file) for file in project.source_files()]
    return source_of(project.root, files, [STUDIO], index, learns=searches(plan))


def written_templates(project: Project, plan: CloudPlan) -> tuple[dict[str, Any], ...]:
    """The templates that were written last for a project under a plan's profile; none where none were yet."""
    folder = project.root / TEMPLATES
    made = sorted(
        folder.glob(f"{plan.profile.replace('+', '-')}-*/synthesis.json"), key=lambda file: file.stat().st_mtime
    )
    if not made:
        return ()
    return tuple(json.loads(file.read_text("utf-8")) for file in sorted(made[-1].parent.glob("*.template.json")))
