"""What people said about records: an append-only log in which every save is one file that never changes.

Files are named by time, so a look for news costs one listing. Many small files are now and then merged into a segment.
What is in force does not depend on the order in which the records are read. Standard library only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from packyak.engine.errors import CorrectionError, HomeError
from packyak.engine.store.home import Home
from packyak.engine.store.values import decode, encode

__all__ = ["Correction", "CorrectionLog", "decode", "encode", "new_id"]

FOLDER = "corrections"
LOOSE_FILES = 500
_SEGMENT = "segment-"
_NAME = re.compile(r".+-(\d+)-([0-9a-f]{16})\.jsonl")
_ATTEMPTS = 5
Field = tuple[str, str, str]
Kind = Literal["correct", "accept", "undo", "comment", "skip"]
_WITHOUT_EFFECT = ("comment", "skip")


@dataclass(frozen=True)
class Correction:
    """A person's word on one field of one record.

    value: what they say, encoded (see `encode`); for an undo, the id of the correction that it ends; for a comment its
    text. kind: "correct", "accept" (the value shown is right), "undo", "comment" or "skip" (not now; value: what was
    seen). at: ISO 8601 in UTC. seen_hash and seen: the inputs that they saw; computed: the value that they saw,
    encoded. touched: how many records the change reaches. group: the save, where it holds several: undoes all of it.
    origin: how it came to be ("": one by one): bulk | spread | import | review | drawn (a review of records drawn at
    random) | settle; for an undo, the kind that it ends. of: what it stems from: the correction that was spread, or
    the answer in a list.
    """

    id: str
    asset: str
    key: str
    column: str
    value: Any
    by: str = ""
    at: str = ""
    why: str = ""
    kind: Kind = "correct"
    seen_hash: str = ""
    seen: Mapping[str, Any] | None = None
    computed: Any = None
    touched: int = 1
    group: str = ""
    origin: str = ""
    of: str = ""

    @property
    def field(self) -> Field:
        """Asset, key and column."""
        return self.asset, self.key, self.column

    @property
    def is_word(self) -> bool:
        """Whether it says what the value is."""
        return self.kind in ("correct", "accept")

    @property
    def counts(self) -> bool:
        """Whether it can change a value: comments and skips, and undoing them, cannot."""
        return (self.origin if self.kind == "undo" else self.kind) not in _WITHOUT_EFFECT


class CorrectionLog:
    """The corrections of one home."""

    def __init__(self, home: Home, saved: Callable[[], None] | None = None) -> None:
        """saved: called after each save."""
        self._home = home
        self._saved = saved
        self._read: dict[str, tuple[Correction, ...]] = {}
        self._every: tuple[list[str], tuple[Correction, ...]] = ([], ())
        self._lock = threading.Lock()

    def append(self, corrections: Sequence[Correction]) -> tuple[Correction, ...]:
        """Saves corrections together: all of them or none. Answers them as stored, with ids and times where they had
        none."""
        if not corrections:
            return ()
        save = new_id()
        group = save if len(corrections) > 1 else ""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        stored = tuple(
            dataclasses.replace(
                one,
                id=one.id or f"{save}-{place:05d}",
                at=one.at or now,
                group=one.group if one.id else one.group or group,
            )
            for place, one in enumerate(corrections)
        )
        for one in stored:
            _check(one)
        self._save(save, stored)
        if self._saved is not None:
            self._saved()
        return stored

    def all(self) -> tuple[Correction, ...]:
        """Every correction ever made, oldest first, also those that no longer count; the same tuple until there is
        news."""
        for _ in range(_ATTEMPTS):
            names = list(self._home.names(FOLDER, ".jsonl"))
            known, every = self._every
            if names == known:
                return every
            files = self._files(names)
            if files is not None:
                found = {one.id: one for corrections in files.values() for one in corrections}
                self._every = names, tuple(sorted(found.values(), key=_order))
                return self._every[1]
        raise HomeError("the corrections kept changing while they were read", next_step="try again")

    def effective(self) -> dict[Field, Correction]:
        """The correction in force on each field that has one: the latest that no undo has ended."""
        return in_force(self.all())

    def position(self) -> str:
        """A short text that differs when there is something new. Costs one listing; a merge leaves it as it is."""
        return _position(self._tally(name) for name in self._home.names(FOLDER, ".jsonl"))

    def since(self, position: str | None) -> tuple[Correction, ...]:
        """The corrections saved after a position, oldest first; all where the position cannot be found back."""
        every = self.all()
        by_id = sorted(one.id for one in every)
        passed = (0, 0)
        for place in range(len(by_id) + 1):
            if position == _position([passed]):
                later = set(by_id[place:])
                return tuple(one for one in every if one.id in later)
            if place < len(by_id):
                passed = (place + 1, passed[1] + _sum([by_id[place]]))
        return every

    def tidy(self, few: int = LOOSE_FILES) -> None:
        """Merges the saves into one segment when they are more than a few. It is there before they go, and reading
        knows both."""
        names = self._home.names(FOLDER, ".jsonl")
        loose = [name for name in names if not name.startswith(_SEGMENT)]
        files = self._files(names) if len(loose) > few else None
        if files is None:
            return
        merged_before = {one.id for name in names if name.startswith(_SEGMENT) for one in files[name]}
        merged = {one.id: one for name in loose for one in files[name] if one.id not in merged_before}
        if merged:
            self._save(_SEGMENT + new_id(), sorted(merged.values(), key=_order))
        for name in loose:
            self._home.remove(f"{FOLDER}/{name}")

    def erase(self, ids: Collection[str]) -> int:
        """Takes corrections out of the log for good, and every undo of one; answers how many lines went.

        The rest of their files is there anew before those go, so a crash loses nothing, and doing it again ends it.
        Saves made meanwhile are not touched; a merge must not be under way.
        """
        files = self._files(self._home.names(FOLDER, ".jsonl"))
        if files is None:
            raise HomeError("the corrections kept changing while they were read", next_step="try again")
        wanted = set(ids)
        every = [one for corrections in files.values() for one in corrections]
        while more := {one.id for one in every if one.kind == "undo" and one.value in wanted} - wanted:
            wanted |= more
        touched = {name: found for name, found in files.items() if any(one.id in wanted for one in found)}
        kept = {one.id: one for found in touched.values() for one in found if one.id not in wanted}
        if kept:
            self._save(_SEGMENT + new_id(), sorted(kept.values(), key=_order))
        for name in touched:
            self._home.remove(f"{FOLDER}/{name}")
        return len({one.id for one in every} & wanted)

    def _save(self, name: str, corrections: Sequence[Correction]) -> None:
        """The name tells the number of corrections and the sum of their ids, so that a listing tells enough."""
        total = _sum(one.id for one in corrections)
        if not self._home.create(f"{FOLDER}/{name}-{len(corrections)}-{total:016x}.jsonl", _lines(corrections)):
            raise HomeError(f"the save {name} exists already", next_step="save again")

    def _tally(self, name: str) -> tuple[int, int]:
        told = _NAME.fullmatch(name)
        if told is not None:
            return int(told[1]), int(told[2], 16)
        ids = [one.id for one in self._parsed(name) or ()]
        return len(ids), _sum(ids)

    def _files(self, names: Sequence[str]) -> dict[str, tuple[Correction, ...]] | None:
        """Content by file; None where one has just been merged away."""
        with self._lock:
            self._read = {name: self._read[name] for name in names if name in self._read} | {
                name: found for name in names if name not in self._read and (found := self._parsed(name)) is not None
            }
            return dict(self._read) if len(self._read) == len(names) else None

    def _parsed(self, name: str) -> tuple[Correction, ...] | None:
        data = self._home.read(f"{FOLDER}/{name}")
        return None if data is None else tuple(_parsed_lines(data, self._home.path(FOLDER, name)))


def in_force(corrections: Iterable[Correction]) -> dict[Field, Correction]:
    """The latest correction on each field, by time and then id, leaving out those that an undo ends; an undo can be
    undone."""
    return {one.field: one for one in standing(corrections) if one.is_word}


def standing(corrections: Iterable[Correction]) -> list[Correction]:
    """What no undo has ended, undos left out, oldest first."""
    every = {one.id: one for one in corrections}
    ended = ended_by(every.values())
    return [one for one in sorted(every.values(), key=_order) if one.kind != "undo" and one.id not in ended]


def ended_by(corrections: Iterable[Correction]) -> dict[str, tuple[str, ...]]:
    """What is undone, undos too, by id, and the undos that stand against it."""
    undos: dict[str, list[str]] = {}
    for one in sorted(corrections, key=_order):
        if one.kind == "undo":
            undos.setdefault(str(one.value), []).append(one.id)
    ended: dict[str, bool] = {}

    def is_ended(identity: str, path: frozenset[str]) -> bool:
        if identity not in undos:
            return False
        if identity not in ended:
            against = [undo for undo in undos[identity] if undo not in path]
            ended[identity] = any(not is_ended(undo, path | {undo}) for undo in against)
        return ended[identity]

    return {
        identity: tuple(undo for undo in undos[identity] if not is_ended(undo, frozenset({undo})))
        for identity in undos
        if is_ended(identity, frozenset({identity}))
    }


def new_id() -> str:
    """A new identity that sorts by time: 12 hex digits of milliseconds since 1970, then 16 random ones."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


def _order(one: Correction) -> tuple[str, str]:
    return one.at, one.id


def _sum(ids: Iterable[str]) -> int:
    """An order-free sum of hashes."""
    return sum(int.from_bytes(hashlib.blake2b(one.encode(), digest_size=8).digest()) for one in ids) % 2**64


def _position(tallies: Iterable[tuple[int, int]]) -> str:
    counts, totals = zip(*tallies, strict=True) if (tallies := list(tallies)) else ((), ())
    return f"{sum(counts)}.{sum(totals) % 2**64:016x}"


def _check(one: Correction) -> None:
    try:
        json.dumps([one.value, one.computed, one.seen], allow_nan=False)
    except (TypeError, ValueError) as error:
        raise CorrectionError(
            f"the value {one.value!r} for {one.asset}.{one.column} cannot be stored",
            asset=one.asset,
            column=one.column,
            next_step="pass the value through encode() first",
        ) from error


def _lines(corrections: Iterable[Correction]) -> bytes:
    return b"".join(
        json.dumps(_plain(one), ensure_ascii=False, allow_nan=False).encode() + b"\n" for one in corrections
    )


def _plain(one: Correction) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}


_FIELDS = {field.name for field in dataclasses.fields(Correction)}


def _parsed_lines(data: bytes, path: str) -> Iterable[Correction]:
    """Fields that a newer Packyak added are passed over."""
    for number, line in enumerate(data.decode().splitlines(), 1):
        try:
            yield Correction(**{name: value for name, value in json.loads(line).items() if name in _FIELDS})
        except (ValueError, TypeError, AttributeError) as error:
            raise CorrectionError(
                f"line {number} of {path} is no correction: {error}",
                path=path,
                next_step="restore the file from a backup",
            ) from error
