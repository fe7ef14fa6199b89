"""Tells what a run does as OpenLineage events in the home's event log: START, COMPLETE and FAIL of every asset it
touches.

Telling never fails a run: an event that cannot be written is noted on the run.
"""

from __future__ import annotations

from packyak.engine.declare.nodes import BucketNode, Column, FilesNode, SqlNode, TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.lineage.asset_event import AssetEvent, Read
from packyak.engine.lineage.columns import edges_of
from packyak.engine.lineage.log import EventLog
from packyak.engine.run.runs import now
from packyak.engine.run.scope import Scope
from packyak.engine.run.status import kind_of
from packyak.engine.run.types import type_name
from packyak.engine.run.update import Result


class Teller:
    """Collects a run's events and writes them together at its end."""

    def __init__(self, scope: Scope, run: str, project: str) -> None:
        self.scope = scope
        self.run = run
        self.project = project
        self.events: list[AssetEvent] = []
        self._known = {name for name, was in scope.candidates.items() if was.table}

    def happened(self, event: str, asset: str, result: Result) -> None:
        """Notes one event of an asset."""
        node = self.scope.graph[asset]
        if isinstance(node, TableNode):
            self.events.append(self._event(event, node, result))

    def finish(self) -> str:
        """Writes the events; answers what kept it from doing so, or ""."""
        if not self.events:
            return ""
        from packyak.engine.lineage.events import openlineage_events

        try:
            EventLog(self.scope.home).append(self.run, openlineage_events(self.scope.home.uri, self.events))
        except (PackyakError, OSError) as error:
            return f"the lineage of this run could not be written: {error}"
        return ""

    def _event(self, event: str, node: TableNode, result: Result) -> AssetEvent:
        settled = result.settled
        complete = event == "COMPLETE"
        return AssetEvent(
            kind=event,  # type: ignore[arg-type]
            at=now(),
            project=self.project,
            run=self.run,
            asset=node.name,
            task=kind_of(node),
            doc=node.doc,
            origin=node.origin,
            code=self.scope.fingerprint(node.name),
            query=node.query if isinstance(node, SqlNode) else "",
            inputs=tuple(self._read(name) for name in node.inputs),
            columns=self._columns(node) if complete else (),
            edges=edges_of(self.scope.graph, node.name, self._schemas(node)) if complete else None,
            version=settled.version if settled and complete else "",
            rows=settled.rows if settled and complete else None,
            first=complete and node.name not in self._known,
            error=result.message if event == "FAIL" else "",
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
        names = {node.name, *self.scope.graph.above(node.name)}
        tables = {name for name in names if isinstance(self.scope.graph.nodes.get(name), TableNode)}
        return {name: {c: type_name(t) for c, t in self.scope.snapshot.stored(name).items()} for name in tables}
