"""What a person mistypes in their own file: the line, and the name that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import Call


@pytest.mark.parametrize(
    ("right", "wrong", "line", "meant"),
    [
        ("@transform(messages)", "@transform(mesages)", 12, "messages"),
        ("inbox.files(", "inbox.file(", 7, "files"),
        ("import Bucket,", "import Buket,", 3, "Bucket"),
        ("-> int:", "-> intt:", 13, "int"),
    ],
)
def test_a_mistyped_name_is_answered_with_the_nearest(
    folder: Path, packyak: Call, right: str, wrong: str, line: int, meant: str
) -> None:
    source = (folder / "pipeline.py").read_text()
    (folder / "pipeline.py").write_text(source.replace(right, wrong, 1))
    ended = packyak("status")
    assert (ended.code, ended.out) == (2, "")
    assert f"pipeline.py:{line}: " in ended.err and f"Next: did you mean {meant!r}?" in ended.err


@pytest.mark.parametrize("option", ["--home", "--project"])
def test_an_empty_place_is_no_place(folder: Path, packyak: Call, option: str) -> None:
    before = sorted(folder.iterdir())
    ended = packyak("run", option, "")
    assert ended.code == 2 and f"{option} is empty. Next: name a place" in ended.err
    assert sorted(folder.iterdir()) == before


def test_a_name_that_is_like_none_is_to_be_mended(folder: Path, packyak: Call) -> None:
    with (folder / "pipeline.py").open("a") as file:
        file.write("\nqqqqzzzz\n")
    assert "Next: mend it and save." in packyak("status").err
