"""`make lineage-check`: every kind of event from the sample project, each checked with all its facets, and events of
other tools taken in. Prints a table; exits with 1 when something is not as it should be.

`make lineage-check SPEC=FOLDER` checks the events against the published schema files in FOLDER as well.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openlineage_published import PublishedSchemas
from openlineage_schemas import FACETS, OWN, facets, problems
from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project
from packyak.engine.run import update
from packyak.engine.run.runs import RunRecord
from packyak.sample_data import create

FIXTURES = Path(__file__).parent / "fixtures"
ASSETS = ["topics_per_day", "city"]
SETTINGS = '\n[settings]\nprefect = "off"\nworker = "off"\nlearn = "off"\n'
SLOW = """def to_number(text: str | None) -> float | None:
    import time
    time.sleep(0.01)
    return to_number_soon(text)


def to_number_soon("""
KINDS = ("START", "RUNNING", "COMPLETE", "FAIL", "ABORT", "DATASET")
EXPECTED = {  # valid, tolerated, rejected
    "dbt.jsonl": (5, 0, 0),
    "airflow.jsonl": (2, 1, 0),
    "spark.jsonl": (2, 1, 0),
    "marquez.json": (3, 2, 2),
}
# Facets that need a declaration which the sample project has no reason for; the tests have them.
NOT_IN_SAMPLE = {("job", "ownership"), ("data", "ownership"), ("data", "packyak_model")}


def main(spec: str = "") -> int:
    logging.disable(logging.WARNING)
    published = PublishedSchemas(Path(spec)) if spec else None
    with tempfile.TemporaryDirectory() as folder:
        root = create(Path(folder) / "sample", tickets=300)
        with (root / "packyak.toml").open("a") as toml:
            toml.write(SETTINGS)
        os.chdir(root)
        live(root)
        events = EventLog(Project.open(root).home).read()
        good = [emitted(events), tolerant(root)]
        if published is not None:
            good.append(as_published(events, published))
    print("lineage-check:", "all as it should be" if all(good) else "NOT as it should be")
    return 0 if all(good) else 1


def live(root: Path) -> None:
    """Everything that can happen to a project: runs that end well, fail and are cancelled, and a correction."""
    update.SECONDS_BETWEEN_SIGNS = 0.0  # or nothing in the sample takes long enough to be told to be running still
    project = Project.open(root)
    project.run(ASSETS)
    key = project.page("city", limit=1).rows["_key"][0].as_py()
    project.correct("city", key, "city", "Boston", by="ana", why="as the customer wrote")
    Project.open(root).run(ASSETS)
    source = (root / "pipeline.py").read_text()
    (root / "pipeline.py").write_text(source.replace("sum(amount) as amount", "sum(no_such_column) as amount"))
    with quiet():
        Project.open(root).run(ASSETS)
    (root / "pipeline.py").write_text(source.replace("def to_number(", SLOW))
    project = Project.open(root)

    def cancel(record: RunRecord) -> None:
        if any(each.state == "running" for each in record.assets):
            project.cancel(record.id)

    project.run(ASSETS, on_progress=cancel)


@contextmanager
def quiet() -> Iterator[None]:
    """What the sample is made to fail with is no news."""
    with Path(os.devnull).open("w") as nothing:
        before, sys.stderr = sys.stderr, nothing
        try:
            yield
        finally:
            sys.stderr = before


def emitted(events: list[dict[str, Any]]) -> bool:
    kinds: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for event in events:
        kind = event.get("eventType", "DATASET")
        kinds[kind] += 1
        seen |= {(where, key) for where, key, _ in facets(event)}
        found = problems(event)
        wrong[kind] += bool(found)
        for problem in found[:3]:
            print(f"  {kind}: {problem}")
    print(f"{'event kind':<12}{'events':>8}{'valid':>8}{'wrong':>8}")
    for kind in KINDS:
        print(f"{kind:<12}{kinds[kind]:>8}{kinds[kind] - wrong[kind]:>8}{wrong[kind]:>8}")
    missing = {*FACETS, *OWN} - seen - NOT_IN_SAMPLE
    print(f"{len(seen)} kinds of facets, each valid by its own schema where not told above")
    if missing:
        print("facets that did not come up:", ", ".join(sorted(f"{where}.{key}" for where, key in missing)))
    return not missing and not wrong.total() and all(kinds[kind] for kind in KINDS)


def as_published(events: list[dict[str, Any]], published: PublishedSchemas) -> bool:
    """Whether nothing contradicts the published files; what they do not cover is listed, and is no success."""
    wrong = [problem for event in events for problem in published.problems(event)]
    for problem in wrong[:10]:
        print(f"  by the published schemas: {problem}")
    for what, times in published.unchecked.most_common():
        print(f"  no published file for {what}: {times} not checked")
    print(f"{published.checked.total()} checks by published schemas, {len(wrong)} problems")
    return not wrong and published.checked.total() > 0


def tolerant(root: Path) -> bool:
    project = Project.open(root)
    print(f"{'events of':<16}{'events':>8}{'valid':>8}{'tolerated':>11}{'rejected':>10}")
    good = True
    for name, expected in EXPECTED.items():
        text = (FIXTURES / name).read_text()
        text = text.replace("@HOME@", str(root / ".packyak")).replace("@PROJECT@", project.name)
        report = project.import_lineage(text.encode())
        counts = (report.valid, report.tolerated, report.rejected)
        print(f"{name:<16}{report.total:>8}{counts[0]:>8}{counts[1]:>11}{counts[2]:>10}")
        good &= counts == expected
    graph = project.outside()
    print(f"{len(graph.nodes)} jobs and data sets of other tools, {len(graph.edges)} edges")
    key = project.page("tickets", limit=1).rows["_key"][0].as_py()
    joined = [step for step in project.trace("tickets", key).steps if step.kind == "outside"]
    print(f"{len(joined)} of them stand above a ticket in its trace")
    return good and bool(joined)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
