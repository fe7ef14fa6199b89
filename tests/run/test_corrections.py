"""What people say: many at once, spread to the like, confirmed, commented, undone and brought back, in and out of
files; and several people on one field."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from packyak.engine.errors import CorrectionError, PackyakError
from packyak.engine.project import Project
from packyak.engine.run.correct.opinions import Rule
from packyak.engine.run.correct.saving import Said
from packyak.engine.run.questions import Agreement
from saying import PIPELINE, edit, put, run, tickets, values


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared") / "demo"
    folder.mkdir()
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "packyak.toml").write_text(
        'name = "demo"\nmodules = ["pipeline"]\n[settings]\nprefect = "off"\nworker = "off"\nperson = "ana"\n'
    )
    put(folder, tickets())
    run(folder)
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "demo"))


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    yield Project.open(folder)


def kinds(project: Project) -> dict[str, str]:
    return values(project, "kind", "kind")


# Many at once


def test_bulk_counts_first_saves_one_file_and_is_undone_by_one_id(project: Project) -> None:
    before = kinds(project)
    preview = project.correct_where("kind", "kind", "late", where="text like '%parcel%'", preview=True)
    assert (preview.count, preview.same, preview.id) == (2, 1, "")
    assert [(each.key, each.before, each.after) for each in preview.examples] == [
        ("T5", "other", "late"),
        ("T7", "other", "late"),
    ]
    assert project.corrections() == ()
    done = project.correct_where("kind", "kind", "late", where="text like '%parcel%'", why="parcels")
    assert (done.count, done.same, len(project.home.names("corrections"))) == (2, 1, 1)
    assert {each.origin for each in project.corrections()} == {"bulk"}
    assert kinds(project) == {**before, "T5": "late", "T7": "late"}
    again = project.correct_where("kind", "kind", "broken", keys=["T5", "T6"], preview=True)
    assert (again.count, again.decided) == (2, 1)
    project.undo(done.id)
    assert kinds(project) == before
    project.redo(done.id)
    assert kinds(project)["T5"] == "late"
    undo = project.undo(done.id)
    assert kinds(project) == before
    project.undo(undo.group)
    assert kinds(project)["T7"] == "late"


def test_bulk_by_keys_names_those_that_are_not_there_and_saves_nothing(project: Project) -> None:
    with pytest.raises(CorrectionError, match=r"no record 'X' and 1 others"):
        project.correct_where("kind", "kind", "late", keys=["T1", "X", "Y"])
    with pytest.raises(CorrectionError, match="not among the values"):
        project.correct_where("kind", "kind", "lost", where="true")
    with pytest.raises(CorrectionError, match="not said which"):
        project.correct_where("kind", "kind", "late")
    with pytest.raises(PackyakError, match="txt"):
        project.correct_where("kind", "kind", "late", where="txt = 'a'")
    assert project.corrections() == ()
    assert project.correct_where("kind", "kind", "late", where="false").id == ""


def test_bulk_remembers_what_was_seen_and_computed_of_each_record(folder: Path, project: Project) -> None:
    one = project.correct("kind", "T6", "kind", "late")
    many = project.correct_where("kind", "kind", "broken", keys=["T3", "T6"])
    saved = {each.key: each for each in project.corrections() if each.group == many.id}
    assert saved["T6"].seen == one.seen == {"text": "thanks a lot"}
    assert (saved["T6"].seen_hash, saved["T6"].computed) == (one.seen_hash, "other")
    assert saved["T3"].seen_hash not in ("", one.seen_hash)


def test_a_second_correction_of_an_aggregate_remembers_what_was_computed(folder: Path, project: Project) -> None:
    project.correct("per_kind", "broken", "n", 7)
    run(folder)
    project.correct("per_kind", "broken", "n", 8)
    assert project.corrections()[0].computed == 2
    assert values(run(folder), "per_kind", "n", "kind")["broken"] == 8


# Spread


def test_spread_suggests_and_changes_nothing_until_it_is_told(project: Project) -> None:
    fixed = project.correct("kind", "T7", "kind", "late", why="lost means late")
    found = project.similar("kind", "T7", "kind", 5)
    assert (found.was, found.value, found.by) == ("other", "late", "values")
    assert found.neighbours[0].key == "T3"  # a text of the same shape
    assert {each.key for each in found.neighbours} == {"T3", "T5", "T6"}
    assert len(project.corrections()) == 1
    preview = project.spread("kind", "T7", "kind", ["T5"], preview=True)
    assert (preview.count, len(project.corrections())) == (1, 1)
    done = project.spread("kind", "T7", "kind", ["T5", "T3"])
    assert kinds(project)["T5"] == kinds(project)["T3"] == "late"
    spread = [each for each in project.corrections() if each.origin == "spread"]
    assert {each.of for each in spread} == {fixed.id}
    assert {each.why for each in spread} == {"as T7: lost means late"}
    assert [each.key for each in project.similar("kind", "T7", "kind").neighbours] == ["T6"]
    project.undo(done.id)
    assert kinds(project)["T5"] == "other"


def test_only_a_fix_can_be_spread(project: Project) -> None:
    with pytest.raises(CorrectionError, match="no fix to spread"):
        project.similar("kind", "T7", "kind")
    project.accept("kind", "T7", "kind")
    with pytest.raises(CorrectionError, match="no fix to spread"):
        project.similar("kind", "T7", "kind")


# Accept, comment, undo, redo


def test_an_accepted_value_is_the_persons_and_survives_a_new_rule(folder: Path, project: Project) -> None:
    project.accept("kind", "T0", "kind")
    edit(folder, '"late" if "late" in text else', "")
    after = run(folder)
    assert (kinds(after)["T0"], kinds(after)["T1"]) == ("late", "other")
    detail = {each.column: each for each in after.record("kind", "T0").fields}["kind"]
    assert (detail.decided, detail.computed, detail.corrected_by) == ("person", "other", "ana")


def test_comments_change_nothing(folder: Path, project: Project) -> None:
    whole = project.comment("kind", "T0", "ask the shop", by="bo")
    project.comment("kind", "T0", "sure?", column="kind")
    assert all(each.state == "fresh" for each in project.status() if each.name in ("tickets", "kind", "per_kind"))
    assert [(each.column, each.value, each.by) for each in project.corrections("kind", "T0")] == [
        ("kind", "sure?", "ana"),
        ("", "ask the shop", "bo"),
    ]
    project.undo(whole.id)
    assert Project.open(folder).run().assets == ()
    assert not [each for each in project.record("kind", "T0").fields if each.corrected_by]
    with pytest.raises(CorrectionError, match="needs words"):
        project.comment("kind", "T0", "  ")


def test_anything_can_be_undone_and_brought_back(project: Project) -> None:
    accept = project.accept("kind", "T0", "kind")
    fix = project.correct("kind", "T0", "kind", "other")
    undo = project.undo(fix.id)
    assert kinds(project)["T0"] == "late"
    with pytest.raises(CorrectionError, match="undone already"):
        project.undo(fix.id)
    redo = project.redo(fix.id)
    assert kinds(project)["T0"] == "other"
    with pytest.raises(CorrectionError, match="not undone"):
        project.redo(fix.id)
    project.undo(redo.id)
    assert kinds(project)["T0"] == "late"
    project.undo(undo.id)
    assert kinds(project)["T0"] == "other"
    project.undo(fix.id)
    project.undo(accept.id)
    assert not project.scope().in_force
    project.redo(accept.id)
    assert [each.kind for each in project.scope().in_force.values()] == ["accept"]


def test_undo_restores_the_version(folder: Path, project: Project) -> None:
    def versions() -> dict[str, str | None]:
        return {each.name: each.version for each in Project.open(folder).status() if each.version}

    before = versions()
    done = project.correct_where("kind", "kind", "late", where="true")
    run(folder)
    assert versions() != before
    project.undo(done.id)
    run(folder)
    assert versions() == before


# Several people


def test_the_latest_holds_and_the_disagreement_waits_for_a_person(project: Project) -> None:
    project.correct("kind", "T3", "kind", "late", by="ana")
    project.correct("kind", "T3", "kind", "broken", by="bo", why="read it twice")
    project.correct("kind", "T4", "kind", "late", by="ana")
    project.correct("kind", "T4", "kind", "late", by="bo")
    assert kinds(project)["T3"] == "broken"
    (found,) = project.disagreements()
    assert (found.key, found.holds, found.settled) == ("T3", "broken", "")
    assert [(each.by, each.value) for each in found.opinions] == [("bo", "broken"), ("ana", "late")]
    project.settle("kind", "T3", "kind", "late", by="cy")
    assert project.disagreements() == ()
    assert kinds(project)["T3"] == "late"
    project.correct("kind", "T3", "kind", "other", by="bo")
    assert [each.by for each in project.disagreements()[0].opinions] == ["bo", "cy"]


@pytest.mark.parametrize(
    ("settings", "holds", "settled"),
    [
        ('disagreements = "latest"', "other", "latest"),
        ('disagreements = "majority"', "late", "majority"),
        ('disagreements = "senior"\nsenior = ["dee", "bo", "ana"]', "broken", "senior"),
        ('disagreements = "senior"\nsenior = "dee"', "other", ""),
    ],
)
def test_a_rule_settles(folder: Path, settings: str, holds: str, settled: str) -> None:
    project = Project.open(folder)
    for person, value in (("ana", "late"), ("bo", "broken"), ("cy", "late"), ("eve", "other")):
        project.correct("kind", "T3", "kind", value, by=person)
    run(folder)
    with (folder / "packyak.toml").open("a") as toml:
        toml.write(settings)
    project = Project.open(folder)
    assert kinds(project)["T3"] == holds, "before any run"
    (found,) = project.disagreements("kind")
    assert (found.holds, found.settled) == (holds, settled)
    assert kinds(run(folder))["T3"] == holds


def test_a_tie_waits_and_words_about_other_inputs_are_no_disagreement(folder: Path, project: Project) -> None:
    project.correct("kind", "T3", "kind", "late", by="ana")
    project.correct("kind", "T3", "kind", "broken", by="bo")
    scope = project.scope()
    scope.rule = Rule("majority")
    assert scope.in_force["kind", "T3", "kind"].value == "broken"
    put(folder, [*tickets()[:3], {"id": "T3", "text": "now something else", "lang": "en"}, *tickets()[4:]])
    project = run(folder)
    assert len(project.disagreements()) == 1
    project.correct("kind", "T3", "kind", "other", by="ana")
    assert project.disagreements() == ()


def test_agreement_of_reviewers(project: Project) -> None:
    for key, one, two in (("T0", "late", "late"), ("T1", "late", "broken"), ("T2", "broken", "broken"), ("T3",) * 3):
        one, two = ("other", "other") if key == "T3" else (one, two)
        project.correct_many([Said("kind", key, "kind", one, by="ana"), Said("kind", key, "kind", two, by="bo")])
    (found,) = project.agreement()
    sklearn = pytest.importorskip("sklearn.metrics")
    kappa = sklearn.cohen_kappa_score(["late", "late", "broken", "other"], ["late", "broken", "broken", "other"])
    assert found == Agreement("ana", "bo", 4, 0.75, pytest.approx(kappa))
    project.correct("words", "T0", "words", 4, by="cy")
    assert project.agreement("words") == ()


# In and out of files


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_an_exported_log_comes_back_the_same(folder: Path, prepared: Path, tmp_path: Path, name: str) -> None:
    project = Project.open(folder)
    project.correct("kind", "T3", "kind", "late", by="bo", why='said "late", twice\nreally')
    project.correct("tickets", "T3", "text", "", by="bo")
    project.correct("words", "T3", "words", None)
    done = project.correct_where("kind", "kind", "broken", keys=["T5", "T6"])
    project.accept("kind", "T0", "kind")
    project.comment("kind", "T1", "hm")
    project.undo(done.id)
    project.redo(done.id)
    file = tmp_path / name
    assert project.export_corrections(file) == 11
    other = Project.open(Path(shutil.copytree(prepared, tmp_path / "other")))
    assert other.import_corrections(file, dry_run=True).saved == 11
    assert other.corrections() == ()
    found = other.import_corrections(file)
    assert (found.saved, found.already, found.bad) == (11, 0, ())
    assert other.import_corrections(file).already == 11
    mine, theirs = project.corrections(), other.corrections()
    if name.endswith("jsonl"):
        assert theirs == mine
    assert [(c.field, c.kind, c.value, c.by, c.at, c.why) for c in theirs] == [
        (c.field, c.kind, c.value, c.by, c.at, c.why) for c in mine
    ]
    assert other.read("kind").sort_by("id") == project.read("kind").sort_by("id")


ROWS = [
    {"key": "T0", "column": "kind", "value": "other", "by": "bo", "at": "2026-01-02T03:04", "why": "x"},
    {"key": "T99", "column": "kind", "value": "other"},
    {"key": "T1", "column": "knd", "value": "other"},
    {"key": "T1", "column": "kind", "value": "unknown"},
    {"key": "", "column": "kind", "value": "other"},
    {"key": "T2", "column": "words", "value": "many", "asset": "words"},
    {"key": "T2", "column": "words", "value": "5", "asset": "words", "at": "yesterday"},
    {"key": "T2", "column": "words", "value": "5", "asset": "nothing"},
    {"key": "T2", "column": "words", "value": "5", "asset": "words", "at": "2999-01-01"},
    {"key": "T2", "column": "words", "value": "5", "asset": "words"},
]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_bad_rows_are_told_and_good_ones_saved(project: Project, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"from.{kind}"
    if kind == "csv":
        with file.open("w", newline="") as out:
            writer = csv.DictWriter(out, ["asset", "key", "column", "value", "by", "at", "why"])
            writer.writeheader()
            writer.writerows(ROWS)
            out.write("kind,T1,kind,other,a,,b,too,many\n")
    else:
        file.write_text("".join(json.dumps(each) + "\n" for each in ROWS) + "no json\n")
    found = project.import_corrections(file, asset="kind", by="cy")
    first = 2 if kind == "csv" else 1
    assert (found.saved, found.already) == (2, 0)
    assert [each.line - first for each in found.bad] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    for each, words in zip(
        found.bad,
        ["no record 'T99'", "'knd'", "'unknown'", "key", "many", "no time", "nothing", "ahead", ""],
        strict=True,
    ):
        assert words in each.reason
    assert kinds(project)["T0"] == "other"
    one = project.corrections("kind", "T0")[0]
    assert (one.by, one.at, one.why, one.origin) == ("bo", "2026-01-02T03:04:00.000000+00:00", "x", "import")
    assert values(project, "words", "words")["T2"] == 5
    assert project.import_corrections(file, asset="kind", by="cy").already == 2
    project.undo(found.id)
    assert not project.scope().in_force


def test_a_file_that_is_none_is_told(project: Project, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("key,value\n")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    for name, words in (("a.csv", "no column 'column'"), ("b.csv", "UTF-8"), ("c.csv", "cannot be read"), ("d", "CSV")):
        (tmp_path / "d").write_text("")
        with pytest.raises(CorrectionError, match=words):
            project.import_corrections(tmp_path / name)


def test_corrections_of_a_record_that_is_gone_are_imported_and_wait(folder: Path, tmp_path: Path) -> None:
    project = Project.open(folder)
    project.correct("kind", "T7", "kind", "late")
    project.export_corrections(tmp_path / "log.jsonl")
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    shutil.rmtree(other / ".packyak/corrections")
    put(other, tickets()[:7])
    assert run(other).import_corrections(tmp_path / "log.jsonl").saved == 1
    put(other, tickets())
    assert kinds(run(other))["T7"] == "late"
