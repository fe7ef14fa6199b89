"""Grants from the declared graph: what a run of one asset, one index or one function reads and writes in a cloud home.

Who reads which table follows from who owns the columns that a function names; what the engine itself needs beside was
found by watching runs through the gate, and is proven by taking each away (`packyak prove`). Nothing here deletes:
tidying has a role of its own. What functions do with buckets and with AWS is read from their code
(`inferred`); what cannot be read is listed as undecided, and no grant is made for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from packyak.deploy.grants.grant import LIST, Evidence, Grant, merged
from packyak.deploy.grants.inferred import code_grants, codes_of
from packyak.deploy.grants.requests import READ, WRITE
from packyak.engine.declare.nodes import (
    AssetNode,
    CheckNode,
    FilesNode,
    FunctionNode,
    Graph,
    IndexNode,
    LearnedNode,
    Node,
    SqlNode,
    TableNode,
    TransformNode,
)
from packyak.engine.errors import SettingError
from packyak.engine.learn.tasks import tasks_of

_ENGINE: tuple[tuple[str, str, str], ...] = (
    (READ, "format.json", "the home's format"),
    (READ, "candidates.json", "what the last runs left"),
    (LIST, "leases/run/", "the lock of the project"),
    (READ, "leases/run/*", "the lock of the project"),
    (WRITE, "leases/run/*", "the lock of the project"),
    (WRITE, "runs/*", "the record of the run"),
    (LIST, "runs/cancel/", "whether somebody asked the run to stop"),
    (WRITE, "code/*", "the source text that computed it"),
)
_OF_ASSETS: tuple[tuple[str, str, str], ...] = (
    (LIST, "published/", "the good versions"),
    (READ, "published/*", "the good versions"),
    (WRITE, "candidates.json", "what this run leaves"),
    (WRITE, "published/*", "the new good version"),
    (LIST, "corrections/", "what people said"),
    (READ, "corrections/*", "what people said"),
    (READ, "lineage/told.json", "which corrections the event log has"),
    (WRITE, "lineage/*", "the event log"),
)
_OF_LEARNED: tuple[tuple[str, str, str], ...] = (
    (LIST, "promotions/", "which model answers"),
    (READ, "promotions/*", "which model answers"),
)
_OF_EMBEDDING: tuple[tuple[str, str, str], ...] = (
    (LIST, "vectors/texts.lance/_versions/", "vectors of texts, made once for all"),
    (READ, "vectors/texts.lance/*", "vectors of texts, made once for all"),
    (WRITE, "vectors/texts.lance/*", "vectors of texts, made once for all"),
)


@dataclass(frozen=True)
class CloudHome:
    """A home in S3, by its parts, and the key that it is encrypted with ("": none)."""

    bucket: str
    prefix: str
    key: str = ""
    region: str = "us-east-1"

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def path(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name


@dataclass(frozen=True)
class Undecided:
    """Something that a role's code does of which nothing here can tell what it is."""

    role: str
    what: str
    place: str


def cloud_home(uri: str, *, key: str = "", region: str = "us-east-1") -> CloudHome:
    """The parts of `s3://bucket/prefix`."""
    bucket, _, prefix = uri.removeprefix("s3://").strip("/").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise SettingError(f"{uri!r} is no home in S3", next_step="use s3://bucket/prefix")
    return CloudHome(bucket, prefix, key, region)


class Declared:
    """The grants that a graph calls for. root: the project's folder, for places relative to it."""

    def __init__(self, graph: Graph, home: CloudHome, root: str | Path = "") -> None:
        self.graph = graph
        self.home = home
        self.root = Path(root)

    def roles(self) -> tuple[str, ...]:
        """Everything that runs under a role of its own, inputs first."""
        return tuple(
            node.name for node in self.graph.nodes.values() if isinstance(node, TableNode | IndexNode | FunctionNode)
        )

    def grants(self, roles: Iterable[str] | None = None) -> tuple[Grant, ...]:
        """The grants of the roles (default: of all)."""
        names = self.roles() if roles is None else roles
        return merged(grant for name in names for grant in self._of(self.graph[name]))

    def undecided(self) -> tuple[Undecided, ...]:
        """What no grant was made for, because it cannot be read from the code and nobody declared it."""
        return tuple(
            Undecided(role, each.clause, each.place)
            for role in self.roles()
            for code in codes_of(self.graph, role, self.root)
            for each in code.open
        )

    def _of(self, node: Node) -> Iterator[Grant]:
        common = [*_ENGINE, *(_OF_ASSETS if isinstance(node, TableNode) else ())]
        common += _OF_EMBEDDING if isinstance(node, IndexNode) or _embeds(node) else ()
        for action, path, why in common:
            yield self.of_engine(node.name, action, path, why)
        if isinstance(node, TableNode):
            yield from self._own(node, "tables", "its own records")
            yield from self._own(node, "memo", "its own bookkeeping")
        if isinstance(node, LearnedNode):
            yield from self._learned(node)
        if isinstance(node, IndexNode):
            yield from self._own(node, "indexes", "its own vectors")
            yield from self._view(node.name, node.source, (node.on, *node.filters), node, "is indexed")
        if isinstance(node, FunctionNode):
            yield from self._function(node)
        yield from self._inputs(node)
        yield from self._checks(node)
        yield from self.of_key(node.name)
        for code in codes_of(self.graph, node.name, self.root):
            yield from code_grants(code, self.home, self.shown)

    def _own(self, node: Node, folder: str, why: str) -> Iterator[Grant]:
        table = f"{folder}/{node.name}.lance"
        yield self.of_node(node.name, LIST, f"{table}/_versions/", why, node)
        yield self.of_node(node.name, READ, f"{table}/*", why, node)
        yield self.of_node(node.name, WRITE, f"{table}/*", why, node)

    def _learned(self, node: LearnedNode) -> Iterator[Grant]:
        if not tasks_of(node):
            return  # its first rule is all there is
        models = f"models/{node.name}"
        for action, path, why in _OF_LEARNED:
            yield self.of_engine(node.name, action, path, why)
        yield self.of_node(node.name, LIST, f"{models}/*", "its models", node)
        yield self.of_node(node.name, READ, f"{models}/*", "its models", node)
        yield self.of_node(node.name, WRITE, f"{models}/*", "it learns", node)
        yield self.of_node(node.name, WRITE, "promotions/*", "its model is promoted when it is not worse", node)

    def _function(self, node: FunctionNode) -> Iterator[Grant]:
        handled = f"functions/{node.name}.json"
        yield self.of_node(node.name, READ, handled, "the files it was called for", node)
        yield self.of_node(node.name, WRITE, handled, "the files it was called for", node)
        if node.on is not None:
            yield from self._files(node.name, *node.on, node)

    def _inputs(self, node: Node) -> Iterator[Grant]:
        """What a table is computed from."""
        if isinstance(node, TransformNode):
            source = self.graph[node.source]
            if isinstance(source, FilesNode):
                yield from self._files(node.name, source.bucket, source.pattern, node)
            else:
                yield from self._view(node.name, source.name, _columns(node), node, "reads")
            for each in node.parameters:
                if each.takes in ("lookup", "asset"):
                    yield from self._view(node.name, each.of, None, node, "looks up")
        elif isinstance(node, AssetNode | SqlNode):
            for name in node.inputs:
                if isinstance(self.graph.nodes.get(name), TableNode):
                    yield from self._view(node.name, name, None, node, "reads")

    def _checks(self, node: Node) -> Iterator[Grant]:
        for check in self.graph.nodes.values():
            if isinstance(check, CheckNode) and check.target == node.name:
                for name in check.inputs:
                    if name != node.name and isinstance(self.graph.nodes.get(name), TableNode):
                        yield from self._view(node.name, name, None, check, f"its check {check.name} reads")
                if isinstance(node, TransformNode) and not node.many:
                    yield from self._view(node.name, node.name, None, check, f"its check {check.name} reads")

    def _view(self, role: str, asset: str, columns: Iterable[str] | None, origin: Node, why: str) -> Iterator[Grant]:
        """An asset's view: of every table that it joins the shape, of those that own the columns asked the records.
        columns: None for all."""
        chain = self.graph.chain(asset)
        owners = {each.name for each in chain} if columns is None else self._owners(chain, columns)
        for table in chain:
            place = f"tables/{table.name}.lance"
            said = f"{why} {table.name}" + ("" if table.name == asset else f", which {asset} extends")
            yield self.of_node(role, LIST, f"{place}/_versions/", said, origin)
            reads = f"{place}/*" if table.name in owners else f"{place}/_versions/*"
            yield self.of_node(role, READ, reads, said, origin)

    def _owners(self, chain: tuple[TableNode, ...], columns: Iterable[str]) -> set[str]:
        """The tables that hold the columns, the nearest owner of each, and the root, which holds the keys. A table
        whose columns are known only once it has run may hold any that nothing nearer does."""
        owners = {chain[-1].name}
        for column in columns:
            for table in chain:
                if table.columns is None or column in {each.name for each in table.columns}:
                    owners.add(table.name)
                    break
        return owners

    def _files(self, role: str, bucket: str, pattern: str, origin: Node) -> Iterator[Grant]:
        """A pattern's `*` and `?` mean what they mean in IAM."""
        yield self.of_node(role, LIST, f"buckets/{bucket}/", f"reads files of {bucket}", origin)
        yield self.of_node(role, READ, f"buckets/{bucket}/{pattern}", f"reads files of {bucket}", origin)

    def of_key(self, role: str) -> Iterator[Grant]:
        """What encryption asks for, where there is a key."""
        if self.home.key:
            via = f"s3.{self.home.region}.amazonaws.com"
            reason = (Evidence("everything in the home is encrypted with it", "engine"),)
            yield Grant(role, "kms:Decrypt", self.home.key, via=via, evidence=reason)
            yield Grant(role, "kms:GenerateDataKey", self.home.key, via=via, evidence=reason)

    def of_node(self, role: str, action: str, path: str, why: str, origin: Node) -> Grant:
        """A grant on a place in the home, for what is declared somewhere."""
        return self._grant(role, action, path, Evidence(why, "graph", self.place(origin)))

    def of_engine(self, role: str, action: str, path: str, why: str) -> Grant:
        """A grant on a place in the home that the engine needs, whatever is declared."""
        return self._grant(role, action, path, Evidence(why, "engine"))

    def _grant(self, role: str, action: str, path: str, evidence: Evidence) -> Grant:
        bucket = f"arn:aws:s3:::{self.home.bucket}"
        at = self.home.path(path)
        if action == LIST:
            return Grant(role, action, bucket, prefix=at, evidence=(evidence,))
        return Grant(role, action, f"{bucket}/{at}", evidence=(evidence,))

    def place(self, node: Node) -> str:
        """Where it is declared, as `file:line`."""
        return f"{self.shown(node.origin.file)}:{node.origin.line}"

    def shown(self, name: str) -> str:
        """A file, relative to the project where it is in it."""
        file = Path(name)
        shown = file.relative_to(self.root) if self.root.parts and file.is_relative_to(self.root) else file
        return shown.as_posix()


def _embeds(node: Node) -> bool:
    """Whether a learned transform may look at the meaning of texts: a repair never does, nor what reads no text."""
    if not isinstance(node, LearnedNode) or all(task == "repair" for task, _ in tasks_of(node)):
        return False
    return any(each.takes != "column" or not _is_number(each.annotation) for each in node.parameters)


def _is_number(annotation: Any) -> bool:
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return set(parts) <= {int, float, bool, type(None)}


def _columns(node: TransformNode) -> tuple[str, ...] | None:
    """The columns of its source that a transform reads; None for all."""
    names: list[str] = []
    for each in node.parameters:
        if each.takes == "record":
            if not each.fields:
                return None
            names += each.fields
        elif each.takes == "column":
            names.append(each.of)
        elif each.takes == "lookup":
            names.append(each.by)
    return tuple(names)
