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
OF_VERSIONS: Mapping[str, str] = {
    READ: "s3:GetObjectVersion",
    DELETE: "s3:DeleteObjectVersion",
    "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
    "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
    "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
    "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
}
# What a header asks for beside, of what writes an object.
BY_HEADERS: Mapping[str, str] = {
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-acl": "s3:PutObjectAcl",
    "x-amz-grant-full-control": "s3:PutObjectAcl",
    "x-amz-grant-read": "s3:PutObjectAcl",
    "x-amz-grant-read-acp": "s3:PutObjectAcl",
    "x-amz-grant-write-acp": "s3:PutObjectAcl",
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
}
_WRITES = ("PutObject", "CopyObject", "CreateMultipartUpload")
_IF_MATCH = ("PutObject", "CompleteMultipartUpload", "DeleteObject")
_BYPASSES = ("DeleteObject", "DeleteObjects")
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
_PATH_STYLE = re.compile(r"(\d+\.){3}\d+|\[[0-9a-f:]+|[a-z0-9-]*|s3[.-][a-z0-9.-]+")
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
    twice: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the bucket is where it is looked for: in the path, and not in the name of the host."""
        host = self.headers.get("host", "").rpartition("@")[2].lower()
        host = host.partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return not self.twice and _PATH_STYLE.fullmatch(host) is not None

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
        said = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        query = dict(said)
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        found = environ[_CALL] = Call(
            environ["REQUEST_METHOD"], path, query, headers, twice=len(set(said)) != len(query)
        )
    return found


def requests_of(call: Call, partition: str = "aws") -> tuple[str, tuple[Request, ...]]:
    """The operation, and everything that must be allowed for it; nothing where it is not known here."""
    operation = operation_of(call)
    if not call.is_plain:
        return operation, ()
    bucket = f"arn:{partition}:s3:::{call.bucket}"
    if operation in ON_BUCKETS:
        return operation, (Request(ON_BUCKETS[operation], bucket, _context(call)),)
    if operation in ("CopyObject", "UploadPartCopy"):
        source, version = source_of(call)
        if ":" in source.partition("/")[0]:
            return operation, ()  # an access point
        read = OF_VERSIONS[READ] if version else READ
        made = [Request(read, f"arn:{partition}:s3:::{source}"), Request(WRITE, f"{bucket}/{call.key}")]
    elif operation == "DeleteObjects":
        made = [
            Request(OF_VERSIONS[DELETE] if version else DELETE, f"{bucket}/{key}")
            for key, version in _deleted(call.body)
        ]
    elif operation in ON_OBJECTS:
        action = ON_OBJECTS[operation]
        action = OF_VERSIONS.get(action, action) if "versionId" in call.query else action
        made = [Request(action, f"{bucket}/{call.key}")]
    else:
        return operation, ()
    resources = [each.resource for each in made] if operation == "DeleteObjects" else [f"{bucket}/{call.key}"]
    return operation, (*made, *(Request(each, where) for each in _beside(operation, call) for where in resources))


def _beside(operation: str, call: Call) -> list[str]:
    """What headers ask for beside."""
    found = [BY_HEADERS[each] for each in BY_HEADERS.keys() & call.headers.keys()] if operation in _WRITES else []
    if operation in _IF_MATCH and "if-match" in call.headers:
        found.append(READ)
    if operation in _BYPASSES and call.headers.get("x-amz-bypass-governance-retention", "").lower() == "true":
        found.append("s3:BypassGovernanceRetention")
    return sorted(set(found))


def source_of(call: Call) -> tuple[str, str]:
    """`bucket/key` that a copy is made of, and the version."""
    source, _, rest = call.headers["x-amz-copy-source"].partition("?")
    return unquote(source).lstrip("/"), dict(parse_qsl(rest)).get("versionId", "")


def _context(call: Call) -> dict[str, Values]:
    return {key: (call.query[name],) for name, key in CONTEXT.items() if name in call.query}


def _deleted(body: bytes) -> list[tuple[str, str]]:
    """The keys that several are deleted by, each with its version."""
    found = []
    for each in ElementTree.fromstring(body):
        if each.tag.rpartition("}")[2] == "Object":
            said = {inner.tag.rpartition("}")[2]: inner.text or "" for inner in each}
            found.append((said.get("Key", ""), said.get("VersionId", "")))
    return found
