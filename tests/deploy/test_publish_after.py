"""After publishing: what differs from what was published is found, and what is taken away leaves the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_cloud import FakeCloud
from packyak.deploy.publish.destroy import destroy, standing
from packyak.deploy.publish.drift import Drift, drift_of
from packyak.deploy.publish.kept import last_published
from packyak.deploy.publish.publish import Asked, Made, publish
from packyak.engine.errors import NotConfirmed, PublishFailed
from published import FILES, MORE, SOURCE, made, planned

Write = Callable[..., Path]


@pytest.fixture
def wanted(project_folder: Write, tmp_path: Path) -> Made:
    project, plan = planned(project_folder(SOURCE, files=FILES))
    return made(tmp_path / "templates", plan, project.graph, project)


@pytest.fixture
def cloud(wanted: Made) -> FakeCloud:
    found = FakeCloud()
    publish(wanted, found, Asked())
    return found


def drift(cloud: FakeCloud, wanted: Made) -> Drift:
    return drift_of(cloud, wanted.home, wanted.plan)


def test_what_stands_as_it_was_published_does_not_differ(cloud: FakeCloud, wanted: Made) -> None:
    found = drift(cloud, wanted)
    assert (found.found, found.code) == ((), ())
    assert (found.resources, found.roles) == (14, 3)


def test_a_statement_given_by_hand_is_critical(cloud: FakeCloud, wanted: Made) -> None:
    cloud.by_hand["packyak-demo-age"] = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    (found,) = drift(cloud, wanted).found
    assert found.critical and found.layer == "permission" and found.place == "pipeline.py:11"
    assert found.words == "the role of age may do what no template says: s3:* on *"


def test_a_policy_taken_away_is_told_and_not_critical(cloud: FakeCloud, wanted: Made) -> None:
    cloud.gone = {"AgePolicy"}
    found = drift(cloud, wanted).found
    assert found and not any(each.critical for each in found)
    assert all(each.words.startswith("the role of age may no longer: ") for each in found)
    cloud.gone = {"packyak-demo-age"}
    assert [each.words for each in drift(cloud, wanted).found] == ["the role of age is gone"]


def test_resources_templates_and_stacks(cloud: FakeCloud, wanted: Made) -> None:
    cloud.stacks["demo-units-1"].drifted = {"AgeFunction": "/MemorySize"}
    assert [(each.layer, each.words) for each in drift(cloud, wanted).found] == [
        ("resource", "AgeFunction (AWS::Lambda::Function) of age was changed: /MemorySize")
    ]
    cloud.stacks["demo-units-1"].drifted = {}
    cloud.stacks["demo-ground"].template["Resources"]["Key"]["Properties"]["EnableKeyRotation"] = False
    del cloud.stacks["demo-flow"]
    assert [each.words for each in drift(cloud, wanted).found] == [
        "the stack demo-ground was brought to another template since",
        "the stack demo-flow is gone",
    ]


def test_code_that_is_not_published_yet_is_no_drift(cloud: FakeCloud, wanted: Made, project_folder: Write) -> None:
    _, plan = planned(project_folder(MORE, files=FILES))
    found = drift_of(cloud, wanted.home, plan)
    assert found.found == () and found.code[0].startswith("cohort is new")


def test_nothing_published_is_said(wanted: Made) -> None:
    with pytest.raises(PublishFailed, match="nothing was published from here"):
        drift(FakeCloud(), wanted)


def test_what_is_taken_away_leaves_the_data_and_can_be_published_again(cloud: FakeCloud, wanted: Made) -> None:
    cloud.buckets["demo-home"]["home/tables/age.lance/data"] = b"records"
    assert standing(cloud, "another").going == ()
    done = destroy(cloud, "demo", wanted.home)
    assert set(done.going) == {"demo-units-1", "demo-flow"} and set(cloud.stacks) == {"demo-ground"}
    assert sorted((each.what, each.dollars) for each in done.stays) == [
        ("demo-ground-Key", 1.0), ("demo-home", 0.0), ("packyak/demo", 0.0),
    ]  # fmt: skip
    assert cloud.buckets["demo-home"]["home/tables/age.lance/data"] == b"records"
    assert last_published(wanted.home) is None
    assert destroy(cloud, "demo", wanted.home).going == ()

    again = publish(wanted, cloud, Asked())
    assert again.state == "published" and set(cloud.stacks) == {"demo-ground", "demo-units-1", "demo-flow"}
    assert cloud.buckets["demo-home"]["home/tables/age.lance/data"] == b"records"
    assert cloud.builds == ["slim-a1b2"]


def test_what_does_not_go_at_first_goes_the_next_time(cloud: FakeCloud, wanted: Made) -> None:
    cloud.stubborn = {"AgeRole"}
    with pytest.raises(PublishFailed, match=r"AgeRole .*it is in use"):
        destroy(cloud, "demo", wanted.home)
    assert last_published(wanted.home) is not None
    destroy(cloud, "demo", wanted.home)
    assert set(cloud.stacks) == {"demo-ground"}


def test_a_stack_whose_data_would_go_with_it_is_never_deleted(cloud: FakeCloud) -> None:
    from packyak.deploy.publish.stack import Stacks

    del cloud.stacks["demo-ground"].template["Resources"]["Home"]["DeletionPolicy"]
    with pytest.raises(NotConfirmed, match="holds data that would go with it: Home"):
        Stacks(cloud).delete("demo-ground")
    assert not cloud.deleted
