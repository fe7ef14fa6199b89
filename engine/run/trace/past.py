"""The project's graph as of a past moment: which assets there were, at which versions, computed from which."""

from __future__ import annotations

from packyak.engine.run.answers import PastAsset, PastGraph
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.trace.makers import maker_of
from packyak.engine.run.trace.moments import moment_of
from packyak.engine.store.published import AssetVersion


def graph_at(reader: Reader, moment: str) -> PastGraph:
    """What was published at a run or time, assets that are declared no longer included."""
    vector = moment_of(reader.published, reader.scope, moment)
    assets = tuple(_asset(reader, name, good) for name, good in vector.assets.items())
    return PastGraph(vector.run, vector.at, assets)


def _asset(reader: Reader, name: str, good: AssetVersion) -> PastAsset:
    maker = maker_of(reader.scope.home, str(good.facts.get("fingerprint", "")))
    inputs = dict(good.facts.get("inputs", {}))
    return PastAsset(name, good.version, good.rows, good.run, good.at, inputs, maker.place if maker else "")
