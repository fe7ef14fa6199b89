"""The decorators of the face. They describe: nothing runs, nothing is registered, the function stays callable.

Each works with and without parentheses where it needs nothing in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, Unpack, overload

from packyak.engine.declare import options
from packyak.engine.declare.allow import Allow
from packyak.engine.declare.allow import allowed as declared_grants
from packyak.engine.declare.bucket import Created
from packyak.engine.declare.declared import (
    Asset,
    Check,
    Function,
    Index,
    Learned,
    Severity,
    Source,
    Sql,
    Teaching,
    Transform,
)
from packyak.engine.declare.options import TableOptions
from packyak.engine.declare.origin import here

P = ParamSpec("P")
R = TypeVar("R")


@overload
def asset(function: Callable[P, R], /) -> Asset[P, R]: ...
@overload
def asset(
    *,
    key: str | Sequence[str] | None = None,
    inputs: Mapping[str, Any] | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    **table: Unpack[TableOptions],
) -> Callable[[Callable[P, R]], Asset[P, R]]: ...
def asset(
    function: Any = None,
    /,
    *,
    key: str | Sequence[str] | None = None,
    inputs: Mapping[str, Any] | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    **table: Unpack[TableOptions],
) -> Any:
    """A whole table from a function whose parameters are declared things, bound by name.

    key: the column, or columns, that name a record; without one the table is replaced whole and cannot be corrected.
    inputs: `{"p": thing}` binds parameter p to a thing of another name. The annotation picks the form: `pa.Table`,
    `pa.RecordBatchReader`, `pd.DataFrame`, `Iterator[dict]`, `Bucket`; without one it is a DuckDB relation. The
    function may yield dicts or return a DataFrame, an Arrow table or a relation. columns: what its columns come from,
    for lineage: `{"total": ["orders.amount", "rates"]}`, a column of a parameter or all of it; a column that is not
    named comes from all inputs. Further options: see `TableOptions`.

        @asset(key="country")
        def countries() -> Iterator[dict]:
            yield {"country": "NP", "name": "Nepal"}
    """
    names, facts = options.key_names(key), options.table_facts("asset", table)
    sources = options.column_sources(columns)

    def declare(function: Callable[P, R]) -> Asset[P, R]:
        return Asset(options.a_function("asset", function), names, inputs or {}, facts, sources)

    return declare if function is None else declare(function)


def transform(
    source: Source,
    /,
    *,
    key: str | None = None,
    key_in_parent: str | None = None,
    lookup: Mapping[str, str] | None = None,
    concurrency: int = 16,
    **table: Unpack[TableOptions],
) -> Callable[[Callable[P, R]], Transform[P, R]]:
    """A function from one record (or file) of `source` to one record or several.

    Parameters are columns, bound by name; one annotated with a record class gets the whole record. The return type says
    what is written: a scalar is one column named as the function, a dataclass, TypedDict or pydantic model its fields,
    `list[T]` or `Iterator[T]` several records. key: their field that is unique in the whole asset. key_in_parent:
    unique among the records of one source record. lookup: `{"rates": "currency"}` gives parameter `rates` the record of
    asset `rates` whose key is in column `currency`. concurrency: how many calls of an async function run at once.

        @transform(tickets)
        def text(subject: str, body: str) -> str:
            return f"{subject} {body}"
    """
    chosen = options.a_source("transform", source)
    facts = options.table_facts("transform", table)
    given = {
        "key": options.one_name("key", key), "key_in_parent": options.one_name("key_in_parent", key_in_parent),
        "lookup": options.lookups(lookup), "concurrency": options.positive("concurrency", concurrency),
    }  # fmt: skip
    if key and key_in_parent:
        raise options.refuse(here(), "key= and key_in_parent= are both given", "keep the one that is true")

    def declare(function: Callable[P, R]) -> Transform[P, R]:
        return Transform(options.a_function("transform", function), chosen, facts, **given)  # type: ignore[arg-type]

    return declare


def learned(
    source: Source,
    /,
    *,
    abstain_below: float | None = None,
    costs: Mapping[str, float] | None = None,
    by: str | None = None,
    using: Any = None,
    train_after: int = 10,
    lookup: Mapping[str, str] | None = None,
    concurrency: int = 16,
    **table: Unpack[TableOptions],
) -> Callable[[Callable[P, R]], Learned[P, R]]:
    """A transform that people teach by correcting it. Its return type says what it may answer.

    `Literal`, `bool` or `Enum` is a choice, a number an estimate, `str` a text, a record class one answer per field.
    The body is an optional first rule; `...` or None is no opinion. abstain_below: the confidence (0 to 1) below which
    it does not answer. costs: how much worse than another a wrong answer is, by the right answer. by="parent": it
    learns from all children of a record. using: another learner than the built-in ones. train_after: how many
    corrections it waits for.

        @learned(text, abstain_below=0.8)
        def topic(text: str) -> Literal["billing", "delivery", "other"]: ...
    """
    chosen = options.a_source("learned", source)
    facts = options.table_facts("learned", table)
    if by not in (None, "parent"):
        raise options.refuse(here(), f"by={by!r} is nothing to learn by", 'write by="parent" or leave it out')
    count = options.positive("train_after", train_after)
    teaching = Teaching(options.share("abstain_below", abstain_below), dict(costs or {}), by, using, count)
    pairs, limit = options.lookups(lookup), options.positive("concurrency", concurrency)

    def declare(function: Callable[P, R]) -> Learned[P, R]:
        return Learned(
            options.a_function("learned", function), chosen, facts, teaching, lookup=pairs, concurrency=limit
        )

    return declare


def sql(query: str, *, key: str | Sequence[str] | None = None, **table: Unpack[TableOptions]) -> Sql:
    """A query over declared tables, in DuckDB's SQL. Assigned to a module name it is an asset of that name.

    key: its key columns; without it the columns it groups by, or the key of the table whose rows it keeps.

        topics_per_day = sql("select day, topic, count(*) as n from topic group by all")
    """
    if not isinstance(query, str) or not query.strip():
        raise options.refuse(here(), "sql() was given no query", 'write it like sql("select * from tickets")')
    return Sql(query, options.key_names(key), options.table_facts("sql", table))


@overload
def check(  # type: ignore[overload-overlap]  # a declared source is callable too; it is a target all the same
    target: Source | None = None,
    /,
    *,
    blocking: bool = False,
    severity: Severity = "error",
    grants: Sequence[Allow] | None = None,
) -> Callable[[Callable[P, R]], Check[P, R]]: ...
@overload
def check(function: Callable[P, R], /) -> Check[P, R]: ...
def check(
    target: Any = None,
    /,
    *,
    blocking: bool = False,
    severity: Severity = "error",
    grants: Sequence[Allow] | None = None,
) -> Any:
    """A rule about an asset's data, run after the asset and before it is published.

    The function's parameters are declared things, bound by name. It answers True or False, or gives the rows that break
    the rule: a query or an iterable. blocking: while it fails, the last good version stays and nothing below runs.
    grants: what its code may do in AWS, where that cannot be read from it.

        @check(topics_per_day, blocking=True)
        def every_day_counts(topics_per_day):
            return sql("select * from topics_per_day where n < 1")
    """
    if severity not in ("info", "warning", "error"):
        raise options.refuse(here(), f"severity={severity!r} is none", "choose one", ("info", "warning", "error"))
    bare = not isinstance(target, Asset | Transform | Sql) and callable(target)
    chosen = None if bare or target is None else options.a_source("check", target)
    declared = declared_grants(grants)

    def declare(function: Callable[P, R]) -> Check[P, R]:
        return Check(
            options.a_function("check", function), chosen, blocking=blocking, severity=severity, grants=declared
        )

    return declare(target) if bare else declare


@overload
def function(function: Callable[P, R], /) -> Function[P, R]: ...
@overload
def function(
    *,
    on: Created | None = None,
    every: str | float | timedelta | None = None,
    cron: str | None = None,
    grants: Sequence[Allow] | None = None,
) -> Callable[[Callable[P, R]], Function[P, R]]: ...
def function(
    function: Any = None,
    /,
    *,
    on: Created | None = None,
    every: str | float | timedelta | None = None,
    cron: str | None = None,
    grants: Sequence[Allow] | None = None,
) -> Any:
    """Code run by a trigger; without one it is run by hand.

    on: a bucket's new files (`inbox.created("*.pdf")`), each given as `File`. every: a period ("10 minutes", seconds or
    a timedelta). cron: a cron line of five fields, in UTC. grants: what its code may do in AWS, where that cannot be
    read from it: `[S3.get("notes/*")]`, with S3 from `packyak.grants`.

        @function(every="1 day")
        async def remind(): ...
    """
    trigger, period, line = options.a_trigger(on), options.seconds(every), options.cron_line(cron)
    if sum(given is not None for given in (trigger, period, line)) > 1:
        raise options.refuse(
            here(), "A function has one trigger, and more are given", "keep one of on=, every= and cron="
        )

    declared = declared_grants(grants)

    def declare(function: Callable[P, R]) -> Function[P, R]:
        return Function(options.a_function("function", function), on=trigger, every=period, cron=line, grants=declared)

    return declare if function is None else declare(function)


__all__ = ["Index", "asset", "check", "function", "learned", "sql", "transform"]
