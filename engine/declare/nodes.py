"""What a project declares, as frozen records: the one form that the rest of the engine reads.

`collect` turns the decorated objects of a user's modules into a `Graph` of these nodes, once, with every name resolved
and every rule of the face checked. Nodes hold facts and no behaviour; the graph answers who is above, below and who
owns what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Origin:
    """Where something was declared."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Column:
    """One column. `type` is an Arrow type by name: string, int64, float64, bool, timestamp, date, time, binary, json,
    `list<T>`, `struct<name: T, ...>`. Enums and literals are stored as their values, listed in `choices`."""

    name: str
    type: str
    nullable: bool = True
    choices: tuple[Scalar, ...] | None = None
    doc: str = ""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a user's function, and what it is bound to.

    takes: "column" (value of one column of the source), "record" (a whole record as the annotated class),
    "file" (a File), "lookup" (a record of another asset, found by key), "asset" (a whole asset), "bucket".
    of: the column's, asset's or bucket's name ("" for record and file).
    form: for assets how it is handed over: relation | table | reader | frame | dicts.
    fields: for "record", the columns that the class names. by: for "lookup", the column whose value is the other's key.
    optional: the annotation admits None. required: no default value.
    """

    name: str
    takes: Literal["column", "record", "file", "lookup", "asset", "bucket"]
    of: str = ""
    form: str = ""
    fields: tuple[str, ...] = ()
    by: str = ""
    optional: bool = False
    required: bool = True
    annotation: Any = None


@dataclass(frozen=True)
class Marks:
    """What a declaration says about its data beyond its shape."""

    personal: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    purpose: str | None = None
    keep: str | None = None
    owner: str | None = None


@dataclass(frozen=True)
class Node:
    """Anything declared, by its name in the project."""

    name: str
    origin: Origin
    doc: str
    declared: Any
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class BucketNode(Node):
    """A bucket of files."""


@dataclass(frozen=True)
class FilesNode(Node):
    """The files of a bucket that match a pattern, as records keyed by file key. Named `bucket/pattern`."""

    bucket: str = ""
    pattern: str = "*"


@dataclass(frozen=True)
class TableNode(Node):
    """A node whose records are stored. `key`: names of its key columns (None: no key). `columns`: what it writes itself
    (None: known only once it has run). `was`: its old name, for a rename."""

    key: tuple[str, ...] | None = None
    columns: tuple[Column, ...] | None = None
    marks: Marks = field(default_factory=Marks)
    was: str | None = None
    failures_allowed: float | None = None
    retries: int = 0


@dataclass(frozen=True)
class AssetNode(TableNode):
    """A whole table from a function (`@asset`). Its parameters are of "asset" or "bucket". `sources`: what its author
    says that columns come from, as (thing, column), the column "" for all of it."""

    function: Callable[..., Any] = lambda: None
    parameters: tuple[Parameter, ...] = ()
    sources: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class TransformNode(TableNode):
    """A function from one record (or file) of `source` to one (`many` False) or several.

    returns: "scalar" (one column named as the function), "record" (fields of a class), "dicts" (columns seen at run),
    "table" (Arrow, from a file). For many: `key` names a field unique in the asset, `key_in_parent` one unique in its
    parent, neither: parent's key + hash of content + occurrence. For one: the key is the source's.
    """

    source: str = ""
    function: Callable[..., Any] = lambda: None
    parameters: tuple[Parameter, ...] = ()
    many: bool = False
    key_in_parent: str | None = None
    returns: Literal["scalar", "record", "dicts", "table"] = "scalar"
    return_class: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    concurrency: int = 16


@dataclass(frozen=True)
class LearnedNode(TransformNode):
    """A transform that people teach. `task`: classification | regression | repair | extraction | record."""

    task: str = ""
    abstain_below: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)
    by: str | None = None
    using: Any = None
    train_after: int = 10
    has_rule: bool = False


@dataclass(frozen=True)
class SqlNode(TableNode):
    """A query over declared tables."""

    query: str = ""


@dataclass(frozen=True)
class IndexNode(Node):
    """Vectors and full text over one column of an asset."""

    source: str = ""
    on: str = ""
    filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckNode(Node):
    """A rule about an asset's data. `target` may be None when it only takes inputs by name."""

    target: str = ""
    function: Callable[..., Any] = lambda: None
    parameters: tuple[Parameter, ...] = ()
    blocking: bool = False
    severity: Literal["info", "warning", "error"] = "error"


@dataclass(frozen=True)
class FunctionNode(Node):
    """Code run by a trigger: `on` (a bucket's new files), `every` (seconds) or `cron`; none: by hand."""

    function: Callable[..., Any] = lambda: None
    on: tuple[str, str] | None = None
    every: float | None = None
    cron: str | None = None


@dataclass(frozen=True)
class Graph:
    """All nodes of a project by name, in an order in which every input comes before what reads it."""

    nodes: Mapping[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    @property
    def tables(self) -> tuple[TableNode, ...]:
        """The stored nodes, inputs first."""
        return tuple(node for node in self.nodes.values() if isinstance(node, TableNode))

    def children(self, name: str) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes.values() if name in node.inputs)

    def below(self, name: str) -> tuple[str, ...]:
        """Everything that depends on `name`, nearest first."""
        found: dict[str, None] = {}
        queue = [name]
        while queue:
            for child in self.children(queue.pop(0)):
                if child not in found:
                    found[child] = None
                    queue.append(child)
        return tuple(found)

    def above(self, name: str) -> tuple[str, ...]:
        """Everything that `name` depends on."""
        found: dict[str, None] = {}
        queue = list(self.nodes[name].inputs)
        while queue:
            parent = queue.pop(0)
            if parent not in found and parent in self.nodes:
                found[parent] = None
                queue.extend(self.nodes[parent].inputs)
        return tuple(found)

    def chain(self, name: str) -> tuple[TableNode, ...]:
        """The assets that a view of `name` joins, from `name` up to the root whose records it has."""
        chain: list[TableNode] = []
        node = self.nodes[name]
        while isinstance(node, TableNode):
            chain.append(node)
            if not isinstance(node, TransformNode) or node.many:
                break
            node = self.nodes[node.source]
        return tuple(chain)

    def root(self, name: str) -> TableNode:
        """The asset whose keys `name` has: itself unless it is a one-to-one transform."""
        return self.chain(name)[-1]
