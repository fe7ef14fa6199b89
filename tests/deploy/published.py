"""A small project ready to be published: its plan, and templates in the shape of the real ones, without CDK."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packyak.deploy.grants.declared import cloud_home
from packyak.deploy.plan import CloudPlan, plan_of
from packyak.deploy.publish.image import Source
from packyak.deploy.publish.publish import Made
from packyak.deploy.served import Served
from packyak.deploy.stacks.names import Names
from packyak.deploy.stacks.synthesis import StackTemplate
from packyak.deploy.wanted import Wanted
from packyak.engine.declare.nodes import Graph
from packyak.engine.project import Project

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def patients(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(patients)
def age(born: int) -> int:
    return 2026 - born

ages = sql("select age, count(*) as n from age group by all")
"""
MORE = (
    SOURCE
    + """
@transform(age)
def cohort(age: int) -> str:
    return "old" if age > 60 else "young"
"""
)
FILES = {"inbox/a.csv": "id,born\n1,1950\n2,2001\n3,1950\n"}
HOME = cloud_home("s3://demo-home/home")
STUDIO: dict[str, Any] = {
    "Parameters": {"Open": {"Type": "String", "Default": "no"}, "ImageStudio": {"Type": "String"}},
    "Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"Image": {"Ref": "ImageStudio"}}}},
}
KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def made(folder: Path, plan: CloudPlan, graph: Graph, project: Project, **changes: Any) -> Made:
    """What publishing needs, with templates written below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(folder, name, body, after) for name, body, after in _stacks(plan, **changes)]
    return Made(plan, graph, project.home, lambda: written, lambda: Source(b"archive", "a1b2"))


def planned(folder: Path, studio: Served | None = None) -> tuple[Project, CloudPlan]:
    """A project's plan in the cloud. studio: asked for in the account."""
    project = Project.open(folder)
    codes = {name: each.code for name, each in project.codes.fingerprints.items()}
    return project, plan_of(
        project.name, project.graph, HOME, root=project.root, codes=codes, wanted=Wanted(studio=studio)
    )


def _stacks(plan: CloudPlan, **changes: Any) -> list[tuple[str, dict[str, Any], tuple[str, ...]]]:
    ground = {
        "Resources": {**_ground(plan), **changes.get("ground", {})},
        "Outputs": {"Bucket": {"Value": "demo-home"}},
    }
    units = {"Parameters": {"ImageSlim": {"Type": "String"}}, "Resources": _units(plan) | changes.get("units", {})}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": str(plan.order)}}
    flow = {"Parameters": changes.get("parameters", {}), "Resources": {"Machine": machine}}
    for name in changes.get("without", ()):
        ground["Resources"].pop(name)
    stacks: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
        ("demo-ground", ground, ()),
        ("demo-units-1", units, ("demo-ground",)),
        ("demo-flow", flow, ("demo-units-1",)),
    ]
    if plan.studio is not None:
        stacks.append((Names(plan.project, plan.home.bucket).studio, STUDIO, ("demo-ground",)))
    return stacks


def _ground(plan: CloudPlan) -> dict[str, Any]:
    return {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}, **KEPT},
        "Home": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": plan.home.bucket,
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True},
            },
            **KEPT,
        },
        "Images": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "packyak/demo"}},
        "Builder": {"Type": "AWS::CodeBuild::Project", "Properties": {"Name": "packyak-demo-image"}},
    }


def _units(plan: CloudPlan) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for role in plan.roles:
        name = "".join(part.title() for part in role.name.split("_"))
        found[f"{name}Role"] = {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": f"packyak-demo-{role.name}",
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ]
                },
            },
        }
        found[f"{name}Policy"] = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "ManagedPolicyName": f"packyak-demo-{role.name}",
                "Roles": [{"Ref": f"{name}Role"}],
                "PolicyDocument": role.policy,
            },
        }
        found[f"{name}Function"] = {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": f"packyak-demo-{role.name}",
                "PackageType": "Image",
                "Code": {"ImageUri": {"Ref": "ImageSlim"}},
                "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
            },
        }
    return found


def _write(folder: Path, name: str, body: Mapping[str, Any], after: tuple[str, ...]) -> StackTemplate:
    text = json.dumps(body, sort_keys=True)
    path = folder / f"{name}.json"
    path.write_text(text)
    waiting = tuple(key for key, each in body.get("Parameters", {}).items() if "Default" not in each)
    return StackTemplate(name, path, hashlib.sha256(text.encode()).hexdigest(), after, waiting)
