"""What AWS publishes of its resource types, as cfn-lint ships it: what cannot change in place, and who may make them.

Read from cfn-lint's files and not through it, which would take seconds. Without it nothing is known: a diff then marks
no replacement, which AWS's own change set still does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

VERBS = ("create", "update", "delete")


def create_only(kind: str) -> frozenset[str]:
    """The properties of a resource type that cannot change without a new resource."""
    paths = [*_schema(kind).get("createOnlyProperties", ()), *_schema(kind).get("conditionalCreateOnlyProperties", ())]
    return frozenset(each.removeprefix("/properties/").partition("/")[0] for each in paths)


def permissions(kinds: Iterable[str]) -> tuple[str, ...]:
    """The actions that whoever makes, changes and removes resources of these types needs."""
    found: set[str] = set()
    for kind in kinds:
        handlers: Mapping[str, Any] = _schema(kind).get("handlers", {})
        found |= {action for verb in VERBS for action in handlers.get(verb, {}).get("permissions", ())}
    return tuple(sorted(found))


@cache
def _schema(kind: str) -> Mapping[str, Any]:
    folder = _folder()
    name = _names().get(kind)
    if folder is None or name is None:
        return {}
    file = folder / "resources" / name
    found: Mapping[str, Any] = json.loads((file if file.suffix else file.with_suffix(".json")).read_text("utf-8"))
    return found


@cache
def _names() -> Mapping[str, str]:
    folder = _folder()
    file = folder / "providers" / "us-east-1.json" if folder else None
    return json.loads(file.read_text("utf-8")) if file is not None and file.is_file() else {}


@cache
def _folder() -> Path | None:
    spec = find_spec("cfnlint")
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / "data" / "schemas" if places else None
