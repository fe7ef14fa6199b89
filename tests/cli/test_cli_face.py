"""The face of the command line: every command documented with examples, mistakes answered, numbers and words."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import typer
from calling import Call
from packyak.engine.errors import PackyakError, RunBusy, UserCodeError
from packyak.engine.run.runs import AssetRun

from packyak.cli import following, say, tables, words
from packyak.cli.app import ORDER, run_command
from packyak.cli.light import read
from packyak.cli.options import EXAMPLES, app
from packyak.cli.reference import page

ROOT = Path(__file__).parent.parent.parent
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_the_documented_commands_are_the_commands() -> None:
    assert set(COMMANDS) == set(ORDER) == set(EXAMPLES)
    assert (ROOT / "docs/commands.md").read_text() == page(), "python -m packyak.cli.reference > docs/commands.md"


@pytest.mark.parametrize("name", ORDER)
def test_every_command_has_help_with_examples(name: str, packyak: Call) -> None:
    ended = packyak(name, "--help")
    assert ended.code == 0
    for line, meaning in EXAMPLES[name]:
        assert f"# {meaning}\n  {line}" in ended.out
    assert all(each.help for each in COMMANDS[name].params)


@pytest.mark.parametrize("line", [line for examples in EXAMPLES.values() for line, _ in examples])
def test_every_example_can_be_parsed(line: str) -> None:
    program, name, *arguments = shlex.split(line.split(" > ")[0].split(" < ")[0])
    assert program == "packyak"
    COMMANDS[name].make_context(name, arguments)


@pytest.mark.parametrize("name", ORDER)
def test_every_command_answers_json(name: str) -> None:
    assert any("--json" in each.opts for each in COMMANDS[name].params)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("stats",), "Did you mean 'status'"),
        (("show",), "Missing argument 'ASSET'"),
        (("show", "a", "--limt", "3"), "--limit"),
        (("show", "a", "--limit", "three"), "'--limit'"),
        (("init", "demo", "--sample", "x"), "(x). --sample takes no value. Next: `packyak init [FOLDER]`"),
        (("trace", "a", "-|-"), "`packyak trace --help`; a word that begins with - stands behind --."),
        (("show", "a", "b"), "(b). Next: `packyak show ASSET`, and `packyak show --help`"),
    ],
)
def test_a_mistake_is_exit_code_2_and_says_what_was_meant(packyak: Call, arguments: tuple[str, ...], says: str) -> None:
    ended = packyak(*arguments)
    assert ended.code == 2
    assert says in ended.err
    assert "Next: `packyak" in ended.err
    assert packyak(*arguments, "--json").json["error"] == "UsageError"


def test_a_mistyped_variable_is_told_once_beside_the_answer(
    packyak: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKYAK_WORKR", "off")
    said = "PACKYAK_WORKR is no setting and does nothing"
    ended = packyak("status", "--json")
    assert ended.err.count(said) == 1 and ended.err.strip().endswith("did you mean PACKYAK_WORKER?") and ended.json
    assert said in packyak("settings").out and said in packyak("settings", "--json").json["notes"][0]
    findings = packyak("doctor", "--json")
    assert [each["next_step"] for each in findings.json["findings"] if each["name"] == "environment"] == [
        "did you mean PACKYAK_WORKER?"
    ]
    assert said not in findings.err


def test_without_a_command_the_help_is_shown(packyak: Call) -> None:
    assert "Usage: packyak" in packyak().out
    assert packyak("--version").out.startswith("packyak 0.")


@pytest.mark.parametrize("command", ["run", "plan", "status", "history"])
def test_without_a_project_the_next_step_is_told(
    packyak: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = packyak(command)
    assert ended.code == 2
    assert "`packyak init`" in ended.err
    assert packyak(command, "--project", "nowhere").code == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {"words": ()}),
        (["a", "--json", "--wait", "b"], {"words": ("a", "b"), "as_json": True, "wait": True}),
        (["--project", "x", "--home=s3://b/p"], {"words": (), "project": "x", "home": "s3://b/p"}),
        (
            ["--retry-failed", "--here", "--verbose"],
            {"words": (), "retry_failed": True, "here": True, "verbose": True},
        ),
        (["--help"], None),
        (["--jsn"], None),
        (["--project"], None),
        (["--project", "--json"], None),
        (["--cancel"], None),
        (["--", "a"], None),
    ],
)
def test_the_light_way_reads_only_what_it_understands(arguments: list[str], expected: dict[str, object] | None) -> None:
    assert read("run", arguments) == expected


def test_exit_codes() -> None:
    assert say.exit_code(PackyakError("x")) == say.WRONG
    assert say.exit_code(RunBusy("x")) == say.BUSY
    assert say.exit_code(UserCodeError("x")) == say.NOT_UP_TO_DATE
    assert say.exit_code(KeyboardInterrupt()) == say.CANCELLED
    assert say.exit_code(ZeroDivisionError()) == say.BROKEN
    assert say.exit_code(PackyakError("ZeroDivisionError: x", original="ZeroDivisionError")) == say.BROKEN


def test_an_error_of_our_own_shows_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("packyak.cli.commands_run.find_place", broken)
    assert run_command(["plan"]) == say.BROKEN
    assert "Traceback" in (told := capsys.readouterr().err)
    assert "an error in Packyak itself: ZeroDivisionError: by nothing" in told


def test_wide_letters_line_up() -> None:
    drawn = tables.lines(("name", "n"), [("五月", "1"), ("Zoe\u0308", "22")], right=("n",))
    assert drawn == ["name   n", "五月   1", "Zoe\u0308   22"]


def test_a_cell_is_one_line_and_steers_no_terminal() -> None:
    assert tables.cell("a\nb\x1b[31m") == "a\\nb\\x1b[31m"
    assert tables.cell(None) == ""
    assert tables.cell([1, None]) == "[1, null]"
    assert tables.cell(True) == "true"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.96, "10 s"), (75, "1 min 15 s"), (3600 * 3 + 65, "3 h 1 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_how_far_an_asset_is() -> None:
    assert following.advance(AssetRun("a", "running", done=1500, total=3000, rate=300.0, eta=5.0)) == (
        "1,500 of 3,000, 300/s, 5.0 s left"
    )
    assert following.outcome(AssetRun("a", "done", computed=2, changed=1, deleted=3, failed=1, seconds=2.0)) == (
        "2 computed, 1 changed, 3 deleted, 1 failed  2.0 s"
    )
    assert following.outcome(AssetRun("a", "skipped")) == "nothing to do"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a", "k", "c", "-3.5"], {"words": ("a", "k", "c", "-3.5")}),
        (
            ["a", "k", "c", "--accept", "--why", "so it is"],
            {"words": ("a", "k", "c"), "accept": True, "why": "so it is"},
        ),
        (["--undo=12"], {"words": (), "undo": "12"}),
        (["a", "k", "c", "v", "w"], None),
        (["a", "k", "c", "--acept"], None),
    ],
)
def test_the_light_way_reads_corrections(arguments: list[str], expected: dict[str, object] | None) -> None:
    assert read("correct", arguments) == expected
