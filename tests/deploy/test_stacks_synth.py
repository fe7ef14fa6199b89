"""Real templates, made by CDK with a real Node: hardened as said, roles as planned, clean under every rule pack."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packyak.deploy.grants.declared import cloud_home
from packyak.deploy.plan import CloudPlan, plan_project
from packyak.deploy.stacks import running
from packyak.deploy.stacks.definition import LIMIT
from packyak.deploy.stacks.ejecting import eject
from packyak.deploy.stacks.names import Names
from packyak.deploy.stacks.profiles import RETENTION, Profile
from packyak.deploy.stacks.synthesis import Synthesis, synthesize
from packyak.engine.errors import SynthesisFailed
from packyak.engine.project import Project
from test_stacks import CLOUD, SOURCE, allowed, hundreds
from test_studio_in_the_account import TOML

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NAMES = Names("shop", "lake")


@pytest.fixture(scope="module", autouse=True)
def one_jsii() -> Iterator[None]:
    """CDK's own cache outlives the tests, whose HOME does not: unpacking it anew each time takes long."""
    before = os.environ.get("JSII_RUNTIME_PACKAGE_CACHE_ROOT")
    os.environ["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = str(Path(sys.prefix) / "var" / "jsii")
    yield
    if before is None:
        del os.environ["JSII_RUNTIME_PACKAGE_CACHE_ROOT"]
    else:
        os.environ["JSII_RUNTIME_PACKAGE_CACHE_ROOT"] = before


def planned(folder: Path, source: str = SOURCE, cloud: str = CLOUD) -> CloudPlan:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.py").write_text(source)
    (folder / "packyak.toml").write_text(f'name = "shop"\n{cloud}')
    return plan_project(Project.open(folder), "s3://lake/shop")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> CloudPlan:
    return planned(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def made(plan: CloudPlan, tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    return synthesize(plan, "hipaa+gdpr", tmp_path_factory.mktemp("synth"))


def resources(made: Synthesis, kind: str = "") -> dict[str, Any]:
    """All resources by stack and logical id, with what stands for parameters and the like written as text."""
    return {
        f"{stack.name}/{id}": body
        for stack in made.stacks
        for id, body in json.loads(stack.path.read_text())["Resources"].items()
        if body["Type"].startswith(kind)
    }


def test_stacks_come_in_order_and_say_what_they_need(made: Synthesis) -> None:
    assert [each.name for each in made.stacks] == [NAMES.ground, NAMES.units(1), NAMES.flow]
    assert [each.after for each in made.stacks] == [(), (NAMES.ground,), (NAMES.ground, NAMES.units(1))]
    assert [each.parameters for each in made.stacks] == [(), ("ImageSlim",), ("ImageSlim",)]
    assert made.findings == ()
    assert all(each.reason and each.evidence for each in made.acknowledgements)
    grants = [each for each in made.acknowledgements if "tables/rows.lance/*" in each.rule]
    assert grants and all("pipeline.py:" in each.evidence for each in grants)


def test_asking_again_costs_nothing_and_a_change_is_made_anew(
    plan: CloudPlan, made: Synthesis, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    again = synthesize(plan, "hipaa+gdpr", made.folder.parent, tell=heard.append)
    assert again == replace(made, seconds=0.0)
    assert heard == ["nothing changed since the templates were written"]
    monkeypatch.setattr(running, "run_app", lambda *given: pytest.fail("made anew"))
    with pytest.raises(pytest.fail.Exception):
        synthesize(plan, "gdpr", made.folder.parent)


def test_roles_hold_the_very_grants_within_a_boundary(made: Synthesis, plan: CloudPlan) -> None:
    policies, roles = resources(made, "AWS::IAM::ManagedPolicy"), resources(made, "AWS::IAM::Role")
    by_name = {body["Properties"]["RoleName"]: body["Properties"] for body in roles.values()}
    held = {unit.name: NAMES.of(unit.name) for unit in plan.units} | {"tidying": NAMES.own("tidying")}
    for name, deployed in held.items():
        role, planned_role = by_name[deployed], plan.role(name)
        assert planned_role is not None
        if name != "tidying":
            assert role["PermissionsBoundary"] == {"Fn::ImportValue": NAMES.export("boundary")}
        assert "Policies" not in role
        attached = {each["Ref"] for each in role["ManagedPolicyArns"]}
        mine = [
            body["Properties"]["PolicyDocument"]
            for at, body in policies.items()
            if at.partition("/")[2] in attached and "Platform" not in at
        ]
        written = json.loads(
            json.dumps(mine).replace(json.dumps({"Fn::ImportValue": NAMES.export("key")}), '"${HomeKey}"')
        )
        assert allowed(written) == allowed([planned_role.policy])
    people = by_name[NAMES.own("people-reviewer")]
    assert people["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
        "Bool": {"aws:MultiFactorAuthPresent": "true"}
    }
    for at, body in policies.items():
        deletes = [
            s for s in body["Properties"]["PolicyDocument"]["Statement"] if "s3:Delete" in json.dumps(s["Action"])
        ]
        assert (
            bool([each for each in deletes if each["Effect"] == "Allow"]) == ("Tidying" in at)
            if "Platform" not in at
            else not deletes
        )


@pytest.mark.parametrize("profile", ["dev", "hipaa", "gdpr", "hipaa+gdpr"])
def test_what_holds_data_is_hardened(plan: CloudPlan, made: Synthesis, profile: Profile) -> None:
    result = synthesize(plan, profile, made.folder.parent)
    assert result.findings == ()
    retention = RETENTION[profile]
    buckets = {body["Properties"]["BucketName"]: body for body in resources(result, "AWS::S3::Bucket").values()
               if body["Type"] == "AWS::S3::Bucket"}  # fmt: skip
    assert set(buckets) == {"lake", NAMES.logs, *([NAMES.copy] if retention.copy else [])}
    for name, body in buckets.items():
        facts = body["Properties"]
        assert set(facts["PublicAccessBlockConfiguration"].values()) == {True}
        assert facts["VersioningConfiguration"] == {"Status": "Enabled"}
        assert (body["DeletionPolicy"], body["UpdateReplacePolicy"]) == ("Retain", "Retain")
        days = facts["LifecycleConfiguration"]["Rules"][0]["NoncurrentVersionExpiration"]["NoncurrentDays"]
        assert days == (7 if name == NAMES.logs else retention.noncurrent_days)
    home = buckets["lake"]["Properties"]
    assert ("ReplicationConfiguration" in home) == retention.copy
    assert home["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    encryption = home["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    assert encryption == {"KMSMasterKeyID": {"Fn::GetAtt": ["HomeKey", "Arn"]}, "SSEAlgorithm": "aws:kms"}
    expiry = buckets[NAMES.logs]["Properties"]["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"]
    assert expiry == retention.audit_days
    for policy in resources(result, "AWS::S3::BucketPolicy").values():
        denied = [each for each in policy["Properties"]["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [each["Condition"] for each in denied]
    logs = {at.rpartition("/")[2]: body["Properties"] for at, body in resources(result, "AWS::Logs::LogGroup").items()}
    assert logs["TrailLog"]["RetentionInDays"] == retention.audit_days
    assert logs["RowsLog"]["RetentionInDays"] == retention.run_log_days
    assert all("KmsKeyId" in each for each in logs.values())
    reserved = [body["Properties"].get("ReservedConcurrentExecutions")
                for body in resources(result, "AWS::Lambda::Function").values()]  # fmt: skip
    assert set(reserved) == {1 if retention.reserved else None}


def test_nothing_leads_out(made: Synthesis) -> None:
    kinds = {body["Type"] for body in resources(made).values()}
    assert not kinds & {"AWS::EC2::NatGateway", "AWS::EC2::InternetGateway", "AWS::EC2::Route", "AWS::IAM::User"}
    assert not any(kind.startswith("Custom::") for kind in kinds)
    for body in resources(made, "AWS::Lambda::Function").values():
        assert body["Properties"]["VpcConfig"]["SubnetIds"]
        assert body["Properties"]["DeadLetterConfig"]["TargetArn"]


def test_interface_endpoints_only_where_fargate_asks(made: Synthesis, tmp_path: Path) -> None:
    ways = [body["Properties"]["VpcEndpointType"] for body in resources(made, "AWS::EC2::VPCEndpoint").values()]
    assert sorted(ways) == ["Gateway", "Interface", "Interface", "Interface"]
    plain = synthesize(planned(tmp_path / "plain", cloud=""), "dev", tmp_path / "synth")
    ways = [body["Properties"]["VpcEndpointType"] for body in resources(plain, "AWS::EC2::VPCEndpoint").values()]
    assert ways == ["Gateway"]
    assert plain.findings == ()


def test_an_ejected_app_comes_to_the_same_templates(plan: CloudPlan, made: Synthesis, tmp_path: Path) -> None:
    eject(plan, "hipaa+gdpr", tmp_path / "app")
    environment = {**running.environment(), "CDK_OUTDIR": str(tmp_path / "out")}
    environment.pop("PYTHONPATH", None)
    subprocess.run([sys.executable, "app.py"], cwd=tmp_path / "app", env=environment, check=True)
    for stack in made.stacks:
        assert (tmp_path / "out" / stack.path.name).read_bytes() == stack.path.read_bytes()


def test_an_unexplained_wildcard_is_found(plan: CloudPlan, tmp_path: Path) -> None:
    """Negative control: what nobody acknowledges stays a finding, in the same place where it is clean otherwise."""
    drawn = running.blueprint_of(plan, "dev")
    wide = replace(drawn.units[0], reaches=drawn.units[0].reaches[1:])
    (tmp_path / "b.json").write_text(replace(drawn, units=(wide, *drawn.units[1:])).to_json())
    running.run_app([str(tmp_path / "b.json"), str(tmp_path)])
    found = [each for each in running.findings_of(tmp_path / "validation-report.json") if not running._is_control(each)]
    assert [each.rule for each in found] == [f"AwsSolutions-IAM5[Resource::{drawn.units[0].reaches[0].resource}]"]


def test_what_cdk_says_is_told_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("{}")
    with pytest.raises(SynthesisFailed, match="KeyError"):
        running.run_app([str(tmp_path / "b.json"), str(tmp_path)])


def as_deployed(document: Any) -> str:
    """A policy as IAM gets it, in a region with a long name: compact, references filled in."""
    written = json.dumps(document, separators=(",", ":"))
    written = re.sub(r'\{"Fn::Sub":("[^"]*")\}', r"\1", written)
    written = re.sub(r'\{"Fn::(ImportValue|GetAtt)":[^}]*\}', '"' + "k" * 80 + '"', written)
    for name, value in (("Partition", "aws"), ("Region", "ap-southeast-1"), ("AccountId", "123456789012")):
        written = written.replace(f"${{AWS::{name}}}", value)
    assert "Fn::" not in written
    return written.replace(" ", "")


def test_two_hundred_assets_fit(tmp_path: Path) -> None:
    made = synthesize(planned(tmp_path / "many", "".join(hundreds(200)), ""), "hipaa", tmp_path / "synth")
    assert made.findings == ()
    assert len(made.stacks) == 8
    for stack in made.stacks:
        body = json.loads(stack.path.read_text())
        assert len(body["Resources"]) < 500
        assert stack.path.stat().st_size < 1_000_000
    machine = next(iter(resources(made, "AWS::StepFunctions::StateMachine").values()))
    assert len(json.dumps(machine["Properties"]["DefinitionString"])) < LIMIT
    for policy in resources(made, "AWS::IAM::ManagedPolicy").values():
        assert len(as_deployed(policy["Properties"]["PolicyDocument"])) <= 6144
    for role in resources(made, "AWS::IAM::Role").values():
        assert len(role["Properties"].get("ManagedPolicyArns", [])) <= 10


def test_homes_without_a_folder_of_their_own(tmp_path: Path, plan: CloudPlan) -> None:
    folder = tmp_path / "shop"
    planned(folder)
    whole = plan_project(Project.open(folder), "s3://lake")
    assert whole.home == replace(cloud_home("s3://lake"), key=whole.home.key)
    assert synthesize(whole, "dev", tmp_path / "synth").findings == ()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """A project that asks for the studio in the account."""
    plan = planned(tmp_path_factory.mktemp("served"), cloud=TOML)
    assert plan.studio is not None
    return synthesize(plan, "hipaa", tmp_path_factory.mktemp("synth"))


def of_the_studio(served: Synthesis) -> dict[str, Any]:
    """The properties of its resources, by their names in the template."""
    body = json.loads(served.stacks[-1].path.read_text())["Resources"]
    return {name: each.get("Properties", {}) for name, each in body.items()}


def test_the_studio_stands_closed_in_a_stack_of_its_own(served: Synthesis) -> None:
    assert served.findings == ()
    assert [each.name for each in served.stacks][-1] == NAMES.studio
    assert (served.stacks[-1].after, served.stacks[-1].parameters) == ((NAMES.ground,), ("ImageStudio",))
    body = json.loads(served.stacks[-1].path.read_text())
    asked = body["Parameters"]["Open"]
    assert (asked["Default"], asked["AllowedValues"]) == ("no", ["no", "yes"])
    assert body["Conditions"]["IsOpen"] == {"Fn::Equals": [{"Ref": "Open"}, "yes"]}
    by_the_hour = {"AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ECS::Service"}
    assert {each["Type"] for each in body["Resources"].values() if each.get("Condition") == "IsOpen"} >= by_the_hour
    for each in body["Resources"].values():
        kind = each["Type"]
        assert not kind.startswith(("AWS::EC2::Nat", "AWS::EC2::EIP")), kind
        assert kind not in by_the_hour or each["Condition"] == "IsOpen"
        assert kind != "AWS::EC2::VPCEndpoint" or each["Properties"]["VpcEndpointType"] == "Gateway"
    assert body["Outputs"]["DoorOut"]["Condition"] == "IsOpen"


def test_the_way_to_the_studio_is_tls_for_its_name_and_from_the_balancer_alone(served: Synthesis) -> None:
    body = of_the_studio(served)
    listeners = resources(served, "AWS::ElasticLoadBalancingV2::Listener").values()
    (listener,) = [each["Properties"] for each in listeners if "Port" in each["Properties"]]
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    assert listener["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    assert body["ItsName"]["Conditions"] == [
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["studio.example.com"]}}
    ]
    (way_in,) = body["StudioGroup"]["SecurityGroupIngress"]
    assert way_in["SourceSecurityGroupId"] == {"Fn::GetAtt": ["DoorGroup", "GroupId"]} and way_in["FromPort"] == 8501
    assert {each["FromPort"] for each in body["DoorGroup"]["SecurityGroupIngress"]} == {443}
    attributes = {each["Key"]: each["Value"] for each in body["Door"]["LoadBalancerAttributes"]}
    assert attributes["access_logs.s3.bucket"] == NAMES.logs
    policies = json.dumps(resources(served, "AWS::S3::BucketPolicy"))
    assert f"{NAMES.logs}/{attributes['access_logs.s3.prefix']}/AWSLogs/" in policies
    assert f"loadbalancer/app/{NAMES.door}/*" in policies


def test_the_studio_runs_as_nobody_under_its_own_role(served: Synthesis) -> None:
    body = of_the_studio(served)
    (container,) = body["StudioTask"]["ContainerDefinitions"]
    assert container["User"] == "10001:10001" and container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert [each["Name"] for each in container["Secrets"]] == ["PACKYAK_SECRET_STUDIO_OIDC"]
    assert "Environment" not in container
    assert [each["ContainerPath"] for each in container["MountPoints"]] == ["/studio"]
    assert container["HealthCheck"]["Command"][:2] == ["CMD", "python"]
    assert body["StudioTask"]["TaskRoleArn"] == {"Fn::GetAtt": ["StudioRole", "Arn"]}
    assert body["StudioTask"]["ExecutionRoleArn"] == {"Fn::GetAtt": ["StudioOfEcsRole", "Arn"]}
    assert body["StudioRole"]["PermissionsBoundary"] == {"Ref": "Boundary"}
    granted = json.dumps([each["PolicyDocument"] for name, each in body.items() if name.startswith("StudioGrants")])
    assert "secretsmanager" not in granted and "Delete" not in granted and "corrections/*" in granted
    assert body["StudioLog"]["RetentionInDays"] == RETENTION["hipaa"].run_log_days


def test_an_ejected_app_has_the_studio_too(served: Synthesis, tmp_path: Path) -> None:
    eject(planned(tmp_path / "shop", cloud=TOML), "hipaa", tmp_path / "app")
    environment = {**running.environment(), "CDK_OUTDIR": str(tmp_path / "out")}
    environment.pop("PYTHONPATH", None)
    subprocess.run([sys.executable, "app.py"], cwd=tmp_path / "app", env=environment, check=True)
    for stack in served.stacks:
        assert (tmp_path / "out" / stack.path.name).read_bytes() == stack.path.read_bytes()
    assert f"{NAMES.studio}:ImageStudio=..." in (tmp_path / "app" / "README.md").read_text()
