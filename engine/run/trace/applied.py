"""Which corrections a version of an asset holds, told from the name that was kept of them.

A version remembers one hash over the ids of all that people had said of the asset. Ids sort by time, so the set is a
beginning of the list and is found by hashing along it; where it cannot be found (a rule or an id from elsewhere), the
corrections made before the version count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from packyak.engine.run.correct.opinions import weigh, words_by_field
from packyak.engine.run.due.fingerprint import digest
from packyak.engine.run.scope import Scope
from packyak.engine.store.corrections import Correction, standing


def worked_in(scope: Scope, asset: str, applied: str, at: str = "") -> tuple[Correction, ...]:
    """The corrections that a version of the asset holds, oldest first. applied: their kept name; at: its time."""
    mine = [each for each in scope.said if each.asset == asset and each.counts]
    if not applied or not mine:
        return ()
    if applied == scope.corrections_digest(asset):
        return tuple(mine)
    by_id = sorted(mine, key=lambda each: each.id)
    count = _beginning([each.id for each in by_id], scope.rule.parts, applied)
    if count is None:
        return tuple(each for each in mine if not at or each.at <= at)
    held = {each.id for each in by_id[:count]}
    return tuple(each for each in mine if each.id in held)


def in_force_at(scope: Scope, asset: str, applied: str, at: str = "") -> dict[tuple[str, str], Correction]:
    """The correction in force on each (key, column) of a version."""
    words = words_by_field(standing(worked_in(scope, asset, applied, at)))
    return {(key, column): weigh(mine, scope.rule).holds for (_, key, column), mine in words.items()}


def _beginning(ids: Sequence[str], ending: Sequence[str], wanted: str) -> int | None:
    """How many of the ids, from the first, hash to what is wanted."""
    if wanted == digest([]):
        return 0
    state = hashlib.blake2b(digest_size=8)
    for count, one in enumerate(ids, start=1):
        state.update(f"{len(one)}:{one}".encode())
        whole = state.copy()
        for part in ending:
            whole.update(f"{len(part)}:{part}".encode())
        if whole.hexdigest() == wanted:
            return count
    return None
