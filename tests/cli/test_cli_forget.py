"""`packyak forget`: what it asks, what it says, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import MESSAGES, Call

HIS = '{"id": "M-9999", "sender": "Zebulon", "text": "Zebulon Quartzfeather\'s own words"}\n'


@pytest.fixture
def gone(folder: Path, packyak: Call) -> Path:
    """The project after a record was there and its file no longer has it."""
    file = folder / ".packyak/buckets/inbox/a.jsonl"
    file.write_text(MESSAGES + HIS)
    assert packyak("run").code == 0
    assert packyak("correct", "messages", "M-9999", "sender", "Quartzfeather").code == 0
    assert packyak("run").code == 0
    file.write_text(MESSAGES)
    assert packyak("run").code == 0
    return folder


def test_it_erases_and_says_what_is_left(gone: Path, packyak: Call) -> None:
    looked = packyak("forget", "messages", "M-9999", "--dry-run")
    assert looked.code == 0
    assert "messages: records, in every earlier version" in looked.out
    asked = packyak("forget", "messages", "M-9999")
    assert (asked.code, "Nothing was erased. Next: the same with --yes." in asked.err) == (1, True)
    done = packyak("forget", "messages", "M-9999", "--yes", "--why", "by letter")
    assert done.code == 0
    assert done.out.startswith("Erased: 1 record of messages and all that came of it\n")
    assert "that only it had" in done.out and "none is left" in done.out
    listed = packyak("forget", "--list", "--json").json["erasures"]
    assert [(each["asset"], each["why"], each["left"], each["back"]) for each in listed] == [
        ("messages", "by letter", {}, 0)
    ]


def test_a_file_that_nobody_reads_is_told(gone: Path, packyak: Call) -> None:
    other = gone / ".packyak/buckets/inbox/backup.txt"
    other.write_text(HIS)
    looked = packyak("forget", "messages", "M-9999", "--dry-run")
    assert "buckets/inbox/backup.txt has some of them and stays: take it away first" in looked.err
    done = packyak("forget", "messages", "M-9999", "--yes")
    assert done.code == 1
    assert "buckets/inbox/backup.txt: 4 values" in done.out
    assert "take it out of the files in the buckets as well, then ask again" in done.err
    assert packyak("forget", "--list").out.count("1 file") == 1
    other.unlink()
    assert packyak("forget", "messages", "M-9999", "--yes").code == 0


def test_an_erased_record_that_is_back_is_told(gone: Path, packyak: Call) -> None:
    assert packyak("forget", "messages", "M-9999", "--yes", "--json").json["left"] == {}
    assert packyak("forget", "--list").code == 0
    (gone / ".packyak/buckets/inbox/a.jsonl").write_text(MESSAGES + HIS)
    assert packyak("run").code == 0
    listed = packyak("forget", "--list")
    assert (listed.code, "1 back" in listed.out) == (1, True)
    assert "1 record that was erased came back" in listed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "an asset and the keys of its records are needed"),
        (("messages",), "an asset and the keys of its records are needed"),
        (("messages", "M-1"), "messages still has M-1, from a.jsonl"),
        (("messages", "M-0"), "nothing is left of messages 'M-0'"),
        (("message", "M-1"), "did you mean 'messages'?"),
    ],
)
def test_what_cannot_be_done_is_refused(gone: Path, packyak: Call, arguments: tuple[str, ...], told: str) -> None:
    ended = packyak("forget", *arguments, "--yes")
    assert (ended.code, told in ended.err) == (2, True), ended.err


def test_what_the_code_no_longer_declares_is_told_and_goes(folder: Path, packyak: Call) -> None:
    pipeline = folder / "pipeline.py"
    source = pipeline.read_text()
    pipeline.write_text(source + "\n\n@transform(messages)\ndef drafts(text: str) -> str:\n    return text.upper()\n")
    assert packyak("run").code == 0
    assert "left over" not in packyak("doctor").out and "drafts" not in packyak("plan").out
    pipeline.write_text(source)
    many = len(MESSAGES.splitlines())
    told = f"the code no longer declares drafts, of which the home has {many} records"
    looked = packyak("doctor").out
    assert told in looked and "`packyak forget drafts` erases it" in looked
    assert f"Note: {told}: `packyak forget drafts` erases it" in packyak("plan").out
    asked = packyak("forget", "drafts")
    assert (asked.code, "drafts: records, and every version of them" in asked.out) == (1, True)
    assert "The code no longer declares drafts" in asked.err and "Next: the same with --yes." in asked.err
    assert packyak("forget", "drafts", "--dry-run").code == 0
    done = packyak("forget", "drafts", "--yes", "--why", "a first try")
    assert (done.code, done.out.splitlines()[0]) == (0, "Erased: all of drafts, which the code no longer declares")
    assert f"gone: {many} records" in done.out
    assert "left over" not in packyak("doctor").out
    (listed,) = packyak("forget", "--list", "--json").json["erasures"]
    assert (listed["asset"], listed["keys"], listed["records"], listed["left"]) == ("drafts", [], {"drafts": many}, {})
    assert packyak("forget", "drafts", "--yes").code == 2
