"""Here and in the cloud the same: records, versions and lineage of the sample project, whole and unit by unit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packyak.deploy.grants.parity import compare
from packyak.engine.project import Project
from packyak.sample_data import create

pytest.importorskip("werkzeug")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_sample_project_comes_to_the_same_here_and_under_its_roles(tmp_path: Path) -> None:
    project = Project.open(create(tmp_path / "sample", tickets=40))
    compared = compare(project)
    assert {each.here.asset for each in compared} == {node.name for node in project.graph.tables}
    assert not [each for each in compared if not each.same]
    assert all(each.here.rows and each.here.version and each.here.lineage for each in compared)
    assert len({each.here.content for each in compared}) > 1
    first = compared[0]
    for part in ("content", "version", "lineage"):
        assert not replace(first, there=replace(first.there, **{part: "other"})).same
