"""JSON schemas of OpenLineage events and facets, made from the standard's own Python client.

The client's classes are generated from the published JSON schemas, one class for each, and name the schema and version
they stand for. Turning them back gives a schema for every facet at exactly the version that our events declare. It is
stricter than the published text in one way: an unknown property is an error, so that a misspelt name cannot pass. Our
own two facets are checked by their own schemas, whose references to the standard are looked up here, not on a network.
"""

from __future__ import annotations

import enum
import pkgutil
import typing
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import import_module
from types import NoneType, UnionType
from typing import Any
from urllib.parse import urlparse

import attr
import jsonschema
from openlineage.client import event_v2, generated
from packyak.engine.lineage.own_facets import SCHEMAS, own_schema, schema_address
from referencing import Registry, Resource

# Where a facet hangs and under which key, by the published schemas: the class that stands for its schema.
FACETS = {
    ("run", "processing_engine"): "ProcessingEngineRunFacet",
    ("run", "parent"): "ParentRunFacet",
    ("run", "errorMessage"): "ErrorMessageRunFacet",
    ("run", "nominalTime"): "NominalTimeRunFacet",
    ("job", "jobType"): "JobTypeJobFacet",
    ("job", "documentation"): "DocumentationJobFacet",
    ("job", "sourceCodeLocation"): "SourceCodeLocationJobFacet",
    ("job", "sourceCode"): "SourceCodeJobFacet",
    ("job", "ownership"): "OwnershipJobFacet",
    ("job", "tags"): "TagsJobFacet",
    ("job", "sql"): "SQLJobFacet",
    ("data", "schema"): "SchemaDatasetFacet",
    ("data", "documentation"): "DocumentationDatasetFacet",
    ("data", "version"): "DatasetVersionDatasetFacet",
    ("data", "columnLineage"): "ColumnLineageDatasetFacet",
    ("data", "lifecycleStateChange"): "LifecycleStateChangeDatasetFacet",
    ("data", "symlinks"): "SymlinksDatasetFacet",
    ("data", "storage"): "StorageDatasetFacet",
    ("data", "ownership"): "OwnershipDatasetFacet",
    ("data", "tags"): "TagsDatasetFacet",
    ("data", "dataQualityMetrics"): "DataQualityMetricsDatasetFacet",
    ("input", "dataQualityAssertions"): "DataQualityAssertionsDatasetFacet",
    ("output", "outputStatistics"): "OutputStatisticsOutputDatasetFacet",
}
OWN = {("data", key): key for key in SCHEMAS}
BASE = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
ALWAYS = {"producer", "schemaURL", "_producer", "_schemaURL"}  # filled in by the client, required by the standard
# The classes say "str" where the schemas say more.
FORMAT_OF = {
    "runId": "uuid",
    "eventTime": "date-time",
    "nominalStartTime": "date-time",
    "nominalEndTime": "date-time",
    "producer": "uri",
    "schemaURL": "uri",
    "_producer": "uri",
    "_schemaURL": "uri",
    "url": "uri",
}
FORMATS = jsonschema.FormatChecker()
PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    Any: {},
}


@FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or ("T" in value and datetime.fromisoformat(value).tzinfo is not None)


@FORMATS.checks("uri", raises=ValueError)
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlparse(value).scheme)


def problems(event: dict[str, Any]) -> list[str]:
    """Everything about an event that is not as the standard says: its envelope, and each facet by its own schema."""
    found = errors(event_v2.RunEvent if "dataset" not in event else event_v2.DatasetEvent, event)
    for where, key, facet in facets(event):
        if (where, key) in OWN:
            found += [f"{key}: {error}" for error in own_errors(key, facet)]
            continue
        name = FACETS.get((where, key))
        if name is None:
            found.append(f"no schema is known for the {where} facet {key!r}")
            continue
        found += [f"{key}: {error}" for error in errors(classes()[name], facet)]
        if facet.get("_schemaURL") != classes()[name]._get_schema():
            found.append(f"{key}: names {facet.get('_schemaURL')!r} as its schema")
    return found


def own_errors(key: str, facet: dict[str, Any]) -> list[str]:
    """What is wrong with one of our own facets, by its schema in the repository."""
    schema = own_schema(key)
    base = {"$defs": {"DatasetFacet": {"type": "object", "required": ["_producer", "_schemaURL"]}}, "$id": BASE}
    draft = "https://json-schema.org/draft/2020-12/schema"
    registry: Any = Registry().with_resources(
        [(each["$id"], Resource.from_contents({"$schema": draft, **each})) for each in (schema, base)]
    )
    checker = jsonschema.Draft202012Validator(schema, format_checker=FORMATS, registry=registry)
    found = [f"{error.json_path}: {error.message}" for error in checker.iter_errors({key: facet})]
    return found if facet.get("_schemaURL") == schema_address(key) else [*found, "names another schema"]


def facets(event: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for place, where in (("run", "run"), ("job", "job"), ("dataset", "data")):
        for key, facet in (event.get(place, {}).get("facets") or {}).items():
            yield where, key, facet
    for side, own in (("inputs", "inputFacets"), ("outputs", "outputFacets")):
        for each in event.get(side, []):
            for key, facet in (each.get("facets") or {}).items():
                yield "data", key, facet
            for key, facet in (each.get(own) or {}).items():
                yield side.removesuffix("s"), key, facet


def errors(cls: type, value: Any) -> list[str]:
    checker = jsonschema.Draft202012Validator(schema_of(cls), format_checker=FORMATS)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


@cache
def classes() -> dict[str, Any]:
    """Every class of the client that stands for a published schema."""
    modules = [import_module(f"{generated.__name__}.{each.name}") for each in pkgutil.iter_modules(generated.__path__)]
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and attr.has(value)
    }


@cache
def schema_of(cls: type) -> dict[str, Any]:
    """The JSON schema of one class, with those that it is made of."""
    definitions: dict[str, Any] = {}
    return {**_reference(cls, definitions), "$defs": definitions}


def _reference(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if cls.__name__ not in definitions:
        definitions[cls.__name__] = {}  # a class may be made of itself, as nested columns are
        definitions[cls.__name__] = _definition(cls, definitions)
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _definition(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    names = {**vars(typing), **vars(event_v2), **vars(import_module(cls.__module__))}
    hints = typing.get_type_hints(cls, names)
    properties = {field.name: _schema(hints[field.name], definitions) for field in attr.fields(cls)}
    properties |= {name: {"type": "string", "format": FORMAT_OF[name]} for name in properties if name in FORMAT_OF}
    required = [field.name for field in attr.fields(cls) if field.default is attr.NOTHING or field.name in ALWAYS]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type. A facet's content is left open here: `problems` checks each by its own class."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin in (typing.Union, UnionType):
        (kept,) = (each for each in arguments if each is not NoneType)
        return _schema(kept, definitions)
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if issubclass(hint, enum.Enum):
        return {"enum": [each.value for each in hint]}
    if hint.__name__ in ("RunFacet", "JobFacet", "DatasetFacet", "InputDatasetFacet", "OutputDatasetFacet"):
        return {"type": "object", "required": ["_producer", "_schemaURL"]}
    return _reference(hint, definitions)
