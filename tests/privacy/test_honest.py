"""The search keeps its word: it sees what is packed, asks again for what was left, and takes no common word for a mark.

Each project here has an `inbox` of people, one record a line.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from packyak.engine.privacy import forget as forgetting
from packyak.engine.privacy.history import FILE, strike_out_of_history
from packyak.engine.privacy.ledger import Erasure
from packyak.engine.privacy.remains import remains_of, strike_out
from packyak.engine.project import Project
from packyak.engine.run.tidy import NONE, tidy_project
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.tables import Table
from somebody import who_has

Write = Callable[..., Path]
SOURCE = """
from typing import Iterator
from packyak import Bucket, File, asset, read_jsonl, sql, transform
inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def people(file: File) -> Iterator[dict]:
    yield from read_jsonl(file)
"""
OTHER = {"id": "P-1", "name": "Ottilie", "town": "Rome"}
HIS = {"id": "P-2", "name": "Zebulon Quartzfeather", "town": "Quartzville"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def gone(project_folder: Write) -> Callable[..., Project]:
    """A project that had a record and has it no longer; `said` is done in between."""

    def make(source: str = SOURCE, his: Any = HIS, said: Callable[[Project], Any] | None = None) -> Project:
        folder = project_folder(source)
        write(folder, [OTHER, his])
        project = Project.open(folder)
        assert project.run().state == "done"
        if said is not None:
            said(project)
            assert project.run().state == "done"
        write(folder, [OTHER])
        assert project.run().state == "done"
        return project

    return make


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    file = folder / ".packyak/buckets/inbox/a.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def folder_of(project: Project) -> Path:
    return Path(project.root)


def test_a_text_that_a_table_keeps_packed_is_found(home: Home) -> None:
    mark = "Zebulon Quartzfeather waits for his parcel, at the door of the house in Quartzville"
    texts = [f"The parcel number {n} of customer {n * 7} never came to the door of the house" for n in range(20_000)]
    texts[10_000] = mark
    made = pa.table({"_key": [f"{n:06d}" for n in range(20_000)], "text": texts, "deep": [[{"a": t}] for t in texts]})
    Table(home, "tables", "people").create(made)
    data = next(name for name, _, _ in home.walk("tables") if name.endswith(".lance"))
    assert mark.encode() not in (home.read(data) or b"")  # a search through bytes alone would call it erased
    assert remains_of(home, [mark, "never there"]).found == {data: 1}
    rows = {"tables/people.lance/": {"010000"}}
    assert remains_of(home, ["never there"], rows=rows).found == {data: 1}
    assert remains_of(home, ["never there"], rows={"tables/other.lance/": {"010000"}}).found == {}


def test_what_is_in_a_packed_file_or_a_name_is_found(home: Home, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("sheet.xml", "x" * 1000 + "Zoë Quartzfeather" + "y" * 1000)
    home.write("buckets/inbox/list.xlsx", (tmp_path / "a.zip").read_bytes())
    home.write("buckets/inbox/Zoë Quartzfeather.txt", b"nothing")
    home.write("buckets/inbox/broken.zip", b"PK\x03\x04 and no more")
    assert set(remains_of(home, ["Zoë Quartzfeather"]).found) == {
        "buckets/inbox/list.xlsx", "buckets/inbox/Zoë Quartzfeather.txt",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["table", "failed", "message", "people", "string", "version"])
def test_a_word_of_the_projects_own_is_no_mark(gone: Callable[..., Project], word: str) -> None:
    project = gone(his={"id": "P-2", "name": word, "town": word})
    done = project.forget("people", ["P-2"])
    assert (dict(done.left), done.marks) == ({}, 0)
    again = Project.open(folder_of(project))
    assert again.read("people")["name"].to_pylist() == ["Ottilie"]
    assert (again.run().state, len(again.runs())) == ("done", 2)


def test_a_note_that_would_be_no_json_any_more_stays(home: Home) -> None:
    home.write("runs/a.json", b'{"state": "done"}')
    strike_out(home, ['"state": "done'], ["runs/a.json"])
    assert json.loads(home.read("runs/a.json") or b"") == {"state": "done"}


def test_the_reason_does_not_say_of_whom(gone: Callable[..., Project]) -> None:
    project = gone()
    done = project.forget("people", ["P-2"], why="Zebulon Quartzfeather (P-2) rang")
    assert done.why == "[erased] ([erased]) rang"
    assert who_has(folder_of(project), [b"Quartzfeather", b"P-2"]) == {}


def test_what_was_left_is_looked_for_again(gone: Callable[..., Project]) -> None:
    project = gone()
    copy = folder_of(project) / ".packyak/buckets/inbox/copy.txt"
    copy.write_text(json.dumps(HIS))
    for _ in range(2):
        assert set(project.forget("people", ["P-2"]).left) == {"buckets/inbox/copy.txt"}
    copy.unlink()
    done = project.forget("people", ["P-2"])
    assert (dict(done.left), done.marks) == ({}, 2)
    assert [dict(each.left) for each in project.erasures()] == [{}, {}, {}]
    assert who_has(folder_of(project), [b"Quartzfeather", b"Quartzville"]) == {}


def test_cut_short_after_the_versions_went_the_notes_are_still_struck(
    gone: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    def say(project: Project) -> None:
        project.correct("people", "P-2", "town", "Featherstone", why="as he said himself")
        project.home.write("runs/note.json", b'{"error": "no such town: Featherstone"}')

    project = gone(said=say)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(forgetting, "_strike_out", dies)
        project.forget("people", ["P-2"])
    assert set(who_has(folder_of(project), [b"Featherstone"])[b"Featherstone"]) >= {"runs/note.json"}
    project.forget("people", ["P-2"])
    assert who_has(folder_of(project), [b"Featherstone", b"Quartzfeather"]) == {}


def test_cut_short_between_two_tables_everything_can_be_read(
    gone: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = gone(SOURCE + "\n@transform(people)\ndef shout(name: str) -> str:\n    return name.upper()\n")
    calls: list[object] = []

    def dies(table: Table) -> object:
        calls.append(table)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(table)

    real = forgetting.purge
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(forgetting, "purge", dies)
        project.forget("people", ["P-2"])
    again = Project.open(folder_of(project))
    assert again.read("shout")["shout"].to_pylist() == ["OTTILIE"]
    assert again.read("people")["name"].to_pylist() == ["Ottilie"]


def test_what_people_said_of_what_was_made_of_it_goes(gone: Callable[..., Project]) -> None:
    source = SOURCE + (
        "\nloud = sql('select id, upper(name) as loud from people')"
        "\ntowns = sql('select town, count(*) as n from people group by town')\n"
        "\n@asset(key='tag')\ndef tags(people):\n    return people.project(\"'tag-' || id as tag, name\")\n"
    )

    def say(project: Project) -> None:
        project.correct("loud", "P-2", "loud", "ZEB")
        key = next(row["_key"] for row in project.page("towns").rows.to_pylist() if row["town"] == "Quartzville")
        project.comment("towns", key, "one man alone")
        project.comment("tags", "tag-P-2", "asks often")
        project.correct("loud", "P-1", "loud", "OTTI")

    project = gone(source, said=say)
    done = project.forget("people", ["P-2"])
    assert (dict(done.left), len(done.corrections)) == ({}, 3)
    assert [each.key for each in project.corrections()] == ["P-1"]
    assert who_has(folder_of(project), [b"ZEB", b"one man alone", b"asks often", b"Quartzville"]) == {}


def test_what_another_column_has_as_well_is_no_mark(gone: Callable[..., Project]) -> None:
    his = HIS | {"name": "Rome in person", "town": "Ottilie"}
    done = gone(his=his).forget("people", ["P-2"])
    assert (done.marks, dict(done.left)) == (1, {})


def test_a_long_number_is_looked_for_where_it_is_written(gone: Callable[..., Project]) -> None:
    project = gone(his=HIS | {"phone": 491715550199})
    (folder_of(project) / ".packyak/buckets/inbox/calls.txt").write_text("491715550199 rang")
    assert set(project.forget("people", ["P-2"]).left) == {"buckets/inbox/calls.txt"}


def test_a_file_named_after_somebody_is_in_no_note(gone: Callable[..., Project]) -> None:
    project = gone()
    folder = folder_of(project)
    (folder / ".packyak/buckets/inbox/zebulon-quartz.jsonl").write_text(json.dumps(HIS))
    assert project.run().state == "done"
    (folder / ".packyak/buckets/inbox/zebulon-quartz.jsonl").unlink()
    assert project.run().state == "done"
    project.home.write("runs/note.json", b'{"error": "zebulon-quartz.jsonl: no such file"}')
    project.forget("people", ["P-2"])
    assert who_has(folder, [b"zebulon-quartz"]) == {}


def test_what_a_killed_write_left_goes(gone: Callable[..., Project]) -> None:
    project = gone()
    home = folder_of(project) / ".packyak"
    (home / "corrections").mkdir(exist_ok=True)
    (home / "corrections" / ".packyak-tmp-999999999-abc").write_text(json.dumps(HIS))  # no such process
    mine = home / "runs" / f".packyak-tmp-{os.getpid()}-abc"
    mine.write_text("at work")
    project.forget("people", ["P-2"])
    assert who_has(folder_of(project), [b"Quartzfeather"]) == {}
    assert mine.exists()


def test_the_history_is_struck_where_only_its_log_has_it_and_as_json_writes_it(home: Home) -> None:
    assert home.local is not None
    mark = 'Zoë "Z" Quartzfeather'
    file = home.local / FILE
    file.parent.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as server:
        server.execute("pragma journal_mode = wal")
        server.execute("create table state (data text)")
        server.execute("pragma wal_checkpoint(truncate)")
        server.execute("insert into state values (?)", [json.dumps({"said": mark})])
        assert set(remains_of(home, [mark]).found) == {f"{FILE}-wal"}
        strike_out_of_history(home, [mark])
        assert server.execute("select data from state").fetchall() == [('{"said": "[erased]"}',)]
    assert remains_of(home, [mark]).found == {}


def test_the_history_is_struck_by_the_command_where_only_its_log_has_it(gone: Callable[..., Project]) -> None:
    project = gone()
    file = folder_of(project) / ".packyak" / FILE
    file.parent.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as server:
        server.execute("pragma journal_mode = wal")
        server.execute("create table state (message text)")
        server.execute("pragma wal_checkpoint(truncate)")
        server.execute("insert into state values ('no such town: Quartzville')")
        done = project.forget("people", ["P-2"])
    assert dict(done.left) == {}
    assert who_has(folder_of(project), [b"Quartzville"]) == {}


def test_what_is_left_elsewhere_is_told_with_what_to_do(gone: Callable[..., Project]) -> None:
    source = SOURCE + (
        "\n@asset(key='id')\ndef first(people):\n    return people\n"
        "\n@asset(key='id')\ndef second(first):\n    return first\n"
    )
    project = gone(source)
    done: Erasure = project.forget("second", ["P-2"])
    assert done.next_step == "first has it in a record of its own: forget that one too"
    assert dict(project.forget("people", ["P-2"]).left) == {}


def test_what_no_version_has_any_more_is_still_in_a_file(gone: Callable[..., Project]) -> None:
    project = gone()
    tidy_project(project, patience=replace(NONE, fragments=30))  # as after some runs and ten minutes
    assert [len(project.versions(name)) for name in ("people",)] == [1]
    folder = folder_of(project)
    assert who_has(folder, [b"Quartzfeather"])
    done = project.forget("people", ["P-2"])
    assert (done.records, done.marks, dict(done.left)) == ({"people": 1}, 2, {})
    assert who_has(folder, [b"Quartzfeather", b"P-2"]) == {}


def test_other_assets_keep_their_versions(gone: Callable[..., Project]) -> None:
    project = gone(SOURCE + "\n@asset(key='id')\ndef others():\n    return [{'id': 'a', 'n': 1}]\n")
    folder = folder_of(project)
    pipeline = folder / "pipeline.py"
    pipeline.write_text(pipeline.read_text().replace("'n': 1", "'n': 2"))
    project = Project.open(folder)
    assert project.run().state == "done"
    assert [len(project.versions(name)) for name in ("people", "others")] == [2, 2]
    project.forget("people", ["P-2"])
    assert [len(project.versions(name)) for name in ("people", "others")] == [1, 2]
    old = project.versions("others")[-1].version
    assert project.read("others", version=old)["n"].to_pylist() == [1]


def test_a_table_that_cannot_be_read_is_told(gone: Callable[..., Project]) -> None:
    project = gone()
    broken = "tables/other.lance/data/broken.lance"
    project.home.write(broken, b"no table")
    done = project.forget("people", ["P-2"])
    assert done.note == f"Only the bytes of {broken} could be read, not the records."
    assert [each.name for each in project.leftovers()] == ["other"]
    assert (dict(project.forget("other").left), project.leftovers()) == ({}, ())
