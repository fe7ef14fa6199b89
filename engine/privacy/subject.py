"""Whose data: records that the project has let go of, and every other record that came of them.

Erasing begins where the sources have ended: what a file still gives would be back with the next run. So a record that
is still there is refused, with the file that it comes from. What is left of it then lies in earlier versions, in what
people said, in models and vectors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
from packyak.engine.declare.nodes import FilesNode, SqlNode, TableNode, TransformNode
from packyak.engine.errors import DataError, HomeError, nearest
from packyak.engine.run.launch import due
from packyak.engine.run.read.view import KEY, PARENT
from packyak.engine.run.scope import Scope
from packyak.engine.store.published import Published
from packyak.engine.store.tables import Table, among, stored

_SHOWN = 3


@dataclass(frozen=True)
class Subject:
    """Records to be erased.

    asset: whose keys were named. members: keys by asset, of those that came of them too; assets that had none of them
    are left out. below: everything that was computed from them, the asset itself first.
    """

    asset: str
    keys: tuple[str, ...]
    members: Mapping[str, frozenset[str]]
    below: tuple[str, ...]


def subject_of(
    scope: Scope, published: Published, asset: str, keys: Sequence[str], known: Collection[str] = ()
) -> Subject:
    """Who is meant by keys of an asset. known: keys that were looked for before. Raises DataError where the records are
    still there, where something computed from them is not up to date, and for a key that nothing is left of."""
    root = _root(scope, asset)
    _require_gone(scope, root, keys)
    below = (root.name, *scope.graph.below(root.name))
    _require_current(scope, published, below)
    members = _members(scope, root.name, frozenset(keys))
    _require_known(scope, root.name, [key for key in keys if key not in known], members)
    return Subject(root.name, tuple(dict.fromkeys(keys)), members, below)


def versions_of(table: Table, keys: frozenset[str], by: str = KEY) -> Iterator[pa.Table]:
    """The records with these keys in each version of a table that can still be read; then those in its files, where
    a row stays that was deleted, also when no version has it any more."""
    wanted = pa.array(sorted(keys), pa.string())
    if not len(wanted):
        return
    for version in table.versions():
        data = table.dataset(version)
        if by in data.schema.names:
            yield among(data, wanted, by=by)
    for name, _, _ in sorted(table.home.walk(f"{table.place}/data")):
        with suppress(HomeError):  # cut short while it was written
            for records in stored(table.home, name):
                if by in records.schema.names:
                    yield among(pa.Table.from_batches([records]), wanted, by=by)


def there_now(table: Table, keys: Collection[str]) -> set[str]:
    """Those of the keys that the newest version of a table has."""
    wanted = pa.array(sorted(keys), pa.string())
    return set(table.among(wanted)[KEY].to_pylist()) if len(wanted) and table.exists() else set()


def _root(scope: Scope, asset: str) -> TableNode:
    node = scope.graph.nodes.get(asset)
    if not isinstance(node, TableNode):
        raise DataError.unknown("asset", asset, [each.name for each in scope.graph.tables])
    root = scope.graph.root(asset)
    if isinstance(root, SqlNode):
        above = [name for name in scope.graph.above(root.name) if isinstance(scope.graph.nodes[name], TableNode)]
        raise DataError(
            f"the records of {asset} are made of those of other assets",
            choices=above,
            next_step="forget the records of one of these: what came of them goes with them",
        )
    return root


def _require_gone(scope: Scope, root: TableNode, keys: Sequence[str]) -> None:
    table = scope.table(root.name)
    there = among(table.dataset(), pa.array(keys, pa.string())) if table.exists() else None
    if there is None or not there.num_rows:
        return
    still = sorted(there[KEY].to_pylist())
    shown = ", ".join(still[:_SHOWN]) + (f" and {len(still) - _SHOWN:,} more" if len(still) > _SHOWN else "")
    origin, step = _origin(scope, root, there)
    raise DataError(
        f"{root.name} still has {shown}{origin}: what is erased here while it is there would be back with the next run",
        next_step=f"{step}; then `packyak run`, and ask again",
        keys=still,
    )


def _origin(scope: Scope, root: TableNode, there: pa.Table) -> tuple[str, str]:
    """Where records come from that are still there, and what to do about it."""
    it = "it" if there.num_rows == 1 else "them"
    if not isinstance(root, TransformNode) or PARENT not in there.column_names:
        return "", f"let {root.name} yield {it} no longer"
    units = sorted(set(there[PARENT].to_pylist()))
    named = f", from {', '.join(units[:_SHOWN])}{', ...' if len(units) > _SHOWN else ''}"
    if not isinstance(scope.graph.nodes.get(root.source), FilesNode):
        return f"{named} of {root.source}", f"forget that record of {root.source} instead"
    notes = among(scope.memo(root.name).dataset(), pa.array(units, pa.string())).to_pylist()
    failed = sorted(note[KEY] for note in notes if note["error"])
    if failed:
        return named, f"mend {failed[0]}, which could not be read (`packyak status` says why)"
    return named, f"take {it} out of {'the file' if len(units) == 1 else 'these files'}"


def _require_current(scope: Scope, published: Published, below: Sequence[str]) -> None:
    """What is stale may still hold what came of the records; what failed shows an earlier version, which must stay."""
    waiting = [name for name in due(scope, (), False) if name in below]
    if waiting:
        raise DataError(
            f"{', '.join(waiting[:_SHOWN])} {'is' if len(waiting) == 1 else 'are'} not up to date, so what came of the "
            "records may still be there",
            next_step="`packyak run`, and ask again",
        )
    good = published.load().assets
    for name in below:
        was = scope.candidates.get(name)
        if was is not None and was.state != "ok":
            raise DataError(
                f"{name} still shows what it was before its last run: {was.message or was.state}",
                next_step="mend it, then `packyak run`, and ask again",
            )
        if was is not None and (name not in good or good[name].table != was.table):
            raise DataError(
                f"{name} still shows an earlier version: what was to publish the newest was cut short",
                next_step="`packyak run`, and ask again",
            )


def _members(scope: Scope, root: str, keys: frozenset[str]) -> dict[str, frozenset[str]]:
    """Keys by asset, inputs first: one to one they stay the same; what one record gave many of is found in earlier
    versions by the parent's key. A query or a whole asset below may have a record of the same key that went with it."""
    found, below = {root: keys}, scope.graph.below(root)
    for node in scope.graph.tables:
        if node.name == root:
            continue
        if not isinstance(node, TransformNode):
            if node.name in below and (went := _went(scope.table(node.name), keys)):
                found[node.name] = went
        elif node.many and node.source in found:
            parts = versions_of(scope.table(node.name), found[node.source], PARENT)
            found[node.name] = frozenset(key for part in parts for key in part[KEY].to_pylist())
        elif not node.many and scope.graph.root(node.name).name in found:
            found[node.name] = found[scope.graph.root(node.name).name]
    return found


def _went(table: Table, keys: frozenset[str]) -> frozenset[str]:
    """Those of the keys that earlier versions had and the newest has not."""
    had = frozenset(key for part in versions_of(table, keys) for key in part[KEY].to_pylist())
    return had - there_now(table, had)


def _require_known(scope: Scope, root: str, keys: Sequence[str], members: Mapping[str, frozenset[str]]) -> None:
    known = {each.key for each in scope.said if each.key in members.get(each.asset, ())}
    for part in versions_of(scope.table(root), frozenset(keys)):
        known |= set(part[KEY].to_pylist())
    strange = [key for key in keys if key not in known]
    if not strange:
        return
    table = scope.table(root)
    meant = nearest(strange[0], table.keys().to_pylist()) if table.exists() and table.count() < 100_000 else None
    raise DataError(
        f"nothing is left of {root} {strange[0]!r}: no version that is kept has it, and nobody said anything of it",
        next_step=f"look whether it is written so{f'; {root} has {meant!r}' if meant else ''}",
    )
