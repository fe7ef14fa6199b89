"""What lineage costs: traces of a project of 100k records beside an event log of 100k events, and the log itself.

`python bench/bench_lineage.py [RECORDS]`. Prints seconds of wall and CPU time, the best of five for what is asked
warm. Nothing here is judged; the numbers are for docs and for comparing changes.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project

EVENTS, RUNS = 100_000, 10_000
SETTINGS = 'name = "bench"\nmodules = ["pipeline"]\n[settings]\nprefect = "off"\nworker = "off"\n'
SOURCE = """
from typing import Iterator
from packyak import Bucket, File, read_jsonl, sql, transform
inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_jsonl(file)

@transform(rows)
def text(subject: str, body: str) -> str:
    return f"{subject} {body}".lower()

@transform(text)
def topic(text: str) -> str:
    return "billing" if "invoice" in text else "other"

per_day = sql("select day, topic, count(*) as n from topic group by all")
"""


def main(records: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root, records)
        project = Project.open(root)
        clocked("first run", project.run)
        project.correct("topic", "7", "topic", "billing", by="ana")
        project.run()
        fill_log(project)
        print(f"{'':<44}{'wall s':>10}{'cpu s':>10}")
        asked(project)
        log = EventLog(project.home)
        clocked("100k events: read all, one at a time", lambda: sum(1 for _ in log.each()))
        clocked("100k events: one run's", lambda: log.read(log.runs()[len(log.runs()) // 2]))
        size = sum(path.stat().st_size for path in (root / ".packyak/lineage").rglob("*") if path.is_file())
        print(f"{'100k events packed':<44}{size / 1e6:>10.1f} MB")
        outside = outside_events()
        clocked(f"import of {EVENTS:,} events of other tools", lambda: project.import_lineage(outside))
        clocked("graph of other tools", project.outside)
        asked(project)


def make(root: Path, records: int) -> None:
    bucket = root / ".packyak/buckets/inbox"
    bucket.mkdir(parents=True)
    (root / "packyak.toml").write_text(SETTINGS)
    (root / "pipeline.py").write_text(SOURCE)
    lines = [
        json.dumps({"id": str(n), "subject": f"Ticket {n}", "body": f"about invoice {n}" if n % 3 else "hello",
                    "day": f"2026-01-{n % 28 + 1:02d}"})
        for n in range(records)
    ]  # fmt: skip
    for part in range(10):
        (bucket / f"{part}.jsonl").write_text("\n".join(lines[part::10]) + "\n")


def fill_log(project: Project) -> None:
    """Events as the project's own runs made them, many times over, packed as a run packs them."""
    log = EventLog(project.home)
    made = log.read(log.runs()[0])
    for run in range(RUNS):
        log.append(f"20200101-{run:06d}", (made[each % len(made)] for each in range(EVENTS // RUNS)))
    clocked("100k events: packing the old ones", log.tidy)


def outside_events() -> bytes:
    job = {"eventTime": "2026-01-01T00:00:00Z", "eventType": "COMPLETE", "producer": "https://other.example",
           "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
           "run": {"runId": "0199d0a0-1000-7000-8000-000000000001"}}  # fmt: skip
    lines = [
        json.dumps({**job, "job": {"namespace": "n", "name": f"job{n % 1000}"},
                    "inputs": [{"namespace": "n", "name": f"data{n % 1000}"}],
                    "outputs": [{"namespace": "n", "name": f"data{n % 1000 + 1}"}]})
        for n in range(EVENTS)
    ]  # fmt: skip
    return "\n".join(lines).encode()


def asked(project: Project) -> None:
    group = project.page("per_day", limit=1).rows["_key"][0].as_py()
    clocked("trace of a field, up", lambda: project.trace("topic", "7", "topic"), times=5)
    clocked("trace of a group, up (1,000 of its records)", lambda: project.trace("per_day", group), times=5)
    clocked("trace of a record, down", lambda: project.trace("rows", "7", direction="down"), times=5)


def clocked(what: str, call: Callable[[], Any], times: int = 1) -> None:
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall, cpu = min(found)
    print(f"{what:<44}{wall:>10.3f}{cpu:>10.3f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
