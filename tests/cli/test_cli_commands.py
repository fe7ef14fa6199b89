"""Each command on a real project: what it says, its JSON, its exit code."""

from __future__ import annotations

import csv
import io
import shutil
import time
from pathlib import Path

import pytest
from calling import Call


@pytest.fixture
def ran(folder: Path, packyak: Call) -> Path:
    """The project, brought up to date once."""
    assert packyak("run").code == 0
    return folder


def test_run_tells_each_asset_and_then_that_nothing_is_to_do(folder: Path, packyak: Call) -> None:
    first = packyak("run")
    assert first.code == 0
    assert "messages    done" in first.out
    assert "3 assets brought up to date" in first.out
    time.sleep(2.1)  # a file that was changed a moment ago is looked at again
    packyak("run")
    assert packyak("run").out == "Everything is up to date: 3 assets\n"
    again = packyak("run", "--json").json
    assert (again["state"], again["nothing_to_do"], again["up_to_date"], again["assets"]) == ("done", True, 3, [])


def test_run_json_is_the_record_of_the_run(folder: Path, packyak: Call) -> None:
    found = packyak("run", "words", "--json").json
    assert found["state"] == "done"
    assert [each["asset"] for each in found["assets"]] == ["messages", "words"]
    assert found["nothing_to_do"] is False


def test_what_the_users_code_prints_does_not_spoil_json(folder: Path, packyak: Call) -> None:
    source = (folder / "pipeline.py").read_text()
    source = source.replace("    return len", '    print("counting")\n    return len') + '\nprint("imported")\n'
    (folder / "pipeline.py").write_text(source)
    for command in ("run", "status", "plan"):
        assert packyak(command, "--json").json


def test_a_failing_asset_is_exit_code_1_and_says_so(folder: Path, packyak: Call) -> None:
    with (folder / "pipeline.py").open("a") as file:
        file.write(
            "\nfrom packyak import asset\n@asset(key='a')\ndef broken():\n    raise ValueError('näh 漢字')\n"
            "below = sql('select a from broken')\n"
        )
    ended = packyak("run")
    assert ended.code == 1
    assert "failed: broken; blocked: below" in ended.err
    assert "Traceback" not in ended.out + ended.err
    verbose = packyak("run", "--retry-failed", "--verbose")
    assert verbose.code == 1
    assert "Traceback" in verbose.err
    assert "raise ValueError('näh 漢字')" in verbose.err
    states = {each["name"]: each for each in packyak("status", "--json").json["assets"]}
    assert states["broken"]["state"] == "failed"
    assert (states["below"]["state"], states["below"]["reason"]) == ("blocked", "waits for broken, which failed")


def test_failed_records_do_not_fail_a_run_and_can_be_shown(folder: Path, packyak: Call) -> None:
    source = (folder / "pipeline.py").read_text().replace("return len", "return 1 // (text.count('e') - 1) + len")
    (folder / "pipeline.py").write_text(source)
    (folder / ".packyak/buckets/inbox/odd.jsonl").write_text("no record")
    ended = packyak("run")
    assert ended.code == 0
    failed = packyak("show", "words", "--only", "failed", "--json").json["total"]
    records = f"{failed} record{'s' if failed > 1 else ''}"
    assert f"1 file and {records} failed (`packyak status` says why, `packyak show ASSET --only failed`" in ended.out
    assert "2 files read" in ended.out and "1 file failed" in ended.out
    listed = packyak("show", "messages", "--only", "failed").out
    assert listed.split()[:5] == ["file", "why", "it", "failed", "odd.jsonl"] and "Next:" in listed
    (failure,) = packyak("show", "messages", "--only", "failed", "--json").json["failures"]
    assert (failure["unit"], failure["name"]) == ("file", "odd.jsonl")
    assert failure["run"] == packyak("history", "--json").json["runs"][0]["id"]
    assert "ZeroDivisionError" in ended.out and "ZeroDivisionError" in packyak("status").out
    assert packyak("show", "words", "--only", "failed", "--json").json["total"] > 0


def test_plan(ran: Path, packyak: Call) -> None:
    source = (ran / "pipeline.py").read_text().replace("len(text.split())", "len(text.split()) + 1")
    (ran / "pipeline.py").write_text(source)
    ended = packyak("plan", "--diff")
    assert ended.code == 0
    assert "words: compute, 3 records" in ended.out
    assert "+ 1" in ended.out
    steps = {step["asset"]: step for step in packyak("plan", "--json").json["steps"]}
    assert set(steps) == {"words", "per_sender"}
    assert steps["words"]["causes"][0]["category"] == "code"
    assert packyak("plan", "messages").out == "Nothing to do: everything is up to date\n"


def test_status_before_any_run(folder: Path, packyak: Call) -> None:
    ended = packyak("status")
    assert ended.code == 0
    assert "never computed" in ended.out
    found = packyak("status", "--json").json
    assert found["running"] is None
    assert {each["state"] for each in found["assets"] if each["kind"] in ("transform", "sql")} == {"never"}
    assert [each["name"] for each in packyak("status", "words", "--json").json["assets"]] == ["words"]


def test_show(ran: Path, packyak: Call) -> None:
    ended = packyak("show", "words")
    assert ended.out.splitlines()[0].split() == ["id", "sender", "text", "words"]
    assert "six\\nseven" in ended.out
    assert ended.err == "3 records\n"
    two = packyak("show", "words", "--where", "words = 2", "--sort", "id", "--json").json
    assert [row["id"] for row in two["rows"]] == ["M-2", "M-3"]
    assert packyak("show", "words", "--text", "五", "--json").json["total"] == 1
    assert (
        packyak("show", "words", "--limit", "1", "--offset", "1", "--sort", "id", "--json").json["rows"][0]["id"]
        == "M-2"
    )
    assert list(packyak("show", "words", "--columns", "words", "--json").json["rows"][0]) == ["words"]
    version = packyak("history", "words", "--json").json["versions"][0]["version"]
    assert packyak("show", "words", "--version", version[:6], "--json").json["total"] == 3


def test_an_asset_without_records_has_no_key_to_show(folder: Path, packyak: Call) -> None:
    for file in (folder / ".packyak/buckets/inbox").iterdir():
        file.write_text("")
    packyak("run")
    assert "_key" not in packyak("show", "words").out
    assert packyak("show", "words", "--json").json["rows"] == []


def test_show_one_record(ran: Path, packyak: Call) -> None:
    found = packyak("show", "words", "--key", "M-2", "--json").json
    assert {each["column"]: each["owner"] for each in found["fields"]}["words"] == "words"
    assert "decided by" in packyak("show", "words", "--key", "M-2").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "wrods"), "did you mean 'words'"),
        (("show", "words", "--key", "M-9"), "no record 'M-9'"),
        (("show", "words", "--only", "new"), "Valid: corrected, failed"),
        (("show", "words", "--columns", "x"), "no column 'x'"),
        (("show", "words", "--where", "nothing > 1"), "nothing"),
        (("sql", "select nothing from words"), "nothing"),
        (("sql", "from nothing"), "nothing"),
        (("status", "wrods"), "did you mean 'words'"),
        (("run", "wrods"), "did you mean 'words'"),
        (("correct", "words", "M-2", "wrods", "1"), "did you mean 'words'"),
        (("correct", "words", "M-2", "words", "many"), "int"),
        (("correct", "words", "M-2", "words"), "VALUE is missing"),
        (("correct", "words", "M-2", "words", "1", "--accept"), "two things"),
        (("correct", "words", "M-2", "id", "M-4"), "key"),
        (("correct", "--undo", "123"), "no correction '123'"),
        (("diff", "words"), "no two versions"),
        (("settings", "hom"), "did you mean `home`"),
        (("init", "."), "already"),
    ],
)
def test_what_cannot_be_done_is_exit_code_2_with_the_next_step(
    ran: Path, packyak: Call, arguments: tuple[str, ...], says: str
) -> None:
    ended = packyak(*arguments)
    assert ended.code == 2
    assert says in ended.err
    assert "Next: " in ended.err
    assert "Traceback" not in ended.err
    as_json = packyak(*arguments, "--json")
    assert as_json.code == 2
    assert as_json.err == ""
    assert set(as_json.json) >= {"error", "message", "next_step", "exit_code"}


def test_sql(ran: Path, packyak: Call) -> None:
    query = "select sender, words from per_sender order by sender"
    assert packyak("sql", query).out.splitlines() == ["sender  words", "Ada         5", "Bo          2"]
    assert packyak("sql", query, "--json").json == {
        "columns": ["sender", "words"],
        "rows": [{"sender": "Ada", "words": 5}, {"sender": "Bo", "words": 2}],
    }
    rows = list(csv.reader(io.StringIO(packyak("sql", "select id, text from words order by id", "--csv").out)))
    assert rows == [["id", "text"], ["M-1", "one two three"], ["M-2", "vier 五"], ["M-3", "six\nseven"]]


def test_sql_from_standard_input(ran: Path, packyak: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("select count(*) as n from words"))
    assert packyak("sql", "-", "--json").json["rows"] == [{"n": 3}]


def test_sql_writes_values_that_json_does_not_have(ran: Path, packyak: Call) -> None:
    values = "'NaN'::double as a, date '2026-01-02' as b, 1.50::decimal(5,2) as c, 'x'::blob as d, null as e"
    query = f"select {values} from words limit 1"
    assert packyak("sql", query, "--json").json["rows"] == [
        {"a": None, "b": "2026-01-02", "c": "1.50", "d": "eA==", "e": None}
    ]


def test_correct_run_history_diff_undo(ran: Path, packyak: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKYAK_PERSON", "Cleo")
    saved = packyak("correct", "words", "M-2", "words", "7", "--why", "counted", "--json").json
    assert (saved["asset"], saved["column"], saved["value"], saved["by"], saved["why"]) == (
        "words", "words", 7, "Cleo", "counted",
    )  # fmt: skip
    assert packyak("show", "words", "--key", "M-2", "--json").json["fields"][-1]["value"] == 7
    assert "7 *" in packyak("show", "words").out
    assert packyak("run").code == 0
    assert packyak("sql", "select words from per_sender where sender = 'Bo'", "--json").json["rows"] == [{"words": 7}]
    changed = packyak("diff", "words", "--json").json
    assert (changed["added"], changed["removed"], changed["changed"]) == (0, 0, 1)
    assert "words: 2 -> 7" in packyak("diff", "words").out
    told = packyak("history", "words", "M-2")
    assert "Cleo" in told.out and "counted" in told.out
    assert packyak("show", "words", "--only", "corrected", "--json").json["total"] == 1

    undone = packyak("correct", "--undo", saved["id"][:14])
    assert "Undone" in undone.out
    assert packyak("show", "words", "--key", "M-2", "--json").json["fields"][-1]["value"] == 2
    assert len(packyak("history", "words", "M-2", "--json").json["corrections"]) == 2


def test_correct_a_field_that_another_asset_owns(ran: Path, packyak: Call) -> None:
    ended = packyak("correct", "words", "M-2", "sender", "Bob")
    assert "a field of messages" in ended.out
    assert len(packyak("history", "words", "M-2", "--json").json["corrections"]) == 1


def test_correct_accept_and_null(ran: Path, packyak: Call) -> None:
    assert packyak("correct", "words", "M-1", "words", "--accept", "--json").json["kind"] == "accept"
    assert packyak("correct", "words", "M-1", "sender", "--null", "--by", "Dan", "--json").json["value"] is None


def test_history_of_runs(ran: Path, packyak: Call) -> None:
    assert packyak("history", "--json").json["runs"][0]["state"] == "done"
    assert "done" in packyak("history").out
    name = packyak("history", "--json").json["runs"][0]["id"]
    one = packyak("history", name)
    assert "words" in one.out and "3 computed" in one.out and one.err.startswith("done, started ")
    assert packyak("history", name, "--json").json["runs"][0]["id"] == name
    assert "there is no asset" in packyak("history", f"{name}-0").err


def test_settings_say_where_they_come_from(folder: Path, packyak: Call) -> None:
    (folder / "packyak.toml").write_text('modules = ["pipeline"]\n[settings]\nthreads = 3\n')
    ended = packyak("settings", "--json", "--home", "elsewhere")
    found = {each["name"]: each for each in ended.json["settings"]}
    assert found["home"]["source"] == "argument"
    assert (found["prefect"]["source"], found["prefect"]["place"]) == ("environment", "PACKYAK_PREFECT")
    assert (found["threads"]["value"], found["threads"]["source"]) == (3, "packyak.toml")
    assert found["batch_rows"]["source"] == "default"
    assert len(packyak("settings", "home").out.splitlines()) == 2


def test_settings_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packyak: Call) -> None:
    monkeypatch.chdir(tmp_path)
    assert packyak("settings").code == 0
    assert packyak("settings", "--project", "nowhere").code == 2


def test_doctor(ran: Path, packyak: Call) -> None:
    found = {each["name"]: each for each in packyak("doctor", "--json").json["findings"]}
    for name in (
        "python",
        "packages",
        "learn",
        "studio",
        "embedding model",
        "project",
        "home",
        "format",
        "declarations",
    ):
        assert found[name]["state"] == "ok", found[name]
    assert {"browser", "worker", "prefect server", "disk"} <= set(found)
    assert packyak("doctor").code == 0


def test_doctor_finds_what_is_wrong_and_says_what_to_do(folder: Path, packyak: Call) -> None:
    (folder / "pipeline.py").write_text("def (\n")
    (folder / ".packyak/format.json").write_text('{"format": 99}')
    ended = packyak("doctor", "--json")
    assert ended.code == 1
    found = {each["name"]: each for each in ended.json["findings"] if each["state"] == "fail"}
    assert set(found) >= {"format", "declarations"}
    assert all(each["next_step"] for each in found.values())


def test_doctor_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packyak: Call) -> None:
    monkeypatch.chdir(tmp_path)
    assert packyak("doctor").code == 1


def test_init_makes_a_project_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packyak: Call) -> None:
    monkeypatch.chdir(tmp_path)
    ended = packyak("init", 'my "new" 計画')
    assert ended.code == 0
    assert "Next: cd" in ended.out
    folder = str(tmp_path / 'my "new" 計画')
    assert packyak("run", "--project", folder).code == 0
    rows = packyak("sql", "from per_sender order by sender", "--project", folder, "--json").json["rows"]
    assert [row["words"] for row in rows] == [10, 4]
    assert packyak("init", folder).code == 2


def test_init_leaves_a_pipeline_that_is_there(tmp_path: Path, packyak: Call) -> None:
    (tmp_path / "pipeline.py").write_text("# mine\n")
    packyak("init", str(tmp_path))
    assert (tmp_path / "pipeline.py").read_text() == "# mine\n"


def test_init_sample(tmp_path: Path, packyak: Call) -> None:
    assert packyak("init", "--sample", str(tmp_path / "s"), "--json").json["files"]
    assert (tmp_path / "s/.packyak/buckets/inbox").is_dir()
    assert packyak("plan", "--project", str(tmp_path / "s"), "--json").json["steps"]


def test_stop_where_nothing_runs(folder: Path, packyak: Call) -> None:
    assert packyak("stop", "--json").json == {"worker": None, "prefect_server": None}


@pytest.mark.parametrize(
    ("written", "home"),
    [
        ('modules = ["pipeline"', ".packyak"),
        ('modules = [\n"pipeline"\n[settings]\nhome = "data"\nthreads = "many', "data"),
        ('[settings]\nhome = "data"\nhom = 1\n', "data"),
        ('[settings\nhome = "s3://bucket/a"', "s3://bucket/a"),
    ],
)
def test_stop_looks_in_the_home_that_can_be_read_of_a_broken_file(
    folder: Path, packyak: Call, written: str, home: str
) -> None:
    (folder / "packyak.toml").write_text(written)
    told = packyak("stop", "--json")
    assert told.code == 0 and told.json["home"] == (home if "://" in home else str(folder / home))
    assert told.json["problem"]["error"] == "SettingError"


def test_who_may_not_stop_a_run_may_not_stop_a_worker_of_a_broken_project(folder: Path, packyak: Call) -> None:
    (folder / "packyak.toml").write_text('modles = 3\n[roles]\nadmin = ["ana"]\nviewer = ["*"]\n')
    assert packyak("stop", "--json").json["error"] == "NotAllowed"


def test_home_elsewhere(folder: Path, tmp_path: Path, packyak: Call) -> None:
    shutil.copytree(folder / ".packyak/buckets", tmp_path / "other/buckets")
    assert packyak("run", "--home", str(tmp_path / "other")).code == 0
    assert (tmp_path / "other/format.json").exists()
    assert not (folder / ".packyak/format.json").exists()
    assert packyak("show", "words", "--home", str(tmp_path / "other"), "--json").json["total"] == 3


def test_cancel_where_no_run_is_on(folder: Path, packyak: Call) -> None:
    ended = packyak("run", "--cancel")
    assert (ended.code, ended.out) == (0, "No run is on\n")


def test_another_run_is_exit_code_3(ran: Path, packyak: Call) -> None:
    from packyak.engine.store.home import Home
    from packyak.engine.store.lease import Lease

    (Path(ran) / ".packyak/gate.json").unlink(missing_ok=True)
    with Lease(Home(ran / ".packyak"), "run", {"doing": "a test"}):
        ended = packyak("run")
        assert ended.code == 3
        assert "Next: " in ended.err
        assert packyak("run", "--json").json["error"] == "RunBusy"
    assert packyak("run").code == 0


def test_roles_are_told_and_refuse_with_who_may(packyak: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "everybody" in packyak("roles").out
    packyak("run")
    with (folder / "packyak.toml").open("a") as toml:
        toml.write('\n[roles]\nadmin = ["ana"]\nviewer = ["*"]\n')
    monkeypatch.setenv("PACKYAK_PERSON", "vic")
    told = packyak("roles")
    assert "everybody else" in told.out and "You are vic: viewer" in told.err
    assert packyak("roles", "--json").json["role"] == "viewer"
    refused = packyak("correct", "words", "M-1", "words", "7", "--json")
    assert refused.code == 2
    assert (refused.json["error"], refused.json["needs"]) == ("NotAllowed", "reviewer")
    assert "ask one who may: ana" in packyak("run", "--cancel").err
    assert packyak("show", "words", "--json").json["total"] == 3
    monkeypatch.setenv("PACKYAK_PERSON", "ANA")
    assert packyak("correct", "words", "M-1", "words", "7").code == 0


def test_find_by_words_and_what_it_needs(packyak: Call, folder: Path) -> None:
    nothing = packyak("find", "words")
    assert nothing.code == 2 and "no index" in nothing.err and "Index(" in nothing.err
    source = (folder / "pipeline.py").read_text().replace("import Bucket,", "import Bucket, Index,")
    (folder / "pipeline.py").write_text(source + '\nsearch = Index(messages, on="text", filters=["sender"])\n')
    assert packyak("run", "messages", "search").code == 0
    found = packyak("find", "three one", "--how", "text", "--json").json["rows"]
    assert [row["_key"] for row in found] == ["M-1"]
    shown = packyak("find", "seven", "--how", "text", "--where", "sender = 'Ada'")
    assert "M-3" in shown.out and "1 record, the nearest first" in shown.err
    like = packyak("find", "--like", "M-1", "--limit", "1", "--json").json["rows"]
    assert len(like) <= 1 and "M-1" not in {row["_key"] for row in like}
    for arguments in ((), ("a", "--like", "M-1")):
        assert "give a text or --like KEY" in packyak("find", *arguments).err
    assert "take one of these" in packyak("find", "a", "--how", "magic").err
    other = packyak("find", "seven", "--how", "text", "--where", "words > 1").err
    assert "Valid: sender. Next:" in other and "Index(messages, on='text', filters=[...])" in other


def test_a_map_without_an_index_says_what_to_declare(packyak: Call, folder: Path) -> None:
    ended = packyak("map")
    assert ended.code == 2 and "Index(" in ended.err


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("history", "words", "nobody"), "words has no record 'nobody'"),
        (("corrections", "nowhere"), "there is no asset 'nowhere'"),
        (("run", "nowhere"), "there is no asset or function 'nowhere'. Valid: inbox, inbox/*.jsonl, messages, words"),
        (("show", "inbox"), "'inbox' is a bucket, not an asset. Valid: messages"),
        (("show", "inbox"), ".packyak/buckets/inbox; `packyak show messages` lists the records made of them."),
        (("show", "inbox/*.jsonl"), "is the files of the bucket inbox, not an asset"),
        (
            ("show", "messages", "--columns", "txt"),
            "messages has no column 'txt'. Valid: id, sender, text. Next: did you mean 'text'?",
        ),
        (("show", "messages", "--sort", "sendr"), "did you mean 'sender'?"),
        (("show", "messages", "--columns", "zzz"), "Next: use one of these."),
        (("show", "words@2020-01-01"), "words has no version as old as 2020-01-01"),
        (("correct", "words", "M-1", "words", "five"), "Next: give a whole number"),
        (("review", "--answers", "nowhere.jsonl"), "nowhere.jsonl cannot be read: No such file or directory"),
        (("report", "access", "--out", "pipeline.py/below"), "Not a directory. Next: name another place"),
    ],
)
def test_what_is_not_there_is_said_with_what_to_do(ran: Path, packyak: Call, asked: tuple[str, ...], told: str) -> None:
    ended = packyak(*asked)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err and "Traceback" not in ended.err
