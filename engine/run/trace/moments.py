"""Which publication a person means: an asset's version by name (or its beginning), a run, or a time.

A time is ISO 8601, `2026-10-01` or `2026-10-01T14:30`; without a zone it is this machine's, and a day means its end.
The answer is the whole vector of versions that was good then, so that an asset and what its view takes from above fit
together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from packyak.engine.errors import DataError
from packyak.engine.run.runs import RunStore
from packyak.engine.run.scope import Scope
from packyak.engine.store.published import AssetVersion, Published, Vector

AT = "@"


def parted(asset: str, version: str | None = None) -> tuple[str, str | None]:
    """`topic@3f2a` as name and moment; a moment given beside it counts first."""
    name, at, moment = asset.partition(AT)
    return (name, version or moment or None) if at and name else (asset, version)


def moment_of(published: Published, scope: Scope, moment: str, asset: str = "") -> Vector:
    """The vector that was good at a moment. asset: whose version it may name; "" where only a run or time can be meant.

    Raises DataError that lists what can be named.
    """
    found = _by_version(published, asset, moment) if asset else None
    found = found or _by_run(published, scope, moment) or _by_time(published, moment)
    if found is not None and (not asset or asset in found.assets):
        return found
    history = published.history(asset)[:20] if asset else ()
    lacks = f"as old as {moment}" if _time(moment) is not None else repr(moment)
    raise DataError(
        f"{asset or 'the project'} has no version {lacks}",
        choices=[each.version for each in history] or [vector.run for vector in _newest_first(published)][:20],
        next_step=f"`packyak history {asset}".rstrip() + "` lists them; a run or a time (2026-10-01T14:30) will do",
    )


def version_of(published: Published, scope: Scope, asset: str, moment: str) -> AssetVersion:
    """The version of an asset at a moment, told by the first run of the stretch in which it was the good one."""
    found = moment_of(published, scope, moment, asset).assets[asset]
    same = [each for each in published.history(asset) if each.version == found.version]
    return same[0] if same else found


def _newest_first(published: Published) -> Iterator[Vector]:
    return (published.load(number) for number in reversed(published.numbers()))


def _by_version(published: Published, asset: str, moment: str) -> Vector | None:
    named = (vector for vector in _newest_first(published) if asset in vector.assets)
    return next((vector for vector in named if vector.assets[asset].version.startswith(moment)), None)


def _by_run(published: Published, scope: Scope, run: str) -> Vector | None:
    vectors = list(_newest_first(published))
    mine = next((vector for vector in vectors if vector.run == run), None)
    if mine is not None:
        return mine
    record = RunStore(scope.home).get(run)
    if record is None:
        return None
    ended = record.ended or record.started  # a run that published nothing left everything as it was
    return next((vector for vector in vectors if vector.at <= ended), None)


def _by_time(published: Published, moment: str) -> Vector | None:
    limit = _time(moment)
    if limit is None:
        return None
    return next((v for v in _newest_first(published) if datetime.fromisoformat(v.at) <= limit), None)


def _time(moment: str) -> datetime | None:
    """The time meant, with its zone; None where none is."""
    try:
        time = datetime.fromisoformat(moment)
    except ValueError:
        return None
    if len(moment) <= len("2026-10-01"):
        time += timedelta(days=1) - timedelta(microseconds=1)
    return time.astimezone()
