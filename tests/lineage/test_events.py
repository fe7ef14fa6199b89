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
from openlineage_schemas import FACETS, OWN, facets, own_errors, problems
from packyak.engine.declare.nodes import Column, Origin
from packyak.engine.lineage.asset_event import (
    PRODUCER,
    AssetEvent,
    CheckOutcome,
    CorrectionEvent,
    CorrectionNote,
    Kind,
    ModelNote,
    Read,
    Tag,
    run_id,
)
from packyak.engine.lineage.columns import ColumnEdges, Source
from packyak.engine.lineage.events import openlineage_events
from packyak.engine.lineage.own_facets import CORRECTION, MODEL
from packyak.engine.lineage.places import Places

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
    started="2026-10-01T10:00:00+00:00",
    owner="support team",
    tags=(Tag("purpose", "answer customers"), Tag("personal", "contact", "topic")),
    source="select day, topic, count(*) as n from topic group by all",
    personal=frozenset({("text", "received"), ("per_day", "topic"), ("topic", "topic")}),
    nulls={"day": 0, "topic": 3, "n": 0},
    change="CREATE",
    checks=(
        CheckOutcome("every_day_counts", True, "error", 0),
        CheckOutcome("few_unknown", False, "warning", 3, "3 rows fail"),
        CheckOutcome("any", True, "info"),
    ),
    corrections=(CorrectionNote("0198-00001", "topic", "ana", "2026-10-01T09:59:00+00:00"),),
    model=ModelNote("m4", "classification", 31, 0.93, "accuracy", "m3"),
)
CORRECTED = CorrectionEvent(
    "2026-10-01T11:00:00+00:00",
    "support",
    "per_day",
    "fedcba987654+1a",
    (
        CorrectionNote("0198-00002", "topic", "bo", "2026-10-01T11:00:00+00:00"),
        CorrectionNote("0198-00003", "topic", "", "2026-10-01T11:00:00+00:00", "undo"),
    ),
    "Topics of each day.",
    FULL.columns,
)
KINDS: list[Kind] = ["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]


def one(event: AssetEvent | CorrectionEvent, home: str = "/data/shop") -> dict[str, Any]:
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
    events = (replace(FULL, kind="START"), FULL, replace(FULL, kind="FAIL", error="it broke"), CORRECTED)
    made = [one(event) for event in events]
    assert {(where, key) for event in made for where, key, _ in facets(event)} == set(FACETS) | set(OWN)


def test_a_correction_is_told_without_a_run_and_without_the_record() -> None:
    made = one(CORRECTED)
    assert problems(made) == []
    assert "run" not in made
    assert (made["dataset"]["name"], made["eventTime"]) == ("/data/shop/tables/per_day.lance", CORRECTED.at)
    assert made["dataset"]["facets"]["version"]["datasetVersion"] == "fedcba987654+1a"
    facet = made["dataset"]["facets"][CORRECTION]
    assert (facet["count"], facet["people"], facet["columns"]) == (2, ["bo"], ["topic"])
    assert [each["id"] for each in facet["corrections"]] == ["0198-00002", "0198-00003"]


OWN_BREAKS = {
    CORRECTION: [{"count": -1}, {"people": "bo"}, {"corrections": [{"id": "x"}]}, {"_schemaURL": "https://other"}],
    MODEL: [{"id": ""}, {"score": "good"}, {"trainedOn": 1.5}],
}


@pytest.mark.parametrize("key", OWN_BREAKS)
def test_our_own_facets_are_checked_by_our_own_schemas(key: str) -> None:
    facet = one(FULL)["outputs"][0]["facets"][key]
    assert own_errors(key, facet) == []
    for change in OWN_BREAKS[key]:
        assert own_errors(key, {**facet, **change}) != [], change
    assert own_errors(key, {name: value for name, value in facet.items() if name != "_producer"}) != []


def test_masking_is_told_where_a_mark_is_involved() -> None:
    fields = one(FULL)["outputs"][0]["facets"]["columnLineage"]["fields"]
    (day,), (topic,) = fields["day"]["inputFields"], fields["topic"]["inputFields"]
    assert day["transformations"] == [{"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}]
    assert [each["masking"] for each in topic["transformations"]] == [False, False]
    assert "masking" not in json.dumps(one(replace(FULL, personal=frozenset())))


def test_checks_hang_on_the_table_as_an_input() -> None:
    made = one(FULL)
    (checked,) = [each for each in made["inputs"] if "inputFacets" in each]
    assert checked["name"] == made["outputs"][0]["name"]
    found = checked["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [(each["assertion"], each["success"], each["severity"], each.get("actual")) for each in found] == [
        ("every_day_counts", True, "error", "0"),
        ("few_unknown", False, "warn", "3"),
        ("any", True, "info", None),
    ]


@pytest.mark.parametrize("home", ["/data/shop", "s3://bucket/some/prefix", "s3://bucket"])
def test_names_lead_back_to_what_is_ours(home: str) -> None:
    places = Places(home)
    for read in (Read("topic"), Read("videos", kind="bucket")):
        assert places.ours(places.of(read)) == read
    assert places.ours(("s3://elsewhere", "tables/topic.lance")) is None
    space, name = places.bucket("inbox")
    assert places.ours((space, f"{name}/2026/a.jsonl")) == Read("inbox", kind="bucket")
    assert places.ours((space, places.table("x")[1].removesuffix(".lance"))) is None


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
        "/data/shop/tables/per_day.lance",  # its own table hangs here with what the checks found
    ]
    assert (local["job"]["namespace"], local["job"]["name"]) == ("packyak://support", "per_day")
    location = local["job"]["facets"]["sourceCodeLocation"]
    assert location["url"] == "file:///projects/space%20here/pipeline.py#L12"


def test_column_lineage_says_what_is_known_and_no_more() -> None:
    facet = one(FULL)["outputs"][0]["facets"]["columnLineage"]
    assert list(facet["fields"]) == ["day", "topic"]
    (day,) = facet["fields"]["day"]["inputFields"]
    assert (day["name"], day["field"]) == ("/data/shop/tables/text.lance", "received")
    assert [(each["type"], each["subtype"]) for each in day["transformations"]] == [("DIRECT", "TRANSFORMATION")]
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
