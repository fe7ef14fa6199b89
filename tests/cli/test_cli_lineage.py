"""trace, restore, lineage and diff as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import Call

EVENT = {
    "eventType": "COMPLETE",
    "eventTime": "2026-10-01T10:00:00Z",
    "producer": "https://example.org/airflow",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": "0199d0a0-1000-7000-8000-000000000001"},
    "job": {"namespace": "airflow", "name": "export.messages"},
}


def test_trace_tells_who_made_what(folder: Path, packyak: Call) -> None:
    packyak("run")
    packyak("correct", "words", "M-1", "words", "30", "--by", "ana", "--why", "counted again")
    packyak("run")
    found = packyak("trace", "per_sender", "Ada")
    assert found.code == 0
    assert found.out.startswith("per_sender Ada: sender = Ada, words = 32\n")
    for said in ("messages M-1", "messages M-3", "file: inbox/*.jsonl a.jsonl", "pipeline.py:", "ana said words = 30",
                 "(computed: 3)", "counted again"):  # fmt: skip
        assert said in found.out
    assert "M-2" not in found.out
    down = packyak("trace", "messages", "M-2", "--down")
    assert "words M-2" in down.out
    assert "per_sender Bo" in down.out
    field = packyak("trace", "per_sender", "Ada", "sender", "--json").json
    assert (field["column"], field["steps"][0]["values"]) == ("sender", {"sender": "Ada"})
    assert {link["how"] for link in field["links"]} == {"query", "file"}


def test_trace_of_a_group_shows_its_first_members_and_says_how_many_more(folder: Path, packyak: Call) -> None:
    rows = "".join(f'{{"id": "N-{n}", "sender": "Cy", "text": "x"}}\n' for n in range(1, 10))
    (folder / ".packyak/buckets/inbox/b.jsonl").write_text(rows)
    packyak("run")
    few = packyak("trace", "per_sender", "Cy")
    assert "words N-5" in few.out and "words N-6" not in few.out
    assert "words: 9 records, the first 5 are followed" in few.err and "Next: --all" in few.err
    assert "words N-2" not in packyak("trace", "per_sender", "Cy", "--limit", "1").out
    every = packyak("trace", "per_sender", "Cy", "--all")
    assert "words N-9" in every.out and "--all" not in every.err
    assert len({step["key"] for step in packyak("trace", "per_sender", "Cy", "--json").json["steps"]}) == 11
    assert packyak("trace", "per_sender", "Cy", "--all", "--limit", "2").code == 2


def test_trace_says_what_is_wrong(folder: Path, packyak: Call) -> None:
    packyak("run")
    assert "no record 'M-9'" in packyak("trace", "words", "M-9").err
    assert "no column 'nothing'" in packyak("trace", "words", "M-1", "nothing").err
    assert "there is no asset 'word'" in packyak("trace", "word", "M-1").err
    assert packyak("trace", "words", "M-1", "--up", "--down").code == 2


def test_diff_tells_causes_and_restore_brings_back(folder: Path, packyak: Call) -> None:
    packyak("run")
    packyak("correct", "words", "M-1", "words", "30", "--by", "ana")
    packyak("run")
    diff = packyak("diff", "words")
    assert "words: 3 -> 30  (correction: ana corrected it)" in diff.out
    versions = packyak("history", "words", "--json").json["versions"]
    first = versions[-1]["version"]
    assert packyak("show", f"per_sender@{first[:6]}").code == 2  # that is a version of another asset
    assert packyak("show", f"words@{first}", "--json").json["rows"][0]["words"] == 3
    then = packyak("sql", f'select sum(words) as n from "words@{versions[-1]["run"]}"', "--json").json["rows"]
    assert then == [{"n": 7}]
    past = packyak("status", "--at", versions[-1]["run"], "--json").json
    assert {each["name"]: each["rows"] for each in past["assets"]} == {"messages": 3, "words": 3, "per_sender": 2}
    assert packyak("status", "words", "--at", versions[-1]["run"]).out.count(first) == 1
    (folder / "pipeline.py").write_text((folder / "pipeline.py").read_text().replace("len(text", "2 * len(text"))
    packyak("run")
    back = packyak("restore", "words", first, "--by", "bo", "--why", "twice is wrong")
    assert back.code == 0
    assert back.out == f"bo restored words to version {first}: twice is wrong\n"
    rows = {row["id"]: row["words"] for row in packyak("show", "words", "--json").json["rows"]}
    assert rows == {"M-1": 30, "M-2": 2, "M-3": 2}  # the correction holds
    assert "already" in packyak("restore", "words", first).err


def test_lineage_comes_in_and_goes_out(folder: Path, packyak: Call, tmp_path: Path) -> None:
    packyak("run")
    bucket = {"namespace": "file", "name": str(folder / ".packyak/buckets/inbox")}
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps({**EVENT, "outputs": [bucket]}) + "\nbroken\n")
    report = packyak("lineage", "import", str(file))
    assert (report.code, report.out) == (0, "2 events: 1 valid, 0 tolerated, 1 rejected\n")
    assert "event 2 is rejected: not JSON" in report.err
    assert "airflow export.messages" in packyak("trace", "words", "M-1").out
    assert packyak("lineage", "import", str(file), "--json").json["valid"] == 1
    file.write_text("nothing")
    assert packyak("lineage", "import", str(file)).code == 1

    events = [json.loads(line) for line in packyak("lineage", "export").out.splitlines()]
    assert {event["eventType"] for event in events} == {"START", "COMPLETE"}
    page = tmp_path / "why.html"
    assert packyak("lineage", "export", "per_sender", "Ada", "--as", "html", "--out", str(page)).out == ""
    assert "Where per_sender Ada comes from" in page.read_text()
    assert "@prefix prov:" in packyak("lineage", "export", "per_sender", "Ada", "--as", "prov").out
    assert "no OpenLineage transport" in packyak("lineage", "send").err


@pytest.mark.parametrize(
    "wrong", [("import",), ("import", "missing.jsonl"), ("delete",), ("export", "--as", "pdf"), ("export", "nothing")]
)
def test_lineage_says_what_is_wrong(folder: Path, packyak: Call, wrong: tuple[str, ...]) -> None:
    packyak("run")
    ended = packyak("lineage", *wrong)
    assert ended.code == 2
    assert "Next: " in ended.err
