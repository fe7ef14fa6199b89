"""What a project can be asked about its past: where a record comes from, what depends on it, how versions differ."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from packyak.engine.lineage.chain import Direction, Trace
from packyak.engine.lineage.outbox import OutboxState
from packyak.engine.lineage.outside import ImportReport, Outside, OutsideGraph
from packyak.engine.run.answers import Diff, PastGraph, VersionInfo

if TYPE_CHECKING:
    from pathlib import Path

    from packyak.engine.run.read.reader import Reader
    from packyak.engine.run.runs import RunRecord
    from packyak.engine.store.home import Home


class Tracing:
    """The part of a project that tells where values come from."""

    if TYPE_CHECKING:

        def _reader(self) -> Reader: ...

        @property
        def person(self) -> str: ...

        name: str
        home: Home
        root: Path

    def trace(
        self,
        asset: str,
        key: str,
        column: str | None = None,
        *,
        direction: Direction = "up",
        limit: int | None = 1_000,
    ) -> Trace:
        """What a record (or one field of it) comes from, record by record, or all that depends on it.

        asset: `topic`, or `topic@3f2a` for how it was at a version, run or time. direction: "up" or "down". limit: how
        many records of one asset at most; None for all.
        """
        from packyak.engine.run.trace.ground import ground_now, ground_of
        from packyak.engine.run.trace.moments import moment_of, parted
        from packyak.engine.run.trace.walk import trace

        name, moment = parted(asset)
        reader = self._reader()
        ground = ground_of(reader, moment_of(reader.published, reader.scope, moment, name).assets) if moment else None
        return trace(ground or ground_now(reader), name, key, column, direction, limit=limit, project=self.name)

    def outside(self) -> OutsideGraph:
        """The jobs and data of other tools, as far as their events were imported. Asked again, it reads what is new."""
        return self._outside.graph()

    @cached_property
    def _outside(self) -> Outside:
        return Outside(self.home)

    def import_lineage(self, data: bytes) -> ImportReport:
        """Takes in OpenLineage events of other tools (JSON lines, an array, one object); says what is wrong with which.
        None is lost, and nothing in them raises."""
        return self._outside.receive(data)

    def send_lineage(self) -> OutboxState:
        """Sends events that wait for a backend now, corrections not yet told included; says how many still wait."""
        from packyak.engine.lineage.tellers import send_now

        return send_now(self.home, self.root, self.name)

    def export_lineage(
        self,
        asset: str | None = None,
        key: str | None = None,
        column: str | None = None,
        *,
        form: str | None = None,
        direction: Direction = "up",
    ) -> str:
        """Lineage as text: the events as JSON lines, or a record's trace (with no asset: all assets) as html, svg or
        prov. form: default openlineage where nothing is named, else html."""
        from packyak.engine.run.trace.export import export_lineage

        return export_lineage(self, asset, key, column, form=form, direction=direction)  # type: ignore[arg-type]

    def graph_at(self, moment: str) -> PastGraph:
        """The graph as it was published at a run or a time (ISO 8601)."""
        from packyak.engine.run.trace.past import graph_at

        return graph_at(self._reader(), moment)

    def restore(self, asset: str, moment: str, *, by: str | None = None, why: str = "") -> RunRecord:
        """Brings an asset's own records back as they were at a version, run or time: as a new version, which says so.

        Corrections hold whatever the version. Where inputs or code changed since, the next run computes it again.
        Raises RunBusy while a run is on.
        """
        from packyak.engine.run.trace.restore import restore

        return restore(self, asset, moment, by=by or self.person, why=why)  # type: ignore[arg-type]

    def versions(self, asset: str) -> tuple[VersionInfo, ...]:
        """An asset's published versions, newest first."""
        return self._reader().versions(asset)

    def diff(self, asset: str, a: str, b: str, *, limit: int = 20) -> Diff:
        """How an asset's own records differ between two moments (versions, runs or times), and why."""
        from packyak.engine.run.trace.compare import compare

        return compare(self._reader(), asset, a, b, limit)
