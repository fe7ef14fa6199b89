"""Everything about stacks that needs no CDK: what they are drawn from, names, policies that fit, order, schedules."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packyak.deploy.grants.declared import cloud_home
from packyak.deploy.grants.grant import Evidence, Grant, document_of
from packyak.deploy.plan import HOME_KEY, CloudPlan, Role, Trigger, Unit, plan_project
from packyak.deploy.publish import project
from packyak.deploy.stacks import beyond, statements
from packyak.deploy.stacks.blueprint import Blueprint, read_blueprint, read_folder, write_folder
from packyak.deploy.stacks.definition import LIMIT, definition, read_states
from packyak.deploy.stacks.drawing import blueprint_of
from packyak.deploy.stacks.ejecting import eject
from packyak.deploy.stacks.names import Names, fitting, logical, slug
from packyak.deploy.stacks.profiles import PROFILES, RETENTION
from packyak.deploy.stacks.schedule import expressions
from packyak.deploy.stacks.synthesis import Finding, Synthesis
from packyak.deploy.wanted import read_wanted
from packyak.engine.errors import PackyakError, SettingError, SynthesisFailed
from packyak.engine.project import Project

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, function, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("in/*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    "Rows of files."
    yield from read_csv(file)

@transform(rows)
def size(word: str) -> int:
    return len(word)

@transform(rows)
def shout(word: str) -> str:
    return word.upper()

sizes = sql("select size, count(*) as n from size group by all")

@function(on=inbox.created("scan?[0-9]**.pdf"))
async def keep(file: File) -> None: ...

@function(cron="*/5 6 1 * 1-5")
async def remind() -> None: ...
"""
CLOUD = """
[cloud]
profile = "gdpr"
budget = 7
cron = "0 3 * * *"

[cloud.size]
runs_on = "fargate"
memory_mb = 9000
"""


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    made = project_folder(SOURCE)
    with (made / "packyak.toml").open("a") as file:
        file.write(CLOUD)
    return made


@pytest.fixture
def plan(folder: Path) -> CloudPlan:
    return plan_project(Project.open(folder), "s3://lake/shop")


def allowed(documents: Any) -> set[tuple[str, str, str]]:
    """What policies allow, one by one: action, resource, condition."""
    return {
        (action, resource, json.dumps(value))
        for document in documents
        for statement in document["Statement"]
        for action in _list(statement["Action"])
        for resource in _list(statement["Resource"])
        for value in _conditions(statement)
    }


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _conditions(statement: Any) -> Iterator[Any]:
    condition = statement.get("Condition", {})
    prefixes = condition.get("StringLike", {}).get("s3:prefix")
    yield from prefixes or [condition]


def test_the_plan_says_what_it_runs_on_and_for_how_long_things_are_kept(plan: CloudPlan) -> None:
    sizes = {each.name: each.size for each in plan.units}
    assert (sizes["rows"].runs_on, sizes["rows"].memory_mb, sizes["rows"].minutes) == ("lambda", 2048, 15)
    assert (sizes["size"].runs_on, sizes["size"].memory_mb, sizes["size"].cpu) == ("fargate", 9216, 2048)
    assert (plan.profile, plan.budget) == ("gdpr", 7)
    assert Trigger("cron", "0 3 * * *", "", "packyak.toml") in plan.triggers
    assert all(grant.resource == HOME_KEY for role in plan.roles for grant in role.grants if "kms" in grant.action)


def test_a_changed_wish_is_another_plan(folder: Path, plan: CloudPlan) -> None:
    assert plan_project(Project.open(folder), "s3://lake/shop") == plan
    toml = (folder / "packyak.toml").read_text()
    (folder / "packyak.toml").write_text(toml.replace("9000", "9300"))
    assert plan_project(Project.open(folder), "s3://lake/shop").hash != plan.hash
    assert plan_project(Project.open(folder), "s3://lake/shop", profile="dev").hash != plan.hash


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"profile": "hippa"}, "did you mean `hipaa`"),
        ({"regoin": "eu-central-1"}, "did you mean `region`"),
        ({"region": "Frankfurt"}, "eu-central-1"),
        ({"budget": "much"}, "whole number"),
        ({"cron": "daily"}, "0 3 * * *"),
        ({"sizes": {"memory_mb": 1}}, "did you mean `size`"),
        ({"size": {"memory_gb": 1}}, "memory_mb"),
        ({"size": {"runs_on": "batch"}}, "lambda, fargate"),
        ({"size": {"memory_mb": 64}}, "128 to 10,240"),
        ({"size": {"minutes": 60}}, 'runs_on = "fargate"'),
        ({"size": {"runs_on": "fargate", "memory_mb": 200_000}}, "122,880"),
    ],
)
def test_wrong_wishes_are_told(written: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        read_wanted(written, ["rows", "size"])


def test_a_blueprint_is_the_same_each_time_and_as_files(plan: CloudPlan, tmp_path: Path) -> None:
    drawn = blueprint_of(plan, "hipaa")
    assert read_blueprint(drawn.to_json()) == drawn
    assert blueprint_of(plan, "hipaa").to_json() == drawn.to_json()
    write_folder(drawn, tmp_path)
    assert read_folder(tmp_path) == drawn


def test_roles_have_the_very_grants(plan: CloudPlan) -> None:
    for unit in blueprint_of(plan, "dev").units:
        role = plan.role(unit.name)
        assert role is not None
        assert allowed(unit.policies) == allowed([role.policy])
        wild = {each.resource for each in role.grants if "*" in each.resource}
        assert {each.resource for each in unit.reaches} == wild
        assert all(each.why and each.place for each in unit.reaches)


def test_people_have_theirs_too(plan: CloudPlan) -> None:
    (people,) = blueprint_of(plan, "dev").people
    role = plan.role(people.name)
    assert role is not None
    assert allowed(people.policies) == allowed([role.policy])
    assert not [each for each in role.grants if "Delete" in each.action]


def big_role(many: int) -> tuple[Unit, Role]:
    evidence = (Evidence("reads", "graph", "p.py:1"),)
    grants = [
        Grant("big", "s3:GetObject", f"arn:aws:s3:::lake/tables/a_rather_long_name_{n}.lance/*", evidence=evidence)
        for n in range(many)
    ]
    grants += [
        Grant("big", "s3:ListBucket", "arn:aws:s3:::lake", f"tables/a_rather_long_name_{n}.lance/", evidence=evidence)
        for n in range(many)
    ]
    unit = Unit("big", "sql", "p.py:1", "", (), "", "slim")
    return unit, Role("big", tuple(sorted(grants)), document_of(grants))


def plan_with(many: int) -> CloudPlan:
    unit, role = big_role(many)
    return CloudPlan("p", cloud_home("s3://lake"), (unit,), (("big",),), (), (), (role,), ())


def test_a_long_policy_is_split_and_loses_nothing() -> None:
    plan = plan_with(250)
    (unit,) = blueprint_of(plan, "dev").units
    assert 1 < len(unit.policies) <= 8
    assert all(len(json.dumps(each, separators=(",", ":"))) <= statements.POLICY_LIMIT for each in unit.policies)
    assert allowed(unit.policies) == allowed([plan.roles[0].policy])


def test_what_fits_no_role_is_refused() -> None:
    with pytest.raises(PackyakError, match=r"big needs \d+ policies"):
        blueprint_of(plan_with(600), "dev")


def test_the_order_is_the_graph(plan: CloudPlan) -> None:
    drawn = blueprint_of(plan, "dev")
    states = read_states(definition(drawn))
    levels = [state for state in states.values() if state["Type"] == "Parallel"]
    assert [[branch["StartAt"] for branch in each["Branches"]] for each in levels] == [
        list(each) for each in plan.order
    ]
    for branch in (branch for each in levels for branch in each["Branches"]):
        task = branch["States"][branch["StartAt"]]
        assert task["Catch"][0]["ErrorEquals"] == ["States.ALL"]  # what fails does not stop the others
        if "Payload" in task["Parameters"]:
            assert task["Parameters"]["Payload"] == {"run": branch["StartAt"]}
            assert "RunBusy" in task["Retry"][0]["ErrorEquals"]
    seen, at = [], "Begin"
    while states[at]["Type"] not in ("Fail", "Succeed"):
        seen.append(at)
        at = states[at].get("Next") or states[at]["Default"]
    assert set(states) == {*seen, "Some failed", "Up to date"}


def test_triggers_become_rules(plan: CloudPlan) -> None:
    starts = {each.name: each for each in blueprint_of(plan, "dev").starts}
    assert starts["arrivals"].keys == ("shop/buckets/inbox/in/*.csv", "shop/corrections/*")
    assert (starts["unit-keep"].unit, starts["unit-keep"].keys) == ("keep", ("shop/buckets/inbox/scan*.pdf",))
    assert starts["everything-1"].schedule == "cron(0 3 * * ? *)"
    assert [starts[f"unit-remind-{n}"].schedule for n in (1, 2)] == [
        "cron(0/5 6 1 * ? *)",
        "cron(0/5 6 ? * MON-FRI *)",
    ]


@pytest.mark.parametrize(
    ("kind", "of", "written"),
    [
        ("every", "300", ["rate(5 minutes)"]),
        ("every", "20", ["rate(1 minute)"]),
        ("every", "86400", ["rate(1440 minutes)"]),
        ("cron", "30 6 * * *", ["cron(30 6 * * ? *)"]),
        ("cron", "0 0 * * 0,7", ["cron(0 0 ? * SUN,SUN *)"]),
        ("cron", "0 */4 */2 jan *", ["cron(0 0/4 1/2 JAN ? *)"]),
        ("cron", "0 0 * * */2", ["cron(0 0 ? * SUN-SAT/2 *)"]),
    ],
)
def test_schedules(kind: Any, of: str, written: list[str]) -> None:
    assert list(expressions(Trigger(kind, of, "f", "p.py:1"))) == written


def test_names_fit_and_differ() -> None:
    names = Names("Größe & more", "lake")
    assert names.prefix == "packyak-gr-e-more"
    long = [f"{'x' * 70}{n}" for n in range(3)]
    assert len({names.of(each) for each in long}) == 3
    assert all(len(names.of(each)) <= 64 for each in long)
    assert len(fitting("a" * 200, 63)) == 63
    assert slug("  ") == "project"
    pairs = ["a_b", "aB", "a_B", "ab", "A_b", "image", "tidying", "_a", "a_", "a_1b", "a1b"]
    assert len({logical(each) for each in pairs}) == len(pairs)
    assert all(logical(each).isalnum() for each in pairs)
    assert names.of("tidying") != names.own("tidying")


def test_the_platform_s_statements_to_the_letter() -> None:
    names = Names("shop", "lake")
    made = statements.of_a_function(names, names.of("rows"), names.log("rows"))
    network = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ]
    here = "${AWS::Region}:${AWS::AccountId}"
    function = f"arn:${{AWS::Partition}}:lambda:{here}:function:packyak-shop-unit-rows"
    assert made == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"arn:${{AWS::Partition}}:logs:{here}:log-group:/packyak/packyak-shop/units/rows:*",
        },
        {
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": f"arn:${{AWS::Partition}}:sqs:{here}:packyak-shop-dead-letters",
        },
        {"Effect": "Allow", "Action": network, "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": network,
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function}},
        },
    ]


def test_no_fixed_policy_deletes() -> None:
    names = Names("shop", "lake")
    fixed = {
        "function": statements.of_a_function(names, "f", "l"),
        "boundary": statements.of_the_boundary(names, "lake", "home", "k", "e"),
    }
    deleting = {
        name
        for name, listed in fixed.items()
        for each in listed
        if each["Effect"] == "Allow" and any(action.startswith("s3:Delete") for action in _list(each["Action"]))
    }
    assert not deleting
    boundary = {action for each in fixed["boundary"] if each["Effect"] == "Allow" for action in _list(each["Action"])}
    assert not [each for each in boundary if "*" in each or each.startswith(("iam:", "sts:"))]


REACHING = """
from packyak import Bucket, File, function, transform
from packyak.grants import S3, Dynamo, Files, Queue, Secrets

inbox = Bucket("inbox")

@function(on=inbox.created("*.pdf"), grants=[Queue.send("orders"), S3.get("notes/*"), Files.delete("inbox/old/*")])
async def keep(file: File) -> None: ...

@function(every=60, grants=[Secrets.get("crm"), Dynamo.get("prices")])
async def look() -> None: ...
"""


def test_what_the_code_reaches_beside_the_home_has_a_way_and_nothing_else(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(REACHING)
    drawn, here = drawn_of(folder), "${AWS::AccountId}"
    told = {(each.service, each.roles) for each in plan_project(Project.open(folder), "s3://lake/shop").outside}
    assert told == {("sqs", ("keep",)), ("s3", ("keep",)), ("secretsmanager", ("look",)), ("dynamodb", ("look",))}
    assert set(beyond.reached(drawn)) == {
        ("dynamodb:GetItem", f"arn:aws:dynamodb:us-east-1:{here}:table/prices"),
        ("s3:DeleteObject", "arn:aws:s3:::lake/shop/buckets/inbox/old/*"),
        ("s3:GetObject", "arn:aws:s3:::notes/*"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{here}:secret:crm-*"),
        ("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{here}:orders"),
    }
    assert beyond.services(drawn) == ("dynamodb", "secretsmanager", "sqs")
    assert "arn:aws:s3:::notes/*" in beyond.buckets(drawn)
    assert beyond.reached(drawn) and allowed([beyond.boundary(drawn)]) > allowed(
        [statements.document([each for each in beyond.fixed_boundary(drawn) if each["Effect"] == "Allow"])]
    )


def test_a_boundary_that_would_be_too_long_names_services_whole() -> None:
    plan = plan_with(250)
    drawn = blueprint_of(plan, "dev")
    far = [Grant("big", "sqs:SendMessage", f"arn:aws:sqs:eu-west-1:1:{'queue' * 9}{n}") for n in range(120)]
    unit = replace(drawn.units[0], policies=tuple(statements.paged(document_of(far)["Statement"])))
    made = beyond.boundary(replace(drawn, units=(unit,)))
    assert len(json.dumps(made)) < statements.POLICY_LIMIT
    assert ("sqs:SendMessage", "arn:${AWS::Partition}:sqs:*", "{}") in allowed([made])


def test_every_grant_of_a_unit_is_within_the_boundary(plan: CloudPlan) -> None:
    drawn = blueprint_of(plan, "dev")
    assert not list(beyond.reached(drawn))
    boundary = beyond.boundary(drawn)["Statement"]
    within = [
        (action, resource.replace("${AWS::Partition}", "aws"))
        for each in boundary
        if each["Effect"] == "Allow"
        for action in _list(each["Action"])
        for resource in _list(each["Resource"])
    ]
    for role in plan.roles:
        for grant in role.grants:
            assert any(
                grant.action == action and (grant.resource == most or grant.resource.startswith(most.rstrip("*")))
                for action, most in within
            ), grant


@pytest.mark.parametrize("profile", PROFILES)
def test_every_figure_of_a_profile_has_its_reason(profile: Any) -> None:
    retention = RETENTION[profile]
    figures = {name for name in vars(retention) if name != "why"}
    assert set(retention.why) == figures
    kept = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
    assert retention.run_log_days in kept and retention.audit_days in kept  # what CloudWatch offers
    assert ("hipaa" in profile) == retention.copy
    assert retention.audit_days >= 6 * 365 or "hipaa" not in profile


def hundreds(count: int) -> Iterator[str]:
    yield SOURCE
    for number in range(count - 3):
        yield f"\n@transform(rows)\ndef asset_{number}(word: str) -> str:\n    return word\n"


def test_two_hundred_assets_are_drawn_within_the_limits(project_folder: Callable[..., Path]) -> None:
    drawn = drawn_of(project_folder("".join(hundreds(200))))
    assert len(drawn.units) == 203
    assert [len(each) for each in drawn.stacks] == [40, 40, 40, 40, 40, 3]
    assert len(definition(drawn)) < LIMIT
    assert max(len(unit.policies) for unit in drawn.units) <= 8


def drawn_of(folder: Path) -> Blueprint:
    return blueprint_of(plan_project(Project.open(folder), "s3://lake/shop"), "hipaa")


def test_an_ejected_app_needs_nothing_of_packyak(plan: CloudPlan, tmp_path: Path) -> None:
    files = eject(plan, "gdpr", tmp_path / "app")
    for file in files:
        if file.suffix == ".py":
            tree = ast.parse(file.read_text())
            names = [
                name
                for node in ast.walk(tree)
                if isinstance(node, ast.Import | ast.ImportFrom)
                for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names])
            ]
            assert not [name for name in names if name.startswith("packyak")], file
            own = [name.replace(".", "/") + ".py" for name in names if name.startswith("stacks.")]
            assert not [name for name in own if tmp_path / "app" / name not in files], file
    assert read_folder(tmp_path / "app") == blueprint_of(plan, "gdpr")
    assert "aws-cdk-lib==" in (tmp_path / "app" / "requirements.txt").read_text()
    with pytest.raises(PackyakError, match="not empty"):
        eject(plan, "gdpr", tmp_path / "app")


def test_what_a_pack_found_is_not_published(folder: Path, plan: CloudPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Finding("AwsSolutions-IAM5[Resource::*]", "stack/Policy", "wide")
    made = Synthesis(plan.hash, "gdpr", folder, (), (found,), (), 0.0)
    monkeypatch.setattr(project, "synthesize", lambda *given, **named: made)
    with pytest.raises(SynthesisFailed, match="1 things that nobody explained, first AwsSolutions-IAM5"):
        project.made_of(Project.open(folder), plan, print).templates()
