"""The check against published schema files finds what is wrong, and does not count as right what it cannot check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openlineage_published import PublishedSchemas

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ROOT = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
SQL = "https://openlineage.io/spec/facets/1-1-0/SQLJobFacet.json"


@pytest.fixture
def published(tmp_path: Path) -> PublishedSchemas:
    """Two small files in the shape of the published ones: a root, and a facet under its key that refers to it."""
    base = {"type": "object", "required": ["_producer", "_schemaURL"]}
    root = {"$schema": DRAFT, "$id": ROOT, "$defs": {"JobFacet": base}, "required": ["run", "job", "eventTime"]}
    query = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
    facet = {"allOf": [{"$ref": f"{ROOT}#/$defs/JobFacet"}, query]}
    sql = {"$schema": DRAFT, "$id": SQL, "type": "object", "properties": {"sql": facet}}
    (tmp_path / "facets").mkdir()
    (tmp_path / "OpenLineage.json").write_text(json.dumps(root))
    (tmp_path / "facets" / "SQLJobFacet.json").write_text(json.dumps(sql))
    (tmp_path / "facets" / "broken.json").write_text("{")
    return PublishedSchemas(tmp_path)


def event(**facet: Any) -> dict[str, Any]:
    sql = {"_producer": "https://example.org", "_schemaURL": f"{SQL}#/$defs/SQLJobFacet", **facet}
    at = "2026-01-01T00:00:00+00:00"
    return {"schemaURL": f"{ROOT}#/$defs/RunEvent", "run": {}, "job": {"facets": {"sql": sql}}, "eventTime": at}


def test_a_good_event_passes_and_is_counted(published: PublishedSchemas) -> None:
    assert published.problems(event(query="select 1")) == []
    assert published.checked == {"event": 1, "sql": 1} and not published.unchecked


def test_envelope_and_facets_are_checked_each_by_its_own_file(published: PublishedSchemas) -> None:
    bad = event(query=1)
    del bad["eventTime"]
    found = published.problems(bad)
    assert [each.partition(":")[0] for each in found] == ["event", "sql"]


def test_a_version_that_no_file_describes_is_not_counted_as_right(published: PublishedSchemas) -> None:
    newer = SQL.replace("1-1-0", "9-0-0")
    assert published.problems(event(query=1, _schemaURL=newer)) == []
    assert published.checked == {"event": 1} and published.unchecked == {f"sql ({newer})": 1}


def test_a_folder_without_schemas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="name the folder `spec`"):
        PublishedSchemas(tmp_path)
