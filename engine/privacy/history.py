"""Strikes marks out of the history that a project's Prefect server keeps: what a failed run said may quote a value.

The server may be running: SQLite lets a second process write in between. It is a small file of texts; where it cannot
be written just now, the search that follows says that the marks are still there.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from packyak.engine.privacy.seeker import forms_of
from packyak.engine.store.home import Home

FILE = "prefect/prefect.db"  # and beside it its log of what is not written into it yet, and that log's index
_WAIT_SECONDS = 10.0
_STRUCK = "[erased]"
_STATES = ("flow_run_state", "task_run_state")
_NAMES = re.compile(r"\w{3,}")


def strike_out_of_history(home: Home, marks: Sequence[str]) -> None:
    """Every text in every table; then the file is written anew, without what was in its free pages and its log."""
    file = _file(home)
    if file is None or not marks:
        return
    forms = sorted({form.decode() for mark in marks for form in forms_of(mark)}, key=len, reverse=True)
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(file, _WAIT_SECONDS, isolation_level=None)) as db:
        for table, column in list(_columns(db)):
            for form in forms:
                db.execute(
                    f'update "{table}" set "{column}" = replace("{column}", ?, ?) where instr("{column}", ?)',
                    (form, _STRUCK, form),
                )
        db.execute("vacuum")
        db.execute("pragma wal_checkpoint(truncate)")


def words_of_its_own(home: Home) -> str:
    """What the history says in every project: its tables and columns, its states and the fields of their notes."""
    file = _file(home)
    words: set[str] = set()
    if file is None:
        return ""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        said = [text for (text,) in db.execute("select sql from sqlite_master where sql is not null")]
        for table in _STATES:
            said += [text for row in db.execute(f"select distinct type, name from {table}") for text in row if text]
            said += re.findall(r'"\w+":', str(db.execute(f"select state_details from {table} limit 1").fetchone()))
        words = {word for text in said for word in _NAMES.findall(text)}
    return "\n".join(sorted(words))


def _file(home: Home) -> Path | None:
    file = None if home.local is None else home.local / FILE
    return file if file is not None and file.is_file() else None


def _columns(db: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """The columns that can be written; those that SQLite computes cannot."""
    tables = db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'").fetchall()
    for (table,) in tables:
        for _, column, _, _, _, _, hidden in db.execute(f'pragma table_xinfo("{table}")').fetchall():
            if not hidden:
                yield table, column
