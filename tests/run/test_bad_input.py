"""Bad code, corrections and homes: a clear word with the next step, the last good version intact, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.errors import CorrectionError, DataError, DeclarationError
from packyak.engine.project import Project
from reading import READ, failures

Write = Callable[..., Path]

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
