"""Keeps search indexes in step with the assets they are over. Never in the way of a correction: an index may lag, and says so."""

from __future__ import annotations

from collections.abc import Callable

from packyak.engine.declare.nodes import IndexNode
from packyak.engine.run.scope import Scope


def index_lag(scope: Scope, node: IndexNode) -> int:
    """How many records are not indexed as they are now."""
    return 0


def update_index(scope: Scope, node: IndexNode, meter: Callable[[int, int], None]) -> int:
    """Indexes what changed; answers how many records."""
    return 0
