"""The ledger of erasures: what was erased, when, by whom and why, without saying of whom.

A record's key is kept as a hash, salted with bytes that are this home's own: enough to tell that an erased record has
come back, or that a key was among those erased, by who knows the key already. Only while something of a record is
left does a second file beside it say what is looked for.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from packyak.engine.store.home import Home

FOLDER = "privacy"
SALT = f"{FOLDER}/salt"
PENDING = ".marks"


@dataclass(frozen=True)
class Erasure:
    """What was erased, or would be.

    id: "" where nothing was done yet. asset: whose keys were named; keys: their salted hashes. began, ended: ISO 8601
    in UTC; ended is "" where it was cut short. records: how many by asset that earlier versions had. corrections: ids.
    models: by transform, those removed; relearned: transforms that something else answers now. versions: how many
    earlier versions of tables went; vectors: of texts. marks: values that only these records had; before, left: files
    that had some of them, and how many, before and after; files, bytes: looked through at the end. note: what else a
    person has to know.
    """

    id: str
    asset: str
    keys: tuple[str, ...]
    by: str = ""
    why: str = ""
    began: str = ""
    ended: str = ""
    records: Mapping[str, int] = field(default_factory=dict)
    corrections: tuple[str, ...] = ()
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relearned: tuple[str, ...] = ()
    versions: int = 0
    vectors: int = 0
    marks: int = 0
    before: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0
    note: str = ""
    next_step: str = ""
    back: int = 0


class Ledger:
    """The erasures of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._salted: bytes | None = None

    def hashes(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Keys as the ledger writes them, in order of the hashes."""
        salt = self._salt()
        return tuple(sorted(hashlib.blake2b(key.encode(), key=salt, digest_size=16).hexdigest() for key in keys))

    def write(self, erasure: Erasure) -> None:
        """Notes an erasure, or how it stands by now."""
        self._home.write(f"{FOLDER}/{erasure.id}.json", json.dumps(asdict(erasure), sort_keys=True).encode())

    def all(self) -> tuple[Erasure, ...]:
        """Every erasure, newest first."""
        names = sorted(self._home.names(FOLDER, ".json"), reverse=True)
        return tuple(_read(json.loads(data)) for name in names if (data := self._home.read(f"{FOLDER}/{name}")))

    def remember(self, erasure: Erasure, marks: Iterable[str]) -> None:
        """Keeps what is looked for, readable, until none of it is left: the versions that told it go before that."""
        facts = json.dumps({"keys": erasure.keys, "marks": sorted(marks)})
        self._home.write(f"{FOLDER}/{erasure.id}{PENDING}", facts.encode(), secret=True)

    def remembered(self, keys: Collection[str]) -> dict[str, tuple[str, ...]]:
        """What is still looked for of records with these hashes, by erasure."""
        names = self._home.names(FOLDER, PENDING)
        read = {name.removesuffix(PENDING): json.loads(self._home.read(f"{FOLDER}/{name}") or b"{}") for name in names}
        return {name: tuple(each["marks"]) for name, each in read.items() if set(keys) & set(each.get("keys", ()))}

    def let_go(self, erasures: Iterable[str]) -> None:
        """Nothing of it is left: it need not be looked for again."""
        for name in erasures:
            self._home.remove(f"{FOLDER}/{name}{PENDING}")

    def _salt(self) -> bytes:
        if self._salted is None:
            self._home.create(SALT, secrets.token_bytes(32), secret=True)
            self._salted = self._home.read(SALT) or b""
        return self._salted


def _read(facts: Mapping[str, Any]) -> Erasure:
    """Fields that a newer Packyak added are passed over."""
    known = {name: facts[name] for name in Erasure.__dataclass_fields__ if name in facts}
    known |= {name: tuple(known.get(name, ())) for name in ("keys", "corrections", "relearned")}
    known["models"] = {asset: tuple(ids) for asset, ids in known.get("models", {}).items()}
    return Erasure(**known)
