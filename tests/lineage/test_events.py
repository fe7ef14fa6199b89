"""Events are as the standard says, envelope and every facet; ids and names are stable; making them costs little."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlparse
from uuid import UUID

import pytest
from openlineage_schemas import FACETS, facets, problems
from packyak.engine.declare.nodes import Column, Origin
from packyak.engine.lineage.asset_event import PRODUCER, AssetEvent, Kind, Read, run_id
from packyak.engine.lineage.columns import ColumnEdges, Source
from packyak.engine.lineage.events import openlineage_events

EDGES = ColumnEdges(
    {
        "day": (Source("text", "received", "direct", "transformation"),),
        "topic": (Source("topic", "topic", "direct", "identity"), Source("topic", "topic", "indirect", "conditional")),
        "n": (),
        "all": (Source("rates", "", "whole"),),
    },
    (Source("tickets", "amount", "indirect", "group_by"),),
)
FULL = AssetEvent(
    kind="COMPLETE",
    at="2026-10-01T10:00:01.250+00:00",
    project="support",
    run="20261001-100000-abcd",
    asset="per_day",
    task="sql",
    doc="Topics of each day, für alle.",
    origin=Origin("/projects/space here/pipeline.py", 12),
    code="c0ffee",
    query="select day, topic, count(*) as n from topic group by all",
    inputs=(
        Read("topic", "0123456789ab"),
        Read("rates"),
        Read("inbox/*.jsonl", kind="files"),
        Read("videos", kind="bucket"),
    ),
    columns=(Column("day", "timestamp", doc="When."), Column("topic", "string"), Column("n", "int64")),
    edges=EDGES,
    version="fedcba987654",
    rows=42,
    first=True,
)
KINDS: list[Kind] = ["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]


def one(event: AssetEvent, home: str = "/data/shop") -> dict[str, Any]:
    (made,) = openlineage_events(home, [event])
    return json.loads(json.dumps(made))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("home", ["/data/shop", "s3://bucket/some/prefix", "s3://bucket"])
def test_every_event_and_every_facet_is_valid(kind: Kind, home: str) -> None:
    failed = kind in ("FAIL", "ABORT")
    event = replace(FULL, kind=kind, error="it broke" if failed else "", trace="Traceback ..." if failed else "")
    for each in (event, replace(event, asset=""), AssetEvent(kind, FULL.at, "support", "run-1", "text")):
        made = one(each, home)
        assert problems(made) == []
        assert datetime.fromisoformat(made["eventTime"]).tzinfo is not None
        assert all(urlparse(facet["_producer"]).scheme == "https" for _, _, facet in facets(made))


def test_every_facet_that_the_standard_asks_of_us_is_there() -> None:
    made = [one(FULL), one(replace(FULL, kind="FAIL", error="it broke"))]
    assert {(where, key) for event in made for where, key, _ in facets(event)} == set(FACETS)


BREAKS = {
    "no run id": lambda event: event["run"].pop("runId"),
    "a run id that is no UUID": lambda event: event["run"].update(runId="run-1"),
    "an unknown state": lambda event: event.update(eventType="DONE"),
    "an input field without its column": lambda event: fields(event)["day"]["inputFields"][0].pop("field"),
    "a misspelt property": lambda event: fields(event)["day"].update(inputFeilds=[]),
    "a facet without its schema": lambda event: event["run"]["facets"]["parent"].pop("_schemaURL"),
    "another facet's schema": lambda event: event["job"]["facets"].update(sql=event["job"]["facets"]["jobType"]),
    "a count that is a text": lambda event: statistics(event).update(rowCount="many"),
    "an unknown facet": lambda event: event["job"]["facets"].update(mine=event["job"]["facets"]["sql"]),
}


def fields(event: dict[str, Any]) -> Any:
    return event["outputs"][0]["facets"]["columnLineage"]["fields"]


def statistics(event: dict[str, Any]) -> Any:
    return event["outputs"][0]["outputFacets"]["outputStatistics"]


@pytest.mark.parametrize("name", BREAKS)
def test_the_check_itself_sees_what_is_wrong(name: str) -> None:
    broken = copy.deepcopy(one(FULL))
    BREAKS[name](broken)
    assert problems(broken) != []


def test_names_follow_the_naming_rules() -> None:
    local, cloud = one(FULL), one(FULL, "s3://bucket/some/prefix/")
    assert [(each["namespace"], each["name"]) for each in local["outputs"]] == [
        ("file", "/data/shop/tables/per_day.lance")
    ]
    assert [(each["namespace"], each["name"]) for each in cloud["outputs"]] == [
        ("s3://bucket", "some/prefix/tables/per_day.lance")
    ]
    assert [each["name"] for each in local["inputs"]] == [
        "/data/shop/tables/topic.lance",
        "/data/shop/tables/rates.lance",
        "/data/shop/buckets/inbox",
        "/data/shop/buckets/videos",
        "/data/shop/tables/tickets.lance",  # owners of columns that a view takes from further up
        "/data/shop/tables/text.lance",
    ]
    assert (local["job"]["namespace"], local["job"]["name"]) == ("packyak://support", "per_day")
    location = local["job"]["facets"]["sourceCodeLocation"]
    assert location["url"] == "file:///projects/space%20here/pipeline.py#L12"


def test_column_lineage_says_what_is_known_and_no_more() -> None:
    facet = one(FULL)["outputs"][0]["facets"]["columnLineage"]
    assert list(facet["fields"]) == ["day", "topic"]
    (day,) = facet["fields"]["day"]["inputFields"]
    assert (day["name"], day["field"]) == ("/data/shop/tables/text.lance", "received")
    assert day["transformations"] == [{"type": "DIRECT", "subtype": "TRANSFORMATION"}]
    (topic,) = facet["fields"]["topic"]["inputFields"]
    assert [each["subtype"] for each in topic["transformations"]] == ["IDENTITY", "CONDITIONAL"]
    assert [each["transformations"][0]["subtype"] for each in facet["dataset"]] == ["GROUP_BY"]
    whole = replace(FULL, edges=ColumnEdges({"all": (Source("rates", "", "whole"),)}))
    assert "columnLineage" not in one(whole)["outputs"][0]["facets"]


def test_a_failure_has_its_message_and_no_output() -> None:
    made = one(replace(FULL, kind="FAIL", error="it broke", trace="Traceback"))
    facet = made["run"]["facets"]["errorMessage"]
    assert (facet["message"], facet["programmingLanguage"], facet["stackTrace"]) == ("it broke", "python", "Traceback")
    assert made["outputs"] == []


def test_run_ids_are_the_same_for_all_events_of_an_asset_in_a_run_and_for_no_others() -> None:
    started, ended = one(replace(FULL, kind="START")), one(FULL)
    assert started["run"]["runId"] == ended["run"]["runId"] == run_id(FULL.project, FULL.run, FULL.asset)
    assert ended["run"]["facets"]["parent"]["run"]["runId"] == run_id(FULL.project, FULL.run)
    assert one(replace(FULL, asset=""))["run"]["runId"] == run_id(FULL.project, FULL.run)
    parts = [("p", "r", "a"), ("p", "ra", ""), ("pr", "", "a"), ("p", "r", "b"), ("p", "r/a", ""), ("p/r", "a", "")]
    assert len({UUID(run_id(*each)) for each in parts}) == len(parts)
    assert one(FULL)["producer"] == PRODUCER


def test_noting_events_loads_no_heavy_library() -> None:
    code = (
        "import sys, packyak.engine.lineage.asset_event, packyak.engine.lineage.columns, packyak.engine.lineage.log;"
        "print(sorted({'openlineage', 'sqlglot', 'pyarrow', 'attr'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
