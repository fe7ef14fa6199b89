"""What runs tell of themselves: also those that were cut off, failed or changed a table's shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openlineage_schemas import problems
from packyak.engine.lineage.asset_event import run_id
from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project
from packyak.engine.run.runs import AssetRun

SOURCE = """
    from typing import Iterator
    from packyak import Bucket, File, check, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id", owner="ops", personal={"name": "contact"}, keep="1 year")
    def rows(file: File) -> Iterator[dict]:
        \"\"\"Rows as they came.\"\"\"
        yield from read_jsonl(file)

    @transform(rows)
    def initial(name: str) -> str:
        return name[:1]

    per = sql("select initial, count(*) as n from initial group by all")

    @check(per)
    def few(per): return sql("select * from per where n > 5")
"""


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    return project_folder(SOURCE, files={"inbox/a.jsonl": '{"id": "1", "name": "Bo"}\n{"id": "2", "name": null}\n'})


def told(project: Project, run: str, asset: str = "", kind: str = "COMPLETE") -> dict[str, Any]:
    events = EventLog(project.home).read(run)
    assert [problems(event) for event in events] == [[]] * len(events)
    wanted = run_id(project.name, run, asset)
    (found,) = [each for each in events if each.get("run", {}).get("runId") == wanted and each["eventType"] == kind]
    return found


def test_facets_tell_what_is_declared_and_found(folder: Path) -> None:
    project = Project.open(folder)
    run = project.run().id
    rows = told(project, run, "rows")
    facets = rows["outputs"][0]["facets"]
    assert facets["lifecycleStateChange"]["lifecycleStateChange"] == "CREATE"
    assert facets["ownership"]["owners"] == [{"name": "ops", "type": "OWNER"}]
    assert {(tag["key"], tag["value"], tag.get("field")) for tag in facets["tags"]["tags"]} == {
        ("keep", "1 year", None), ("personal", "contact", "name"),
    }  # fmt: skip
    assert facets["dataQualityMetrics"]["columnMetrics"] == {"id": {"nullCount": 0}, "name": {"nullCount": 1}}
    assert facets["documentation"]["description"] == "Rows as they came."
    assert rows["run"]["facets"]["parent"]["root"]["run"]["runId"] == run_id(project.name, run)
    ((source,),) = [
        each["inputFields"]
        for each in told(project, run, "initial")["outputs"][0]["facets"]["columnLineage"]["fields"].values()
    ]
    assert source["transformations"] == [{"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}]
    (checked,) = [each for each in told(project, run, "per")["inputs"] if "inputFacets" in each]
    assert checked["inputFacets"]["dataQualityAssertions"]["assertions"][0]["success"] is True
    start = told(project, run, "initial", "START")
    assert "name[:1]" in start["job"]["facets"]["sourceCode"]["sourceCode"]


def test_a_new_column_and_a_correction_are_told(folder: Path) -> None:
    project = Project.open(folder)
    project.run()
    said = project.correct("initial", "1", "initial", "X", by="ana")
    (folder / ".packyak/buckets/inbox/b.jsonl").write_text('{"id": "3", "name": "Cy", "age": 3}\n')
    project = Project.open(folder)
    run = project.run().id
    assert told(project, run, "rows")["outputs"][0]["facets"]["lifecycleStateChange"]["lifecycleStateChange"] == "ALTER"
    facets = told(project, run, "initial")["outputs"][0]["facets"]
    assert "lifecycleStateChange" not in facets
    assert facets["packyak_correction"]["corrections"][0]["id"] == said.id
    (told_alone,) = EventLog(project.home).read("corrections")
    assert told_alone["dataset"]["facets"]["packyak_correction"]["people"] == ["ana"]


def test_a_failure_tells_its_message_and_trace(folder: Path) -> None:
    (folder / "pipeline.py").write_text((folder / "pipeline.py").read_text().replace("count(*)", "nothing(*)"))
    project = Project.open(folder)
    run = project.run()
    assert run.state == "failed"
    facet = told(project, run.id, "per", "FAIL")["run"]["facets"]["errorMessage"]
    assert "nothing" in facet["message"]
    assert "errorMessage" in told(project, run.id, "", "FAIL")["run"]["facets"]


def test_a_run_whose_process_has_gone_is_told_to_have_ended(folder: Path) -> None:
    project = Project.open(folder)
    record = project.run_store.start()
    gone = replace(record, state="running", pid=2**22 + 1, mark="gone", assets=(AssetRun("rows", "running"),))
    project.run_store.save(gone)
    project.run()
    assert told(project, record.id, "", "ABORT")["eventTime"] >= record.started
    assert told(project, record.id, "rows", "ABORT")["job"]["name"] == "rows"


def test_nothing_to_do_tells_nothing(folder: Path) -> None:
    project = Project.open(folder)
    project.run()
    before = len(EventLog(project.home).read())
    Project.open(folder).run()
    assert len(EventLog(project.home).read()) == before
