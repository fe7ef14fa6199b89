"""Which operation of a service beside S3 an HTTP request is, and what it must be allowed for it.

The service is told by the signature, the operation and its parameters by the service's protocol, what it asks for by
the table of `infer.rows`. What stands in no table, or cannot be told, has no action, and who decides over it refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from packyak.deploy.grants.evaluate import Request
from packyak.deploy.grants.infer.found import UNSCOPED, Need, NotKnown
from packyak.deploy.grants.infer.observed import needs_of_call
from packyak.deploy.grants.infer.rows import SERVICES
from packyak.deploy.grants.infer.table import rows_of
from packyak.deploy.grants.requests import ACCOUNT, TARGET, Call

_SIGNED_FOR = re.compile(r"Credential=[^/,\s]+/\d+/[^/,\s]+/([^/,\s]+)/")
_NAMES: Mapping[str, str] = {"states": "stepfunctions", "monitoring": "cloudwatch", "bedrock": "bedrock-runtime"}
_SMITHY = re.compile(r"/service/\w+/operation/(\w+)")
_AT_HOME = re.compile(r"^https?://[^/]+/(\w+)/([\w.-]+)$")
_SUFFIX = "proof0"  # Secrets Manager ends a secret's ARN with a dash and six signs of its own


@dataclass(frozen=True)
class Asked:
    """A request to a service by its name in botocore. operation: "" where it is none that is known. params: those that
    can be told from the request; whole: whether that is all of them."""

    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    whole: bool = True


def service_of(call: Call) -> str:
    """The service that a request was signed for, as botocore names it; `s3` for what is not signed."""
    found = _SIGNED_FOR.search(call.headers.get("authorization", ""))
    return _NAMES.get(found[1], found[1]) if found else "s3"


def asked_of(call: Call, service: str) -> Asked:
    """What a request to another service than S3 asks, its body read."""
    region = call.region
    if target := call.headers.get(TARGET):
        return Asked(service, target.rpartition(".")[2], _json(call.body), region)
    if found := _SMITHY.fullmatch(call.path):
        return Asked(service, found[1], region=region, whole=False)
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    if "Action" in form:
        return Asked(service, form["Action"], form, region)
    return _of_path(call, service, region)


def requests_to(asked: Asked) -> tuple[Request, ...]:
    """Everything that must be allowed for it; nothing where that is not known here."""
    rows = rows_of(asked.service).get(asked.operation, ())
    if not asked.whole and any(row.resource != UNSCOPED or row.options for row in rows):
        return ()
    try:
        needs = needs_of_call(asked.service, asked.operation, _as_in_the_cloud(asked), asked.region)
    except NotKnown:
        return ()
    return tuple(_request(each, asked.region) for each in needs)


def asks_for_nothing(asked: Asked) -> bool:
    """Whether AWS lets everybody do it."""
    return {row.action for row in rows_of(asked.service).get(asked.operation, ())} == {"-"}


def refusal(call: Call, message: str) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of "access denied", as the service's protocol says it."""
    if TARGET in call.headers:
        told = json.dumps({"__type": "AccessDeniedException", "message": message}).encode()
        return "400 Bad Request", {"Content-Type": "application/x-amz-json-1.1"}, told
    if _SMITHY.fullmatch(call.path):
        told = b"\xa2" + b"".join(map(_cbor, ("__type", "AccessDeniedException", "message", message)))
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return "403 Forbidden", headers, told
    if b"Action=" in call.body:
        error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{_plain(message)}</Message></Error>"
        return "403 Forbidden", {"Content-Type": "text/xml"}, f"<ErrorResponse>{error}</ErrorResponse>".encode()
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
    return "403 Forbidden", headers, json.dumps({"message": message}).encode()


def _request(need: Need, region: str) -> Request:
    resource = need.resource.replace("{region}", region).replace("{account}", ACCOUNT)
    if need.action.startswith("secretsmanager:"):
        resource = resource.removesuffix("-??????") + ("" if _named(resource) else f"-{_SUFFIX}")
    context = {"kms:viaservice": (f"{need.via}.{region}.amazonaws.com",)} if need.via else {}
    return Request(need.action, resource, context | ({"s3:prefix": (need.prefix,)} if need.prefix else {}))


def _named(resource: str) -> bool:
    """Whether a secret is told by its whole ARN."""
    return not resource.endswith("-??????") and re.search(r"-\w{6}$", resource) is not None


def _as_in_the_cloud(asked: Asked) -> Mapping[str, Any]:
    """The addresses of queues on this machine are others than in the cloud."""
    found = _AT_HOME.match(str(asked.params.get("QueueUrl", "")))
    if found is None:
        return asked.params
    address = f"https://sqs.{asked.region}.amazonaws.com/{found[1]}/{found[2]}"
    return asked.params if "amazonaws.com" in asked.params["QueueUrl"] else {**asked.params, "QueueUrl": address}


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_path(call: Call, service: str, region: str) -> Asked:
    """An operation that stands in the path, with what stands there and in the query."""
    for operation, method, matches in _paths(service) if service in SERVICES else ():
        found = matches(call.path) if method == call.method else None
        if found is not None:
            return Asked(service, operation, {**found, **call.query}, region)
    return Asked(service, "", {}, region)


@cache
def _paths(service: str) -> tuple[tuple[str, str, Callable[[str], dict[str, str] | None]], ...]:
    from botocore.session import get_session

    model = get_session().get_service_model(service)
    found = []
    for name in rows_of(service):
        operation = model.operation_model(name)
        http, shape = operation.http, operation.input_shape
        names = {
            member.serialization.get("name", given): given
            for given, member in (shape.members.items() if shape else ())
            if member.serialization.get("location") == "uri"
        }
        found.append((name, http["method"], _matcher(http["requestUri"].partition("?")[0], names)))
    return tuple(found)


def _matcher(uri: str, names: Mapping[str, str]) -> Callable[[str], dict[str, str] | None]:
    parts = re.split(r"\{([\w-]+)\+?\}", uri)
    pattern = "".join(re.escape(part) if at % 2 == 0 else f"(?P<{names[part]}>.+)" for at, part in enumerate(parts))
    compiled = re.compile(pattern)

    def matches(path: str) -> dict[str, str] | None:
        found = compiled.fullmatch(path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None

    return matches


def _cbor(text: str) -> bytes:
    data = text.encode()
    return b"\x79" + len(data).to_bytes(2, "big") + data


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
