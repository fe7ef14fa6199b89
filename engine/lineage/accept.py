"""Reads OpenLineage events of other tools, tolerantly: says of each what is wrong, and loses none.

An event is *valid* when nothing is wrong that can be told without its producer's own schemas, *tolerated* when it still
names a job or data, and *rejected* when it names neither. JSON lines, one JSON array and one JSON object are read; a
line that is no JSON is one rejected event and leaves the others alone. Standard library only.

Specification: https://openlineage.io/spec/2-0-2/OpenLineage.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlparse
from uuid import UUID

Level = Literal["valid", "tolerated", "rejected"]
TYPES = ("START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER")
LONGEST_TEXT = 200


@dataclass(frozen=True)
class Accepted:
    """One event as it came. place: its number in what was read, from 1; event: None where it is no JSON object, `text`
    then is what stood there."""

    place: int
    level: Level
    problems: tuple[str, ...]
    event: dict[str, Any] | None
    text: str = ""


def read_events(data: bytes) -> Iterator[Accepted]:
    """Every event in some bytes."""
    for place, (value, text) in enumerate(_values(data), start=1):
        if not isinstance(value, dict):
            reason = "not a JSON object" if text == "" else text
            yield Accepted(place, "rejected", (reason,), None, _shown(value))
            continue
        problems = tuple(problems_of(value))
        named = bool(_named(value))
        level: Level = "valid" if not problems else "tolerated" if named else "rejected"
        yield Accepted(place, level, problems, value)


def _values(data: bytes) -> Iterator[tuple[Any, str]]:
    """The JSON values in some bytes, each with why it could not be read."""
    text = data.decode("utf-8-sig", errors="replace")
    if not text.strip():
        return
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _lines(text)
        return
    for each in whole if isinstance(whole, list) else [whole]:
        yield each, ""


def _lines(text: str) -> Iterator[tuple[Any, str]]:
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            yield json.loads(line), ""
        except (ValueError, RecursionError) as error:
            yield line, f"not JSON: {error}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text[:LONGEST_TEXT]


def _named(event: Mapping[str, Any]) -> list[Any]:
    """What the event names that could stand in a graph."""
    data = [each for side in ("inputs", "outputs") for each in _list(event.get(side))]
    return [each for each in (event.get("job"), event.get("dataset"), *data) if _has_name(each)]


def _has_name(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(part), str) and value[part] for part in _NAME)


_NAME = ("namespace", "name")


def problems_of(event: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an event, in words."""
    yield from _envelope(event)
    is_run, is_data = "run" in event, "dataset" in event
    if not (is_run or is_data or "job" in event):
        yield "names no run, job or dataset"
    if is_data and (is_run or "job" in event):
        yield "is an event of a dataset and of a job at once"
    if is_run:
        yield from _run(event["run"])
        if "job" not in event:
            yield "a run without its job"
    if "job" in event:
        yield from _thing("job", event["job"])
    if is_data:
        yield from _thing("dataset", event["dataset"])
    for side in ("inputs", "outputs"):
        if side in event and not isinstance(event[side], list):
            yield f"{side} is no list"
        for place, each in enumerate(_list(event.get(side))):
            yield from _thing(f"{side}[{place}]", each)


def _envelope(event: Mapping[str, Any]) -> Iterator[str]:
    if not _is_moment(event.get("eventTime")):
        yield f"eventTime {_shown(event.get('eventTime'))} is no time with its zone"
    for name in ("producer", "schemaURL"):
        if not _is_address(event.get(name)):
            yield f"{name} {_shown(event.get(name))} is no address"
    if "eventType" in event and event["eventType"] not in TYPES:
        yield f"eventType {_shown(event['eventType'])} is none of {', '.join(TYPES)}"


def _run(run: Any) -> Iterator[str]:
    if not isinstance(run, dict):
        yield "run is no object"
        return
    try:
        UUID(run.get("runId", ""))
    except (ValueError, TypeError, AttributeError):
        yield f"run.runId {_shown(run.get('runId'))} is no UUID"
    yield from _facets("run", run.get("facets"))


def _thing(place: str, thing: Any) -> Iterator[str]:
    if not isinstance(thing, dict):
        yield f"{place} is no object"
        return
    for part in _NAME:
        if not isinstance(thing.get(part), str) or not thing[part]:
            yield f"{place} has no {part}"
    for group in ("facets", "inputFacets", "outputFacets"):
        yield from _facets(place, thing.get(group))


def _facets(place: str, facets: Any) -> Iterator[str]:
    if facets is None:
        return
    if not isinstance(facets, dict):
        yield f"{place}: facets are no object"
        return
    for key, facet in facets.items():
        if not isinstance(facet, dict):
            yield f"{place}: the facet {key} is no object"
            continue
        for name in ("_producer", "_schemaURL"):
            if not _is_address(facet.get(name)):
                yield f"{place}: the facet {key} has no {name}"
        yield from (f"{place}: {problem}" for problem in _KNOWN.get(key, _nothing)(facet))


def _nothing(facet: Mapping[str, Any]) -> Iterator[str]:
    yield from ()


def _column_lineage(facet: Mapping[str, Any]) -> Iterator[str]:
    fields = facet.get("fields")
    if not isinstance(fields, dict):
        yield "columnLineage has no fields"
        return
    for name, field in fields.items():
        for each in _list(field.get("inputFields") if isinstance(field, dict) else None):
            if not _has_name(each) or not isinstance(each.get("field"), str):
                yield f"columnLineage of {name} names an input without namespace, name or field"


def _schema(facet: Mapping[str, Any]) -> Iterator[str]:
    for each in _list(facet.get("fields")):
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            yield "schema has a field without a name"


def _needs(*names: str) -> Any:
    def check(facet: Mapping[str, Any]) -> Iterator[str]:
        yield from (f"a facet lacks {name}" for name in names if name not in facet)

    return check


_KNOWN: Mapping[str, Any] = {
    "columnLineage": _column_lineage,
    "schema": _schema,
    "dataQualityMetrics": _needs("columnMetrics"),
    "dataQualityAssertions": _needs("assertions"),
    "errorMessage": _needs("message", "programmingLanguage"),
    "parent": _needs("run", "job"),
    "sql": _needs("query"),
    "version": _needs("datasetVersion"),
}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str) or "T" not in value.upper():
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(urlparse(value).scheme)
    except ValueError:
        return False
