"""Makes what was deleted from a table really gone, with every version that still had it.

Deleting marks rows: they stay in their data file, in the pieces of the search indexes and in every earlier version.
Neither a delete nor an optimize takes the bytes away (measured). What does: letting go of tags, dropping the search
indexes, rewriting every piece that has deleted rows, removing all other versions, and building the indexes anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from packyak.engine.store.home import Home
from packyak.engine.store.tables import Table


@dataclass(frozen=True)
class Purged:
    """version: the number of the newest version; removed: how many others there were."""

    version: int
    removed: int


def purge(table: Table, index_anew: Callable[[], None] | None = None) -> Purged | None:
    """Leaves a table with one version, the same records as its newest, and nothing on disk that is not in it; None
    where there is no table. Its search indexes are dropped; `index_anew` builds them.

    Call it only while nobody else writes, or reads an earlier version.
    """
    rewritten = rewrite(table)
    if rewritten is None:
        return None
    if index_anew is not None:
        index_anew()
    with table.explained():
        data = table.opened()
        data.cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)
        return Purged(int(data.version), rewritten.removed)


def rewrite(table: Table) -> Purged | None:
    """Makes what was not deleted the newest version of a table. The others stay readable, so that nobody is left
    without one before this one counts; `purge` removes them."""
    if not table.exists():
        return None
    removed = len(table.versions()) - 1
    with table.explained():
        data = table.opened()
        for tag in list(data.tags.list()):
            data.tags.delete(tag)
        for index in data.describe_indices():
            data.drop_index(index.name)
        table.opened().optimize.compact_files(materialize_deletions=True, materialize_deletions_threshold=0.0)
        return Purged(int(table.opened().version), removed)


def remove(home: Home, folder: str) -> int:
    """Takes away everything below a folder of a home, a table's with all its versions; answers how many files."""
    names = [name for name, _, _ in home.walk(folder)]
    for name in names:
        home.remove(name)
    if home.local is not None:
        shutil.rmtree(home.local / folder, ignore_errors=True)
    return len(names)
