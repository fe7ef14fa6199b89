"""Fields that somebody should look at again, each for a reason of its own: people differ, the function now says
something else, the inputs changed, a model doubts what a person said, a check failed, the function failed.

Found from what is stored: corrections with their snapshots, the memo, check results, held-out answers. Nothing is
computed anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packyak.engine.declare.nodes import AssetNode, LearnedNode, SqlNode, TableNode, TransformNode
from packyak.engine.run.checks import result_from
from packyak.engine.run.correct.opinions import weigh
from packyak.engine.run.correct.saving import computed_rows, input_hashes
from packyak.engine.run.due.failing import failing_units
from packyak.engine.run.questions import Reason
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, Snapshot
from packyak.engine.run.review.doubted import doubted_words
from packyak.engine.run.review.space import inputs_of
from packyak.engine.store.corrections import Correction, decode, encode
from packyak.engine.store.keys import encode_key

MOST = 500


@dataclass(frozen=True)
class Look:
    """One field to look at, and why. The owner's own field: `asset` and `column` are where a correction lands."""

    asset: str
    key: str
    column: str
    reason: Reason
    why: str
    worth: float = 1.0


def second_looks(reader: Reader, snapshot: Snapshot, assets: Sequence[str]) -> list[Look]:
    """All of them, most urgent reason first; each field once, for its most urgent reason."""
    found: dict[tuple[str, str, str], Look] = {}
    for way in (_disagreements, _changed_under, _doubted, _failed_checks, _failed_records):
        for look in way(reader, snapshot, assets):
            found.setdefault((look.asset, look.key, look.column), look)
    return list(found.values())


def _disagreements(reader: Reader, snapshot: Snapshot, assets: Sequence[str]) -> Iterator[Look]:
    for (asset, key, column), words in sorted(reader.scope.words.items()):
        if asset in assets:
            standing = weigh(words, reader.scope.rule)
            if not standing.settled:
                said = "; ".join(f"{each.by} says {_shown(each.value)}" for each in reversed(standing.words))
                yield Look(asset, key, column, "disagreement", f"people differ: {said}", 2.0)


def _changed_under(reader: Reader, snapshot: Snapshot, assets: Sequence[str]) -> Iterator[Look]:
    """Corrections over which the inputs, or the computed value, are no longer those that the person saw."""
    by_owner: dict[str, list[Correction]] = {}
    for each in reader.scope.in_force.values():
        if each.asset in assets and isinstance(reader.graph.nodes.get(each.asset), TableNode):
            by_owner.setdefault(each.asset, []).append(each)
    for owner, corrections in by_owner.items():
        yield from _under(reader, snapshot, owner, sorted(corrections, key=lambda one: (one.key, one.column)))


def _under(reader: Reader, snapshot: Snapshot, owner: str, corrections: Sequence[Correction]) -> Iterator[Look]:
    keys = list(dict.fromkeys(each.key for each in corrections))
    computed, hashes = computed_rows(reader, owner, keys), input_hashes(reader, owner, keys)
    outdated = [one for one in corrections if one.seen_hash and hashes.get(one.key, one.seen_hash) != one.seen_hash]
    present = _present_inputs(reader, snapshot, owner, [each.key for each in outdated])
    others = {each.id for each in outdated}
    conditional = isinstance(reader.graph[owner], AssetNode | SqlNode)
    for each in corrections:
        row = computed.get(each.key, {})
        if each.column not in row:
            continue
        now, said = encode(row[each.column]), f"{each.by} said {_shown(each.value)}"
        if conditional and now != each.computed:
            why = f"it was {_shown(each.computed)} when {said}, and is computed as {_shown(now)} now, which holds"
            yield Look(owner, each.key, each.column, "parked", why)
        elif each.id in others:
            changed = _changed_names(each.seen, present.get(each.key))
            yield Look(owner, each.key, each.column, "outdated", f"{changed} changed since {said}")
        elif now not in (each.value, each.computed):
            why = f"{owner} computes {_shown(now)} now, {each.by} {_verb(each)} {_shown(each.value)}"
            yield Look(owner, each.key, each.column, "contradiction", why)


def _verb(each: Correction) -> str:
    return "accepted" if each.kind == "accept" else "said"


def _present_inputs(reader: Reader, snapshot: Snapshot, owner: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not keys:
        return {}
    asset, names = inputs_of(reader, snapshot, owner)
    rows = rows_of(reader, snapshot, asset, keys, names)
    return {key: {name: encode(value) for name, value in row.items()} for key, row in rows.items()}


def rows_of(
    reader: Reader, snapshot: Snapshot, asset: str, keys: Sequence[str], names: Sequence[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Records of a view by key, without the key."""
    rows = reader.records(snapshot, asset, list(dict.fromkeys(keys)), names).to_pylist()
    return {row[KEY]: {name: value for name, value in row.items() if name != KEY} for row in rows}


def _changed_names(seen: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    if not seen or now is None:
        return "what it is computed from"
    changed = [name for name in seen if seen[name] != now.get(name)]
    return " and ".join(changed) or "what it is computed from"


def _doubted(reader: Reader, snapshot: Snapshot, assets: Sequence[str]) -> Iterator[Look]:
    for name in assets:
        node = reader.graph[name]
        if isinstance(node, LearnedNode):
            for (key, column), why, worth in doubted_words(reader, snapshot, node):
                yield Look(name, key, column, "suspect", why, worth)


def _failed_checks(reader: Reader, snapshot: Snapshot, assets: Sequence[str]) -> Iterator[Look]:
    for settled in reader.scope.candidates.values():
        for result in map(result_from, settled.checks):
            if result.passed or result.asset not in assets:
                continue
            for key, row in _keyed(reader, snapshot, result.asset, result.rows):
                field = _field_of(reader, snapshot, result.asset, result.name, row)
                if field is not None and (*field[:1], key, field[1]) not in reader.scope.in_force:
                    told = f"the check {result.name} fails on this record"
                    yield Look(field[0], key, field[1], "check", told)


def _keyed(
    reader: Reader, snapshot: Snapshot, asset: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows that a check gave, with the keys of the records that they show."""
    names = reader.graph.root(asset).key or ()
    told = {}
    for row in rows:
        if KEY in row:
            told[str(row[KEY])] = row
        elif names and all(name in row for name in names):
            parts = [row[name] for name in names]
            told[str(parts[0]) if len(parts) == 1 else encode_key(parts)] = row
    there = rows_of(reader, snapshot, asset, list(told), ()) if told else {}
    yield from ((key, row) for key, row in told.items() if key in there)


def _field_of(
    reader: Reader, snapshot: Snapshot, asset: str, check: str, row: Mapping[str, Any]
) -> tuple[str, str] | None:
    """The field of a failing row to ask about: one whose name the check's name holds, else the asset's own, else any
    that the row shows and a person can correct."""
    columns = [each for each in reader.columns(asset, snapshot) if each.editable]
    shown = [each for each in columns if each.name in row] or columns
    named = [each for each in shown if each.name in check]
    own = [each for each in shown if each.owner == asset]
    best = next(iter([*named, *own, *shown]), None)
    return None if best is None else (best.owner, best.name)


def _failed_records(reader: Reader, snapshot: Snapshot, assets: Sequence[str]) -> Iterator[Look]:
    for name in assets:
        node, in_force = reader.graph[name], reader.scope.in_force
        if not isinstance(node, TransformNode) or node.many or not node.columns:
            continue
        for row in failing_units(reader.scope, node).slice(0, MOST).to_pylist():
            owed = (column.name for column in node.columns if (name, row[KEY], column.name) not in in_force)
            if column := next(owed, None):
                yield Look(name, row[KEY], column, "failed", f"{name} could not be computed: {row['error']}")


def _shown(value: Any) -> str:
    plain = decode(value)
    return "nothing" if plain is None else repr(plain) if isinstance(plain, str) else str(plain)
