"""What the code no longer declares: told, and erased all at once where somebody asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.errors import DataError
from packyak.engine.privacy import leftovers
from packyak.engine.project import Project
from packyak.engine.store.purge import remove
from somebody import SOURCE, put, taught, tickets, who_has

Write = Callable[..., Path]
pytest.importorskip("sentence_transformers")
OLD = (
    SOURCE
    + """
from packyak import function

@transform(tickets)
def oldnote(text: str) -> str:
    return "oldnote: " + text.upper()

@learned(tickets, train_after=8)
def oldtopic(text: str) -> Literal["gas", "water"]:
    return "gas"

oldsearch = Index(oldnote, on="oldnote")

@function(on=inbox.created("*.jsonl"))
def oldwatch(file: File) -> None:
    pass
"""
)
NAMES = ("oldnote", "oldsearch", "oldtopic", "oldwatch")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with things that are not declared any more, as it stands before anything is erased."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "packyak.toml").write_text('modules = ["pipeline"]\n[settings]\nprefect = "off"\nworker = "off"\n')
    (folder / "pipeline.py").write_text(OLD)
    put(folder, tickets())
    project = taught(folder)
    for n in range(3, 15):
        project.correct("oldtopic", f"T-{100 + n}", "oldtopic", "water" if n % 2 else "gas")
    project.correct("oldnote", "T-110", "oldnote", "oldnote: SAID BY A PERSON")
    assert project.run().state == "done"
    project.map("oldsearch", way="directions")
    (folder / "pipeline.py").write_text(SOURCE)
    project = Project.open(folder)
    assert project.run().state == "done"
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(made, tmp_path / "p"))


def files_of(folder: Path, name: str) -> list[str]:
    """The files of the home that are named so, or lie in a folder that is."""
    home = folder / ".packyak"
    found = (file.relative_to(home) for file in home.rglob("*") if file.is_file())
    return sorted(str(file) for file in found if any(part.split(".")[0].split("-")[0] == name for part in file.parts))


def test_what_is_left_is_told_with_how_much_it_is(folder: Path) -> None:
    found = {each.name: each for each in Project.open(folder).leftovers()}
    assert tuple(found) == NAMES
    assert {name: each.records for name, each in found.items()} == dict.fromkeys(NAMES, 40) | {"oldwatch": 0}
    assert (len(found["oldtopic"].corrections), len(found["oldtopic"].models)) == (12, 1)
    assert found["oldnote"].words == (
        "the code no longer declares oldnote, of which the home has 40 records, 1 correction"
    )
    assert all(each.files == len(files_of(folder, name)) for name, each in found.items())


@pytest.mark.parametrize("name", NAMES)
def test_all_of_it_goes_and_nothing_else(folder: Path, name: str) -> None:
    project = Project.open(folder)
    before = {each: project.read(each).num_rows for each in ("tickets", "topic", "sentences")}
    others = [each for each in project.corrections() if each.asset != name]
    assert files_of(folder, name)
    dry = project.forget(name, dry_run=True)
    assert (dry.id, dry.keys, files_of(folder, name) != []) == ("", (), True)
    done = project.forget(name, why="not needed", by="ana")
    assert (dict(done.left), done.records, files_of(folder, name)) == ({}, dry.records, [])
    again = Project.open(folder)
    assert name not in {each.name for each in again.leftovers()}
    assert name not in json.loads((folder / ".packyak/candidates.json").read_text())
    assert {each: again.read(each).num_rows for each in before} == before
    assert [each.id for each in again.corrections()] == [each.id for each in others]
    assert again.models("topic")[0].current
    assert again.run().state == "done"
    (kept,) = again.erasures()
    assert (kept.asset, kept.why, kept.back, kept.ended != "") == (name, "not needed", 0, True)


def test_no_file_has_what_only_it_had(folder: Path) -> None:
    assert who_has(folder, [b"SAID BY A PERSON"])
    for name in NAMES:
        Project.open(folder).forget(name)
    assert who_has(folder, [b"SAID BY A PERSON", b"oldnote: THE"]) == {}


def test_cut_short_it_is_still_left_over_and_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(home: object, place: str) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(leftovers, "remove", dies)
        Project.open(folder).forget("oldtopic")
    project = Project.open(folder)
    assert "oldtopic" in {each.name for each in project.leftovers()}
    project.forget("oldtopic")
    assert files_of(folder, "oldtopic") == []
    assert [each.ended != "" for each in project.erasures()] == [True, True]


def test_a_folder_that_is_not_there_is_no_error(folder: Path) -> None:
    assert remove(Project.open(folder).home, "tables/never.lance") == 0


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tickets", "an asset and the keys of its records are needed: tickets is declared"),
        ("inbox", "an asset and the keys of its records are needed: inbox is declared"),
        ("oldnotes", "did you mean 'oldnote'?"),
    ],
)
def test_what_is_declared_or_never_was_is_refused(folder: Path, name: str, told: str) -> None:
    with pytest.raises(DataError) as refused:
        Project.open(folder).forget(name)
    assert told in str(refused.value)


def test_an_old_name_is_left_over_once_the_new_one_took_over(project_folder: Write) -> None:
    source = (
        "from typing import Iterator\nfrom packyak import Bucket, File, read_jsonl, transform\n"
        'inbox = Bucket("inbox")\n'
        '@transform(inbox.files("*.jsonl"), key="id"%s)\n'
        "def %s(file: File) -> Iterator[dict]:\n    yield from read_jsonl(file)\n"
    )
    folder = project_folder(source % ("", "letters"), files={"inbox/a.jsonl": '{"id": "L-1", "text": "Dear"}\n'})
    project = Project.open(folder)
    assert project.run().state == "done"
    project.correct("letters", "L-1", "text", "Dearest")
    assert project.run().state == "done"
    (folder / "pipeline.py").write_text(source % (', was="letters"', "mail"))
    project = Project.open(folder)
    assert project.leftovers() == ()
    with pytest.raises(DataError, match=r"mail has not taken over from letters yet.*`packyak run mail`"):
        project.forget("letters")
    assert project.run().state == "done"
    (left,) = project.leftovers()
    assert (left.name, left.records, left.corrections) == ("letters", 1, ())
    project.forget("letters")
    assert project.leftovers() == ()
    again = Project.open(folder)
    assert again.read("mail")["text"].to_pylist() == ["Dearest"]  # what people said counts for the new name
    assert (len(again.corrections()), again.run().state) == (1, "done")
