"""What changes in words, what it costs, what is kept, what goes into an image: the parts of publishing one by one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packyak.deploy.plan import CloudPlan
from packyak.deploy.publish.cost import cost_of, price
from packyak.deploy.publish.diff import plan_diff, thing
from packyak.deploy.publish.image import pins, source_of, wheel
from packyak.deploy.publish.kept import Published, keep, last_published, plan_from
from packyak.deploy.publish.publish import preview
from packyak.deploy.publish.template_diff import Explained, statements, template_diff, units_of
from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.engine.store.home import open_home
from published import FILES, MORE, SOURCE, planned

Write = Callable[..., Path]


@pytest.fixture
def plan(project_folder: Write) -> CloudPlan:
    return planned(project_folder(SOURCE, files=FILES))[1]


@pytest.fixture
def more(plan: CloudPlan, project_folder: Write) -> CloudPlan:
    return planned(project_folder(MORE, files=FILES))[1]


def words(changes: Any) -> list[str]:
    return [str(each) for each in changes]


def test_a_first_plan_is_all_new(plan: CloudPlan) -> None:
    diff = plan_diff(None, plan)
    assert diff.first and not diff.widened and len(diff.added) == 3
    assert words(diff.added)[1].startswith("age is new: a transform that reads patients, ")
    assert words(diff.added)[1].endswith("grants (pipeline.py:11)")


def test_an_asset_more_and_an_asset_less(plan: CloudPlan, more: CloudPlan) -> None:
    diff = plan_diff(plan, more)
    assert [each.of for each in diff.added] == ["cohort"] and not diff.widened and not diff.removed
    back = plan_diff(more, plan)
    assert words(back.removed) == ["cohort goes with its role; its records stay in the home (pipeline.py:17)"]
    assert not plan_diff(plan, plan)


def test_the_same_plan_in_another_bucket_is_no_difference(plan: CloudPlan, project_folder: Write) -> None:
    from packyak.deploy.grants.declared import cloud_home
    from packyak.deploy.plan import plan_of
    from packyak.engine.project import Project

    project = Project.open(project_folder(SOURCE, files=FILES))
    codes = {name: each.code for name, each in project.codes.fingerprints.items()}
    other = plan_of(project.name, project.graph, cloud_home("s3://elsewhere/x/y"), root=project.root, codes=codes)
    assert not plan_diff(plan, other)


def test_code_inputs_triggers_and_grants_are_told_apart(plan: CloudPlan, project_folder: Write) -> None:
    changed = SOURCE.replace("2026 - born", "2027 - born").replace('"*.csv"', '"*.tsv"')
    diff = plan_diff(plan, planned(project_folder(changed, files=FILES))[1])
    assert "age has other code (pipeline.py:11)" in words(diff.changed)
    assert words(diff.added) == ["patients starts on new files inbox/*.tsv (pipeline.py:7)"]
    assert words(diff.removed) == ["patients no longer starts on new files inbox/*.csv (pipeline.py:7)"]
    assert len(diff.widened) == 1
    assert words(diff.widened)[0].startswith("patients gains read of files inbox/*.tsv, because of pipeline.py:7")
    assert any(each.startswith("patients loses read of files inbox/*.csv") for each in words(diff.changed))


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("tables/topic.lance/*", "topic"),
        ("memo/topic.lance/_versions/", "the bookkeeping of topic"),
        ("buckets/inbox/*.csv", "files inbox/*.csv"),
        ("runs/*", "runs/*"),
    ],
)
def test_places_as_people_call_them(place: str, says: str) -> None:
    assert thing(place) == says


def test_what_is_kept_comes_back_as_it_was(plan: CloudPlan, tmp_path: Path) -> None:
    assert plan_from(json.loads(plan.to_json())) == plan
    home = open_home(tmp_path / "home")
    assert last_published(home) is None
    made = Published(plan, "2026-10-01T00:00:00+00:00", "123456789012", "eu-west-1", "dev", ("a", "b"), (), {"a": "x"})
    keep(made, home)
    assert last_published(home) == made
    assert not preview(plan, home).diff
    home.write("cloud/published.json", b'{"plan": {}}')
    assert last_published(home) is None


def policy(*allowed: tuple[str, str]) -> dict[str, Any]:
    lines = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allowed]
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": lines}}}


def widened(before: dict[str, Any], after: dict[str, Any], **explained: Any) -> list[str]:
    known = Explained({"age": "flow.py:3"}, **explained)
    return words(template_diff("s", {"Resources": before}, {"Resources": after}, known).widened)


def test_a_statement_that_only_moves_within_a_unit_widens_nothing() -> None:
    one = {"AgeGrants": policy(("s3:GetObject", "a"), ("s3:PutObject", "b"))}
    two = {"AgeGrants": policy(("s3:GetObject", "a")), "AgeGrants2": policy(("s3:PutObject", "b"))}
    assert widened(one, two) == []
    assert widened(two, one) == []
    assert widened(two, {"AgeGrants": policy(("s3:GetObject", "a"), ("s3:PutObject", "c"))}) == [
        "the policy of age allows more: s3:PutObject on c (flow.py:3)"
    ]


def test_what_the_plan_explains_is_not_told_twice() -> None:
    one, two = {"AgeGrants": policy()}, {"AgeGrants": policy(("s3:GetObject", "arn:x/place/tables/a.lance/*"))}
    assert widened(one, two, allowed=frozenset({("s3:GetObject", "tables/a.lance/*")})) == []
    assert widened(one, two, allowed=frozenset({("s3:PutObject", "tables/a.lance/*")})) != []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({"PermissionsBoundary": "b"}, {}, "loses its boundary"),
        ({"ManagedPolicyArns": []}, {"ManagedPolicyArns": ["arn:admin"]}, "has further policies: arn:admin"),
        (
            {"AssumeRolePolicyDocument": {"Statement": []}},
            {
                "AssumeRolePolicyDocument": {
                    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]
                }
            },
            "allows more: * may sts:AssumeRole on itself",
        ),
        (
            {"P": {"Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}},
            {"P": {"Statement": []}},
            "denies less: s3:* on *",
        ),
        (
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}},
            "may be opened to the public: BlockPublicAcls is off",
        ),
    ],
)
def test_every_way_of_widening_is_seen(before: dict[str, Any], after: dict[str, Any], says: str) -> None:
    resources = [{"AgeRole": {"Type": "AWS::IAM::Role", "Properties": each}} for each in (before, after)]
    found = widened(resources[0], resources[1])
    assert len(found) == 1 and says in found[0]
    assert not any(says in each for each in widened(resources[1], resources[0]))


def test_statements_are_single_allowances() -> None:
    document = {"Statement": [{"Effect": "Allow", "Action": ["a", "b"], "Resource": ["x", {"Ref": "Y"}]}]}
    found = set(statements(document))
    assert {(each[2], each[3]) for each in found} == {
        ("a", "x"), ("b", "x"), ("a", '{"Ref": "Y"}'), ("b", '{"Ref": "Y"}'),
    }  # fmt: skip


def test_resources_belong_to_the_unit_that_they_are_named_after() -> None:
    units = {"topic": "a.py:1", "topic_counts": "a.py:9"}
    found = units_of(
        {
            "TopicRole": {"Type": "X"},
            "TopicCountsRole": {"Type": "X"},
            "Q": {"Type": "X", "Properties": {"QueueName": "demo-topic-dead"}},
            "Home": {"Type": "X"},
            "Said": {"Type": "X", "Metadata": {"packyak": {"unit": "topic"}}},
        },
        units,
    )
    assert found == {"TopicRole": "topic", "TopicCountsRole": "topic_counts", "Q": "topic", "Said": "topic"}


def test_the_bill_is_what_its_items_say(plan: CloudPlan) -> None:
    run = RunRecord("r1", "done", assets=(AssetRun("patients", "done", seconds=100.0),))
    guessed, known = cost_of(plan, stored=10**9), cost_of(plan, run=run, stored=10**9)
    assert guessed.month == pytest.approx(sum(each.dollars for each in guessed.idle))
    assert known.once > guessed.once
    more = (100.0 - 5.0) * plan.units[0].size.memory_mb / 1024 * price("lambda_gb_second")
    assert known.once - guessed.once == pytest.approx(more)
    assert any("r1" in each for each in known.assumptions)
    assert any("patients" in each for each in guessed.assumptions)
    assert {each.what: each.dollars for each in known.idle}["what the home holds"] == pytest.approx(0.023)
    resources = {
        "A": {"Type": "AWS::KMS::Key"}, "B": {"Type": "AWS::KMS::Key"}, "C": {"Type": "AWS::EC2::NatGateway"},
        "D": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Interface", "SubnetIds": [1, 2]}},
        "E": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
    }  # fmt: skip
    counted = {each.what: each.dollars for each in cost_of(plan, templates=[{"Resources": resources}]).idle}
    assert counted["keys"] == 2.0
    assert counted["NAT gateways"] == pytest.approx(0.045 * 730)
    assert counted["interface endpoints"] == pytest.approx(2 * 0.01 * 730)


def test_the_archive_holds_the_project_by_what_it_imports(project_folder: Write) -> None:
    folder = project_folder(
        "from parts.clean import strip\nimport yaml\n", modules={"unused": "x = 1\n"}, files={"inbox/secret.csv": "1"}
    )
    (folder / "parts").mkdir()
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "clean.py").write_text("from parts import deeper\n\ndef strip(text): return text\n")
    (folder / "parts" / "deeper.py").write_text("")
    (folder / ".env").write_text("PASSWORD=1")
    source = source_of(folder, [folder / "pipeline.py"], ["slim"])
    assert source == source_of(folder, [folder / "pipeline.py"], ["slim"])
    with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
        names = set(archive.namelist())
        requirements = archive.read("requirements-slim.txt").decode().splitlines()
    assert {name for name in names if name.startswith("project/")} == {
        "project/pipeline.py", "project/packyak.toml", "project/parts/__init__.py", "project/parts/clean.py",
        "project/parts/deeper.py",
    }  # fmt: skip
    assert not any(".env" in name or "secret" in name or "studio/" in name for name in names)
    assert any(line.lower().startswith("pyyaml==") for line in requirements)
    assert not any(line.startswith(("torch==", "packyak")) for line in requirements)
    (folder / "parts" / "deeper.py").write_text("x = 2\n")
    assert source_of(folder, [folder / "pipeline.py"], ["slim"]).tag != source.tag


def test_pins_are_what_is_installed_and_the_wheel_can_be_read() -> None:
    slim, full = pins([]), pins([], ["learn"])
    assert set(slim) < set(full)
    assert any(line.startswith("torch==") and "+" not in line for line in full)
    assert not any(line.startswith(("nvidia", "aws-cdk")) for line in full)
    with zipfile.ZipFile(io.BytesIO(wheel())) as archive:
        names = archive.namelist()
        record = next(name for name in names if name.endswith("RECORD"))
        assert archive.read(record).decode().count("\n") == len(names)
    assert {"packyak/__init__.py", "packyak/engine/project.py", "packyak/deploy/entry.py"} <= set(names)
    assert not any("studio" in name.split("/")[1:2] for name in names)
