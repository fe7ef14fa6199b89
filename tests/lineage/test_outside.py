"""Events of other tools: taken in whatever they hold, reported one by one, and joined to what is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine.lineage import outside as outside_module
from packyak.engine.lineage.accept import read_events
from packyak.engine.lineage.asset_event import PRODUCER
from packyak.engine.lineage.outside import Outside, graph_of
from packyak.engine.project import Project
from packyak.engine.store.home import Home

FIXTURES = Path(__file__).parent / "fixtures"
WAREHOUSE = "postgres://warehouse.example.org:5432"

SOURCE = """
    from typing import Iterator
    from packyak import Bucket, File, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def rows(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    per = sql("select x, count(*) as n from rows group by all")
"""


def fixture(name: str, home: Path | str = "/home/ana/shop", project: str = "demo") -> bytes:
    text = (FIXTURES / name).read_text()
    return text.replace("@HOME@", str(home)).replace("@PROJECT@", project).encode()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.mark.parametrize(
    ("name", "counts"),
    [("dbt.jsonl", (5, 5, 0, 0)), ("airflow.jsonl", (3, 2, 1, 0)), ("spark.jsonl", (3, 2, 1, 0)),
     ("marquez.json", (7, 3, 2, 2))],
)  # fmt: skip
def test_events_of_other_tools(home: Home, name: str, counts: tuple[int, int, int, int]) -> None:
    report = Outside(home).receive(fixture(name))
    assert (report.total, report.valid, report.tolerated, report.rejected) == counts
    assert len(report.reports) == report.tolerated + report.rejected
    assert all(each.problems for each in report.reports)
    kept = home.read(f"lineage/outside/{report.kept}.jsonl")
    assert kept is not None
    assert len(kept.splitlines()) == report.total


def test_what_is_wrong_is_said_of_each_event(home: Home) -> None:
    reports = {each.place: each for each in Outside(home).receive(fixture("airflow.jsonl")).reports}
    assert reports[3].level == "tolerated"
    said = " ".join(reports[3].problems)
    for words in ("eventTime", "runId", "job has no name"):
        assert words in said
    marquez = {each.place: each for each in Outside(home).receive(fixture("marquez.json")).reports}
    assert any("schemaURL" in problem for problem in marquez[2].problems)
    assert any("columnMetrics" in problem for problem in marquez[5].problems)
    assert marquez[7].problems == ("not a JSON object",)


def test_the_graph_of_other_tools(home: Home) -> None:
    store = Outside(home)
    store.receive(fixture("dbt.jsonl"))
    store.receive(fixture("airflow.jsonl"))
    store.receive(fixture("airflow.jsonl"))  # twice changes nothing
    graph = Outside(home).graph()
    job = "job airflow support_export.write_tickets"
    assert graph.above(job) == [f"data {WAREHOUSE} shop.marts.customer_plans"]
    assert graph.below(job) == ["data file /home/ana/shop/buckets/inbox"]
    assert graph.above(f"data {WAREHOUSE} shop.marts.customer_plans") == ["job dbt shop.marts.customer_plans"]
    assert graph.nodes[f"data {WAREHOUSE} shop.raw.customers"].columns == ("customer_id", "email")
    assert graph.nodes["job dbt dbt-run-support"].producer.endswith("/dbt")


def test_a_data_set_event_tells_edges_by_its_columns() -> None:
    graph = graph_of(json.loads(fixture("marquez.json"))[:-1])
    assert graph.above("data food_delivery public.categories") == ["data food_delivery public.menus"]


def test_our_own_events_say_nothing_about_outside() -> None:
    job = {"namespace": "n", "name": "j"}
    assert graph_of([{"producer": PRODUCER, "job": job}]).nodes == {}
    assert list(graph_of([{"producer": "https://other", "job": job}]).nodes) == ["job n j"]


def test_many_imports_are_merged(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_module, "LOOSE_FILES", 3)
    store = Outside(home)
    for n in range(10):
        store.receive(json.dumps({"job": {"namespace": "n", "name": f"j{n}"}}).encode())
    assert len(home.names("lineage/outside", ".graph.json")) <= 4
    assert len(store.graph().nodes) == len(Outside(home).graph().nodes) == 10
    assert len(home.names("lineage/outside", ".jsonl")) == 10


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = ["run", "job", "dataset", "inputs", "outputs", "facets", "namespace", "name", "eventTime", "runId", "fields"]
events = st.dictionaries(
    st.sampled_from(names),
    anything | st.dictionaries(st.sampled_from(names), anything, max_size=4) | st.lists(
        st.dictionaries(st.sampled_from([*names, "columnLineage", "symlinks"]), anything, max_size=4), max_size=2
    ),
    max_size=5,
)  # fmt: skip


@given(st.lists(events, max_size=4))
def test_no_event_is_lost_and_none_raises(given: list[dict[str, Any]]) -> None:
    data = "".join(json.dumps(each) + "\n" for each in given).encode()
    read = list(read_events(data))
    assert [each.event for each in read] == given
    graph = graph_of(each.event for each in read if each.event and each.level != "rejected")
    assert all(one in graph.nodes and other in graph.nodes for one, other in graph.edges)


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(data: bytes) -> None:
    read = list(read_events(data))
    assert all(each.level == "rejected" for each in read if each.event is None)


def test_a_torn_line_loses_itself_only(home: Home) -> None:
    whole = fixture("dbt.jsonl")
    report = Outside(home).receive(whole[:-40])
    assert (report.total, report.valid, report.rejected) == (5, 4, 1)
    assert Outside(home).receive(b"").total == 0
    assert Outside(home).receive(b"\xef\xbb\xbf" + whole).valid == 5  # with a byte order mark


def test_traces_go_on_into_other_tools(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(SOURCE, files={"inbox/a.jsonl": '{"id": "1", "x": 1}\n'})
    project = Project.open(folder)
    project.run()
    for name in ("dbt.jsonl", "airflow.jsonl", "spark.jsonl"):
        project.import_lineage(fixture(name, folder / ".packyak"))
    up = project.trace("per", "1")
    assert {step.asset for step in up.steps if step.kind == "outside"} == {
        "job airflow support_export.write_tickets",
        f"data {WAREHOUSE} shop.marts.customer_plans",
        "job dbt shop.marts.customer_plans",
        f"data {WAREHOUSE} shop.raw.customers",
    }
    (link,) = [each for each in up.links if each.below == ("inbox/*.jsonl", "a.jsonl")]
    assert (link.above, link.how) == (("job airflow support_export.write_tickets", ""), "outside")
    down = project.trace("rows", "1", direction="down")
    spark = "job spark_jobs topic_report.execute_insert_into_hadoop_fs_relation_command"
    assert {step.asset for step in down.steps if step.kind == "outside"} == {spark, "data s3://lake reports/topics"}
    assert (("per", "1"), (spark, "")) in {(each.above, each.below) for each in down.links}
