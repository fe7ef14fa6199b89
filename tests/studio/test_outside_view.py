"""Other tools on the board: cards, edges and search of what leads to or from ours, and what a panel tells of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from packyak.engine.lineage.outside import OutsideGraph, graph_of
from packyak.engine.lineage.places import Places
from packyak.engine.project import Project
from packyak.studio.views import outside, pipeline
from packyak.studio.views.focus import Focus
from packyak.studio.views.outside import Beyond
from packyak.studio.views.pipeline import Board, Look
from packyak.studio.views.trail import trail_of

FIXTURES = Path(__file__).parents[1] / "lineage" / "fixtures"
WAREHOUSE = "postgres://warehouse.example.org:5432"
PLANS = f"data {WAREHOUSE} shop.marts.customer_plans"
RAW = f"data {WAREHOUSE} shop.raw.customers"
DBT = "job dbt shop.marts.customer_plans"
AIRFLOW = "job airflow support_export.write_tickets"
SPARK = "job spark_jobs topic_report.execute_insert_into_hadoop_fs_relation_command"
REPORTS = "data s3://lake reports/topics"

SOURCE = """
    from collections.abc import Iterator
    from packyak import Bucket, File, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def rows(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    per = sql("select x, count(*) as n from rows group by all")
"""


def take_in(project: Project, *names: str) -> None:
    for name in names:
        text = (FIXTURES / name).read_text()
        home = str(project.home.uri).rstrip("/")
        project.import_lineage(text.replace("@HOME@", home).replace("@PROJECT@", project.name).encode())


def around(project: Project, told: OutsideGraph | None = None) -> Beyond:
    return pipeline.around(told or project.outside(), Places(project.home.uri), project.name, project.graph)


def drawn(project: Project, look: Look | None = None) -> Board:
    return pipeline.board(project.graph, [], look=look or Look(beyond=around(project)))


def event(job: str, reads: Iterable[tuple[str, str]], writes: Iterable[tuple[str, str]]) -> dict[str, object]:
    inputs, outputs = ([{"namespace": a, "name": b} for a, b in side] for side in (reads, writes))
    return {"job": {"namespace": "n", "name": job}, "inputs": inputs, "outputs": outputs, "producer": "https://x"}


def test_what_leads_to_and_from_ours_is_drawn(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    before = drawn(project)
    assert around(project) == Beyond() and outside.hint(around(project)) == ""
    take_in(project, "dbt.jsonl", "airflow.jsonl", "spark.jsonl", "marquez.json")
    board = drawn(project)
    cards = {card.name: card for card in board.cards if card.kind == "outside"}
    assert set(cards) == {RAW, DBT, PLANS, AIRFLOW, SPARK, REPORTS}
    links = {(edge.source, edge.target) for edge in board.edges if edge.outside}
    assert links == {(RAW, DBT), (DBT, PLANS), (PLANS, AIRFLOW), (AIRFLOW, "inbox/*.jsonl"), ("per", SPARK),
                     (SPARK, REPORTS)}  # fmt: skip
    assert (cards[DBT].line, cards[AIRFLOW].line) == ("job of dbt", "job of airflow")
    assert (cards[REPORTS].title, cards[REPORTS].line) == ("reports/topics", "data in s3://lake")
    assert cards[AIRFLOW].across[0] < next(card.across[0] for card in board.cards if card.name == "rows")
    assert board.shape != before.shape and board.total == before.total + 6
    assert {find.title for find in board.finds if find.state == "outside"} == {card.title for card in cards.values()}
    assert drawn(project, Look()) == before  # hidden, it is as if there were none
    assert outside.hint(around(project)).startswith("6 jobs and data sets of other tools")


def test_in_focus_they_are_part_of_the_lineage(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    take_in(project, "dbt.jsonl", "airflow.jsonl", "spark.jsonl")
    look = Look(beyond=around(project))
    near = drawn(project, replace(look, focus=Focus("per", 1)))
    assert {card.name for card in near.cards} == {"rows", "per", SPARK}
    whole = drawn(project, replace(look, focus=Focus(AIRFLOW)))
    assert {card.name for card in whole.cards} == {RAW, DBT, PLANS, AIRFLOW, "inbox/*.jsonl", "rows", "per", SPARK,
                                                   REPORTS}  # fmt: skip


def test_a_panel_tells_the_last_event_and_what_of_ours_it_feeds(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    take_in(project, "dbt.jsonl", "airflow.jsonl", "spark.jsonl")
    found = around(project)
    tale = outside.tale(found, PLANS, project.graph)
    rows = dict(tale.rows)
    assert (tale.feeds, tale.fed) == (("inbox/*.jsonl",), ())
    assert (rows["Namespace"], rows["Name"]) == (WAREHOUSE, "shop.marts.customer_plans")
    assert (rows["Last event"], rows["Job"]) == ("COMPLETE", "airflow support_export.write_tickets")
    assert rows["Run"] == "0199d0b0-2000-7000-8000-000000000001" and "2026" in rows["Time"]
    assert rows["Columns"] == "customer_id, plan"
    assert outside.tale(found, REPORTS, project.graph).fed == ("per",)
    assert outside.beside(found, "per") == ((), (SPARK,)) and outside.beside(found, "inbox/*.jsonl") == ((AIRFLOW,), ())
    assert outside.beside(found, "rows") == ((), ()) and outside.label(None) == ""
    assert outside.label(found.nodes[REPORTS]) == "reports/topics (outside data)"


def test_a_tool_that_writes_what_it_reads_makes_no_circle(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    mine, inbox = (f"packyak://{project.name}", "per"), Places(project.home.uri).bucket("inbox")
    told = graph_of([event("loop", [mine, ("a", "b")], [inbox, ("a", "b")])])
    board = drawn(project, Look(beyond=around(project, told)))
    ends = {(edge.source, edge.target): edge for edge in board.edges if edge.outside}
    assert set(ends) == {("per", "job n loop"), ("job n loop", "inbox/*.jsonl"), ("data a b", "job n loop"),
                         ("job n loop", "data a b")}  # fmt: skip
    there, back = ends["data a b", "job n loop"], ends["job n loop", "data a b"]
    assert there.across == back.across[::-1] and there.down == back.down[::-1]


def test_only_the_nearest_of_many_are_drawn(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    mine = (f"packyak://{project.name}", "per")
    chain = [event(f"far{n}", [("a", f"{n}")], [("a", f"{n + 1}")]) for n in range(40)]
    reads = [event(f"j{n}", [mine], [("b", f"{n}")]) for n in range(outside.MOST - 10)]
    found = around(project, graph_of([*reads, event("x", [mine], [("a", "0")]), *chain]))
    assert len(found.nodes) == outside.MOST and found.more and "job n j0" in found.nodes
    assert all(end in found.nodes or end in project.graph.nodes for link in found.links for end in link)
    assert f"{found.more} of them not drawn" in outside.hint(found)


def test_what_does_not_join_is_said_and_not_drawn(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    take_in(project, "marquez.json")
    found = around(project)
    assert not found.nodes and outside.hint(found).startswith("None of the 7 ")
    elsewhere = Places(project.home.uri).bucket("inbox/old/notes.csv")
    told = graph_of([event("writes", [], [elsewhere])])  # a file that no pattern reads
    assert not around(project, told).nodes


def test_events_are_read_once(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    take_in(project, "dbt.jsonl")
    first = project.outside()
    assert project.outside() is first
    take_in(project, "airflow.jsonl")
    assert project.outside() is not first and len(project.outside().nodes) > len(first.nodes)
    assert Project.open(project.root).outside() == project.outside()


def test_the_name_of_a_tool() -> None:
    base = "https://github.com"
    assert outside.tool(f"{base}/OpenLineage/OpenLineage/tree/1.54.0/integration/dbt") == "dbt"
    assert outside.tool(f"{base}/apache/airflow/tree/providers-openlineage/2.20.3") == "airflow"
    assert outside.tool("https://jobs.example.org") == "jobs.example.org"
    assert outside.tool("our scheduler") == "our scheduler" and outside.tool("") == ""


def test_the_trail_of_a_record_runs_through_other_tools(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    bucket = project.home.local / "buckets" / "inbox"
    bucket.mkdir(parents=True)
    (bucket / "a.jsonl").write_text('{"id": "a", "x": 1}\n')
    project.run()
    take_in(project, "dbt.jsonl", "airflow.jsonl", "spark.jsonl")
    traces = tuple(project.trace("rows", "a", direction=way) for way in ("up", "down"))
    trail = trail_of(project.graph, traces)
    board = drawn(project, Look(beyond=around(project), trail=trail))
    said = {card.name: card.trail for card in board.cards if card.kind == "outside"}
    assert said == dict.fromkeys([RAW, DBT, PLANS, AIRFLOW, SPARK, REPORTS], "as a whole")
    assert all(edge.trail for edge in board.edges)
