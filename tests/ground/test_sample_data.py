"""The sample's data: the same for the same seed, dirty in the ways it claims, and true where the truth is kept."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packyak.sample_data import create, dirt, generate

TICKETS = generate.tickets()
FILES = {file.name: file for file in generate.files(TICKETS)}
EXPORTS = [name for name in FILES if name.endswith(".jsonl")]
ROWS = [json.loads(line) for name in EXPORTS for line in FILES[name].data.decode().splitlines()]


def test_same_seed_same_bytes_and_times(tmp_path: Path) -> None:
    def content(folder: Path) -> dict[str, tuple[bytes, float]]:
        bucket = folder / ".packyak/buckets/inbox"
        return {path.name: (path.read_bytes(), path.stat().st_mtime) for path in bucket.iterdir()}

    assert content(create(tmp_path / "a")) == content(create(tmp_path / "b"))
    assert content(create(tmp_path / "c", seed=8)) != content(tmp_path / "a")


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text("# mine\n")
    create(tmp_path, tickets=30)
    assert (tmp_path / "pipeline.py").read_text() == "# mine\n"


def test_truth_is_outside_the_bucket_and_complete(tmp_path: Path) -> None:
    create(tmp_path)
    truth = list(csv.DictReader((tmp_path / "truth.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["ticket_id"] for row in truth] == [ticket.id for ticket in TICKETS]
    assert not list((tmp_path / ".packyak").rglob("truth*"))
    assert sum(row["ambiguous"] == "1" for row in truth) == 1


def test_every_ticket_is_in_some_file() -> None:
    found = {row["ticket_id"] for row in ROWS}
    found |= {
        row["Ticket No"] for row in csv.DictReader(FILES["tickets-old-desk.csv"].data.decode("utf-8-sig").splitlines())
    }
    found |= {name.removeprefix("tickets-mail-").removesuffix(".eml") for name in FILES if name.endswith(".eml")}
    assert found >= {ticket.id for ticket in TICKETS if ticket.body is not None and "\n" not in ticket.subject}


def test_people_are_invented() -> None:
    everything = b"".join(file.data for file in FILES.values()).decode()
    addresses = re.findall(r"[\w.+-]+@([\w.-]+)", everything)
    assert {address.lower().rstrip(".") for address in addresses} <= {"example.com", "example.org"}
    for number in (row["phone"] for row in ROWS if row.get("phone")):
        assert re.search(r"555\D?01\d\d$", number), number


def test_the_dirt_is_there() -> None:
    bodies = [row["body"] for row in ROWS]
    seen = Counter(row["ticket_id"] for row in ROWS)
    assert 3 <= bodies.count(None) <= 30
    assert sum("<html>" in (body or "") for body in bodies) > 100
    assert sum("wrote:" in (body or "") for body in bodies) > 100
    assert sum("Ã" in (body or "") or "â€" in (body or "") for body in bodies) > 10
    assert sum("plan" not in row for row in ROWS) > 5
    assert sum(row.get("plan", "") is None for row in ROWS) > 5
    assert sum(count > 1 for count in seen.values()) >= 10
    assert len({re.sub(r"[A-Za-z]{3}", "mon", re.sub(r"\d", "0", row["received"])) for row in ROWS}) >= 4
    assert len({row["city"] for row in ROWS if row.get("city")}) > 60
    assert len([ticket for ticket in TICKETS if ticket.language != "en"]) > 15
    assert {"billing", "delivery", "account", "other"} == {ticket.topic for ticket in TICKETS}
    assert len({ticket.body for ticket in TICKETS}) > 0.95 * len(TICKETS)


def test_the_first_rule_is_right_for_a_part_only() -> None:
    said = [("invoice" in f"{ticket.subject} {ticket.body}".lower(), ticket.topic == "billing") for ticket in TICKETS]
    right = said.count((True, True))
    assert 0.1 < said.count((True, False)) / (right + said.count((True, False))) < 0.5
    assert 0.2 < right / (right + said.count((False, True))) < 0.6


@given(st.text())
def test_broken_letters_can_be_repaired(text: str) -> None:
    broken = dirt.mojibake(text)
    assert broken == text or broken.encode("cp1252").decode() == text
