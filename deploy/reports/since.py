"""What a report is compared with: the one before it, kept in the home.

Two are kept, so that making the same report again compares with the same one and gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from packyak.deploy.reports.access import Since
from packyak.engine.store.home import Home

NAME = "cloud/access-reports.json"


@dataclass(frozen=True)
class Kept:
    """A report that was made: a name for what it was made from, its plan's hash, and what everybody might."""

    made_from: str
    plan: str
    allowances: tuple[str, ...]


def since_last(home: Home, present: Kept) -> Since:
    """How the present differs from the report before, which is kept from now on."""
    newest, before = _read(home)
    if newest is None or newest.made_from != present.made_from:
        newest, before = present, newest
        home.write(NAME, json.dumps([asdict(each) for each in (newest, before) if each], indent=1).encode())
    if before is None:
        return Since("")
    had, has = set(before.allowances), set(present.allowances)
    return Since(before.plan, tuple(sorted(has - had)), tuple(sorted(had - has)))


def _read(home: Home) -> tuple[Kept | None, Kept | None]:
    data = home.read(NAME)
    try:
        found = [Kept(each["made_from"], each["plan"], tuple(each["allowances"])) for each in json.loads(data or b"[]")]
    except (ValueError, KeyError, TypeError):
        found = []
    return (found[0] if found else None), (found[1] if len(found) > 1 else None)
