"""What one look at a project works with: its graph, its home, the versions chosen, and what the last run left.

`Settled` is the engine's note on one asset after a run: what it was computed with and from, so that the next look can
tell in one comparison whether anything changed. Candidates are the newest such notes; the published ones are the good
versions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import Graph
from packyak.engine.run.fingerprint import Codes, digest
from packyak.engine.run.override import Overrides
from packyak.engine.run.view import Snapshot
from packyak.engine.store.corrections import Correction, CorrectionLog, in_force
from packyak.engine.store.files import BucketFolder
from packyak.engine.store.home import Home
from packyak.engine.store.query import Query
from packyak.engine.store.tables import Table

CANDIDATES = "candidates.json"


@dataclass(frozen=True)
class Settled:
    """One asset as a run left it.

    table, memo: Lance versions. version: the public one, a hash of content. total: the hash sum behind it.
    fingerprint, parts: what computed it. inputs: public versions read. consumed: Lance versions read, for the change
    feed. applied: the corrections in it. state: "ok", "failed" or "blocked" (message says why); failed: number of
    failed units.
    """

    table: int
    memo: int | None
    version: str
    total: str
    rows: int
    fingerprint: str
    parts: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    consumed: Mapping[str, int] = field(default_factory=dict)
    applied: str = ""
    state: str = "ok"
    message: str = ""
    failed: int = 0
    notes: tuple[str, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    run: str = ""
    at: str = ""
    seconds: float = 0.0
    computed: int = 0


def settled_from(facts: Mapping[str, Any]) -> Settled:
    """The inverse of `dataclasses.asdict`, tolerant of fields that a newer version wrote."""
    known = {name: facts[name] for name in Settled.__dataclass_fields__ if name in facts}
    known |= {name: tuple(known[name]) for name in ("notes", "checks") if name in known}
    return Settled(**known)


@dataclass
class Scope:
    """Everything that stale, plan, run and read share for one project at one moment."""

    graph: Graph
    home: Home
    codes: Codes
    query: Query
    log: CorrectionLog
    candidates: dict[str, Settled]
    model_of: Callable[[str], str] = lambda name: ""
    _snapshot: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The candidates, as a run reads them."""
        if self._snapshot is None:
            self._snapshot = Snapshot(self.graph, self.query, self._candidate_table)
        return self._snapshot

    def _candidate_table(self, asset: str) -> Any | None:
        table = self.table(asset)
        return table.dataset() if table.exists() else None

    def table(self, asset: str) -> Table:
        return Table(self.home, "tables", asset)

    def memo(self, asset: str) -> Table:
        return Table(self.home, "memo", asset)

    def bucket(self, name: str) -> BucketFolder:
        return BucketFolder(self.home, name)

    def fingerprint(self, asset: str) -> str:
        """The id of what computes the asset now."""
        return digest([self.codes.fingerprints[asset].id, self.model_of(asset)])

    def settled(self, asset: str) -> Settled | None:
        """What the last run left, if the tables are still as it left them; None makes every record be looked at."""
        was = self.candidates.get(asset)
        if was is None or not self.table(asset).exists() or self.table(asset).version() != was.table:
            return None
        return was

    def public_version(self, asset: str) -> str:
        was = self.candidates.get(asset)
        return was.version if was else ""

    @property
    def said(self) -> tuple[Correction, ...]:
        """All that people said, oldest first, under the names that things have now (`was=` tells the old ones)."""
        renamed = {node.was: node.name for node in self.graph.tables if node.was}
        return tuple(_renamed(each, renamed) for each in self.log.all()) if renamed else self.log.all()

    @property
    def in_force(self) -> dict[tuple[str, str, str], Correction]:
        """The correction in force on each (asset, key, column)."""
        return in_force(self.said)

    def corrections_digest(self, asset: str) -> str:
        """A name for all that people have said of this asset: changes with every correction and undo."""
        return digest(sorted(each.id for each in self.said if each.asset == asset))

    def overrides(self, asset: str, *, conditional: bool) -> Overrides:
        """The corrections in force on the asset."""
        mine: dict[tuple[str, str], Correction] = {}
        for (owner, key, column), correction in self.in_force.items():
            if owner == asset:
                mine[key, column] = correction
        return Overrides(mine, conditional)

    def ever_corrected(self, asset: str) -> list[str]:
        """Keys of records that anybody ever corrected, undone ones too."""
        return list(dict.fromkeys(each.key for each in self.said if each.asset == asset))

    def settle(self, asset: str, settled: Settled) -> None:
        """Notes what a run left of one asset, durably."""
        self.candidates[asset] = settled
        self.snapshot.forget(asset)
        save_candidates(self.home, self.candidates)


def _renamed(correction: Correction, renamed: Mapping[str, str]) -> Correction:
    """A correction of something that has another name now; a transform's own column is called as it is."""
    name = renamed.get(correction.asset)
    if name is None:
        return correction
    column = name if correction.column == correction.asset else correction.column
    return replace(correction, asset=name, column=column)


def load_candidates(home: Home) -> dict[str, Settled]:
    """The notes on all assets, newest run's. A damaged file counts as none: every record is looked at again."""
    data = home.read(CANDIDATES)
    try:
        facts = json.loads(data) if data else {}
        return {name: settled_from(each) for name, each in facts.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def save_candidates(home: Home, candidates: Mapping[str, Settled]) -> None:
    facts = {name: asdict(settled) for name, settled in candidates.items()}
    home.write(CANDIDATES, json.dumps(facts, sort_keys=True, default=str).encode())


def keys_table(keys: list[str]) -> pa.Table:
    return pa.table({"_key": pa.array(keys, pa.string())})
