"""Tells what a run does as OpenLineage events in the home's event log: START, RUNNING, COMPLETE, FAIL and ABORT, of the
run and of every asset it touches.

Telling never fails a run: an event that cannot be written is noted on the run. Events are noted as plain records while
the run is on and made, written and sent at its end or after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pyarrow as pa
from packyak.engine.declare.nodes import BucketNode, Column, FilesNode, LearnedNode, SqlNode, TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.learn.models import ModelStore
from packyak.engine.lineage.asset_event import (
    AssetEvent,
    Change,
    CheckOutcome,
    CorrectionNote,
    Kind,
    ModelNote,
    Read,
    Tag,
)
from packyak.engine.lineage.columns import edges_of
from packyak.engine.lineage.outbox import is_configured
from packyak.engine.lineage.tellers import forward, tell_corrections, write_events
from packyak.engine.run.checks import result_from
from packyak.engine.run.due.status import kind_of
from packyak.engine.run.read.view import quoted
from packyak.engine.run.runs import RunRecord, now
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.run.trace.applied import worked_in
from packyak.engine.run.types import type_name
from packyak.engine.run.update import Result
from packyak.engine.store.corrections import Correction

COUNTED_ROWS = 200_000  # nulls are counted in tables up to this size
STATES: dict[str, Kind] = {"done": "COMPLETE", "cancelled": "ABORT", "crashed": "ABORT"}


class Teller:
    """Collects a run's events and writes them together at its end. started: when the run began."""

    def __init__(self, scope: Scope, run: str, project: str, started: str = "") -> None:
        self.scope = scope
        self.run = run
        self.project = project
        self.started = started or now()
        self.events: list[AssetEvent] = []
        self._before = dict(scope.candidates)
        self._columns_before: dict[str, tuple[str, ...]] = {}
        self._open: dict[str, AssetEvent] = {}

    def happened(self, event: str, asset: str, result: Result) -> None:
        """Notes one event of an asset."""
        node = self.scope.graph[asset]
        if not isinstance(node, TableNode):
            return
        if event == "START":
            self._columns_before[asset] = tuple(self.scope.snapshot.stored(asset)) if asset in self._before else ()
        made = self._event(event, node, result)  # type: ignore[arg-type]
        self.events.append(made)
        if event in ("START", "RUNNING"):
            self._open[asset] = made
        else:
            self._open.pop(asset, None)

    def finish(self, state: str = "done", error: str = "") -> str:
        """Writes the events, those of assets that were cut off included; answers what kept it from doing so, or ""."""
        if not self.events and state == "done":
            return ""
        ended = STATES.get(state, "FAIL")
        cut = [replace(each, kind="ABORT", at=now(), error=error or state) for each in self._open.values()]
        whole = AssetEvent("START", self.started, self.project, self.run, started=self.started)
        last = replace(whole, kind=ended, at=now(), error=error or ("" if ended == "COMPLETE" else state))
        home, root = self.scope.home, self.scope.codes.root
        try:
            send = is_configured(root)
            tell_corrections(home, self.project, send=send, log=self.scope.log)
            write_events(home, self.run, [whole, *self.events, *cut, last], send=send)
            if send:
                forward(home, root, self.project)
        except (PackyakError, OSError) as problem:
            return f"the lineage of this run could not be written: {problem}"
        return ""

    def _event(self, event: Kind, node: TableNode, result: Result) -> AssetEvent:
        code = self.scope.codes.fingerprints[node.name].code
        made = AssetEvent(
            kind=event,
            at=now(),
            project=self.project,
            run=self.run,
            asset=node.name,
            started=self.started,
            task=kind_of(node),
            doc=node.doc,
            owner=node.marks.owner or "",
            tags=_tags(node),
            origin=node.origin,
            code=self.scope.fingerprint(node.name),
            source=self.scope.codes.texts.get(code, ""),
            query=node.query if isinstance(node, SqlNode) else "",
            inputs=tuple(self._read(name) for name in node.inputs),
            error=result.message if event == "FAIL" else "",
            trace=result.trace if event == "FAIL" else "",
        )
        settled = result.settled
        return self._completed(made, node, settled) if event == "COMPLETE" and settled is not None else made

    def _completed(self, made: AssetEvent, node: TableNode, settled: Settled) -> AssetEvent:
        scope, before = self.scope, self._before.get(node.name)
        columns = self._columns(node)
        change, was = self._change(node, columns)
        return replace(
            made,
            columns=columns,
            edges=edges_of(scope.graph, node.name, self._schemas(node)),
            personal=self._personal(node),
            version=settled.version,
            rows=settled.rows,
            nulls=self._nulls(node, settled) if before is None or before.version != settled.version else {},
            change=change,
            was=was,
            checks=tuple(_outcome(each) for each in settled.checks),
            corrections=self._fresh_corrections(node.name, before, settled),
            model=model_note(scope, node),
        )

    def _read(self, name: str) -> Read:
        node = self.scope.graph.nodes.get(name)
        if isinstance(node, FilesNode):
            return Read(name, kind="files")
        if isinstance(node, BucketNode):
            return Read(name, kind="bucket")
        return Read(name, self.scope.public_version(name))

    def _columns(self, node: TableNode) -> tuple[Column, ...]:
        declared = {column.name: column for column in node.columns or ()}
        stored = self.scope.snapshot.stored(node.name)
        return tuple(declared.get(name) or Column(name, type_name(kind)) for name, kind in stored.items())

    def _schemas(self, node: TableNode) -> dict[str, dict[str, str]]:
        """Column types of the asset and of the views that it reads: no more than what its run opens anyway."""
        inputs = [name for name in node.inputs if name in self.scope.graph.nodes]
        read = {each.name for name in inputs for each in self.scope.graph.chain(name)}
        return {
            name: {c: type_name(t) for c, t in self.scope.snapshot.stored(name).items()} for name in {node.name, *read}
        }

    def _near(self, node: TableNode) -> set[str]:
        """The asset and all above it."""
        names = {node.name, *self.scope.graph.above(node.name)}
        return {name for name in names if isinstance(self.scope.graph.nodes.get(name), TableNode)}

    def _personal(self, node: TableNode) -> frozenset[tuple[str, str]]:
        marked = [self.scope.graph[name] for name in self._near(node)]
        return frozenset((each.name, column) for each in marked for column in each.marks.personal)  # type: ignore[attr-defined]

    def _change(self, node: TableNode, columns: Sequence[Column]) -> tuple[Change, str]:
        if node.name not in self._before:
            return ("RENAME", node.was) if node.was and node.was in self._before else ("CREATE", "")
        before = self._columns_before.get(node.name)
        return ("ALTER" if before and set(before) != {column.name for column in columns} else ""), ""

    def _nulls(self, node: TableNode, settled: Settled) -> dict[str, int]:
        names = list(self.scope.snapshot.stored(node.name))
        if not names or not 0 < settled.rows <= COUNTED_ROWS:
            return {}
        held = self.scope.snapshot.table(node.name)
        if isinstance(held, pa.Table):
            return {name: int(held[name].null_count) for name in names}
        counts = ", ".join(f"count(*) - count({quoted(name)}) as {quoted(name)}" for name in names)
        try:
            found: pa.Table = self.scope.query.run(f"select {counts} from t", {"t": held})
        except PackyakError:
            return {}
        return {name: int(found[name][0].as_py()) for name in names}

    def _fresh_corrections(self, asset: str, before: Settled | None, settled: Settled) -> tuple[CorrectionNote, ...]:
        old = {each.id for each in worked_in(self.scope, asset, before.applied, before.at)} if before else set()
        new = worked_in(self.scope, asset, settled.applied, settled.at)
        return tuple(correction_note(each) for each in new if each.id not in old)


def _tags(node: TableNode) -> tuple[Tag, ...]:
    marks = node.marks
    whole = {"purpose": marks.purpose, "keep": marks.keep, "subject": marks.subject}
    named = tuple(Tag(key, value) for key, value in whole.items() if value)
    return named + tuple(Tag("personal", kind, column) for column, kind in marks.personal.items())


def _outcome(facts: object) -> CheckOutcome:
    found = result_from(facts)  # type: ignore[arg-type]
    return CheckOutcome(found.name, found.passed, found.severity, found.failing, found.message)


def correction_note(correction: Correction) -> CorrectionNote:
    """What an event tells of a correction."""
    return CorrectionNote(correction.id, correction.column, correction.by, correction.at, correction.kind)


def model_note(scope: Scope, node: TableNode) -> ModelNote | None:
    """The model that answers for a learned transform now."""
    model = scope.model_of(node.name)
    if not isinstance(node, LearnedNode) or not model:
        return None
    try:
        card = ModelStore(scope.home).card(node.name, model)
    except PackyakError:
        return ModelNote(model, node.task)
    score = card.score.value if card.score else None
    return ModelNote(card.id, node.task, len(card.corrections), score, "share right" if card.score else "", card.parent)


def abandoned(scope: Scope, project: str, crashed: Sequence[RunRecord]) -> None:
    """Tells the end of runs whose process has gone, which could not tell it themselves. Never fails."""
    with suppress(PackyakError, OSError):
        for record in crashed:
            _abandoned(scope, project, record)


def _abandoned(scope: Scope, project: str, record: RunRecord) -> None:
    whole = AssetEvent("START", record.started, project, record.id, started=record.started)
    last = replace(whole, kind="ABORT", at=record.ended or now(), error=record.error)
    cut = [replace(last, asset=each.asset) for each in record.assets if each.state in ("running", "failed")]
    known = [each for each in cut if each.asset in scope.graph.nodes]
    write_events(scope.home, record.id, [whole, *known, last], send=is_configured(scope.codes.root))
