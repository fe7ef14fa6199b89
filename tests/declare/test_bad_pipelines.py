"""Small wrong pipelines, and what is said about each: file and line (the one marked HERE), the mistake, the way out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from declaring import graph_of, line_of
from packyak.engine.errors import DeclarationError

TICKETS = """
@dataclass
class Ticket:
    ticket_id: str
    subject: str
    body: str
    n: int = 0

inbox = Bucket("inbox")

@transform(inbox.files("*.jsonl"), key="ticket_id")
def tickets(file: File) -> Iterator[Ticket]: ...

@transform(tickets)
def text(subject: str, body: str) -> str: ...
"""


@dataclass
class Bad:
    name: str
    source: str
    says: tuple[str, ...]


BAD = [
    Bad("parameter that is no column", TICKETS + """
@transform(text)  # HERE
def short(boddy: str) -> str: ...
""", ("transform `short` reads `boddy`, which is no column of `text`", "body (tickets)", "did you mean `body`?")),
    Bad("parameter like nothing", TICKETS + """
@transform(text)  # HERE
def short(zzz: str) -> str: ...
""", ("reads `zzz`", "Valid: ticket_id (tickets), subject (tickets), body (tickets), n (tickets), text (text)",
      "add the column to `text`")),
    Bad("parameter with a default but a slip", TICKETS + """
@transform(text)  # HERE
def short(subjct: str = "") -> str: ...
""", ("reads `subjct`", "did you mean `subject`?")),
    Bad("parameter of another type", TICKETS + """
@transform(tickets)  # HERE
def short(n: str) -> str: ...
""", ("reads `n` as `str`, but that column is int64",)),
    Bad("field that is no column", TICKETS + """
class Part(TypedDict):
    subject: str
    author: str

@transform(tickets)  # HERE
def short(ticket: Part) -> str: ...
""", ("reads `author` (a field of `Part`), which is no column of `tickets`",)),
    Bad("star arguments", TICKETS + """
@transform(tickets)  # HERE
def short(*args) -> str: ...
""", ("takes `*args`", "name each parameter")),
    Bad("star keywords", TICKETS + """
@asset  # HERE
def short(**things): ...
""", ("asset `short` takes `**things`", "name each parameter")),
    Bad("file where there are records", TICKETS + """
@transform(tickets)  # HERE
def short(file: File) -> str: ...
""", ("takes `file: File`, but `tickets` has records, not files",)),
    Bad("column where there are files", """
inbox = Bucket("inbox")
@transform(inbox.files())  # HERE
def rows(path: str) -> Iterator[dict]: ...
""", ("reads `path`, but its records are files", "Valid: key, bucket, size, modified, etag", "`path: File`")),
    Bad("unknown input", TICKETS + """
@asset(key="id")  # HERE
def report(tikets): ...
""", ("asset `report` takes `tikets`, which is not declared", "did you mean `tickets`?", "Valid: ")),
    Bad("unknown input like nothing", """
@asset(key="id")  # HERE
def report(zzz): ...
""", ("takes `zzz`, which is not declared", "Valid: none.", "declare `zzz`, or import it")),
    Bad("a check as input", TICKETS + """
@check(tickets)
def fine(tickets): ...
@asset  # HERE
def report(fine): ...
""", ("takes `fine`, which is a check",)),
    Bad("unknown table", TICKETS + """
counts = sql("select count(*) from tiket")  # HERE
""", ("sql `counts` reads `tiket`, which is not declared", "did you mean `tickets`?")),
    Bad("a bucket as table", TICKETS + """
counts = sql("select count(*) from inbox")  # HERE
""", ("sql `counts` reads `inbox`, which is a bucket",)),
    Bad("cycle of queries", """
a = sql("select * from c")  # HERE
b = sql("select * from a")
c = sql("select * from b")
""", ("`a` reads itself in a circle: a -> c -> b -> a",)),
    Bad("cycle of one", """
a = sql("select * from a")  # HERE
""", ("a -> a",)),
    Bad("cycle through an asset", """
@asset(key="id")  # HERE
def a(b): ...
b = sql("select * from a")
""", ("a -> b -> a",)),
    Bad("two of one name", TICKETS + """
first = text
@transform(tickets)  # HERE
def text(body: str) -> str: ...
""", ("Two things are named `text`: the transform at", "pipeline.py:19", "rename one")),
    Bad("bucket and asset of one name", """
videos = Bucket("report")
@asset  # HERE
def report(): ...
""", ("Two things are named `report`: the bucket at", "the asset here")),
    Bad("names that differ by case", TICKETS + """
@transform(tickets)  # HERE
def Text(body: str) -> str: ...
""", ("`text` and `Text` differ by case only",)),
    Bad("column that differs by case", TICKETS + """
@transform(tickets)  # HERE
def Subject(body: str) -> str: ...
""", ("writes `Subject` beside `subject`",)),
    Bad("SQL word", TICKETS + """
@transform(tickets)  # HERE
def order(body: str) -> str: ...
""", ("transform `order` cannot be named so: the name is a reserved word of SQL",)),
    Bad("reserved name", TICKETS + """
@transform(tickets)  # HERE
def _key(body: str) -> str: ...
""", ("`_key` cannot be named so: the name is reserved",)),
    Bad("reserved field", """
class Row(TypedDict):
    _key: str
@asset(key="_key")  # HERE
def rows() -> Iterator[Row]: ...
""", ("field `_key` of `Row`: the name is reserved",)),
    Bad("lambda", TICKETS + """
short = transform(tickets)(lambda body: body)  # HERE
""", ("has no name", "write a `def`")),
    Bad("no return type", TICKETS + """
@transform(tickets)  # HERE
def short(body: str): ...
""", ("transform `short` does not say what it returns", "-> str", "Valid: str, int, float")),
    Bad("returns nothing", TICKETS + """
@transform(tickets)  # HERE
def short(body: str) -> None: ...
""", ("returns None, which stores nothing",)),
    Bad("a type that cannot be stored", TICKETS + """
@transform(tickets)  # HERE
def short(body: str) -> complex: ...
""", ("returns `complex`: `complex` cannot be stored", "Valid: str, int")),
    Bad("a field that cannot be stored", TICKETS + """
class Row(TypedDict):
    where: complex
@transform(tickets)  # HERE
def short(body: str) -> Row: ...
""", ("field `where` of `Row`: `complex` cannot be stored",)),
    Bad("either of two", TICKETS + """
@transform(tickets)  # HERE
def short(body: str) -> int | str: ...
""", ("could be any of 2 types; a column has one",)),
    Bad("literal of mixed types", TICKETS + """
@transform(tickets)  # HERE
def short(body: str) -> Literal["a", 1]: ...
""", ("mixes int and str; a column has one type",)),
    Bad("several of what", TICKETS + """
@transform(tickets)  # HERE
def short(body: str) -> list: ...
""", ("returns `list` without saying of what",)),
    Bad("yields one", TICKETS + """
@transform(tickets)  # HERE
def words(body: str) -> str:
    yield from body.split()
""", ("`words` yields, but says it returns `str`", "-> Iterator[str]")),
    Bad("a table from a record", TICKETS + """
import pyarrow as pa
@transform(tickets)  # HERE
def words(body: str) -> pa.Table: ...
""", ("a transform sees one record at a time",)),
    Bad("annotation that names nothing", TICKETS + """
@transform(tickets)  # HERE
def short(body: "Nowhere") -> str: ...
""", ("annotation that names nothing", "Nowhere", "not beneath TYPE_CHECKING")),
    Bad("keyless source", """
@asset
def rows() -> Iterator[dict]: ...
@transform(rows)  # HERE
def short(body: str) -> str: ...
""", ("transform `short` reads `rows`, which has no key", 'give `rows` a key to know its records by: `key="id"`')),
    Bad("key that is no field", """
inbox = Bucket("inbox")
class Row(TypedDict):
    ticket: str
@transform(inbox.files(), key="tiket")  # HERE
def rows(file: File) -> Iterator[Row]: ...
""", ("key='tiket', which is none of its fields", "did you mean `ticket`?", "Valid: ticket")),
    Bad("key of an asset that is no field", """
class Row(TypedDict):
    ticket: str
@asset(key=["ticket", "day"])  # HERE
def rows() -> Iterator[Row]: ...
""", ("key='day', which is none of its fields",)),
    Bad("key of one for one", TICKETS + """
@transform(tickets, key="body")  # HERE
def short(body: str) -> str: ...
""", ("gives one record for one, which keeps its key", "drop key=")),
    Bad("both keys", """
@transform(Bucket("b").files(), key="a", key_in_parent="b")  # HERE
def rows(file: File) -> Iterator[dict]: ...
""", ("key= and key_in_parent= are both given",)),
    Bad("personal of no column", TICKETS + """
@transform(tickets, personal={"mail": "contact"})  # HERE
def short(body: str) -> str: ...
""", ("personal= of `short` names `mail`, which is no column of it",)),
    Bad("subject of no column", """
class Row(TypedDict):
    customer_id: str
@asset(key="customer_id", subject="costumer_id")  # HERE
def rows() -> Iterator[Row]: ...
""", ("subject= of `rows` names `costumer_id`", "did you mean `customer_id`?")),
    Bad("unknown option", """
@asset(persnal={"a": "b"})  # HERE
def rows(): ...
""", ("asset has no option `persnal`", "did you mean `personal`?")),
    Bad("unknown option near one of its own", """
@asset(ky="n")  # HERE
def rows(): ...
""", ("asset has no option `ky`", "Valid: key, inputs", "did you mean `key`?")),
    Bad("no time", """
@asset(keep="a while")  # HERE
def rows(): ...
""", ("keep='a while' is no time", "3 years")),
    Bad("no source", """
@transform  # HERE
def rows(file: File) -> Iterator[dict]: ...
""", ("@transform was given `rows`, a plain function",)),
    Bad("bucket as source", """
@transform(Bucket("inbox"))  # HERE
def rows(file: File) -> Iterator[dict]: ...
""", ("was given the bucket `inbox`", ".files(")),
    Bad("check as source", TICKETS + """
@check(tickets)
def fine(tickets): ...
@transform(fine)  # HERE
def rows(a: str) -> str: ...
""", ("was given a check, which has no records",)),
    Bad("declared twice", TICKETS + """
@asset  # HERE
@transform(tickets)
def rows(body: str) -> str: ...
""", ("`rows` is declared twice: as transform and as asset",)),
    Bad("a class", """
@asset  # HERE
class Rows: ...
""", ("@asset stands on `Rows`, which is no function",)),
    Bad("learned without a teachable type", TICKETS + """
@learned(text)  # HERE
def answered(text: str) -> datetime: ...
""", ("learned `answered` answers `answered` as timestamp, which cannot be taught", "Literal[...]")),
    Bad("learned without a type", TICKETS + """
@learned(text)  # HERE
def answered(text: str): ...
""", ("does not say what it returns",)),
    Bad("learned that gives several", TICKETS + """
@learned(text)  # HERE
def words(text: str) -> list[str]: ...
""", ("answers several records, which cannot be taught",)),
    Bad("cost of no answer", TICKETS + """
@learned(text, costs={"biling": 3})  # HERE
def topic(text: str) -> Literal["billing", "other"]: ...
""", ("costs= of learned `topic` names 'biling'", "Valid: billing, other")),
    Bad("confidence above one", TICKETS + """
@learned(text, abstain_below=80)  # HERE
def topic(text: str) -> Literal["billing", "other"]: ...
""", ("abstain_below=80 is no share", "from 0 to 1")),
    Bad("lookup without parameter", TICKETS + """
@asset(key="code")
def rates() -> Iterator[dict]: ...
@transform(tickets, lookup={"rates": "subject"})  # HERE
def price(body: str) -> float: ...
""", ("looks up `rates`, but has no parameter of that name",)),
    Bad("lookup by no column", TICKETS + """
@asset(key="code")
def rates() -> Iterator[dict]: ...
@transform(tickets, lookup={"rates": "currency"})  # HERE
def price(rates: dict) -> float: ...
""", ("looks `rates` up by `currency`, which is no column of `tickets`",)),
    Bad("lookup of nothing declared", TICKETS + """
@transform(tickets, lookup={"rates": "subject"})  # HERE
def price(rates: dict) -> float: ...
""", ("looks up `rates`, which is not declared",)),
    Bad("lookup of a keyless asset", TICKETS + """
@asset
def rates() -> Iterator[dict]: ...
@transform(tickets, lookup={"rates": "subject"})  # HERE
def price(rates: dict) -> float: ...
""", ("looks up `rates`, which has no key",)),
    Bad("asset as something else", TICKETS + """
@asset  # HERE
def report(tickets: int): ...
""", ("takes `tickets` as `int`, and an asset cannot be handed over so", "Valid: pa.Table")),
    Bad("asset as bucket", TICKETS + """
@asset  # HERE
def report(tickets: Bucket): ...
""", ("takes `tickets` as `Bucket`, but it is a transform",)),
    Bad("inputs of no parameter", TICKETS + """
@asset(inputs={"t": tickets})  # HERE
def report(tickets): ...
""", ("has no parameter `t`, which inputs= names",)),
    Bad("inputs that is no thing", TICKETS + """
@asset(inputs={"t": 3})  # HERE
def report(t): ...
""", ("takes 3 as `t`", "give an asset or a bucket")),
    Bad("index on no column", TICKETS + """
search = Index(text, on="txt")  # HERE
""", ("index `search` reads `txt`, which is no column of `text`", "did you mean `text`?")),
    Bad("index on a number", TICKETS + """
search = Index(text, on="n")  # HERE
""", ("is on `n`, which is int64 and no text", "Valid: ticket_id, subject, body, text")),
    Bad("index filter", TICKETS + """
search = Index(text, on="text", filters=["topic"])  # HERE
""", ("reads `topic`, which is no column of `text`",)),
    Bad("index over a bucket", """
search = Index(Bucket("b"), on="text")  # HERE
""", ("index `search` is over Bucket('b'), which is no asset",)),
    Bad("check of nothing", """
@check  # HERE
def fine(): ...
""", ("check `fine` looks at nothing",)),
    Bad("severity", TICKETS + """
@check(tickets, severity="bad")  # HERE
def fine(tickets): ...
""", ("severity='bad' is none", "Valid: info, warning, error")),
    Bad("function that takes something", """
@function(every="1 day")  # HERE
def remind(who): ...
""", ("function `remind` takes `who`, but nothing gives it any",)),
    Bad("two triggers", """
@function(every="1 day", cron="0 0 * * *")  # HERE
def remind(): ...
""", ("one trigger",)),
    Bad("no period", """
@function(every="soon")  # HERE
def remind(): ...
""", ("every= is no time", "10 minutes")),
    Bad("no cron line", """
@function(cron="daily")  # HERE
def remind(): ...
""", ("cron='daily' is no cron line",)),
    Bad("no trigger", """
@function(on=Bucket("b"))  # HERE
def remind(file: File): ...
""", ("is no trigger", "inbox.created")),
    Bad("bucket name", """
inbox = Bucket("../inbox")  # HERE
""", ("'../inbox' cannot name a bucket",)),
    Bad("empty query", """
a = sql("")  # HERE
""", ("sql() was given no query",)),
    Bad("undeclared bucket parameter", TICKETS + """
@transform(tickets)  # HERE
def short(body: str, archive: Bucket) -> str: ...
""", ("takes the bucket `archive`, which is not declared", 'archive = Bucket("archive")')),
    Bad("recursive record", """
@dataclass
class Row:
    id: str
    inner: "Row"
@asset(key="id")  # HERE
def rows() -> Iterator[Row]: ...
""", ("`Row` contains itself",)),
    Bad("fields that differ by case", """
class Row(TypedDict):
    id: str
    ID: str
@asset(key="id")  # HERE
def rows() -> Iterator[Row]: ...
""", ("fields `id` and `ID` of `Row` differ by case only",)),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_wrong_pipeline_is_refused_with_its_line_and_a_way_out(bad: Bad, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as caught:
        graph_of(tmp_path, bad.source)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'pipeline.py'}:{line_of(bad.source)}: ")
    for fragment in bad.says:
        assert fragment in text
    assert "Next: " in text
    assert caught.value.to_json()["line"] == line_of(bad.source)


def test_names_of_cases_are_unique() -> None:
    assert len({bad.name for bad in BAD}) == len(BAD)
