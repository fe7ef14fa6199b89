"""Bad files: each fails alone and says where and what to do; nothing of the others is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.errors import DataError
from packyak.engine.project import Project
from reading import READ, failures

Write = Callable[..., Path]


def test_empty_and_header_only_files_have_no_records(project_folder: Write) -> None:
    folder = project_folder(
        READ,
        files={"inbox/a.csv": "", "inbox/b.csv": "id,word\n", "inbox/c.jsonl": "", "inbox/d.csv": "id,word\n1,x\n"},
    )
    project = Project.open(folder)
    assert project.run().state == "done"
    assert project.read("upper").to_pylist() == [{"id": "1", "word": "x", "upper": "X"}]
    assert not failures(project)


@pytest.mark.parametrize(
    ("name", "content", "fragment"),
    [
        ("ragged.csv", b"id,word\n2,x,extra\n", "2"),
        ("encoding.csv", "id,word\n2,na\xefve\n".encode("latin-1"), "Line 2 is not utf-8"),
        ("broken.jsonl", b'{"id": "2", "word": \n', "1"),
    ],
)
def test_a_bad_file_fails_alone_and_says_where(project_folder: Write, name: str, content: bytes, fragment: str) -> None:
    folder = project_folder(READ, files={"inbox/good.csv": "id,word\n1,x\n", f"inbox/{name}": content})
    project = Project.open(folder)
    record = project.run()
    assert record.state == "done"
    assert project.read("upper", ["upper"]).to_pylist() == [{"upper": "X"}]
    (error,) = failures(project).values()
    assert fragment in error
    status = next(each for each in project.status() if each.name == "rows")
    assert status.failed_records == 1
    assert status.reason.startswith(
        f"up to date; 1 file failed, inbox/{name}:2: " if ".csv" in name else "up to date; 1"
    )
    assert name in status.reason and name in record.asset("rows").message  # type: ignore[union-attr]


@pytest.mark.parametrize("header", ["id,a.b", "id,a`b", "id,Id", "id,Word"])
def test_a_file_with_a_column_that_cannot_be_stored_fails_alone(project_folder: Write, header: str) -> None:
    """Also where another file of the asset has the name in another case."""
    files = {"inbox/a.csv": "id,word\n1,x\n", "inbox/b.csv": f"{header}\n2,y\n"}
    project = Project.open(project_folder(READ, files=files))
    assert project.run().state == "done"
    assert project.read("rows")["id"].to_pylist() == ["1"]
    (failure,) = project.failures("rows")
    assert (failure.unit, failure.name) == ("file", "b.csv")
    assert "column" in failure.error and "Next: rename" in failure.error


@pytest.mark.parametrize("asset", ["rows", "upper"])
def test_a_table_that_the_home_lost_is_computed_again(project_folder: Write, asset: str) -> None:
    folder = project_folder(READ, files={"inbox/a.csv": "id,word\n1,x\n2,y\n"})
    project = Project.open(folder)
    project.run()
    project.correct("upper", "2", "upper", "Z")
    project.run()
    shutil.rmtree(folder / f".packyak/tables/{asset}.lance")
    project = Project.open(folder)
    (status,) = [each for each in project.status() if each.name == asset]
    assert (status.state, "its table is gone from the home" in status.reason) == ("stale", True)
    project.run()
    assert sorted(project.read("upper")["upper"].to_pylist()) == ["X", "Z"]
    assert sorted(project.read("rows")["word"].to_pylist()) == ["x", "y"]


def test_files_that_are_passed_over_are_told(project_folder: Write) -> None:
    folder = project_folder(READ, files={"inbox/a.csv": "id,word\n1,x\n"})
    (folder / ".packyak/buckets/inbox/away.csv").symlink_to("/etc/hostname")
    (status,) = [each for each in Project.open(folder).status() if each.kind == "files"]
    assert status.reason == "1 file; 1 passed over, 'away.csv': it is a link that leaves the bucket"


def test_a_file_that_turns_bad_keeps_its_last_good_records_and_is_tried_when_mended(project_folder: Write) -> None:
    folder = project_folder(READ, files={"inbox/a.jsonl": '{"id": "1", "word": "x"}\n'})
    Project.open(folder).run()
    file = folder / ".packyak/buckets/inbox/a.jsonl"
    file.write_text("{nonsense")
    project = Project.open(folder)
    project.run()
    assert project.read("upper", ["upper"]).to_pylist() == [{"upper": "X"}]
    file.write_text('{"id": "1", "word": "y"}\n')
    project = Project.open(folder)
    project.run()
    assert project.read("upper", ["upper"]).to_pylist() == [{"upper": "Y"}]
    assert not failures(project)


def test_a_ten_megabyte_cell_is_a_cell(project_folder: Write) -> None:
    folder = project_folder(READ, files={"inbox/a.jsonl": json.dumps({"id": "1", "word": "x" * 10_000_000}) + "\n"})
    project = Project.open(folder)
    assert project.run().state == "done"
    assert len(project.read("upper")["upper"][0].as_py()) == 10_000_000


def test_null_and_repeated_keys_are_told_and_the_rest_is_stored(project_folder: Write) -> None:
    records = [
        {"id": None, "word": "lost"},
        {"id": "1", "word": "old"},
        {"id": "1", "word": "new"},
        {"id": "2", "word": "x"},
    ]
    folder = project_folder(READ, files={"inbox/a.jsonl": "".join(json.dumps(each) + "\n" for each in records)})
    project = Project.open(folder)
    project.run()
    assert sorted(project.read("upper")["upper"].to_pylist()) == ["NEW", "X"]
    assert "1 record without id left out" in failures(project)["a.jsonl"]
    (told,) = project.runs()[0].notes
    assert told.startswith("rows: a.jsonl: 1 record repeats a key")
    assert [each.notes for each in project.status() if each.name == "rows"] == [(told.removeprefix("rows: "),)]


UNDER = """
from typing import Iterator
from packyak import Bucket, File, asset, read_csv, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@asset(key="id")
def listed():
    return [{"id": "1", "_rev": 7}]

handed_on = sql("select *, 1 as _one from rows")
"""


def test_columns_that_are_left_out_for_their_names_are_told_once(project_folder: Write) -> None:
    folder = project_folder(UNDER, files={"inbox/a.csv": "id,_rev,word,_key\n1,7,x,k\n"})
    project = Project.open(folder)
    assert sorted(project.run().notes) == [
        f"{asset}: the column {name} is left out: names that begin with _ are Packyak's own. Next: give other names"
        for asset, name in (("handed_on", "_one"), ("listed", "_rev"), ("rows", "_rev"))
    ]
    assert "_rev" not in project.read("rows").column_names
    (folder / ".packyak/buckets/inbox/b.csv").write_text("id,_rev,word\n2,7,y\n")
    assert Project.open(folder).run().notes == (), "the same is not told again"
    (folder / ".packyak/buckets/inbox/c.csv").write_text("id,_new\n3,7\n")
    project = Project.open(folder)
    assert [note.split(" are left out")[0] for note in project.run().notes] == ["rows: the columns _new, _rev"]
    (status,) = [each for each in project.status() if each.name == "rows"]
    assert "_new, _rev" in status.notes[0] and "Next:" in status.notes[0]


def test_a_column_of_another_type_in_another_file_names_column_and_types(project_folder: Write) -> None:
    first = '{"id": "1", "word": "x", "n": 5}\n'
    folder = project_folder(
        READ, files={"inbox/a.jsonl": first, "inbox/b.jsonl": '{"id": "2", "word": "y", "n": "five"}\n'}
    )
    project = Project.open(folder)
    project.run()
    (error,) = failures(project).values()
    assert "'n' is string here and int64" in error and "Next:" in error
    assert project.read("rows", ["id"]).num_rows == 1


def test_whole_numbers_and_fractions_meet(project_folder: Write) -> None:
    files = {
        "inbox/a.jsonl": '{"id": "1", "word": "x", "n": 5}\n',
        "inbox/b.jsonl": '{"id": "2", "word": "y", "n": 0.5}\n',
    }
    project = Project.open(project_folder(READ, files=files))
    project.run()
    assert sorted(project.read("rows")["n"].to_pylist()) == [0.5, 5.0]
    assert not failures(project)


def test_the_newest_file_wins_a_key_and_the_older_one_comes_back(project_folder: Write) -> None:
    folder = project_folder(
        READ, files={"inbox/a.jsonl": '{"id": "1", "word": "old"}\n', "inbox/b.jsonl": '{"id": "1", "word": "new"}\n'}
    )
    bucket = folder / ".packyak/buckets/inbox"
    os.utime(bucket / "a.jsonl", (1_000, 1_000))
    os.utime(bucket / "b.jsonl", (2_000, 2_000))
    project = Project.open(folder)
    project.run()
    assert project.read("upper")["upper"].to_pylist() == ["NEW"]
    (bucket / "b.jsonl").unlink()
    project = Project.open(folder)
    project.run()
    assert project.read("upper")["upper"].to_pylist() == ["OLD"]


FILES = """
import os
from typing import Iterator
from packyak import Bucket, File, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.txt"), key="name")
def notes(file: File) -> Iterator[dict]:
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(file.key + "\\n")
    yield {"name": file.key, "text": file.text()}
"""


@pytest.mark.slow
def test_ten_thousand_files_and_one_more_are_one_read(
    project_folder: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    monkeypatch.setenv("CALLS", str(calls))
    folder = project_folder(FILES, files={f"inbox/{n:05d}.txt": f"note {n}" for n in range(10_000)})
    Project.open(folder).run()
    assert len(calls.read_text().splitlines()) == 10_000
    (folder / ".packyak/buckets/inbox/new.txt").write_text("one more")
    calls.write_text("")
    project = Project.open(folder)
    project.run()
    assert calls.read_text().splitlines() == ["new.txt"]
    assert project.read("notes", ["name"]).num_rows == 10_001


@pytest.mark.parametrize("key", ["../outside", "/etc/passwd", "a/../../b", ""])
def test_a_bucket_key_cannot_leave_the_bucket(project_folder: Write, key: str) -> None:
    project = Project.open(project_folder(READ))
    with pytest.raises(DataError):
        project.put_bytes("inbox", key, b"x")


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("id;word\n1;x", "give what separates the columns: read_csv(file, delimiter=';')"),
        ("id\tword\n1\tx", "give what separates the columns: read_csv(file, delimiter='\\t')"),
        ("Id,word\n1,x", "did you mean 'Id'?"),
        ("number,word\n1,x", "yield 'id', or name another of number, word as key"),
    ],
)
def test_a_file_without_the_key_says_what_may_be_meant(project_folder: Write, header: str, told: str) -> None:
    project = Project.open(project_folder(READ, files={"inbox/a.csv": f"{header}\n"}))
    project.run()
    (failure,) = project.failures("rows")
    assert "no field 'id', which is its key" in failure.error and f"Next: {told}" in failure.error
