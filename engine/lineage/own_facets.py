"""The facets that the standard lets producers add, and ours: who corrected data, and which model answered.

Their JSON schemas are in the folder `schemas` beside this file; a facet names its schema by address and version, as
the standard asks. Neither facet holds a record's key, its value or a person's reason: an event may leave the home.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from packyak.engine.lineage.asset_event import PRODUCER, CorrectionNote, ModelNote

CORRECTION = "packyak_correction"
MODEL = "packyak_model"
SCHEMAS = {CORRECTION: "PackyakCorrectionDatasetFacet", MODEL: "PackyakModelDatasetFacet"}
VERSION = "1-0-0"


def schema_address(facet: str) -> str:
    """Where the schema of one of our facets is."""
    return f"{PRODUCER}/blob/main/engine/lineage/schemas/{VERSION}/{SCHEMAS[facet]}.json#/$defs/{SCHEMAS[facet]}"


def own_schema(facet: str) -> dict[str, Any]:
    """The JSON schema of one of our facets."""
    file = resources.files(__package__) / "schemas" / VERSION / f"{SCHEMAS[facet]}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def correction_facet(corrections: Sequence[CorrectionNote]) -> dict[str, Any]:
    """People's part in a data set's version."""
    return {
        "_producer": PRODUCER,
        "_schemaURL": schema_address(CORRECTION),
        "count": len(corrections),
        "columns": sorted({each.column for each in corrections}),
        "people": sorted({each.by for each in corrections if each.by}),
        "corrections": [
            {"id": each.id, "kind": each.kind, "column": each.column, "by": each.by, "at": each.at}
            for each in corrections[:1000]
        ],
    }


def model_facet(model: ModelNote) -> dict[str, Any]:
    """The model that answered what a data set's version holds."""
    known = {
        "id": model.id,
        "task": model.task or None,
        "trainedOn": model.trained_on,
        "score": model.score,
        "measure": model.measure or None,
        "parent": model.parent or None,
    }
    found = {name: value for name, value in known.items() if value is not None}
    return {"_producer": PRODUCER, "_schemaURL": schema_address(MODEL), **found}
