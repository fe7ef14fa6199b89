"""Which version of every asset is the good one: a vector that is published whole, at the end of a run, or not at all.

Each publication is one numbered file that only one process can create; the highest number counts. Earlier ones stay,
as the history of each asset. Standard library only: the check that nothing has to be done reads this.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from packyak.engine.errors import HomeError
from packyak.engine.store.home import Home

FOLDER = "published"


@dataclass(frozen=True)
class AssetVersion:
    """One published state of an asset.

    table, memo: version numbers of its stored tables. version: its public name, a hash of the content; total: that
    content's running sum as hex digits. rows: the number of records. run, at: the run that published it first, and
    when (ISO 8601 in UTC). facts: whatever else the engine remembers with it, as JSON.
    """

    table: int
    memo: int | None = None
    version: str = ""
    rows: int = 0
    total: str = ""
    run: str = ""
    at: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Vector:
    """The good version of every asset, as one publication. `seq` counts publications; 0 is before the first."""

    seq: int = 0
    run: str = ""
    at: str = ""
    assets: Mapping[str, AssetVersion] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


class Published:
    """The publications of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read: dict[int, Vector] = {}

    def seq(self) -> int:
        """The number of the latest publication; 0 where there is none. Costs one listing."""
        return max(self.numbers(), default=0)

    def numbers(self) -> list[int]:
        """The publications that are kept, oldest first."""
        return [int(name.removesuffix(".json")) for name in self._home.names(FOLDER, ".json")]

    def load(self, seq: int | None = None) -> Vector:
        """A publication (default: the latest; before the first one, an empty vector)."""
        number = self.seq() if seq is None else seq
        if number == 0:
            return Vector()
        if number not in self._read:
            self._read[number] = self._parsed(number)
        return self._read[number]

    def publish(self, vector: Vector) -> Vector:
        """Makes a vector the good one and answers it with its number.

        `vector.seq` is that of the publication it was made from (what `load` gave). Raises HomeError where another run
        has published in between: what was good before stays good.
        """
        following = dataclasses.replace(vector, seq=vector.seq + 1)
        latest = self.seq()
        if latest != vector.seq or not self._home.create(_name(following.seq), _bytes(following)):
            raise HomeError(
                f"another run published number {self.seq()} while this one was working from {vector.seq}",
                next_step="run again: it starts from what is published now",
            )
        return following

    def history(self, asset: str, limit: int | None = None) -> tuple[AssetVersion, ...]:
        """The published versions of an asset, newest first, one for each stretch of time in which it was the good one.

        Of a stretch it tells the newest table and the first run. limit: how many; a small one reads few files.
        """
        found: list[AssetVersion] = []
        for number in reversed(self.numbers()):
            one = self.load(number).assets.get(asset)
            if one is None:
                continue
            if found and found[-1].version == one.version:
                found[-1] = dataclasses.replace(found[-1], run=one.run, at=one.at)
            elif len(found) == limit:
                break
            else:
                found.append(one)
        return tuple(found)

    def prune(self, keep: int) -> None:
        """Forgets all but the newest `keep` publications."""
        for number in self.numbers()[: -max(keep, 1)]:
            self._home.remove(_name(number))
            self._read.pop(number, None)

    def forget(self, assets: Collection[str]) -> None:
        """Takes these assets out of all publications but the newest: those versions of them are gone."""
        for number in self.numbers()[:-1]:
            was = self.load(number)
            left = {name: one for name, one in was.assets.items() if name not in assets}
            if len(left) < len(was.assets):
                self._home.write(_name(number), _bytes(dataclasses.replace(was, assets=left)))
                self._read.pop(number, None)

    def _parsed(self, number: int) -> Vector:
        data = self._home.read(_name(number))
        if data is None:
            raise HomeError(
                f"publication {number} is no longer kept",
                choices=[str(one) for one in self.numbers()],
                next_step="choose another",
            )
        try:
            plain = json.loads(data)
            assets = {name: AssetVersion(**_known(one, AssetVersion)) for name, one in plain["assets"].items()}
            return Vector(**_known(plain, Vector) | {"assets": assets})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            path = self._home.path(_name(number))
            raise HomeError(
                f"{path} is no publication: {error}", path=path, next_step="remove it: the one before it then counts"
            ) from error


def _name(number: int) -> str:
    return f"{FOLDER}/{number:012d}.json"


def _bytes(vector: Vector) -> bytes:
    return json.dumps(dataclasses.asdict(vector), sort_keys=True, allow_nan=False).encode()


def _known(plain: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """Fields that a newer Packyak added are passed over."""
    names = {one.name for one in dataclasses.fields(kind)}
    return {name: value for name, value in plain.items() if name in names}
