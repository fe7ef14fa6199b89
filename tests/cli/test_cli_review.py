"""`packyak correct` on many records, `packyak corrections` and `packyak review`: what they say, change and answer."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from calling import Call

LEARNED = '''
from typing import Literal
from packyak import learned

@learned(messages, train_after=1000)
def tone(text: str) -> Literal["short", "long"] | None:
    """How long it is."""
    return "long" if len(text) > 9 else "short"
'''


@pytest.fixture
def ran(folder: Path, packyak: Call) -> Path:
    with (folder / "pipeline.py").open("a") as file:
        file.write(LEARNED)
    assert packyak("run").code == 0
    return folder


def test_many_records_are_previewed_corrected_undone_and_brought_back(ran: Path, packyak: Call) -> None:
    arguments = ("correct", "words", "words", "9", "--where", "sender = 'Ada'")
    preview = packyak(*arguments, "--preview")
    assert preview.out == "~ M-1: 3 -> 9\n~ M-3: 2 -> 9\n2 records would change\n"
    assert packyak("corrections", "--json").json == {"corrections": []}
    done = packyak(*arguments, "--why", "counted", "--json").json
    assert (done["count"], done["same"]) == (2, 0)
    assert "2 records" in packyak("correct", "words", "words", "8", "--keys", "M-1, M-2", "--preview").out
    undone = packyak("correct", "--undo", done["id"])
    assert undone.out.startswith("Undone: a save of several, words of M-1 first. Id ")
    assert packyak("show", "words", "--key", "M-1", "--json").json["fields"][-1]["value"] == 3
    assert packyak("correct", "--redo", done["id"][:20]).out.startswith("Brought back: ")
    assert packyak("show", "words", "--key", "M-1", "--json").json["fields"][-1]["value"] == 9


def test_a_fix_is_spread_only_where_it_is_told_to(ran: Path, packyak: Call) -> None:
    packyak("correct", "tone", "M-1", "tone", "short")
    none = packyak("correct", "tone", "M-1", "tone", "--similar", "5")
    assert (none.code, "No other record has long there" in none.err) == (0, True)
    packyak("correct", "tone", "M-2", "tone", "long", "--why", "two scripts")
    like = packyak("correct", "tone", "M-2", "tone", "--similar", "5", "--json").json
    assert [each["key"] for each in like["neighbours"]] == ["M-3"]
    assert "--spread M-3` makes them long too" in packyak("correct", "tone", "M-2", "tone", "--similar", "5").err
    assert packyak("correct", "tone", "M-2", "tone", "--spread", "M-3").out.endswith("1 record corrected\n")
    assert packyak("corrections", "tone", "--json").json["corrections"][0]["origin"] == "spread"


def test_models_says_how_many_corrections_are_missing(ran: Path, packyak: Call) -> None:
    assert "0 corrections; learns after 1,000 more" in packyak("models", "tone").out
    packyak("correct", "tone", "M-1", "tone", "short")
    assert "1 correction; learns after 999 more" in packyak("models", "tone").out
    assert "undecided" not in packyak("trace", "tone", "M-1").out


def test_models_promises_no_learning_where_none_comes(
    folder: Path, packyak: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "pipeline.py").open("a") as file:
        file.write(f"{LEARNED}\n@learned(messages)\ndef summary(text: str) -> str:\n    return text[:9]\n")
    packyak("run")
    said = packyak("models", "summary").out
    assert "learns after" not in said and "only the first rule ever answers" in said
    monkeypatch.setenv("PACKYAK_LEARN", "off")
    assert "learns when asked to: `packyak learn`" in packyak("models", "tone").out


DAYS = """
from datetime import datetime

@transform(messages)
def day(text: str) -> datetime:
    return datetime(2026, 1, 2, 10, 30)
"""


def test_times_are_shown_as_people_write_them(folder: Path, packyak: Call) -> None:
    with (folder / "pipeline.py").open("a") as file:
        file.write(DAYS)
    packyak("run")
    assert "day of M-1 is 2026-02-03 08:00:00+00:00." in packyak("correct", "day", "M-1", "day", "2026-02-03 08:00").out
    ended = packyak("correct", "day", "M-2", "day", "2026-02-04", "--json")
    assert (ended.json["value"], ended.json["computed"]) == ("2026-02-04T00:00:00+00:00", "2026-01-02T10:30:00+00:00")
    for asked in (("corrections",), ("history", "day", "M-1"), ("corrections", "--json")):
        told = packyak(*asked).out
        assert "2026-02-03" in told and "2026-01-02" in told and "$" not in told
    assert "people differ on no field" in packyak("corrections", "--disagreements").err


def test_comments(ran: Path, packyak: Call) -> None:
    assert packyak("correct", "tone", "M-1", "--comment", "ask Ada").out.startswith("Noted: M-1: ask Ada. Id ")
    assert "tone of M-1: hm" in packyak("correct", "tone", "M-1", "tone", "--comment", "hm").out
    assert packyak("correct", "tone", "--comment", "hm").code == 2
    assert packyak("show", "tone", "--only", "corrected", "--json").json["total"] == 0


def test_corrections_go_out_and_in(ran: Path, packyak: Call, tmp_path: Path) -> None:
    file = tmp_path / "fixes.csv"
    file.write_text("key,column,value,by\nM-1,tone,short,Bo\nM-9,tone,short,Bo\n")
    dry = packyak("corrections", "tone", "--import", str(file), "--dry-run")
    assert (dry.code, dry.out) == (2, "1 correction could be saved; 1 row cannot be corrections\n")
    assert dry.err.startswith("line 3: tone has no record 'M-9'")
    assert packyak("corrections", "tone", "--import", str(file), "--json").json["saved"] == 1
    packyak("correct", "tone", "M-1", "tone", "long", "--by", "Cy")
    table = packyak("corrections", "--disagreements").out
    assert "Cy: long; Bo: short" in table
    assert "waits for a person" in table
    assert packyak("corrections", "--disagreements", "--json").json["disagreements"][0]["holds"] == "long"
    (agree,) = packyak("corrections", "--agreement", "--json").json["agreement"]
    assert (agree["one"], agree["other"], agree["share"]) == ("Bo", "Cy", 0)
    assert "0%" in packyak("corrections", "--agreement").out
    out = tmp_path / "log.jsonl"
    assert packyak("corrections", "--export", str(out)).out == f"2 rows written to {out}\n"
    assert len(out.read_text().splitlines()) == 2
    assert packyak("corrections", "--import", str(out), "--json").json["already"] == 2
    assert packyak("corrections", "--agreement", "--disagreements").code == 2
    assert "Bo" in packyak("corrections").out


def test_review_lists_and_applies_a_file_once(ran: Path, packyak: Call, tmp_path: Path) -> None:
    table = packyak("review", "tone")
    assert "drawn at random" in table.out
    assert "0 fields decided" in table.err
    questions = packyak("review", "tone", "--json").json["questions"]
    assert {each["key"] for each in questions} == {"M-1", "M-2", "M-3"}
    answers = tmp_path / "answers.jsonl"
    done = [{**each, "do": "accept"} for each in questions[:2]] + [{**questions[2], "do": "correct", "value": "short"}]
    answers.write_text("".join(json.dumps(each) + "\n" for each in done))
    assert packyak("review", "--answers", str(answers)).out == "3 answers saved\n"
    assert packyak("review", "--answers", str(answers)).out == "0 answers saved, 3 there already\n"
    assert packyak("review", "tone", "--json").json["questions"] == []
    answers.write_text(json.dumps({**questions[0], "do": "correct", "value": "long", "number": 9}) + "\n")
    late = packyak("review", "--answers", str(answers))
    assert (late.code, late.out) == (2, "0 answers saved, 1 not\n")
    assert "something else stands there by now" in late.err
    answers.write_text('{"asset": "tone", "key": "M-1"}\n')
    assert "do is missing" in packyak("review", "--answers", str(answers)).err


def test_review_asks_a_person_at_a_terminal(ran: Path, packyak: Call) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "packyak", "review", "tone", "--by", "ana"]
    environment = {**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment, cwd=ran
    ) as process:
        os.close(follower)
        os.write(leader, b"what\nn look again\na\n1\nu\n=lang\n2\nq\n")
        said = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
        assert process.wait(60) == 0
    os.close(leader)
    text = said.decode()
    assert "1 of 3: tone M-" in text
    assert "asked because: " in text
    assert "Undone." in text
    assert "'lang' is not among the values of tone" in text
    assert "2 answers saved" in text
    found = packyak("corrections", "tone", "--json").json["corrections"]
    assert [each["kind"] for each in found] == ["correct", "undo", "correct", "accept", "comment"]
    assert {each["by"] for each in found} == {"ana"}
