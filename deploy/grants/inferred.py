"""Grants from code: what the functions of a role were read to do, and what they declare where that cannot be read.

A role runs its own function, the checks on its asset and whatever they call. Each need becomes a grant with the line of
the very call; a refusal that no `grants=` answers is undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.grant import Evidence, Grant
from packyak.deploy.grants.infer import Inference, Need, infer
from packyak.deploy.grants.infer.atoms import UNKNOWN, Bucketed, FileOf, Hole, Value, one
from packyak.deploy.grants.infer.texts import literal, text
from packyak.engine.declare.allow import Allow
from packyak.engine.declare.nodes import (
    AssetNode,
    CheckNode,
    FilesNode,
    FunctionNode,
    Graph,
    LearnedNode,
    Node,
    Parameter,
    TransformNode,
)

if TYPE_CHECKING:
    from packyak.deploy.grants.declared import CloudHome

BUCKET = "bucket:"


@dataclass(frozen=True)
class Code:
    """A function that runs under a role: what it was read to do, and what its author declared beside."""

    role: str
    inference: Inference
    allowed: tuple[Allow, ...]

    @property
    def open(self) -> tuple[Any, ...]:
        """The refusals that no declared grant answers: it has to name an action of each service concerned."""
        services = {each.action.partition(":")[0] for each in self.allowed}
        services |= {"bucket"} if any(each.resource.startswith(BUCKET) for each in self.allowed) else set()
        return tuple(
            each
            for each in self.inference.refusals
            if not services or not {_prefix(about) for about in each.about} <= services
        )


def codes_of(graph: Graph, role: str, root: str | Path) -> tuple[Code, ...]:
    """Everything of the project that runs under a role, as it was read."""
    return tuple(_codes(graph, graph[role], Path(root)))


def _codes(graph: Graph, node: Node, root: Path) -> Iterator[Code]:
    if isinstance(node, AssetNode | TransformNode | FunctionNode):
        said = "learned" if isinstance(node, LearnedNode) else getattr(node.declared, "kind", "function")
        yield _code(graph, node.name, node, f"{said} {node.name}", root)
    for check in graph.nodes.values():
        if isinstance(check, CheckNode) and check.target == node.name:
            yield _code(graph, node.name, check, f"check {check.name}", root)


def _code(graph: Graph, role: str, node: Node, label: str, root: Path) -> Code:
    function: Callable[..., Any] = node.function  # type: ignore[attr-defined]
    given = tuple(sorted(_given(graph, node).items(), key=lambda each: each[0]))
    found = _read(function, label, str(root), given)
    allowed = getattr(node.declared, "grants", None)
    table = getattr(node.declared, "table", None)
    return Code(role, found, tuple(allowed if allowed is not None else getattr(table, "grants", ())))


@lru_cache(maxsize=1024)
def _read(function: Callable[..., Any], label: str, root: str, given: tuple[tuple[str, Value], ...]) -> Inference:
    return infer(function, name=label, root=root, given=dict(given))


def _given(graph: Graph, node: Node) -> dict[str, Value]:
    """What the engine hands to a function."""
    if isinstance(node, FunctionNode):
        code = getattr(node.function, "__code__", None)
        names = code.co_varnames[: code.co_argcount] if code else ()
        return {name: _file(*node.on) for name in names[:1]} if node.on is not None else {}
    parameters: tuple[Parameter, ...] = getattr(node, "parameters", ())
    source = graph.nodes.get(node.source) if isinstance(node, TransformNode) else None
    return {each.name: _handed(each, source) for each in parameters}


def _handed(parameter: Parameter, source: Node | None) -> Value:
    if parameter.takes == "bucket":
        return one(Bucketed(literal(parameter.of)))
    if parameter.takes == "file" and isinstance(source, FilesNode):
        return _file(source.bucket, source.pattern)
    if parameter.takes == "column" and parameter.of == "key" and isinstance(source, FilesNode):
        return one(text(Hole(source.pattern)))
    return UNKNOWN


def _file(bucket: str, pattern: str) -> Value:
    known = literal(pattern) if not set(pattern) & set("*?") else one(text(Hole(pattern)))
    return one(FileOf(literal(bucket), known))


def _prefix(service: str) -> str:
    return {"bedrock-runtime": "bedrock", "stepfunctions": "states"}.get(service, service)


# -- as grants


def code_grants(code: Code, home: CloudHome, shown: Callable[[str], str]) -> Iterator[Grant]:
    """What was read and what was declared, as grants. shown: a file as it is told."""
    for each in code.inference.actions:
        why = f"calls {each.call}" if each.call else "its code does"
        yield _grant(code.role, each.need, home, Evidence(why, "code", each.place))
    for allow in code.allowed:
        place = f"{shown(allow.origin.file)}:{allow.origin.line}"
        need = Need(allow.action, allow.resource, allow.prefix)
        yield _grant(code.role, need, home, Evidence("by declaration", "declaration", place))


def _grant(role: str, need: Need, home: CloudHome, evidence: Evidence) -> Grant:
    resource, prefix = need.resource, need.prefix or ""
    if resource.startswith(BUCKET):
        name, slash, key = resource.removeprefix(BUCKET).partition("/")
        whole = f"arn:aws:s3:::{home.bucket}"
        resource = f"{whole}/{home.path(f'buckets/{name}/{key}')}" if slash else whole
        prefix = home.path(f"buckets/{prefix.removeprefix(BUCKET)}") if prefix else prefix
    resource = resource.replace("{region}", home.region).replace("{account}", "${AWS::AccountId}")
    via = f"{need.via}.{home.region}.amazonaws.com" if need.via else ""
    return Grant(role, need.action, resource, prefix, via, (evidence,))


def touched(codes: tuple[Code, ...]) -> Mapping[str, frozenset[str]]:
    """The places in declared buckets that code acts on, by verb: `archive/x*`."""
    verbs = {"s3:GetObject": "get", "s3:PutObject": "put", "s3:DeleteObject": "delete", "s3:ListBucket": "list"}
    found: dict[str, set[str]] = {}
    for code in codes:
        needs = [*(each.need for each in code.inference.actions)]
        needs += [Need(each.action, each.resource, each.prefix) for each in code.allowed]
        for need in needs:
            if need.resource.startswith(BUCKET) and need.action in verbs:
                place = (need.prefix or need.resource).removeprefix(BUCKET)
                found.setdefault(verbs[need.action], set()).add(place)
    return {verb: frozenset(places) for verb, places in found.items()}
