"""Why is something stale? A value with causes and counts, answered before anything is spent.

Looks at every asset as a run would, and computes nothing: what changed in its code, libraries, settings and model;
which of its inputs; which files; what people said since; and what is above it. An asset below a stale one is stale
too, with an upper bound: the cascade stops where values do not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from packyak.engine.declare.nodes import FilesNode, IndexNode, LearnedNode, Node, TableNode, TransformNode
from packyak.engine.errors import PackyakError
from packyak.engine.run.answers import Cause
from packyak.engine.run.compute.transforms import find_work
from packyak.engine.run.due.fingerprint import code_diff
from packyak.engine.run.due.settled import inputs_of, is_current
from packyak.engine.run.due.work import Work, threshold_of
from packyak.engine.run.indexes import index_lag, unindexed_column
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.run.teach.due import why_due


@dataclass(frozen=True)
class Stale:
    """One asset's staleness. records: how many a run would compute (None: not known before its inputs are);
    at_most: an input may yet stop the cascade."""

    asset: str
    causes: tuple[Cause, ...] = ()
    records: int | None = 0
    at_most: bool = False

    def __bool__(self) -> bool:
        return bool(self.causes)

    @property
    def sentence(self) -> str:
        """The causes in one line."""
        return "; ".join(cause.reason for cause in self.causes)


def stale_assets(scope: Scope, *, retry: bool = False) -> dict[str, Stale]:
    """Every stored asset and index of the project, inputs first, stale or not."""
    found: dict[str, Stale] = {}
    for node in scope.graph.nodes.values():
        if isinstance(node, TableNode | IndexNode):
            above = [found[name] for name in node.inputs if found.get(name)]
            found[node.name] = _look(scope, node, above, retry)
    return found


def _look(scope: Scope, node: Node, above: list[Stale], retry: bool) -> Stale:
    if isinstance(node, IndexNode):
        return _look_at_index(scope, node, above)
    assert isinstance(node, TableNode)
    was = scope.candidates.get(node.name)
    if was is None or not was.table:
        return _never(scope, node, above, was)
    causes = _own_causes(scope, node, was)
    records: int | None = 0
    if not (is_current(scope, node) and not retry and not above):
        records = _records(scope, node, was, causes, above, retry)
    due = why_due(scope, node) if isinstance(node, LearnedNode) else ""
    if due:
        causes.append(Cause("model", f"it learns first: {due}", None))
    if above:
        names = ", ".join(each.asset for each in above)
        causes.append(Cause("upstream", f"{names} {'is' if len(above) == 1 else 'are'} stale", None))
    unsure = bool(above or due)  # what is computed depends on what is not known yet
    return Stale(node.name, tuple(causes), None if unsure and not records else records, unsure)


def _look_at_index(scope: Scope, node: IndexNode, above: list[Stale]) -> Stale:
    if problem := unindexed_column(scope, node):
        return Stale(node.name, (Cause("input", str(problem)),), None, bool(above))
    lag = index_lag(scope, node)
    causes = [Cause("input", f"{lag:,} records are not indexed as they are now", lag)] if lag else []
    if above:
        causes.append(Cause("upstream", f"{above[0].asset} is stale"))
    return Stale(node.name, tuple(causes), None if above and not lag else lag, bool(above))


def _never(scope: Scope, node: TableNode, above: list[Stale], was: Settled | None) -> Stale:
    if was is not None and was.state == "failed":
        return Stale(node.name, (Cause("new", f"never computed: {was.message}"),), None, bool(above))
    if above or not isinstance(node, TransformNode):
        return Stale(node.name, (Cause("new", "never computed"),), None, bool(above))
    work = find_work(scope, node)
    files = isinstance(scope.graph[node.source], FilesNode)
    what = f"never computed: {work.count:,} {'file' if files else 'record'}{'' if work.count == 1 else 's'}"
    return Stale(node.name, (Cause("new", what, work.count),), work.count)


def _own_causes(scope: Scope, node: TableNode, was: Settled) -> list[Cause]:
    now = scope.codes.fingerprints[node.name]
    causes: list[Cause] = []
    if was.parts.get("code") != now.code:
        diff = code_diff(scope.home, was.parts.get("code", ""), now.code, scope.codes.texts)
        causes.append(Cause("code", "its code changed", was.rows, diff))
    if was.parts.get("declared") != now.declared:
        causes.append(Cause("settings", "its declaration changed", was.rows))
    if was.parts.get("libraries") != now.libraries:
        causes.append(Cause("code", "a library that it imports has another version", was.rows))
    model = scope.model_of(node.name)
    if was.parts.get("model", "") != model:
        causes.append(Cause("model", f"model {was.parts.get('model') or 'none'} -> {model or 'none'}", was.rows))
    if was.parts.get("threshold", "") != threshold_of(node):
        before, now_is = was.parts.get("threshold") or "none", threshold_of(node) or "none"
        causes.append(Cause("settings", f"abstain_below {before} -> {now_is}", None))
    if was.applied != scope.corrections_digest(node.name):
        count = len(_new_corrections(scope, node.name, was))
        causes.append(
            Cause("correction", f"{count:,} {'correction' if count == 1 else 'corrections'} to work in", count)
        )
    if not scope.table(node.name).exists():
        causes.append(Cause("new", "its table is gone from the home", was.rows))
    if was.state == "failed":
        causes.append(Cause("retry", f"it failed: {was.message}"))
    return causes


def _new_corrections(scope: Scope, asset: str, was: Settled) -> list[str]:
    """The fields corrected since the run that settled the asset."""
    mine = [each for each in scope.said if each.asset == asset and each.counts]
    fresh = [each for each in mine if each.at > was.at]
    return sorted({f"{each.key}/{each.column}" for each in fresh or mine})


def _records(
    scope: Scope, node: TableNode, was: Settled, causes: list[Cause], above: list[Stale], retry: bool
) -> int | None:
    """How many records a run would compute, adding the causes that lie in the inputs."""
    if not isinstance(node, TransformNode):
        changed = _changed_inputs(scope, node, was)
        if changed:
            causes.append(Cause("input", f"{', '.join(changed)} changed"))
        return was.rows if causes else 0
    try:
        work = find_work(scope, node, retry=retry)
    except PackyakError as error:
        causes.append(Cause("input", str(error)))
        return None
    whole = any(cause.category in ("code", "settings", "model") for cause in causes)
    if isinstance(scope.graph[node.source], FilesNode):
        causes += _file_causes(scope, node, work, whole)
    else:
        causes += _record_causes(work, whole, retry)
    return work.count


def _changed_inputs(scope: Scope, node: TableNode, was: Settled) -> list[str]:
    now: Mapping[str, str] = inputs_of(scope, node)
    return [name for name, version in now.items() if was.inputs.get(name) != version]


def _record_causes(work: Work, whole: bool, retry: bool) -> list[Cause]:
    causes = []
    if work.count and not whole:
        reason = f"{work.count:,} {_records_word(work.count)} changed in its inputs"
        causes.append(Cause("retry" if retry else "input", reason + (" or failed before" if retry else ""), work.count))
    if len(work.gone):
        causes.append(Cause("deleted", f"{len(work.gone):,} {_records_word(len(work.gone))} gone", len(work.gone)))
    return causes


def _records_word(count: int) -> str:
    return "record" if count == 1 else "records"


def _file_causes(scope: Scope, node: TransformNode, work: Work, whole: bool) -> list[Cause]:
    causes = []
    if work.count and not whole:
        known = _known_units(scope, node, [stat.key for stat in work.files])
        fresh = work.count - known
        words = [f"{fresh:,} new" if fresh else "", f"{known:,} changed" if known else ""]
        causes.append(
            Cause("input", f"{' and '.join(filter(None, words))} {'file' if work.count == 1 else 'files'}", work.count)
        )
    if len(work.gone):
        gone = len(work.gone)
        causes.append(Cause("deleted", f"{gone:,} {'file' if gone == 1 else 'files'} gone", gone))
    return causes


def _known_units(scope: Scope, node: TransformNode, keys: list[str]) -> int:
    memo = scope.memo(node.name)
    if not memo.exists() or not keys:
        return 0
    return int(
        scope.query.run(
            "select count(*) as n from m semi join k on m._key = k._key",
            {"m": memo.dataset(), "k": pa.table({"_key": pa.array(keys, pa.string())})},
        )["n"][0].as_py()
    )
