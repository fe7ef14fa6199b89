"""Code that reads files otherwise than before: columns take the new types, and what is no longer given goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from packyak.engine.declare.bucket import File
from packyak.engine.project import Project
from packyak.engine.run.compute import transforms
from packyak.engine.run.compute.memo import read_aside

READ = """
from typing import Iterator
from packyak import Bucket, File, read_csv, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)
"""
FILES = {"inbox/a.csv": "id,amount,word\n1,2.5,x\n2,3,y\n", "inbox/b.csv": "id,amount,word\n3,4,z\n4,5,z\n"}
TYPED = ("read_csv(file)", 'read_csv(file, types={"amount": float})')
Write = Callable[..., Path]


def edit(folder: Path, before: str, after: str) -> None:
    path = folder / "pipeline.py"
    path.write_text(path.read_text().replace(before, after))


@pytest.fixture(params=["in one commit", "file by file"])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, project_folder: Write) -> Path:
    if request.param == "file by file":
        monkeypatch.setattr(transforms, "COMMIT_SECONDS", -1.0)
    folder = project_folder(READ, files=FILES)
    Project.open(folder).run()
    return folder


def values(folder: Path, column: str) -> dict[str, object]:
    return {row["id"]: row[column] for row in Project.open(folder).read("rows").to_pylist()}


def test_types_that_are_given_later_are_taken(folder: Path) -> None:
    project = Project.open(folder)
    project.correct("rows", "2", "amount", "3.75")
    project.correct("rows", "3", "amount", "four")
    project.run()
    edit(folder, *TYPED)
    project = Project.open(folder)
    run = project.run().asset("rows")
    assert run is not None and (run.state, run.failed, run.changed) == ("done", 0, 4)
    assert values(folder, "amount") == {"1": 2.5, "2": 3.75, "3": 4.0, "4": 5.0}
    assert any("no longer allowed by its type" in note for note in project.plan().notes)
    assert Project.open(folder).run().assets == ()
    edit(folder, *reversed(TYPED))
    Project.open(folder).run()
    assert values(folder, "amount") == {"1": "2.5", "2": "3.75", "3": "four", "4": "5"}


def test_whole_numbers_and_fractions_still_meet(folder: Path) -> None:
    edit(
        folder,
        "yield from read_csv(file)",
        "yield from ({**r, 'amount': json.loads(r['amount'])} for r in read_csv(file))",
    )
    edit(folder, "from typing", "import json\nfrom typing")
    (folder / ".packyak/buckets/inbox/b.csv").write_text("id,amount,word\n3,4,z\n4,0.5,z\n")
    (folder / ".packyak/buckets/inbox/c.csv").write_text("id,amount,word\n5,6,z\n")
    (folder / ".packyak/buckets/inbox/a.csv").write_text("id,amount,word\n1,2,x\n2,3,y\n")
    Project.open(folder).run()
    assert json.dumps(values(folder, "amount"), sort_keys=True) == json.dumps(
        {"1": 2.0, "2": 3.0, "3": 4.0, "4": 0.5, "5": 6.0}
    )


def test_a_file_that_the_new_code_cannot_read_keeps_what_can_be_kept(folder: Path) -> None:
    (folder / ".packyak/buckets/inbox/b.csv").write_text("id,amount,word\n3,4,z\n4,much,z\n")
    Project.open(folder).run()
    edit(folder, *TYPED)
    project = Project.open(folder)
    project.run()
    (failure,) = project.failures("rows")
    assert failure.name == "b.csv" and "much" in failure.error
    assert values(folder, "amount") == {"1": 2.5, "2": 3.0, "3": 4.0, "4": None}


def test_a_column_that_the_code_no_longer_gives_goes_but_not_one_that_files_lack(folder: Path) -> None:
    for name in ("a", "b"):
        path = folder / f".packyak/buckets/inbox/{name}.csv"
        path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()))
    Project.open(folder).run()
    assert set(values(folder, "word").values()) == {None}
    edit(folder, *TYPED)
    Project.open(folder).run()
    assert Project.open(folder).read("rows").column_names == ["id", "amount"]


def test_a_column_that_only_a_failed_file_shows_stays_until_that_is_mended(folder: Path) -> None:
    (folder / ".packyak/buckets/inbox/never.csv").write_text('id,amount\n"7,2\n')
    Project.open(folder).run()
    edit(
        folder,
        "yield from read_csv(file)",
        'yield from ({"id": r["id"], "n": float(r["amount"])} for r in read_csv(file))',
    )
    b = folder / ".packyak/buckets/inbox/b.csv"
    b.write_text("id,amount,word\n3,much,z\n4,5,z\n")
    Project.open(folder).run()
    project = Project.open(folder)
    assert set(project.read("rows").column_names) == {"id", "amount", "word", "n"}
    assert values(folder, "word") == {"1": None, "2": None, "3": "z", "4": "z"}
    (said,) = [note for each in project.status() if each.name == "rows" for note in each.notes]
    assert "only what failed has the columns amount, word now; they go when that is mended" in said
    b.write_text("id,amount,word\n3,4,z\n4,5,z\n")
    Project.open(folder).run()
    project = Project.open(folder)
    assert project.read("rows").column_names == ["id", "n"] and [each.name for each in project.failures("rows")] == [
        "never.csv"
    ]
    assert not [note for each in project.status() for note in each.notes if "only what failed" in note]
    assert Project.open(folder).run().assets == ()


def test_where_all_files_fail_nothing_is_said_of_columns(folder: Path) -> None:
    edit(folder, "yield from read_csv(file)", 'yield from ({"id": r["id"], "n": r["no"]} for r in read_csv(file))')
    Project.open(folder).run()
    project = Project.open(folder)
    assert len(project.failures("rows")) == 2 and project.read("rows").column_names == ["id", "amount", "word"]
    assert not [note for each in project.status() for note in each.notes]


def test_a_file_that_never_was_read_keeps_no_column(folder: Path) -> None:
    (folder / ".packyak/buckets/inbox/never.csv").write_text('id,amount\n"7,2\n')
    Project.open(folder).run()
    edit(folder, "yield from read_csv(file)", 'yield from ({"id": r["id"]} for r in read_csv(file))')
    Project.open(folder).run()
    assert Project.open(folder).read("rows").column_names == ["id"]


def test_a_column_given_again_stays(folder: Path) -> None:
    edit(
        folder,
        "yield from read_csv(file)",
        'yield from ({k: v for k, v in r.items() if k in ("id", file.key[:-4])} for r in read_csv(file))',
    )
    b = folder / ".packyak/buckets/inbox/b.csv"
    b.write_text('id,amount,word\n"3,4\n')
    Project.open(folder).run()
    assert "word" in Project.open(folder).read("rows").column_names
    b.rename(b.with_name("word.csv"))
    b.with_name("word.csv").write_text("id,amount,word\n3,4,w\n")
    Project.open(folder).run()
    assert values(folder, "word") == {"1": None, "2": None, "3": "w"}
    Project.open(folder).run()
    assert "amount" not in Project.open(folder).read("rows").column_names


PARTS = """

@transform(rows, key_in_parent="n")
def parts(word: str, amount: str) -> Iterator[dict]:
    yield {"n": 1, "size": amount, "word": word}
"""


def test_what_comes_of_records_is_typed_anew_too(folder: Path) -> None:
    edit(folder, "yield from read_csv(file)\n", f"yield from read_csv(file)\n{PARTS}")
    Project.open(folder).run()
    edit(folder, '"size": amount, "word": word', '"size": float(amount)')
    (folder / ".packyak/buckets/inbox/b.csv").unlink()
    project = Project.open(folder)
    assert project.run().state == "done" and not project.failures("parts")
    rows = Project.open(folder).read("parts", ["n", "size"]).to_pylist()
    assert sorted(row["size"] for row in rows) == [2.5, 3.0]
    assert "word" not in Project.open(folder).read("parts").column_names


def test_a_run_cut_short_goes_on_with_the_types_it_began(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(folder, *TYPED)
    monkeypatch.setattr(transforms, "COMMIT_SECONDS", -1.0)
    read, files = transforms._read_file, []

    def interrupted(scope: object, node: object, file: File, tick: object) -> object:
        files.append(file.key)
        if len(files) == 2:
            raise KeyboardInterrupt
        return read(scope, node, file, tick)

    monkeypatch.setattr(transforms, "_read_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Project.open(folder).run()
    assert Project.open(folder).run().state == "done"
    assert len(files) == 3, "the first is not read again"
    assert values(folder, "amount") == {"1": 2.5, "2": 3.0, "3": 4.0, "4": 5.0}


def test_a_key_that_two_files_have_stays_with_the_newer_one(folder: Path) -> None:
    newer = folder / ".packyak/buckets/inbox/c.csv"
    newer.write_text("id,amount,word\n1,9,newer\n")
    Project.open(folder).run()
    edit(folder, *TYPED)
    Project.open(folder).run()
    assert values(folder, "amount") == {"1": 9.0, "2": 3.0, "3": 4.0, "4": 5.0}
    newer.unlink()
    Project.open(folder).run()
    assert values(folder, "amount") == {"1": 2.5, "2": 3.0, "3": 4.0, "4": 5.0}


def cut_short(folder: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Runs until so many files were read and stored."""
    read, files = transforms._read_file, []

    def interrupted(scope: object, node: object, file: File, tick: object) -> object:
        files.append(file.key)
        if len(files) > after:
            raise KeyboardInterrupt
        return read(scope, node, file, tick)

    with monkeypatch.context() as patch:
        patch.setattr(transforms, "COMMIT_SECONDS", -1.0)
        patch.setattr(transforms, "_read_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Project.open(folder).run()


def test_code_put_back_after_a_run_cut_short_finds_its_values_again(
    project_folder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project_folder(READ, files=FILES | {"inbox/b.csv": "id,amount,word\n3,much,z\n4,5,z\n"})
    Project.open(folder).run()
    before = values(folder, "amount")
    edit(folder, *TYPED)
    cut_short(folder, monkeypatch, after=1)
    edit(folder, *reversed(TYPED))
    assert Project.open(folder).run().state == "done"
    assert values(folder, "amount") == before
    assert not Project.open(folder).failures("rows")


def test_a_run_cut_short_types_also_what_it_had_not_come_to(
    project_folder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"inbox/a.csv": "id,word\n1,x\n", "inbox/b.csv": "id,amount\n2,4\n"}
    folder = project_folder(READ, files=files)
    Project.open(folder).run()
    edit(folder, "yield from read_csv(file)", "yield from ({'id': r['id']} | ({'amount': float(r['amount'])} "
         "if 'amount' in r else {}) for r in read_csv(file))")  # fmt: skip
    cut_short(folder, monkeypatch, after=1)
    Project.open(folder).run()
    assert not Project.open(folder).failures("rows")
    assert values(folder, "amount") == {"1": None, "2": 4.0}
    assert Project.open(folder).read("rows").column_names == ["id", "amount"]


def test_fractions_of_a_file_that_now_fails_are_kept_beside_whole_numbers(
    project_folder: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = READ.replace("yield from read_csv(file)", "yield from ({**r, 'amount': json.loads(r['amount'])} "
                        "for r in read_csv(file))").replace("from typing", "import json\nfrom typing")  # fmt: skip
    folder = project_folder(code, files={"inbox/a.csv": "id,amount\n1,2\n", "inbox/b.csv": "id,amount\n2,0.5\n"})
    Project.open(folder).run()
    edit(folder, "json.loads(r['amount'])", "int(r['amount'])")
    monkeypatch.setattr(transforms, "COMMIT_SECONDS", -1.0)
    Project.open(folder).run()
    (failure,) = Project.open(folder).failures("rows")
    assert failure.name == "b.csv"
    assert values(folder, "amount") == {"1": 2, "2": 0.5}


def test_a_correction_holds_in_a_column_that_its_file_does_not_have(project_folder: Write) -> None:
    folder = project_folder(READ, files={"inbox/a.csv": "id,word\n1,x\n", "inbox/b.csv": "id,amount,word\n2,4,y\n"})
    project = Project.open(folder)
    project.run()
    said = project.correct("rows", "1", "amount", "5")
    project.run()
    (folder / ".packyak/buckets/inbox/a.csv").write_text("id,word\n1,changed\n")
    Project.open(folder).run()
    assert values(folder, "word") == {"1": "changed", "2": "y"}
    assert values(folder, "amount") == {"1": "5", "2": "4"}
    project = Project.open(folder)
    project.undo(said.id)
    project.run()
    assert values(folder, "amount") == {"1": None, "2": "4"}


def test_what_was_laid_aside_is_null_where_the_column_has_another_kind_of_value_now() -> None:
    text = '{"lost": {"k": {"x": {"a": 1}, "y": [1], "z": "2.5"}}}'
    kinds = {"x": pa.float64(), "y": pa.timestamp("us", "UTC"), "z": pa.float64()}
    assert read_aside(text, kinds).lost == {"k": {"x": None, "y": None, "z": 2.5}}
