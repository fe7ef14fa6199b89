"""Strikes marks out of the history that a project's Prefect server keeps: what a failed run said may quote a value.

The server may be running: SQLite lets a second process write in between. It is a small file of texts; where it cannot
be written just now, the search that follows says that the marks are still there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

from packyak.engine.store.home import Home

FILE = "prefect/prefect.db"
_WAIT_SECONDS = 10.0
_STRUCK = "[erased]"


def strike_out_of_history(home: Home, marks: Sequence[str]) -> None:
    """Every text in every table; then the file is written anew, without what was in its free pages and its log."""
    file = None if home.local is None else home.local / FILE
    if file is None or not file.is_file() or not marks:
        return
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(file, _WAIT_SECONDS, isolation_level=None)) as db:
        for table, column in list(_columns(db)):
            for mark in marks:
                db.execute(
                    f'update "{table}" set "{column}" = replace("{column}", ?, ?) where instr("{column}", ?)',
                    (mark, _STRUCK, mark),
                )
        db.execute("vacuum")
        db.execute("pragma wal_checkpoint(truncate)")


def _columns(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """The columns that can be written; those that SQLite computes cannot."""
    tables = db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'").fetchall()
    for (table,) in tables:
        for _, column, _, _, _, _, hidden in db.execute(f'pragma table_xinfo("{table}")').fetchall():
            if not hidden:
                yield table, column
