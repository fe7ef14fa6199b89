"""Publishing to a simulated account: it ends well from wherever it was cut off, loses no data, and says what failed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_cloud import FakeCloud, Killed
from packyak.deploy.publish.image import Source
from packyak.deploy.publish.publish import Asked, Made, publish
from packyak.deploy.publish.records import Event, Outcome, Stage
from packyak.deploy.served import Served
from packyak.engine.errors import CloudError, NotConfirmed, PublishFailed
from published import FILES, MORE, SOURCE, made, planned

NOTES = """
@transform(inbox.files("*.txt"), key="id")
def notes(file: File) -> Iterator[dict]:
    yield {"id": "1"}
"""
ACCEPTING = Asked(accept_widening=lambda diff: True)
Write = Callable[..., Path]


@pytest.fixture
def first(project_folder: Write, tmp_path: Path) -> Made:
    project, plan = planned(project_folder(SOURCE, files=FILES))
    return made(tmp_path / "first", plan, project.graph, project)


@pytest.fixture
def second(first: Made, project_folder: Write, tmp_path: Path) -> Made:
    """The same project a week later, in the same home."""
    project, plan = planned(project_folder(MORE, files=FILES))
    return made(tmp_path / "second", plan, project.graph, project)


def standing(cloud: FakeCloud) -> Any:
    """What stands in an account, without how it came there."""
    stacks = {
        each.name: (
            each.status.replace("UPDATE", "CREATE"),
            each.template,
            each.made,
            bool(each.guard),
            each.change_sets,
        )
        for each in cloud.stacks.values()
    }
    names = {bucket: sorted(objects) for bucket, objects in cloud.buckets.items()}
    return deepcopy((stacks, names, cloud.images, cloud.left))


def publish_until_done(wanted: Made, cloud: FakeCloud) -> Outcome:
    cloud.kill = cloud.refuse = 0
    return publish(wanted, cloud, ACCEPTING)


def test_everything_stands_and_a_second_time_changes_nothing(first: Made) -> None:
    cloud, told = FakeCloud(), list[Stage | Event]()
    done = publish(first, cloud, Asked(), told.append)
    assert done.state == "published" and done.diff.first
    assert {each.name: each.status for each in cloud.stacks.values()} == {
        "demo-ground": "CREATE_COMPLETE", "demo-units-1": "CREATE_COMPLETE", "demo-flow": "CREATE_COMPLETE",
    }  # fmt: skip
    assert cloud.stacks["demo-units-1"].values == {
        "ImageSlim": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/packyak/demo@sha256:slim-a1b2"
    }
    assert cloud.stacks["demo-ground"].guard and not cloud.stacks["demo-flow"].guard
    assert "home/format.json" in cloud.buckets["demo-home"]
    assert [each.state for each in done.looked] == ["ok"] * len(done.looked)
    stages = [each.stage for each in told if isinstance(each, Stage) and each.state == "done"]
    assert stages == [
        "templates", "preflight", "differences", "store", "foundation", "image", "stacks", "home", "outputs",
    ]  # fmt: skip
    events = [each for each in told if isinstance(each, Event)]
    assert ("AgeFunction", "CREATE_COMPLETE", "pipeline.py:11") in {(e.resource, e.state, e.place) for e in events}

    again = publish(first, cloud, Asked())
    assert again.state == "unchanged", again
    assert not again.diff
    assert cloud.builds == ["slim-a1b2"]


def test_code_of_which_nobody_can_tell_what_it_does_is_not_exported(project_folder: Write, tmp_path: Path) -> None:
    loose = """
import boto3

@transform(patients)
def told(id: str) -> str:
    return getattr(boto3.client("s3"), id)()
"""
    project, plan = planned(project_folder(SOURCE + loose, files=FILES))
    cloud = FakeCloud()
    with pytest.raises(CloudError, match=r"pipeline\.py:\d+ in transform told: .* cannot be decided") as caught:
        publish(made(tmp_path / "loose", plan, project.graph, project), cloud, Asked())
    assert "packyak grants" in caught.value.next_step
    assert not cloud.stacks and not cloud.buckets

    declared = loose.replace("@transform(patients)", "@transform(patients, grants=[S3.get('notes/*')])")
    wide = f"from packyak.grants import S3\n{SOURCE}{declared}"
    project, plan = planned(project_folder(wide, files=FILES))
    assert publish(made(tmp_path / "told", plan, project.graph, project), cloud, Asked()).state == "published"


WAYS = ("killed before", "killed after", "refused")


@pytest.mark.parametrize("how", WAYS)
def test_cut_off_at_some_calls_the_next_publication_repairs_it(first: Made, second: Made, how: str) -> None:
    cut_off(first, second, how, step=17, start=3 + 4 * WAYS.index(how))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", WAYS)
def test_cut_off_at_any_call_the_next_publication_repairs_it(first: Made, second: Made, how: str) -> None:
    cut_off(first, second, how, step=1, start=1)


def cut_off(first: Made, second: Made, how: str, *, step: int, start: int) -> None:
    whole = FakeCloud()
    publish(first, whole, ACCEPTING)
    once = len(whole.calls)
    after_first = standing(whole)
    publish(second, whole, ACCEPTING)
    twice = len(whole.calls)
    after_second = standing(whole)
    assert once > 60 and twice - once > 40

    for number in range(start, twice + 1, step):
        first.home.remove("cloud/published.json")
        cloud = FakeCloud()
        cloud.late = how == "killed after"
        for wanted, expected in ((first, after_first), (second, after_second)):
            setattr(cloud, "refuse" if how == "refused" else "kill", number)
            try:
                publish(wanted, cloud, ACCEPTING)
            except (Killed, CloudError):
                publish_until_done(wanted, cloud)
            assert standing(cloud) == expected, f"call {number}: {cloud.calls[number - 1]}"


def test_whichever_resource_fails_it_is_named_and_the_next_publication_repairs_it(first: Made, second: Made) -> None:
    whole = FakeCloud()
    publish(first, whole, ACCEPTING)
    after_first = standing(whole)
    publish(second, whole, ACCEPTING)
    after_second = standing(whole)
    resources = [name for each in whole.stacks.values() for name in each.template["Resources"]]
    assert len(resources) == 17
    for name in resources:
        first.home.remove("cloud/published.json")
        cloud, failed = FakeCloud(), 0
        for wanted, expected in ((first, after_first), (second, after_second)):
            cloud.failing = {name: "the quota is used up"}
            try:
                publish(wanted, cloud, ACCEPTING)
            except PublishFailed as error:
                failed += 1
                assert (error.resource, error.reason) == (name, "the quota is used up")
                assert "the quota is used up" in str(error)
                assert {each.status for each in cloud.stacks.values()} <= {
                    "CREATE_COMPLETE", "UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE",
                }  # fmt: skip
            cloud.failing = {}
            publish(wanted, cloud, ACCEPTING)
            assert standing(cloud) == expected, name
            cloud.buckets["demo-home"]["home/tables/age.lance/data"] = b"records"
            cloud.buckets["demo-home"].pop("home/tables/age.lance/data")
        assert failed


def test_a_failing_resource_is_told_with_the_line_that_wants_it(first: Made) -> None:
    cloud = FakeCloud()
    cloud.failing = {"AgeRole": "a role of that name exists"}
    with pytest.raises(PublishFailed, match=r"AgeRole .*a role of that name exists.*pipeline\.py:11"):
        publish(first, cloud, Asked())
    assert cloud.stacks["demo-units-1"].status == "ROLLBACK_COMPLETE"


def test_what_cannot_go_back_is_helped_back(first: Made, second: Made) -> None:
    cloud = FakeCloud()
    publish(first, cloud, Asked())
    cloud.failing, cloud.stubborn = {"CohortFunction": "no image"}, {"CohortFunction"}
    with pytest.raises(PublishFailed):
        publish(second, cloud, ACCEPTING)
    assert cloud.stacks["demo-units-1"].status == "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(PublishFailed, match="could not go back"):
        publish(second, cloud, ACCEPTING)
    cloud.failing, cloud.stubborn = {}, set()
    assert publish(second, cloud, ACCEPTING).state == "published"


def test_new_images_alone_are_a_change_and_reach_the_functions(first: Made) -> None:
    cloud = FakeCloud()
    publish(first, cloud, Asked())
    done = publish(replace(first, source=lambda: Source(b"other", "c3d4")), cloud, Asked())
    assert done.state == "published"
    assert [each.words for each in done.diff.changed] == [
        "the images are made anew: files of the project, Packyak or a version changed"
    ]
    assert cloud.builds == ["slim-a1b2", "slim-c3d4"]
    assert cloud.stacks["demo-units-1"].values["ImageSlim"].endswith("@sha256:slim-c3d4")


def test_a_build_that_fails_says_why_and_is_tried_again(first: Made) -> None:
    cloud = FakeCloud()
    cloud.build_fails = "no such package"
    with pytest.raises(PublishFailed, match="no such package"):
        publish(first, cloud, Asked())
    assert set(cloud.stacks) == {"demo-ground"}
    cloud.build_fails = ""
    assert publish(first, cloud, Asked()).state == "published"
    assert cloud.builds == ["slim-a1b2", "slim-a1b2"]


def test_widening_needs_a_confirmation_of_its_own(first: Made, project_folder: Write, tmp_path: Path) -> None:
    cloud = FakeCloud()
    publish(first, cloud, Asked())
    wider = SOURCE.replace("def age(born: int)", "def age(born: int, notes: object)")
    wider = wider.replace("@transform(patients)", '@transform(patients, lookup={"notes": "born"})') + NOTES
    project, plan = planned(project_folder(wider, files=FILES))
    next_time = made(tmp_path / "wider", plan, project.graph, project)
    stopped = publish(next_time, cloud, Asked())
    assert stopped.state == "unconfirmed"
    assert [str(each) for each in stopped.diff.widened] == [
        "age gains read and list of notes, because of pipeline.py:11"
    ]
    assert cloud.stacks["demo-units-1"].status == "CREATE_COMPLETE"
    assert publish(next_time, cloud, ACCEPTING).state == "published"


def test_a_policy_that_only_the_template_widens_is_told(first: Made, tmp_path: Path, project_folder: Write) -> None:
    cloud = FakeCloud()
    publish(first, cloud, Asked())
    project, plan = planned(project_folder(SOURCE, files=FILES))
    sneaked = {
        "AgePolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
                "Roles": [{"Ref": "AgeRole"}],
            },
        }
    }
    wider = made(tmp_path / "sneaked", plan, project.graph, project, units=sneaked)
    first.home.remove("cloud/published.json")
    for _ in range(2):
        stopped = publish(wider, cloud, Asked())
        assert stopped.state == "unconfirmed"
        assert [each.words for each in stopped.diff.widened] == ["the policy of age allows more: s3:* on *"]
        cloud.buckets["demo-home"].pop("home/cloud/published.json", None)  # nobody knows what was published


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"without": ["Key"]}, "the key Key would go, and data with it"),
        ({"ground": {"Home": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "other"}}}}, "its BucketName"),
        ({"ground": {"Home": {"Type": "AWS::SQS::Queue", "Properties": {}}}}, "would be replaced by a queue"),
    ],
)
def test_what_would_lose_data_is_refused(
    first: Made, tmp_path: Path, project_folder: Write, change: dict[str, Any], says: str
) -> None:
    cloud = FakeCloud()
    publish(first, cloud, Asked())
    before = standing(cloud)
    project, plan = planned(project_folder(SOURCE, files=FILES))
    stopped = publish(made(tmp_path / "loses", plan, project.graph, project, **change), cloud, ACCEPTING)
    assert stopped.state == "refused" and says in stopped.diff.refused[0].words
    assert standing(cloud) == before


def test_aws_itself_saying_that_data_would_go_stops_it(first: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where our own look sees nothing, the change set's flag still does."""
    cloud = FakeCloud()
    publish(first, cloud, Asked())
    stack = cloud.stacks["demo-ground"]
    stack.template["Resources"]["Home"]["Properties"]["BucketName"] = "moved-by-hand"
    monkeypatch.setattr("packyak.deploy.publish.template_diff.create_only", lambda kind: frozenset())
    with pytest.raises(NotConfirmed, match=r"demo-ground would replace Home \(AWS::S3::Bucket\)"):
        publish(first, cloud, ACCEPTING)
    assert stack.status == "CREATE_COMPLETE" and not stack.change_sets


def test_a_no_makes_nothing(first: Made) -> None:
    cloud = FakeCloud()
    assert publish(first, cloud, Asked(confirm=lambda diff: False)).state == "unconfirmed"
    assert publish(first, cloud, Asked(dry_run=True)).state == "previewed"
    assert not cloud.stacks and not cloud.buckets


def test_what_is_in_the_way_is_said_before_anything_is_made(first: Made) -> None:
    cloud = FakeCloud()
    cloud.foreign = {"demo-home"}
    with pytest.raises(CloudError, match=r"the bucket demo-home belongs to somebody else.*--home"):
        publish(first, cloud, Asked())
    cloud.foreign, cloud.denied = set(), {"cloudformation:CreateChangeSet"}
    with pytest.raises(CloudError, match="you may not cloudformation:CreateChangeSet"):
        publish(first, cloud, Asked())
    assert not cloud.stacks and not cloud.buckets


def test_what_whoever_runs_it_said_of_a_stack_stays_said(project_folder: Write, tmp_path: Path) -> None:
    """As that the studio is open: a parameter with a default, which a publication gives no value."""
    project, plan = planned(project_folder(SOURCE, files=FILES))
    door = {"Open": {"Type": "String", "Default": "no"}}
    cloud = FakeCloud()
    publish(made(tmp_path / "first", plan, project.graph, project, parameters=door), cloud, Asked())
    assert cloud.stacks["demo-flow"].values == {"Open": "no"}
    cloud.stacks["demo-flow"].values["Open"] = "yes"
    more = {**door, "New": {"Type": "String", "Default": "usual"}}
    project, plan = planned(project_folder(MORE, files=FILES))
    done = publish(made(tmp_path / "second", plan, project.graph, project, parameters=more), cloud, ACCEPTING)
    assert done.state == "published"
    assert cloud.stacks["demo-flow"].values == {"Open": "yes", "New": "usual"}


def test_the_studio_comes_with_its_image_and_goes_when_nobody_asks_for_it(
    project_folder: Write, tmp_path: Path
) -> None:
    folder = project_folder(SOURCE, files=FILES)
    asked = Served("s.example.com", "arn:aws:acm:us-east-1:1:certificate/1", "https://l.example.com", "packyak", "oidc")
    project, plan = planned(folder, asked)
    cloud, name = FakeCloud(), "packyak-demo-studio"
    done = publish(made(tmp_path / "with", plan, project.graph, project), cloud, Asked())
    assert sorted(cloud.builds) == ["slim-a1b2", "studio-a1b2"]
    assert cloud.stacks[name].values["ImageStudio"].endswith("sha256:studio-a1b2") and name in done.outputs[-1].value
    assert {each.name for each in done.outputs} >= {"studio in the account", "open the studio", "close the studio"}
    cloud.stacks[name].values["Open"] = "yes"

    project, without = planned(folder)
    done = publish(made(tmp_path / "without", without, project.graph, project), cloud, ACCEPTING)
    assert "the studio in the account goes" in " ".join(each.words for each in done.diff.changed)
    assert done.state == "published" and name not in cloud.stacks
    assert not [each for each in done.outputs if each.name == "open the studio"]
