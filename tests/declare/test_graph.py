"""What a project's graph says of its declarations: names, order, bindings, columns and keys."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from declaring import graph_of, load, tables_of
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine.declare.collect import collect
from packyak.engine.declare.nodes import (
    AssetNode,
    CheckNode,
    Column,
    FilesNode,
    FunctionNode,
    IndexNode,
    LearnedNode,
    SqlNode,
    TransformNode,
)
from packyak.engine.errors import DeclarationError

DESIGN = """
inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="ticket_id",
           personal={"email": "contact"}, subject="customer_id", purpose="answer customers", keep="3 years")
def tickets(file: File) -> Iterator[dict]:
    \"\"\"Support tickets as they arrived.\"\"\"
    yield from read_jsonl(file)

@transform(tickets)
def text(subject: str, body: str) -> str:
    return f"{subject}\\n{body}"

@learned(text, abstain_below=0.8, costs={"billing": 3})
def topic(text: str) -> Literal["billing", "delivery", "account", "other"]:
    \"\"\"What the customer writes about.\"\"\"
    if "invoice" in text.lower():
        return "billing"

search = Index(text, on="text")

topics_per_day = sql(\"\"\"select received, topic, count(*) as n from topic group by all\"\"\")

@check(topics_per_day, blocking=True)
def every_day_counts(topics_per_day): return sql("select * from topics_per_day where n < 1")

@function(on=inbox.created("*.pdf"))
async def keep_pdf(file: File): await Bucket("archive").put(file.key, await inbox.get(file.key))
"""

FIRST = """
videos = Bucket("videos")

@function()
async def upload_video():
    await videos.put("key", "value")

@asset()
async def transcribed_videos():
  ...
"""


def test_the_design_example(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, DESIGN, keys={"group by": ("received", "topic")})
    assert list(graph.nodes) == [
        "inbox", "inbox/*.jsonl", "tickets", "text", "topic", "search", "topics_per_day", "every_day_counts", "archive",
        "keep_pdf",
    ]  # fmt: skip
    files, tickets, text, topic = (graph[name] for name in ("inbox/*.jsonl", "tickets", "text", "topic"))
    assert isinstance(files, FilesNode) and (files.bucket, files.pattern) == ("inbox", "*.jsonl")
    assert isinstance(tickets, TransformNode) and tickets.many and tickets.returns == "dicts"
    assert (
        tickets.key == ("ticket_id",) and tickets.columns is None and tickets.doc == "Support tickets as they arrived."
    )
    assert tickets.marks.personal == {"email": "contact"} and tickets.marks.keep == "3 years"
    assert [parameter.takes for parameter in tickets.parameters] == ["file"]
    assert isinstance(text, TransformNode) and not text.many and text.key == ("ticket_id",)
    assert [(each.takes, each.of) for each in text.parameters] == [("column", "subject"), ("column", "body")]
    assert isinstance(topic, LearnedNode) and topic.task == "classification" and topic.has_rule
    assert topic.columns == (Column("topic", "string", False, ("billing", "delivery", "account", "other")),)
    assert graph["search"].inputs == ("text",) and isinstance(graph["search"], IndexNode)
    per_day, counts, keep = graph["topics_per_day"], graph["every_day_counts"], graph["keep_pdf"]
    assert isinstance(per_day, SqlNode) and per_day.key == ("received", "topic") and per_day.inputs == ("topic",)
    assert isinstance(counts, CheckNode) and counts.blocking and counts.target == "topics_per_day"
    assert isinstance(keep, FunctionNode) and keep.on == ("inbox", "*.pdf") and keep.inputs == ("inbox", "archive")
    assert graph.root("topic").name == "tickets"


def test_the_first_published_example(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, FIRST)
    asset = graph["transcribed_videos"]
    assert isinstance(asset, AssetNode) and asset.columns is None and asset.key is None and asset.inputs == ()
    assert graph["upload_video"].inputs == ("videos",)


def test_declared_functions_stay_callable(tmp_path: Path) -> None:
    module = load(tmp_path, FIRST + DESIGN)
    assert module.text("Hi", "there") == "Hi\nthere"
    assert module.topic("an invoice") == "billing"
    assert asyncio.run(module.transcribed_videos()) is None
    assert module.text.__name__ == "text" and module.tickets.__doc__ == "Support tickets as they arrived."


def test_things_are_bound_by_name_and_by_closure(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
import pyarrow as pa
import pandas as pd
import sys
raw = Bucket("raw-files")
other = Bucket("other")
search_log: list = []

@asset(key="id")
def rows(raw: Bucket) -> Iterator[dict]:
    yield from through(other)

def through(bucket):
    return [Bucket("deep").get_sync("x")]

@asset(inputs={"again": rows})
def forms(rows, again: pa.Table, limit: int = 3): ...

@asset
def more(rows: pd.DataFrame, forms: Iterator[dict], raw: Bucket) -> pa.Table: ...
""",
    )
    rows, forms, more = (graph[name] for name in ("rows", "forms", "more"))
    assert rows.inputs == ("raw-files", "deep", "other")
    assert isinstance(forms, AssetNode) and isinstance(more, AssetNode)
    assert [(each.name, each.of, each.form) for each in forms.parameters] == [
        ("rows", "rows", "relation"), ("again", "rows", "table"),
    ]  # fmt: skip
    assert [(each.takes, each.form) for each in more.parameters] == [
        ("asset", "frame"), ("asset", "dicts"), ("bucket", ""),
    ]  # fmt: skip


def test_what_a_body_calls_is_code_and_no_input(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
@asset(key="id")
def rows() -> Iterator[dict]: ...
@transform(rows)
def text(body: str) -> str: return body
@asset
def tried():
    yield {"a": text("x")}
""",
    )
    assert graph["tried"].inputs == ()


TYPES = """
class Colour(Enum):
    RED = "red"
    BLUE = "blue"

class Inner(NamedTuple):
    x: int
    names: list[str]

@dataclass
class Row:
    id: str
    n: int
    x: float | None
    ok: bool
    raw: bytes
    at: datetime
    day: date
    colour: Colour
    size: Literal["s", "m"] | None
    tags: list[str]
    extra: dict[str, Any]
    inner: Inner
    inners: list[Inner]
    whatever: Any
    either: int | float

@asset(key="id")
def rows() -> Iterator[Row]: ...
"""


def test_types_become_columns(tmp_path: Path) -> None:
    columns = graph_of(tmp_path, TYPES)["rows"].columns  # type: ignore[attr-defined]
    inner = "struct<x: int64, names: list<string>>"
    assert [(column.name, column.type, column.nullable) for column in columns] == [
        ("id", "string", False), ("n", "int64", False), ("x", "float64", True), ("ok", "bool", False),
        ("raw", "binary", False), ("at", "timestamp", False), ("day", "date", False), ("colour", "string", False),
        ("size", "string", True), ("tags", "list<string>", False), ("extra", "json", False), ("inner", inner, False),
        ("inners", f"list<{inner}>", False), ("whatever", "json", True), ("either", "float64", False),
    ]  # fmt: skip
    assert {column.name: column.choices for column in columns if column.choices} == {
        "colour": ("red", "blue"), "size": ("s", "m"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("annotation", "many", "returns", "kinds"),
    [
        ("str", False, "scalar", ["string"]),
        ("Optional[int]", False, "scalar", ["int64"]),
        ("Literal[True, False]", False, "scalar", ["bool"]),
        ("Row", False, "record", ["string", "int64"]),
        ("Row | None", False, "record", ["string", "int64"]),
        ("dict", False, "dicts", None),
        ("dict[str, Any]", False, "dicts", None),
        ("list[str]", True, "scalar", ["string"]),
        ("list[Row]", True, "record", ["string", "int64"]),
        ("Iterator[dict]", True, "dicts", None),
        ("AsyncIterator[Row]", True, "record", ["string", "int64"]),
        ("Model", False, "record", ["string", "list<string>"]),
        ("'list[Row]'", True, "record", ["string", "int64"]),
    ],
)
def test_return_types_say_what_is_written(
    tmp_path: Path, annotation: str, many: bool, returns: str, kinds: list[str] | None
) -> None:
    graph = graph_of(
        tmp_path,
        f"""
from pydantic import BaseModel
class Row(TypedDict, total=False):
    word: str
    n: int
class Model(BaseModel):
    word: str
    parts: list[str] = []
@asset(key="id")
def rows() -> Iterator[dict]: ...
@transform(rows)
def out(body: str) -> {annotation}: ...
""",
    )
    node = graph["out"]
    assert isinstance(node, TransformNode)
    assert (node.many, node.returns, node.key) == (many, returns, () if many else ("id",))
    assert (None if node.columns is None else [column.type for column in node.columns]) == kinds


def test_learned_tasks(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
class Answer(TypedDict):
    urgent: bool
    amount: float
@asset(key="id")
def rows() -> Iterator[TypedDict("Row", {"id": str, "name": str})]: ...
@learned(rows)
def flag(name: str) -> bool:
    "Only a docstring."
@learned(rows)
def amount(name: str) -> float | None: return None
@learned(rows)
async def name(name: str) -> str: ...
@learned(rows)
def city(name: str) -> str: return name
@learned(rows)
def answer(name: str) -> Answer: pass
""",
    )
    facts = {node.name: (node.task, node.has_rule) for node in graph.tables if isinstance(node, LearnedNode)}
    assert facts == {
        "flag": ("classification", False), "amount": ("regression", False), "name": ("repair", False),
        "city": ("extraction", True), "answer": ("record", False),
    }  # fmt: skip


def test_lookups_records_and_defaults(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
@dataclass
class Rate:
    code: str
    rate: float
@dataclass
class Order:
    id: str
    amount: float
    note: str = ""
class Full(TypedDict):
    id: str
    amount: float
    currency: str
@asset(key="code")
def rates() -> Iterator[Rate]: ...
@asset(key="id")
def orders() -> Iterator[Full]: ...
@transform(orders, lookup={"rates": "currency"})
def euros(order: Order, rates: Rate | None, digits: int = 2) -> float: ...
""",
    )
    euros = graph["euros"]
    assert isinstance(euros, TransformNode) and euros.inputs == ("orders", "rates")
    order, rates = euros.parameters
    assert (order.takes, order.fields) == ("record", ("id", "amount"))
    assert (rates.takes, rates.of, rates.by, rates.fields, rates.optional) == (
        "lookup", "rates", "currency", ("code", "rate"), True,
    )  # fmt: skip


def test_unknown_columns_are_left_to_the_run(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        """
@asset(key="id")
def rows() -> Iterator[dict]: ...
@transform(rows)
def out(anything: str, at_all: int = 3) -> str: ...
""",
    )
    assert [(each.of, each.required) for each in graph["out"].parameters] == [("anything", True), ("at_all", False)]  # type: ignore[attr-defined]


def test_a_query_without_a_key_is_refused_only_where_keys_are_known(tmp_path: Path) -> None:
    source = """
@asset(key="id")
def rows() -> Iterator[dict]: ...
counts = sql("select * from rows")
@transform(counts)
def out(n: int) -> str: ...
"""
    assert graph_of(tmp_path, source)["out"].inputs == ("counts",)
    with pytest.raises(DeclarationError, match="`counts`, which has no key"):
        graph_of(tmp_path, source, keys={})


def test_things_of_other_modules_come_along(tmp_path: Path) -> None:
    sources = load(tmp_path, '@asset(key="id")\ndef rows() -> Iterator[dict]: ...\nseen = sql("select 1")', "sources")
    module = load(tmp_path, "first = None\n", "pipeline")
    module.__dict__.update(sources=sources, again=sources.seen)
    from packyak import Index

    module.__dict__["search"] = Index(sources.rows, on="body")
    graph = collect([module], tables_of=tables_of)
    assert set(graph.nodes) == {"rows", "again", "search"}


@given(st.integers(2, 9), st.randoms(use_true_random=False))
def test_every_input_comes_before_what_reads_it(
    tmp_path_factory: pytest.TempPathFactory, size: int, chance: random.Random
) -> None:
    names = [f"t{place}" for place in range(size)]
    inputs = {name: sorted(chance.sample(names[:place], chance.randint(0, place))) for place, name in enumerate(names)}
    shuffled = chance.sample(names, size)
    source = "\n".join(
        f'{name} = sql("select 1 {" ".join(f"from {each}" for each in inputs[name])}")' for name in shuffled
    )
    graph = graph_of(tmp_path_factory.mktemp("graph"), source)
    order = list(graph.nodes)
    assert sorted(order) == sorted(names)
    for name in names:
        assert set(graph[name].inputs) == set(inputs[name])
        assert all(order.index(each) < order.index(name) for each in inputs[name])
