"""A function that waits for new files is called once for each, and again only for those it failed on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from packyak.engine.project import Project

PIPELINE = """
from packyak import Bucket, File, function

inbox = Bucket("inbox")

@function(on=inbox.created("*.pdf"))
async def keep_pdf(file: File) -> None:
    if not (await inbox.get(file.key)).startswith(b"%PDF"):
        raise ValueError("no PDF")
    await Bucket("archive").put(file.key, await inbox.get(file.key))
"""


def test_each_new_file_is_handled_once_and_a_failed_one_again(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(PIPELINE, files={"inbox/a.pdf": b"%PDF a", "inbox/b.pdf": b"broken", "inbox/c.txt": b"x"})
    project = Project.open(folder)
    (step,) = project.plan().steps
    assert (step.asset, step.action, step.causes[0].reason) == ("keep_pdf", "call", "2 files wait, such as a.pdf")
    record = project.run()
    assert record.state == "failed"
    (status,) = [each for each in project.status() if each.name == "keep_pdf"]
    assert (status.state, status.reason.startswith("1 file waits: b.pdf; b.pdf: ValueError: no PDF")) == (
        "failed",
        True,
    )
    assert "b.pdf: ValueError: no PDF" in record.error
    assert project.list_keys("archive") == ["a.pdf"]
    project.put_bytes("inbox", "b.pdf", b"%PDF b")
    (folder / ".packyak/buckets/archive/a.pdf").unlink()
    assert project.run().state == "done"
    assert project.plan().steps == () and {each.state for each in project.status()} == {"fresh"}
    assert project.list_keys("archive") == ["b.pdf"]
    assert project.run().assets == ()
