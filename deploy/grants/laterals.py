"""What a role must not be able to do: every role against everything that is not its own, in every verb, tried.

What must be denied follows from the graph by rules of its own, not from the grants: a role deletes nothing, writes
nothing of another, reads no table that it does not depend on, and sees no listing that reaches beyond one place. In
declared buckets it does what its code was read to do, and nothing else.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from http.client import HTTPConnection

from packyak.deploy.grants.declared import CloudHome
from packyak.deploy.grants.evaluate import like
from packyak.deploy.grants.inferred import codes_of, touched
from packyak.deploy.grants.proof import Probe
from packyak.engine.declare.nodes import BucketNode, CheckNode, FilesNode, FunctionNode, Graph, IndexNode, TransformNode

_VERB = {"list": "GET", "get": "GET", "put": "PUT", "delete": "DELETE"}
OTHER_BUCKET = "somebody-elses-bucket"
_SHARED = (
    "candidates.json",
    "format.json",
    "published/1.json",
    "corrections/1.jsonl",
    "lineage/1.jsonl",
    "runs/1.json",
)


def forbidden(graph: Graph, home: CloudHome, role: str) -> Iterator[tuple[str, str, str]]:
    """(verb, bucket, key or prefix) of everything that the role must not be able to do."""
    near = _near(graph, role)
    for verb, name in _foreign(graph, role, near):
        yield verb, home.bucket, home.path(name)
    for name in (*_SHARED, f"tables/{role}.lance/data/x", f"memo/{role}.lance/data/x"):
        yield "delete", home.bucket, home.path(name)
    for name in ("format.json", "corrections/forged.jsonl", "elsewhere/x"):
        yield "put", home.bucket, home.path(name)
    for prefix in ("", home.prefix, home.path("tables/"), home.path("memo/"), home.path("buckets/")):
        yield "list", home.bucket, prefix
    for verb in _VERB:
        yield verb, OTHER_BUCKET, home.path(f"tables/{role}.lance/data/x")


def forbidden_to_people(graph: Graph, home: CloudHome, role: str) -> Iterator[tuple[str, str, str]]:
    """The same for those who look and correct: they write nothing but corrections, delete nothing, and list no more
    than one place at a time."""
    places = [f"{folder}/{node.name}.lance/data/x" for node in graph.tables for folder in ("tables", "memo")]
    places += [f"models/{node.name}/x" for node in graph.tables]
    places += [f"buckets/{node.name}/x" for node in graph.nodes.values() if isinstance(node, BucketNode)]
    others = ("promotions/1.json", "leases/run/1.json", "code/1.txt", "lineage/told.json")
    for name in dict.fromkeys((*places, *_SHARED, *others)):
        yield "delete", home.bucket, home.path(name)
        if not name.startswith("corrections/"):
            yield "put", home.bucket, home.path(name)
    for prefix in ("", home.prefix, home.path("tables/"), home.path("memo/"), home.path("buckets/")):
        yield "list", home.bucket, prefix
    for verb in _VERB:
        yield verb, OTHER_BUCKET, home.path("tables/x.lance/data/x")


def forbidden_to_tidying(graph: Graph, home: CloudHome, role: str) -> Iterator[tuple[str, str, str]]:
    """The same for tidying: it touches no model, no index, no file of a bucket and no source text, and deletes only
    what has a newer version or is kept elsewhere."""
    places = ["format.json", "code/1.txt", "runs/1.json", "promotions/1.json", "vectors/texts.lance/data/x"]
    places += [f"models/{node.name}/x" for node in graph.tables]
    places += [f"indexes/{node.name}.lance/data/x" for node in graph.nodes.values() if isinstance(node, IndexNode)]
    places += [f"functions/{node.name}.json" for node in graph.nodes.values() if isinstance(node, FunctionNode)]
    places += [f"buckets/{node.name}/x" for node in graph.nodes.values() if isinstance(node, BucketNode)]
    for name in dict.fromkeys(places):
        for verb in ("put", "delete", *(() if name == "format.json" else ("get",))):
            yield verb, home.bucket, home.path(name)
    yield "delete", home.bucket, home.path("candidates.json")
    for prefix in ("", home.prefix, home.path("buckets/"), home.path("models/"), home.path("runs/")):
        yield "list", home.bucket, prefix
    for verb in _VERB:
        yield verb, OTHER_BUCKET, home.path("tables/x.lance/data/x")


def _near(graph: Graph, role: str) -> frozenset[str]:
    """Everything that the role's work starts from: what is above it, and above the checks on it."""
    checks = [each for each in graph.nodes.values() if isinstance(each, CheckNode) and each.target == role]
    return frozenset({role, *graph.above(role), *(above for each in checks for above in graph.above(each.name))})


def _foreign(graph: Graph, role: str, near: frozenset[str]) -> Iterator[tuple[str, str]]:
    for table in (node.name for node in graph.tables):
        for folder in ("tables", "memo"):
            place = f"{folder}/{table}.lance"
            if table != role:
                yield "put", f"{place}/data/x"
                yield "delete", f"{place}/data/x"
            if table != role if folder == "memo" else table not in near:
                yield "list", f"{place}/_versions/"
                yield "get", f"{place}/data/x"
        if table != role:
            yield "get", f"models/{table}/x"
            yield "put", f"models/{table}/x"
    files = _files_of(graph, role)
    used = touched(codes_of(graph, role, ""))
    for bucket in (node.name for node in graph.nodes.values() if isinstance(node, BucketNode)):
        for verb, name in (("put", "x"), ("delete", "x"), ("get", "x"), ("list", "")):
            by_code = any(like(pattern, f"{bucket}/{name}") for pattern in used.get(verb, ()))
            if not by_code and (bucket not in files or verb in ("put", "delete")):
                yield verb, f"buckets/{bucket}/{name}"


def _files_of(graph: Graph, role: str) -> frozenset[str]:
    node = graph[role]
    if isinstance(node, FunctionNode) and node.on is not None:
        return frozenset({node.on[0]})
    source = graph.nodes.get(node.source) if isinstance(node, TransformNode) else None
    return frozenset({source.bucket}) if isinstance(source, FilesNode) else frozenset()


def probe(connection: HTTPConnection, access_key: str, role: str, verb: str, bucket: str, name: str) -> Probe:
    """Tries one thing as a role."""
    query = urllib.parse.urlencode({"list-type": "2", **({"prefix": name} if name else {})})
    address = f"/{bucket}?{query}" if verb == "list" else f"/{bucket}/{urllib.parse.quote(name)}"
    signed = f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host"
    connection.request(_VERB[verb], address, b"x" if verb == "put" else None, {"Authorization": signed})
    answer = connection.getresponse()
    answer.read()
    return Probe(role, f"{verb} s3://{bucket}/{name}", answer.status == 403)
