"""Bad input and faults: a clear word with the next step, the last good version intact, nothing twice, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.errors import CorrectionError, DataError, DeclarationError
from packyak.engine.project import Project

READ = """
from typing import Iterator
from packyak import Bucket, File, read_csv, read_jsonl, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from (read_csv(file) if file.key.endswith(".csv") else read_jsonl(file))

@transform(rows)
def upper(word: str) -> str:
    return word.upper()
"""
Write = Callable[..., Path]


def failures(project: Project, asset: str = "rows") -> dict[str, str]:
    memo = project.scope().memo(asset).read(columns=["_key", "error"], where="error is not null")
    return {row["_key"]: row["error"] for row in memo.to_pylist()}


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


RAISES = """
from packyak import asset, transform

@asset(key="id")
def rows():
    return [{"id": str(n), "n": n} for n in range(10)]

@transform(rows)
def inverse(n: int) -> float:
    return 6 / (n % LIMIT)

LIMIT = 5
"""


def test_records_that_raise_keep_their_error_and_are_retried_only_on_demand(project_folder: Write) -> None:
    folder = project_folder(RAISES)
    project = Project.open(folder)
    record = project.run()
    assert record.state == "done"
    assert set(failures(project, "inverse")) == {"0", "5"}
    assert (
        "ZeroDivisionError: modulo" in failures(project, "inverse")["0"]
        or "division" in failures(project, "inverse")["0"]
    )
    assert "pipeline.py:10" in failures(project, "inverse")["0"]
    assert project.run().assets == ()
    retried = project.run(retry_failed=True).asset("inverse")
    assert retried is not None and retried.computed == 2


def test_a_record_that_starts_to_fail_keeps_its_last_good_value(project_folder: Write) -> None:
    folder = project_folder(RAISES)
    Project.open(folder).run()
    path = folder / "pipeline.py"
    path.write_text(path.read_text().replace("LIMIT = 5", "LIMIT = 3"))
    project = Project.open(folder)
    project.run()
    assert set(failures(project, "inverse")) == {"0", "3", "6", "9"}
    values = {row["id"]: row["inverse"] for row in project.read("inverse").to_pylist()}
    assert values["3"] == 2.0  # from before
    assert values["5"] == 3.0


def test_a_person_can_give_the_value_that_the_function_cannot(project_folder: Write) -> None:
    project = Project.open(project_folder(RAISES))
    project.run()
    correction = project.correct("inverse", "0", "inverse", 42.0)
    assert project.read("inverse", where="id = '0'")["inverse"].to_pylist() == [42.0]
    project.run()
    assert project.read("inverse", where="id = '0'")["inverse"].to_pylist() == [42.0]
    project.undo(correction.id)
    project.run()
    assert project.read("inverse", where="id = '0'")["inverse"].to_pylist() == [None]


def test_a_wrong_type_is_the_records_error(project_folder: Write) -> None:
    project = Project.open(project_folder(RAISES.replace("6 / (n % LIMIT)", "n if n else 'none'")))
    project.run()
    assert failures(project, "inverse") == {"0": "inverse is declared float64, but the answer was 'none' (str)"}


def test_an_asset_that_fails_leaves_it_and_what_is_below_at_the_last_good_version(project_folder: Write) -> None:
    source = """
    from packyak import asset, sql

    @asset(key="id")
    def rows():
        return [{"id": "1", "n": 1}]

    double = sql("select id, n * 2 as n from rows")
    """
    folder = project_folder(source)
    Project.open(folder).run()
    path = folder / "pipeline.py"
    path.write_text(path.read_text().replace('return [{"id": "1", "n": 1}]', 'raise ValueError("no luck")'))
    project = Project.open(folder)
    record = project.run()
    assert record.state == "failed"
    assert "no luck" in record.error
    states = {each.name: each.state for each in project.status()}
    assert states["rows"] == "failed"
    assert project.read("double").to_pylist() == [{"id": "1", "n": 2}]


BLOCK = """
from packyak import asset, check, sql

@asset(key="id")
def rows():
    return [{"id": "1", "n": N}, {"id": "2", "n": 1}]

double = sql("select id, n * 2 as n from rows")

@check(rows, blocking=True)
def positive(rows):
    return sql("select * from rows where n < 0")

N = 1
"""


def test_a_blocking_check_keeps_the_last_good_version_and_names_the_rows(project_folder: Write) -> None:
    folder = project_folder(BLOCK)
    Project.open(folder).run()
    path = folder / "pipeline.py"
    path.write_text(path.read_text().replace("N = 1", "N = -5"))
    project = Project.open(folder)
    project.run()
    status = {each.name: each for each in project.status()}
    assert status["rows"].state == "blocked"
    (result,) = status["rows"].checks
    assert (result.passed, result.failing, result.rows[0]["id"]) == (False, 1, "1")
    assert sorted(project.read("rows")["n"].to_pylist()) == [1, 1]
    assert sorted(project.read("double")["n"].to_pylist()) == [2, 2]
    path.write_text(path.read_text().replace("N = -5", "N = 7"))
    project = Project.open(folder)
    assert project.run().state == "done"
    assert sorted(project.read("double")["n"].to_pylist()) == [2, 14]


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


def test_a_column_that_is_not_there_names_the_nearest(project_folder: Write) -> None:
    folder = project_folder(
        READ.replace("upper(word", "upper(wrod").replace("word.up", "wrod.up"), files={"inbox/a.csv": "id,word\n1,x\n"}
    )
    record = Project.open(folder).run()
    assert "rows has no column 'wrod'. Valid: id, word. Next: did you mean 'word'?" in record.error


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("pipelin", 'did you mean modules = ["pipeline"]?'),
        ("pipeline.py", 'did you mean modules = ["pipeline"]?'),
        ("other", "create other.py there"),
    ],
)
def test_a_module_that_is_not_there_names_the_nearest(project_folder: Write, named: str, told: str) -> None:
    folder = project_folder(READ)
    (folder / "packyak.toml").write_text(f'name = "p"\nmodules = ["{named}"]\n')
    with pytest.raises(DeclarationError) as caught:
        Project.open(folder)
    assert told in str(caught.value)


def test_a_syntax_error_names_file_and_line(project_folder: Write) -> None:
    folder = project_folder("def broken(:\n    pass\n")
    with pytest.raises(DeclarationError, match=r"pipeline\.py:1"):
        Project.open(folder)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("\0", r"pipeline\.py: .*null bytes.*Next: mend the file"),
        ("import sys\nsys.exit(3)", r"pipeline\.py:2: SystemExit"),
    ],
)
def test_a_module_that_cannot_be_loaded_names_its_file(project_folder: Write, source: str, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        Project.open(project_folder(source))


EXITS = """
import sys
from packyak import asset, check, transform

@asset(key="id")
def rows():
    return [{"id": str(n), "n": n} for n in range(3)]

@transform(rows)
def odd(n: int) -> int:
    return n if n % 2 else sys.exit(4)

@transform(rows)
async def later(n: int) -> int:
    return n if n % 2 else sys.exit(4)

@asset(key="id")
def whole():
    sys.exit("no more")

@check(odd)
def looked(odd):
    sys.exit()
"""


def test_code_that_would_end_the_process_fails_like_any_other(project_folder: Write) -> None:
    project = Project.open(project_folder(EXITS))
    record = project.run()
    states = {each.asset: (each.state, each.failed) for each in record.assets}
    assert states == {"rows": ("done", 0), "odd": ("done", 2), "later": ("done", 2), "whole": ("failed", 0)}
    for name, line in (("odd", 11), ("later", 15)):
        assert set(failures(project, name).values()) == {f"SystemExit: 4 (pipeline.py:{line})"}
    assert "SystemExit: no more" in record.error
    (result,) = [check for each in project.status() for check in each.checks]
    assert not result.passed and "SystemExit" in result.message


def test_wrong_corrections_are_refused_with_the_choices(project_folder: Write) -> None:
    project = Project.open(project_folder(RAISES))
    project.run()
    with pytest.raises(CorrectionError, match="did you mean 'inverse'"):
        project.correct("inverse", "1", "invers", 1.0)
    with pytest.raises(CorrectionError, match="float64"):
        project.correct("inverse", "1", "inverse", "many")
    with pytest.raises(CorrectionError, match="key"):
        project.correct("inverse", "1", "id", "9")
    with pytest.raises(DataError, match="no record '77'"):
        project.correct("inverse", "77", "inverse", 1.0)


def test_a_home_that_cannot_be_written_says_so(project_folder: Write) -> None:
    folder = project_folder(RAISES)
    Project.open(folder).run()
    script = textwrap.dedent(
        """
        import os, sys
        from packyak.engine.errors import HomeError
        from packyak.engine.project import Project
        project = Project.open(sys.argv[1])
        import packyak.engine.run.launch  # loads, with all else, what another user may not be allowed to read
        project.status(), project.sql("select 1 as one")
        os.setgid(65534); os.setuid(65534)
        assert project.read("rows").num_rows == 10   # reading goes on
        try:
            project.run()
        except HomeError as error:
            print(error)
        """
    )
    if os.getuid() != 0:
        pytest.skip("needs root to become another user; run the tests as root to include it")
    for part in [*folder.parents, folder, *folder.rglob("*")]:
        if Path(tempfile.gettempdir()) in part.parents:  # all folders of these tests, and none above them
            part.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True)
    assert "cannot be written" in done.stdout or "not writable" in done.stdout, done
    assert "Next:" in done.stdout


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
