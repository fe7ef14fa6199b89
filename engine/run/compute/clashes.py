"""One key, several parents: which file's or parent's record stands.

Where a one-to-many transform names a key unique in the whole asset, two files may both yield it. The newest stands
(modified time, then file key); the others are laid aside in their own unit's memo, and come back when the newest lets
go of the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.run.compute.commit import Writer
from packyak.engine.run.compute.memo import Aside, Record, read_aside
from packyak.engine.run.read.view import KEY, PARENT
from packyak.engine.store.tables import among, within

Rank = tuple[int, str]


@dataclass
class Settlement:
    """rows: those that stand. gone: keys to remove. asides: changed asides by unit. notes: clashes in words."""

    rows: pa.Table
    gone: pa.Array
    asides: dict[str, Aside] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def settle(writer: Writer, rows: pa.Table, done: list[str], ranks: Mapping[str, Rank], *, clashing: bool) -> Settlement:
    """Settles computed `rows` of the units `done` (processed or gone) against what the asset holds.

    clashing: False where keys contain their parent, so that only a unit's own old records can go.
    """
    units = pa.array(done, pa.string())
    if not writer.table.exists() and not clashing:
        return Settlement(rows, pa.array([], pa.string()))
    settlement = Settlement(rows, pa.array([], pa.string()))
    if clashing:
        if len(done) > 1:  # a unit by itself names no key twice
            _newest_of_each_key(settlement, ranks)
        _against_others(writer, settlement, done, units, ranks)
    dropped = _dropped(writer, settlement.rows, units)
    if clashing and len(dropped):
        dropped = _bring_back(writer, settlement, dropped, set(done), ranks)
    settlement.gone = dropped
    return settlement


def _rank(unit: str, ranks: Mapping[str, Rank]) -> Rank:
    return ranks.get(unit, (0, unit))


def _lay_aside(settlement: Settlement, unit: str, record: Record) -> None:
    plain = {name: value for name, value in record.items() if not name.startswith("_")}
    settlement.asides.setdefault(unit, Aside()).lost[record[KEY]] = plain


def _newest_of_each_key(settlement: Settlement, ranks: Mapping[str, Rank]) -> None:
    rows = settlement.rows
    if pc.count_distinct(rows[KEY]).as_py() == rows.num_rows:
        return
    best: dict[str, int] = {}
    losers: list[int] = []
    parents = rows[PARENT].to_pylist()
    keys = rows[KEY].to_pylist()
    for place, key in enumerate(keys):
        rival = best.get(key)
        if rival is None:
            best[key] = place
            continue
        older, newer = sorted((rival, place), key=lambda p: _rank(parents[p], ranks))
        best[key] = newer
        losers.append(older)
    for place, record in zip(losers, rows.take(losers).to_pylist(), strict=True):
        _lay_aside(settlement, parents[place], record)
    settlement.notes.append(_note(len(losers), keys[losers[0]], parents[losers[0]], parents[best[keys[losers[0]]]]))
    settlement.rows = rows.take(sorted(best.values()))


def _note(count: int, key: str, old: str, new: str) -> str:
    have = "record has" if count == 1 else "records have"
    return f"{count:,} {have} a key that a newer file has too; the newer stands (such as {key}: {new} over {old})"


def _against_others(
    writer: Writer, settlement: Settlement, done: list[str], units: pa.Array, ranks: Mapping[str, Rank]
) -> None:
    """Keys that the asset holds already, from units that were not processed now."""
    if not writer.table.exists() or not settlement.rows.num_rows:
        return
    held = writer.table.among(settlement.rows[KEY])
    rivals = held.filter(pc.invert(pc.is_in(held[PARENT], units))).to_pylist()
    if not rivals:
        return
    mine = settlement.rows.filter(pc.is_in(settlement.rows[KEY], pa.array([r[KEY] for r in rivals], pa.string())))
    own = {record[KEY]: record for record in mine.to_pylist()}
    lost: list[str] = []
    for rival in rivals:
        record = own[rival[KEY]]
        if _rank(rival[PARENT], ranks) > _rank(record[PARENT], ranks):
            lost.append(record[KEY])
            _lay_aside(settlement, record[PARENT], record)
        else:
            aside = settlement.asides.setdefault(rival[PARENT], _aside_of(writer, rival[PARENT]))
            rival |= aside.beneath.pop(rival[KEY], {})
            _lay_aside(settlement, rival[PARENT], rival)
    if lost:
        settlement.rows = settlement.rows.filter(pc.invert(pc.is_in(settlement.rows[KEY], pa.array(lost, pa.string()))))
    first = rivals[0]
    old, new = sorted((first[PARENT], own[first[KEY]][PARENT]), key=lambda unit: _rank(unit, ranks))
    settlement.notes.append(_note(len(rivals), first[KEY], old, new))


def _aside_of(writer: Writer, unit: str) -> Aside:
    found = writer.memo.among(pa.array([unit]))["aside"].to_pylist() if writer.memo.exists() else []
    return read_aside(found[0] if found else None, writer.types())


def _dropped(writer: Writer, rows: pa.Table, units: pa.Array) -> pa.Array:
    """Keys that the processed units held and no longer yield."""
    if not writer.table.exists():
        return pa.array([], pa.string())
    held = among(writer.table.dataset(), units, [KEY], by=PARENT)[KEY]
    return held.filter(pc.invert(within(held, rows[KEY]))).combine_chunks()


def _bring_back(
    writer: Writer, settlement: Settlement, dropped: pa.Array, done: set[str], ranks: Mapping[str, Rank]
) -> pa.Array:
    """Dropped keys that an older unit still yields come back from its aside."""
    if not writer.memo.exists():
        return dropped
    types = writer.types()
    wanted = set(dropped.to_pylist())
    best: dict[str, tuple[Rank, str, Record]] = {}
    held = writer.query.run(
        f"select {KEY}, aside from m where aside is not null", {"m": writer.memo.dataset()}
    ).to_pylist()
    asides = {row[KEY]: read_aside(row["aside"], types) for row in held if row[KEY] not in done} | settlement.asides
    for unit, aside in asides.items():
        for key, record in aside.lost.items():
            rank = _rank(unit, ranks)
            if key in wanted and (key not in best or rank > best[key][0]):
                best[key] = (rank, unit, record)
    if not best:
        return dropped
    back = []
    for key, (_, unit, record) in best.items():
        del asides[unit].lost[key]
        settlement.asides[unit] = asides[unit]
        back.append({KEY: key, PARENT: unit, **record})
    schema = pa.schema(
        [pa.field(KEY, pa.string()), pa.field(PARENT, pa.string()), *(pa.field(n, t) for n, t in types.items())]
    )
    returned = pa.Table.from_pylist(back, schema=schema)
    settlement.rows = pa.concat_tables([settlement.rows, returned], promote_options="permissive")
    return dropped.filter(pc.invert(pc.is_in(dropped, pa.array(list(best), pa.string()))))
