"""Where marks are found and struck out: notes, logs, packed events, the Prefect history; and what is no mark."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from packyak.engine.privacy.history import FILE, strike_out_of_history
from packyak.engine.privacy.marks import MOST, SHORTEST, marks_of
from packyak.engine.privacy.remains import remains_of, strike_out
from packyak.engine.privacy.subject import Subject
from packyak.engine.project import Project
from packyak.engine.store.home import Home, open_home

Write = Callable[..., Path]
MARK = 'Zoë "Z" Quartzfeather'
LONG = "x" * 3000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


def test_a_mark_is_found_however_it_is_written(home: Home) -> None:
    home.write("runs/plain.txt", f"{LONG} {MARK} {LONG}".encode())
    home.write("runs/escaped.json", json.dumps({"error": MARK}).encode())
    home.write("runs/letters.json", json.dumps({"error": MARK}, ensure_ascii=False).encode())
    home.write("lineage/segment.jsonl.gz", gzip.compress(json.dumps([MARK]).encode()))
    home.write("runs/other.json", b'{"error": "Quartz feather"}')
    found = remains_of(home, [MARK, "never there"])
    assert set(found.found) == {
        "runs/plain.txt", "runs/escaped.json", "runs/letters.json", "lineage/segment.jsonl.gz",
    }  # fmt: skip
    assert set(found.found.values()) == {1}
    assert found.files == 7  # with the home's own two
    assert found.bytes == sum(size for _, size, _ in home.walk("."))


def test_notes_are_struck_out_and_stay_readable(home: Home) -> None:
    event = {"message": f"it said {MARK}", "n": 1}
    home.write("runs/a.json", json.dumps(event).encode())
    home.write("lineage/a.jsonl.gz", gzip.compress(json.dumps(event).encode()))
    home.write("buckets/inbox/a.jsonl", json.dumps(event).encode())
    strike_out(home, [MARK], list(remains_of(home, [MARK]).found))
    assert set(remains_of(home, [MARK]).found) == {"buckets/inbox/a.jsonl"}  # a person's file is a person's to change
    struck = {"message": "it said [erased]", "n": 1}
    assert json.loads(home.read("runs/a.json") or b"") == struck
    assert json.loads(gzip.decompress(home.read("lineage/a.jsonl.gz") or b"")) == struck


def test_a_log_keeps_its_length_and_whoever_writes_to_it(home: Home) -> None:
    home.write("worker.log", f"one {MARK} two\n".encode())
    assert home.local is not None
    with (home.local / "worker.log").open("ab") as writer:
        strike_out(home, [MARK], ["worker.log"])
        writer.write(b"three\n")
    text = home.read("worker.log") or b""
    assert text == b"one " + b"*" * len(MARK.encode()) + b" two\nthree\n"


def test_the_prefect_history_is_struck_out_while_its_server_writes(home: Home) -> None:
    assert home.local is not None
    file = home.local / FILE
    file.parent.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as server:
        server.execute("pragma journal_mode = wal")
        server.execute("create table state (id integer, message text, made text as (upper(message)))")
        server.execute("insert into state (id, message) values (1, ?), (2, 'fine')", [f"Failed: {MARK}"])
        assert FILE in {name.removesuffix("-wal") for name in remains_of(home, [MARK]).found}
        strike_out_of_history(home, [MARK])
        assert server.execute("select message from state order by id").fetchall() == [("Failed: [erased]",), ("fine",)]
        server.execute("insert into state (id, message) values (3, 'later')")
    assert remains_of(home, [MARK]).found == {}


def test_what_others_share_is_no_mark(project_folder: Write) -> None:
    rows = [
        {"id": "T-1004", "city": "Rome", "name": "Ottilie Quartzfeather", "note": "12345678", "phone": "0171555019"},
        {"id": "T-10042", "city": "Rome", "name": "Ottilie Quartz", "note": "", "phone": ""},
    ]
    source = """
        from packyak import asset
        @asset(key="id")
        def people():
            return ROWS
        ROWS = %s
    """
    folder = project_folder(source % rows)
    project = Project.open(folder)
    assert project.run().state == "done"
    pipeline = folder / "pipeline.py"
    pipeline.write_text(pipeline.read_text().replace(str(rows), str(rows[1:])))
    project = Project.open(folder)
    assert project.run().state == "done"
    found = marks_of(project.scope(), Subject("people", ("T-1004",), {"people": frozenset({"T-1004"})}, ()), [])
    assert found == ("Ottilie Quartzfeather", "0171555019")  # T-1004 is how T-10042 begins; a few digits are chance


def test_marks_are_lines_of_texts_the_longest_first(project_folder: Write) -> None:
    lines = [f"line {'x' * n} of somebody's long letter" for n in range(MOST + 20)]
    source = f"""
        from packyak import asset
        @asset(key="id")
        def letters():
            return [{{"id": "a", "text": {chr(10).join(["ab", *lines])!r}}}] if HAS else [{{"id": "b", "text": ""}}]
        HAS = True
    """
    folder = project_folder(source)
    project = Project.open(folder)
    assert project.run().state == "done"
    pipeline = folder / "pipeline.py"
    pipeline.write_text(pipeline.read_text().replace("HAS = True", "HAS = False"))
    project = Project.open(folder)
    assert project.run().state == "done"
    found = marks_of(project.scope(), Subject("letters", ("a",), {"letters": frozenset({"a"})}, ()), [])
    assert len(found) == MOST
    assert len(found[0]) > len(found[-1]) >= SHORTEST
