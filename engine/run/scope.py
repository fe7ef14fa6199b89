"""What one look at a project works with: its graph, its home, the versions chosen, and what the last run left.

`Settled` is the engine's note on one asset after a run: what it was computed with and from, so that the next look can
tell in one comparison whether anything changed. Candidates are the newest such notes; the published ones are the good
versions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import Graph, LearnedNode, TransformNode
from packyak.engine.learn.models import RULE, ModelStore
from packyak.engine.learn.tasks import signature_of, tasks_of
from packyak.engine.run.compute.apply import Answers, Tick
from packyak.engine.run.compute.commit import HELD_BYTES
from packyak.engine.run.compute.crew import Crew
from packyak.engine.run.compute.limits import Limits
from packyak.engine.run.correct.opinions import Rule, weigh, words_by_field
from packyak.engine.run.correct.override import Overrides
from packyak.engine.run.due.fingerprint import Codes, digest
from packyak.engine.run.read.view import Snapshot
from packyak.engine.store.corrections import Correction, CorrectionLog, Field, standing
from packyak.engine.store.files import BucketFolder, FileStat
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
    failed units; failure: what happened to one of them. notes: what else happened, in words; unstored: columns left out
    for their names; lingering: columns that the code gives no more, which only failed units still show.
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
    failure: str = ""
    notes: tuple[str, ...] = ()
    unstored: tuple[str, ...] = ()
    lingering: tuple[str, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    run: str = ""
    at: str = ""
    seconds: float = 0.0
    computed: int = 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of records that were computed well."""
        if not self.unstored:
            return self.notes
        shown = ", ".join(self.unstored[:5]) + (", ..." if len(self.unstored) > 5 else "")
        several = len(self.unstored) > 1
        left_out = f"the column{'s' if several else ''} {shown} {'are' if several else 'is'} left out"
        return (f"{left_out}: names that begin with _ are Packyak's own. Next: give other names", *self.notes)


def settled_from(facts: Mapping[str, Any]) -> Settled:
    """The note from its plain values, tolerant of fields that a newer version wrote."""
    known = {name: facts[name] for name in Settled.__dataclass_fields__ if name in facts}
    known |= {name: tuple(known[name]) for name in ("notes", "unstored", "lingering", "checks") if name in known}
    return Settled(**known)


@dataclass
class Scope:
    """Everything that stale, plan, run and read share for one project at one moment. learns: a run refits what is due;
    promotes: a candidate that the gate finds not worse answers without a person's word."""

    graph: Graph
    home: Home
    codes: Codes
    query: Query
    log: CorrectionLog
    candidates: dict[str, Settled]
    rule: Rule = field(default_factory=Rule)
    learns: bool = True
    promotes: bool = True
    limits: Limits = field(default_factory=Limits)
    run: str = ""  # the run that is writing now
    crew: Crew | None = None  # other processes that may call slow functions
    _etags: dict[tuple[str, FileStat], str] = field(default_factory=dict)
    _tables: dict[tuple[str, str], Table] = field(default_factory=dict)
    _held: dict[str, tuple[int, pa.Table]] = field(default_factory=dict)
    _snapshot: Snapshot | None = None
    _read: tuple[Correction, ...] | None = None
    _said: tuple[Correction, ...] = ()
    _words: dict[Field, list[Correction]] | None = None
    _in_force: dict[Field, Correction] | None = None

    @cached_property
    def models(self) -> ModelStore:
        """The models of the project, and which of them answer."""
        return ModelStore(self.home)

    def model_of(self, asset: str) -> str:
        """The id of the model that answers for an asset: `RULE` ("") for none, where nothing can be learned, and where
        the promoted one was trained for another signature than is declared now."""
        node = self.graph.nodes.get(asset)
        if not isinstance(node, LearnedNode) or not tasks_of(node):
            return RULE
        chosen = self.models.current(asset)
        return chosen if chosen and self.models.card(asset, chosen).signature == signature_of(node) else RULE

    def call(self, node: TransformNode, columns: Sequence[Sequence[Any]], count: int, tick: Tick, left: int) -> Answers:
        """Calls a function on each of `count` records, as limits and crew have it. left: records still to come, these
        included."""
        crew, code = self.crew, self.codes.fingerprints[node.name].code
        first = None if crew is None else lambda: crew.call(node, code, columns, count, tick, left=left)
        return self.limits.call(node, columns, count, tick, first=first)

    @property
    def snapshot(self) -> Snapshot:
        """The candidates, as a run reads them."""
        if self._snapshot is None:
            self._snapshot = Snapshot(self.graph, self.query, self._candidate_table)
        return self._snapshot

    def _candidate_table(self, asset: str) -> Any | None:
        table = self.table(asset)
        if not table.exists():
            return None
        data = table.dataset()
        version, held = self._held.get(asset, (0, None))
        return held if held is not None and version == data.version else data

    def hold(self, asset: str, version: int, whole: pa.Table | None) -> None:
        """Keeps what a run has just written for the assets below it; the longest kept make way for it."""
        self._held.pop(asset, None)
        if whole is None or any(pa.types.is_nested(f.type) for f in whole.schema):
            return
        self._held[asset] = (version, whole)
        while sum(table.nbytes for _, table in self._held.values()) > HELD_BYTES:
            self.snapshot.forget(longest := next(iter(self._held)))
            del self._held[longest]

    def table(self, asset: str) -> Table:
        return self._table("tables", asset)

    def memo(self, asset: str) -> Table:
        return self._table("memo", asset)

    def _table(self, folder: str, asset: str) -> Table:
        """The same one each time: it keeps its newest version open."""
        found = self._tables.get((folder, asset))
        if found is None:
            found = self._tables[folder, asset] = Table(self.home, folder, asset, packed=folder != "memo")
        return found

    def bucket(self, name: str) -> BucketFolder:
        return BucketFolder(self.home, name)

    def etag(self, bucket: str, stat: FileStat) -> str:
        """A file's content hash: read once, however often a run looks at the file. What changes while the run is on is
        told by its stamp, or else found at the next one, as it differs from the hash then stored."""
        name = (bucket, stat)
        if name not in self._etags:
            self._etags[name] = self.bucket(bucket).etag(stat.key)
        return self._etags[name]

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
        every = self.log.all()
        if every is not self._read:
            renamed = {node.was: node.name for node in self.graph.tables if node.was}
            self._said = tuple(_renamed(each, renamed) for each in every) if renamed else every
            self._read, self._words, self._in_force = every, None, None
        return self._said

    @property
    def words(self) -> dict[Field, list[Correction]]:
        """By field, every value that people gave and nobody took back, oldest first."""
        said = self.said
        if self._words is None:
            self._words = words_by_field(standing(said))
        return self._words

    @property
    def in_force(self) -> dict[Field, Correction]:
        """The correction in force on each (asset, key, column)."""
        words = self.words
        if self._in_force is None:
            self._in_force = {name: weigh(mine, self.rule).holds for name, mine in words.items()}
        return self._in_force

    def corrections_digest(self, asset: str) -> str:
        """A name for all that people have said of this asset: changes with every correction and undo, and where a rule
        chooses among them with the rule."""
        mine = sorted(each.id for each in self.said if each.asset == asset and each.counts)
        return digest([*mine, *self.rule.parts] if mine else mine)

    def overrides(self, asset: str, *, conditional: bool) -> Overrides:
        """The corrections in force on the asset."""
        mine: dict[tuple[str, str], Correction] = {}
        for (owner, key, column), correction in self.in_force.items():
            if owner == asset:
                mine[key, column] = correction
        return Overrides(mine, conditional)

    def ever_corrected(self, asset: str) -> list[str]:
        """Keys of records that anybody ever corrected, undone ones too."""
        return list(dict.fromkeys(each.key for each in self.said if each.asset == asset and each.counts))

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
    facts = {name: vars(settled) for name, settled in candidates.items()}  # `asdict` would copy all of it, deeply
    home.write(CANDIDATES, json.dumps(facts, sort_keys=True, default=str).encode())


def keys_table(keys: list[str]) -> pa.Table:
    return pa.table({"_key": pa.array(keys, pa.string())})
