"""Which IAM actions an S3 request over HTTP needs, and on what.

The operation is found with botocore's own model of S3 (method, path, required parameters and headers); the actions that
AWS asks for an operation are no part of that model and are listed here, for the operations that a project can need. Any
other operation has no action, and who decides over it has to refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from packyak.deploy.grants.evaluate import Request, Values

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

SECRET = "secretsmanager:GetSecretValue"
ACCOUNT = "123456789012"  # of whoever asks a server on this machine
TARGET = "x-amz-target"  # which service and operation a request in JSON is about
READ, WRITE, DELETE, LIST = "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"
ON_OBJECTS: Mapping[str, str] = {
    "GetObject": READ,
    "HeadObject": READ,
    "PutObject": WRITE,
    "CreateMultipartUpload": WRITE,
    "UploadPart": WRITE,
    "CompleteMultipartUpload": WRITE,
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListParts": "s3:ListMultipartUploadParts",
    "DeleteObject": DELETE,
    "GetObjectTagging": "s3:GetObjectTagging",
    "PutObjectTagging": "s3:PutObjectTagging",
    "GetObjectAcl": "s3:GetObjectAcl",
    "PutObjectAcl": "s3:PutObjectAcl",
}
OF_VERSIONS: Mapping[str, str] = {READ: "s3:GetObjectVersion", DELETE: "s3:DeleteObjectVersion"}
ON_BUCKETS: Mapping[str, str] = {
    "ListObjects": LIST,
    "ListObjectsV2": LIST,
    "HeadBucket": LIST,
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetBucketPolicy": "s3:GetBucketPolicy",
    "PutBucketPolicy": "s3:PutBucketPolicy",
    "DeleteBucket": "s3:DeleteBucket",
}
CONTEXT: Mapping[str, str] = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}
_NUMBERS = frozenset({"partNumber", "uploadId", "versionId"})  # which one matters to no operation's name
_CALL = "packyak.call"
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
_REGION = re.compile(r"Credential=[^/,\s]+/\d+/([^/,\s]+)/")


@dataclass(frozen=True)
class Call:
    """An HTTP request to S3 in the path style. query: decoded; headers: by lower-case name. body: only read where the
    operation cannot be known without it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def bucket(self) -> str:
        return self.path.lstrip("/").partition("/")[0]

    @property
    def key(self) -> str:
        return self.path.lstrip("/").partition("/")[2]

    @property
    def access_key(self) -> str:
        """Who signed it (AWS Signature Version 4, in the header or in the address); "" for nobody."""
        signed = self.headers.get("authorization", "")
        found = _CREDENTIAL.search(signed)
        return found[1] if found else self.query.get("X-Amz-Credential", "").partition("/")[0]

    @property
    def region(self) -> str:
        """The region that it was signed for."""
        found = _REGION.search(self.headers.get("authorization", ""))
        return found[1] if found else ""


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    on: str  # "", "bucket" or "key"
    query: Mapping[str, str]
    headers: frozenset[str]
    literals: frozenset[str]

    @property
    def weight(self) -> int:
        return len(self.query) + len(self.headers)


@cache
def _routes() -> tuple[_Route, ...]:
    """All operations of S3, the most particular first."""
    from botocore.loaders import Loader

    model = Loader().load_service_model("s3", "service-2")
    made = (_route(name, each, model["shapes"]) for name, each in model["operations"].items())
    return tuple(sorted(made, key=lambda each: (-each.weight, each.operation)))


def _route(name: str, operation: Mapping[str, Any], shapes: Mapping[str, Any]) -> _Route:
    path, _, literal = operation["http"]["requestUri"].partition("?")
    query = dict(parse_qsl(literal, keep_blank_values=True))
    query.pop("x-id", None)
    literals = frozenset(query)
    headers = set()
    shape = shapes[operation["input"]["shape"]] if "input" in operation else {}
    for member in shape.get("required", ()):
        facts = shape["members"][member]
        if facts.get("location") == "querystring":
            query[facts["locationName"]] = ""
        elif facts.get("location") == "header":
            headers.add(facts["locationName"].lower())
    on = "key" if "{Key+}" in path else "bucket" if "{Bucket}" in path else ""
    return _Route(name, operation["http"]["method"], on, query, frozenset(headers), literals)


@cache
def _subresources() -> frozenset[str]:
    """The words that make a request another one: `?acl`, `?uploads`."""
    return frozenset(name for route in _routes() for name in route.literals)


@cache
def _demanded() -> tuple[frozenset[str], frozenset[str]]:
    """The names in a query, and of headers, that any operation asks for: nothing else tells one from another."""
    queries = frozenset(name for route in _routes() for name in route.query)
    return queries, frozenset(name for route in _routes() for name in route.headers)


def operation_of(call: Call) -> str:
    """The S3 operation that a request is; "" where there is none such."""
    on = "key" if call.key else "bucket" if call.bucket else ""
    queries, headers = _demanded()
    asked = frozenset((name, call.query[name]) for name in queries.intersection(call.query) if name not in _NUMBERS)
    counted = frozenset((name, "") for name in _NUMBERS.intersection(call.query))
    return _operation(call.method, on, asked | counted, headers.intersection(call.headers))


@lru_cache(maxsize=4096)
def _operation(method: str, on: str, asked: frozenset[tuple[str, str]], headers: frozenset[str]) -> str:
    query = dict(asked)
    said = _subresources() & query.keys()
    for route in _routes():
        if (
            (route.method, route.on) == (method, on)
            and said <= route.query.keys()
            and route.headers <= headers
            and all(name in query and value in ("", query[name]) for name, value in route.query.items())
        ):
            return route.operation
    return ""


def call_of(environ: WSGIEnvironment) -> Call:
    """The request that a WSGI server got, its body unread."""
    found: Call | None = environ.get(_CALL)
    if found is None:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name == "CONTENT_TYPE"
        }
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        found = environ[_CALL] = Call(environ["REQUEST_METHOD"], path, query, headers)
    return found


def requests_of(call: Call, partition: str = "aws") -> tuple[str, tuple[Request, ...]]:
    """The operation, and everything that must be allowed for it; nothing where it is not known here."""
    operation = operation_of(call)
    bucket = f"arn:{partition}:s3:::{call.bucket}"
    if operation in ON_BUCKETS:
        return operation, (Request(ON_BUCKETS[operation], bucket, _context(call)),)
    if operation in ("CopyObject", "UploadPartCopy"):
        source = unquote(call.headers["x-amz-copy-source"]).lstrip("/").partition("?")[0]
        return operation, (
            Request(READ, f"arn:{partition}:s3:::{source}"),
            Request(WRITE, f"{bucket}/{call.key}"),
        )
    if operation == "DeleteObjects":
        return operation, tuple(Request(DELETE, f"{bucket}/{key}") for key in _deleted(call.body))
    action = ON_OBJECTS.get(operation)
    if action is None:
        return operation, ()
    if "versionId" in call.query:
        action = OF_VERSIONS.get(action, action)
    return operation, (Request(action, f"{bucket}/{call.key}"),)


def _context(call: Call) -> dict[str, Values]:
    return {key: (call.query[name],) for name, key in CONTEXT.items() if name in call.query}


def _deleted(body: bytes) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(body).iter() if each.tag.rpartition("}")[2] == "Key"]
