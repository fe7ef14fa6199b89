"""Column lineage of projects as written: signatures, queries, whole tables, and the owner behind each column."""

from __future__ import annotations

import importlib.util
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packyak.engine.declare.collect import collect
from packyak.engine.declare.nodes import Graph
from packyak.engine.errors import DeclarationError
from packyak.engine.lineage.columns import ColumnEdges, Source, column_edges, edges_of
from packyak.engine.store.sql import tables_of
from packyak.engine.store.sql_keys import query_key

SUPPORT = """
    from dataclasses import dataclass
    from typing import Iterator, Literal
    import pyarrow as pa
    from packyak import Bucket, File, asset, learned, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @dataclass
    class Ticket:
        ticket_id: str
        subject: str
        body: str
        amount: float

    @transform(inbox.files("*.jsonl"), key="ticket_id")
    def tickets(file: File) -> Iterator[Ticket]:
        yield from read_jsonl(file)

    @transform(tickets)
    def text(subject: str, body: str) -> str:
        return f"{subject} {body}"

    @learned(text)
    def topic(text: str) -> Literal["billing", "other"]: ...

    @transform(topic)
    def body(text: str, topic: str) -> str:
        return text

    @transform(body)
    def urgent(body: str, amount: float) -> bool:
        return amount > 3

    @asset
    def everything(tickets: pa.Table, inbox: Bucket) -> pa.Table:
        return tickets

    per_topic = sql(
        "select topic, max(body) as longest, count(*) as n from urgent where amount > 1 and urgent group by all"
    )
    joined = sql("select p.n + 1, u.* exclude (text, subject) from per_topic p join urgent u using (topic)")
"""


@pytest.fixture
def graph_of(tmp_path: Path) -> Iterator[Callable[[str], Graph]]:
    names: list[str] = []

    def build(source: str) -> Graph:
        file = tmp_path / f"lineage_project_{len(names)}.py"
        file.write_text(textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        names.append(file.stem)
        sys.modules[file.stem] = module
        spec.loader.exec_module(module)
        return collect([module], tables_of=tables_of, sql_key=query_key, root=str(tmp_path))

    yield build
    for name in names:
        sys.modules.pop(name, None)


def told(edges: ColumnEdges) -> dict[str, str]:
    def line(sources: tuple[Source, ...]) -> str:
        return " ".join(f"{s.asset}.{s.column or '*'}:{s.kind}{'/' + s.how if s.how else ''}" for s in sources)

    return {name: line(sources) for name, sources in edges.columns.items()} | {"*": line(edges.influences)}


def test_support_project(graph_of: Callable[[str], Graph]) -> None:
    found = {name: told(edges) for name, edges in column_edges(graph_of(SUPPORT)).items()}
    files = "inbox/*.jsonl.*:whole"
    assert found["tickets"] == {"ticket_id": files, "subject": files, "body": files, "amount": files, "*": ""}
    assert found["text"] == {
        "text": "tickets.subject:direct/transformation tickets.body:direct/transformation",
        "*": "",
    }
    assert found["topic"] == {"topic": "text.text:direct/transformation", "*": ""}
    # `body` is computed anew below, and owned from there on.
    assert found["body"] == {"body": "text.text:direct/transformation topic.topic:direct/transformation", "*": ""}
    assert found["urgent"]["urgent"] == "body.body:direct/transformation tickets.amount:direct/transformation"
    assert found["everything"] == {"*": ""}
    assert found["per_topic"] == {
        "topic": "topic.topic:direct/identity",
        "longest": "body.body:direct/aggregation",
        "n": "",
        "*": "tickets.amount:indirect/filter topic.topic:indirect/group_by urgent.urgent:indirect/filter",
    }


def test_what_a_run_has_stored_counts_more_than_what_is_declared(graph_of: Callable[[str], Graph]) -> None:
    graph = graph_of(SUPPORT)
    schemas = {
        "everything": {"_key": "string", "a": "string"},
        "joined": ["(p.n + 1)", "ticket_id", "amount", "x", "y", "z"],
    }
    assert told(edges_of(graph, "everything", schemas)) == {"a": "tickets.*:whole inbox.*:whole", "*": ""}
    joined = told(edges_of(graph, "joined"))
    assert joined["_col_0"] == "per_topic.n:direct/transformation"
    named = told(edges_of(graph, "joined", schemas))
    assert named["(p.n + 1)"] == "per_topic.n:direct/transformation"
    assert named["amount"] == "tickets.amount:direct/identity"


def test_a_query_beyond_reading_is_a_whole_input(graph_of: Callable[[str], Graph]) -> None:
    graph = graph_of(SUPPORT + "\n    odd = sql(\"select columns('t.*') from tickets\")\n")
    assert edges_of(graph, "odd") == ColumnEdges({}, ())
    assert told(edges_of(graph, "odd", {"odd": ["ticket_id"]})) == {"ticket_id": "tickets.*:whole", "*": ""}


def test_records_and_lookups(graph_of: Callable[[str], Graph]) -> None:
    graph = graph_of(
        SUPPORT
        + """
    @dataclass
    class Rate:
        currency: str
        rate: float

    @asset(key="currency")
    def prices() -> Iterator[Rate]:
        yield from ()

    @transform(tickets)
    def first(record: Ticket) -> str:
        return record.subject

    @transform(tickets, lookup={"prices": "subject"})
    def euros(amount: float, prices: Rate | None) -> float:
        return amount
    """
    )
    first = told(edges_of(graph, "first"))["first"]
    assert first == " ".join(
        f"tickets.{name}:direct/transformation" for name in ("ticket_id", "subject", "body", "amount")
    )
    euros = told(edges_of(graph, "euros"))
    assert "tickets.amount:direct/transformation" in euros["euros"]
    assert "prices.rate:direct/transformation" in euros["euros"]
    assert euros["*"] == "tickets.subject:indirect/join"


DECLARED = """

    import pandas as pd

    @asset(columns={"total": ["urgent.amount", "per_topic"], "topic": "urgent.topic"})
    def report(urgent: pd.DataFrame, per_topic: pd.DataFrame) -> pd.DataFrame:
        return urgent
"""


def test_whole_tables_say_what_their_columns_come_from(graph_of: Callable[[str], Graph]) -> None:
    graph = graph_of(SUPPORT + DECLARED)
    said = {
        "total": "tickets.amount:direct/transformation per_topic.*:whole",
        "topic": "topic.topic:direct/transformation",
        "*": "",
    }
    assert told(edges_of(graph, "report")) == said
    stored = {"report": ["topic", "total", "other"]}
    other = {"other": "urgent.*:whole per_topic.*:whole"}  # nothing is said of it, so nothing is known
    assert told(edges_of(graph, "report", stored)) == said | other


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ('{"a": "urgnt.amount"}', "has no parameter `urgnt`"),
        ('{"a": ["urgent.amuont"]}', "`urgent` has no column `amuont`"),
        ('{"a": []}', "says nothing about where 'a' comes from"),
    ],
)
def test_columns_that_are_not_there_are_refused(graph_of: Callable[[str], Graph], columns: str, message: str) -> None:
    wrong = DECLARED.replace('{"total": ["urgent.amount", "per_topic"], "topic": "urgent.topic"}', columns)
    with pytest.raises(DeclarationError, match=re.escape(message)):
        graph_of(SUPPORT + wrong)
