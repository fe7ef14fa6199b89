"""What the decorators make: objects that describe, stay callable, and do nothing else.

They hold what was written and where. Everything that needs more than the one declaration (names, columns, order) is
checked when a project collects its modules.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Literal, ParamSpec, TypeVar

from packyak.engine.declare.allow import Allow
from packyak.engine.declare.bucket import Bucket, Created, Files
from packyak.engine.declare.nodes import Marks
from packyak.engine.declare.origin import caller, of_code

P = ParamSpec("P")
R = TypeVar("R")
Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class TableFacts:
    """What any stored declaration may say about itself."""

    marks: Marks = field(default_factory=Marks)
    was: str | None = None
    failures_allowed: float | None = None
    retries: int = 0
    grants: tuple[Allow, ...] = ()


class Declared(Generic[P, R]):
    """A declared function: called, it is the function itself."""

    kind: ClassVar[str] = "declaration"
    __name__: str
    __qualname__: str

    def __init__(self, function: Callable[P, R]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.origin = of_code(code_of_callable(function))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.__name__}>"

    def __reduce__(self) -> str:
        return self.__qualname__


def code_of_callable(function: Callable[..., Any]) -> Any:
    """The code object beneath a function's wrappers."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function.__code__


class Asset(Declared[P, R]):
    """A whole table from a function."""

    kind = "asset"

    def __init__(
        self,
        function: Callable[P, R],
        key: tuple[str, ...] | None,
        inputs: Mapping[str, Any],
        table: TableFacts,
        sources: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(function)
        self.key = key
        self.inputs = dict(inputs)
        self.sources = dict(sources or {})
        self.table = table


class Transform(Declared[P, R]):
    """A function from one record (or file) of `source` to one record or several."""

    kind = "transform"

    def __init__(
        self,
        function: Callable[P, R],
        source: Source,
        table: TableFacts,
        *,
        key: str | None = None,
        key_in_parent: str | None = None,
        lookup: Mapping[str, str] | None = None,
        concurrency: int = 16,
    ) -> None:
        super().__init__(function)
        self.source = source
        self.table = table
        self.key = key
        self.key_in_parent = key_in_parent
        self.lookup = dict(lookup or {})
        self.concurrency = concurrency


@dataclass(frozen=True)
class Teaching:
    """How a learned transform learns and answers."""

    abstain_below: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)
    by: str | None = None
    using: Any = None
    train_after: int = 10


class Learned(Transform[P, R]):
    """A transform that people teach."""

    kind = "learned"

    def __init__(
        self,
        function: Callable[P, R],
        source: Source,
        table: TableFacts,
        teaching: Teaching,
        *,
        lookup: Mapping[str, str] | None = None,
        concurrency: int = 16,
    ) -> None:
        super().__init__(function, source, table, lookup=lookup, concurrency=concurrency)
        self.teaching = teaching


class Check(Declared[P, R]):
    """A rule about an asset's data."""

    kind = "check"

    def __init__(
        self,
        function: Callable[P, R],
        target: Any,
        *,
        blocking: bool,
        severity: Severity,
        grants: tuple[Allow, ...] = (),
    ) -> None:
        super().__init__(function)
        self.grants = grants
        self.target = target
        self.blocking = blocking
        self.severity = severity


class Function(Declared[P, R]):
    """Code run by a trigger."""

    kind = "function"

    def __init__(
        self,
        function: Callable[P, R],
        *,
        on: Created | None,
        every: float | None,
        cron: str | None,
        grants: tuple[Allow, ...] = (),
    ) -> None:
        super().__init__(function)
        self.grants = grants
        self.on = on
        self.every = every
        self.cron = cron


class Sql:
    """A query over declared tables. Assigned to a module name it is an asset of that name."""

    kind = "sql"

    def __init__(self, query: str, key: tuple[str, ...] | None, table: TableFacts) -> None:
        self.origin, self.module = caller()
        self.query = query
        self.key = key
        self.table = table

    def __repr__(self) -> str:
        return f"sql({self.query!r})"


class Index:
    """Vectors and full text over one column of an asset, searchable.

    asset: whose records. on: the column with the text. filters: columns that `find(where=...)` may name.

        search = Index(tickets, on="body", filters=["topic"])
        search.find("late fee", k=5, where="topic = 'billing'")
    """

    kind = "index"

    def __init__(self, asset: Any, *, on: str, filters: list[str] | tuple[str, ...] = ()) -> None:
        self.origin, self.module = caller()
        self.source = asset
        self.on = on
        self.filters = (filters,) if isinstance(filters, str) else tuple(filters)

    def __repr__(self) -> str:
        return f"Index({self.source!r}, on={self.on!r})"

    def find(
        self,
        text: str = "",
        k: int = 5,
        where: str | None = None,
        *,
        how: Literal["hybrid", "vector", "text"] = "hybrid",
        like: str | None = None,
    ) -> Any:
        """The k records nearest to a text, best first. where: an SQL condition over the filters. how: by meaning
        ("vector"), by words ("text") or by both. like: the key of a record, instead of a text."""
        from packyak.engine.declare.active import current
        from packyak.engine.errors import DeclarationError

        project = current()
        for node in project.graph.nodes.values():
            if node.declared is self:
                return project.find(node.name, text, k, where, how=how, like=like)
        raise DeclarationError(
            "This index is not part of the active project",
            next_step="assign it to a name in one of the project's modules",
            file=self.origin.file,
            line=self.origin.line,
        )


Source = Asset[..., Any] | Transform[..., Any] | Sql | Files
Table = (Asset, Transform, Sql)
Anything = Asset[..., Any] | Transform[..., Any] | Check[..., Any] | Function[..., Any] | Sql | Index | Bucket
DECLARED = (Asset, Transform, Check, Function, Sql, Index, Bucket, Files)
