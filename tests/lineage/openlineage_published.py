"""Events checked against a folder of the published OpenLineage schemas, where somebody has one.

No package carries the schema files, so the tests make theirs from the standard's own client (`openlineage_schemas.py`).
Who has a checkout of the standard's repository names its folder, and every event is checked against these files too:
the envelope by the root schema, each facet under its own key by the file that its `_schemaURL` names, at that version.
A file may be absent (a checkout has the newest versions): then that facet is counted as not checked, never as right.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
from openlineage_schemas import FORMATS, OWN, facets
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

ROOT = "OpenLineage.json"


class PublishedSchemas:
    """The schema files below a folder, by their `$id`."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        for path in sorted(folder.rglob("*.json")):
            schema = _read(path)
            if schema and "$id" in schema:
                self.files[schema["$id"]] = schema
        if not any(name.endswith(f"/{ROOT}") for name in self.files):
            raise SystemExit(f"{folder} holds no {ROOT}: name the folder `spec` of the OpenLineage repository")
        # The files refer to each other with and without the `#` before a fragment.
        self.registry: Any = Registry().with_resources(
            [(name, Resource.from_contents(schema)) for name, schema in self.files.items()]
        )
        self.unchecked: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()

    def problems(self, event: dict[str, Any]) -> list[str]:
        """What is wrong with an event by the published files; what no file says is counted in `unchecked`."""
        found = self._errors(str(event.get("schemaURL", "")).partition("#")[0], event, "event")
        for where, key, facet in facets(event):
            if (where, key) not in OWN:
                found += self._errors(str(facet.get("_schemaURL", "")).partition("#")[0], {key: facet}, key)
        return found

    def _errors(self, name: str, value: dict[str, Any], what: str) -> list[str]:
        schema = self.files.get(name)
        if schema is None:
            self.unchecked[f"{what} ({name})"] += 1
            return []
        checker = jsonschema.Draft202012Validator(schema, registry=self.registry, format_checker=FORMATS)
        try:
            found = [f"{what}: {error.json_path}: {error.message}" for error in checker.iter_errors(value)]
        except Unresolvable as error:
            self.unchecked[f"{what} ({error.ref})"] += 1
            return []
        self.checked[what] += 1
        return found


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
