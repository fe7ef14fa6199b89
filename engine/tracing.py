"""What a project can be asked about its past: where a record comes from, what depends on it, how versions differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packyak.engine.lineage.chain import Direction, Trace
from packyak.engine.run.answers import Diff, VersionInfo

if TYPE_CHECKING:
    from packyak.engine.run.read import Reader


class Tracing:
    """The part of a project that tells where values come from."""

    if TYPE_CHECKING:

        def _reader(self) -> Reader: ...

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

        direction: "up" or "down". limit: how many records of one asset at most; None for all.
        """
        from packyak.engine.run.ground import ground_now
        from packyak.engine.run.trace import trace

        return trace(ground_now(self._reader()), asset, key, column, direction, limit)

    def versions(self, asset: str) -> tuple[VersionInfo, ...]:
        """An asset's published versions, newest first."""
        return self._reader().versions(asset)

    def diff(self, asset: str, a: str, b: str, *, limit: int = 20) -> Diff:
        """How an asset's own records differ between two moments (versions, runs or times), and why."""
        from packyak.engine.run.compare import compare

        return compare(self._reader(), asset, a, b, limit)
