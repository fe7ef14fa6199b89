"""A project whose bucket is still empty runs, shows nothing, and goes on when the first file comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from packyak.engine.project import Project

PIPELINE = """
from typing import Iterator
from packyak import Bucket, File, Index, check, read_jsonl, sql, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def notes(file: File) -> Iterator[dict]:
    yield from read_jsonl(file)

@transform(notes)
def shout(body: str) -> str:
    return body.upper()

search = Index(notes, on="body")
per_shout = sql("select shout, count(*) as n from shout group by all")

@check(per_shout, blocking=True)
def counts(per_shout):
    return sql("select * from per_shout where n < 1")
"""


PER_DAY = 'per_day = sql("select received::date as day, shout, count(*) as n from shout group by all")'


def test_an_empty_bucket_is_no_failure_and_the_first_file_is_seen(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(PIPELINE + PER_DAY)  # its column `received` comes with the first file
    project = Project.open(folder)
    assert project.run().state == "done"
    assert {each.state for each in project.status() if each.kind not in ("bucket", "files")} == {"fresh"}
    assert project.read("per_shout").num_rows == 0
    (folder / ".packyak/buckets/inbox").mkdir(parents=True, exist_ok=True)
    (folder / ".packyak/buckets/inbox/a.jsonl").write_text('{"id": "1", "body": "hello", "received": "2026-01-02"}\n')
    project = Project.open(folder)
    assert project.run().state == "done"
    assert project.read("per_shout").to_pylist() == [{"shout": "HELLO", "n": 1}]
    assert project.read("per_day", ["shout", "n"]).to_pylist() == [{"shout": "HELLO", "n": 1}]
    (folder / ".packyak/buckets/inbox/a.jsonl").unlink()
    project = Project.open(folder)
    assert project.run().state == "done"
    assert project.read("shout").num_rows == project.read("per_shout").num_rows == 0
    assert project.run().assets == ()


def test_a_run_with_nothing_to_do_is_not_in_the_history(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(PIPELINE))
    project.run()
    before = project.runs()
    assert project.run().state == "done"
    assert project.runs() == before


def test_a_rename_keeps_what_people_said(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(PIPELINE, files={"inbox/a.jsonl": '{"id": "1", "body": "hello"}\n'})
    Project.open(folder).run()
    Project.open(folder).correct("shout", "1", "shout", "HI")
    source = (folder / "pipeline.py").read_text()
    renamed = source.replace("@transform(notes)\ndef shout", '@transform(notes, was="shout")\ndef loud')
    renamed = renamed.replace(
        '"select shout, count(*) as n from shout', '"select loud as shout, count(*) as n from loud'
    )
    (folder / "pipeline.py").write_text(renamed)
    project = Project.open(folder)
    project.run()
    assert project.read("loud", ["loud"]).to_pylist() == [{"loud": "HI"}]
    assert project.read("per_shout").to_pylist() == [{"shout": "HI", "n": 1}]


def test_an_index_over_a_column_that_is_not_there_says_so_and_keeps_what_it_has(
    project_folder: Callable[..., Path],
) -> None:
    folder = project_folder(PIPELINE, files={"inbox/a.jsonl": '{"id": "1", "body": "hello"}\n'})
    assert Project.open(folder).run().state == "done"
    source = (folder / "pipeline.py").read_text()
    for wrong, meant in (('on="bdy"', "body"), ('on="body", filters=["idd"]', "id")):
        (folder / "pipeline.py").write_text(source.replace('on="body"', wrong))
        run = Project.open(folder).run()
        assert run.state == "failed" and f"Next: did you mean {meant!r}?" in run.error
        (status,) = (each for each in Project.open(folder).status() if each.name == "search")
        assert (status.state, status.rows) == ("stale", 1) and f"did you mean {meant!r}?" in status.reason
        assert Project.open(folder).plan().steps[0].causes[0].reason == status.reason
    (folder / "pipeline.py").write_text(source)
    assert Project.open(folder).run().assets == ()


def test_an_index_that_never_came_about_says_why(project_folder: Callable[..., Path]) -> None:
    files = {"inbox/a.jsonl": '{"id": "1", "body": "hello"}\n'}
    project = Project.open(project_folder(PIPELINE.replace('on="body"', 'on="bdy"'), files=files))

    def search() -> tuple[str, str]:
        return next((each.state, each.reason) for each in project.status() if each.name == "search")

    assert search() == ("never", "nothing indexed yet")
    assert project.run().state == "failed"
    state, reason = search()
    assert state == "never" and reason.startswith("nothing indexed yet: notes has no column 'bdy'")
