"""What computed something, by the fingerprint that each record's memo holds: kept once, when it first computes.

A record computed long ago by code that has changed since can then still be told apart by its parts, and its function's
place in the source file be named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from packyak.engine.run.scope import Scope
from packyak.engine.store.home import Home

FOLDER = "code/makers"


@dataclass(frozen=True)
class Maker:
    """An asset's code at one time. code, declared, libraries, model: as in `Fingerprint`; file, line: where it was."""

    asset: str
    code: str = ""
    declared: str = ""
    libraries: str = ""
    model: str = ""
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}" if self.file else ""


def keep_maker(scope: Scope, asset: str) -> None:
    """Remembers what computes an asset now; nothing is written where that is known."""
    was = scope.candidates.get(asset)
    if was is None or was.fingerprint != scope.fingerprint(asset):
        facts = json.dumps(asdict(maker_now(scope, asset))).encode()
        scope.home.create(f"{FOLDER}/{scope.fingerprint(asset)}.json", facts)


def maker_now(scope: Scope, asset: str) -> Maker:
    """What would compute an asset now."""
    node, parts = scope.graph[asset], scope.codes.fingerprints[asset]
    model = scope.model_of(asset)
    return Maker(asset, parts.code, parts.declared, parts.libraries, model, node.origin.file, node.origin.line)


def maker_of(home: Home, fingerprint: str) -> Maker | None:
    """What had that fingerprint; None where it was never kept."""
    data = home.read(f"{FOLDER}/{fingerprint}.json") if fingerprint else None
    if data is None:
        return None
    try:
        facts: Mapping[str, Any] = json.loads(data)
        return Maker(**{name: facts[name] for name in Maker.__dataclass_fields__ if name in facts})
    except (ValueError, TypeError):
        return None
