"""A gate before an S3 server, and other services: it knows the role by the signature's access key and lets pass what
its policy allows.

Denied requests are answered 403 as S3 does and never reach the server. Two more rules of S3 are kept, because programs
meet them: to a role that may not list the bucket, an object that is not there is 403 and not 404 (a permission to list
one prefix does not help: a read names no prefix); and with SSE-KMS a read needs `kms:Decrypt`, a write
`kms:GenerateDataKey`, a write in parts both. The signature itself is not verified: this is for servers on this machine.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.evaluate import Request, decide
from packyak.deploy.grants.infer.table import rows_of
from packyak.deploy.grants.requests import LIST, READ, Call, call_of, operation_of, requests_of
from packyak.deploy.grants.services import Asked, asked_of, asks_for_nothing, refusal, requests_to, service_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from packyak.deploy.grants.beyond import Beyond

Policy = Mapping[str, Any]
_PARTS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "UploadPartCopy")
_BODY_MATTERS = "delete"


@dataclass(frozen=True)
class Seen:
    """One thing that a role wanted, and whether it might. hidden: it might, but the object is not there and S3 would
    not say so."""

    role: str
    operation: str
    request: Request
    allowed: bool
    hidden: bool = False


@dataclass
class Gate:
    """The gate, as a WSGI application. inner: the S3 server; beyond: gives what answers for other services, when one
    is first asked. roles: policies by the access key; open_keys: keys that may do everything, for whoever sets things
    up. key: the ARN of the KMS key that everything is encrypted with; "": none."""

    inner: WSGIApplication
    roles: dict[str, Policy] = field(default_factory=dict)
    open_keys: frozenset[str] = frozenset()
    key: str = ""
    region: str = "us-east-1"
    beyond: Callable[[], Beyond] | None = None
    seen: list[Seen] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        service = service_of(call_of(environ))
        if service != "s3":
            return self._elsewhere(environ, start_response, service)
        call = _with_body(environ)
        role = call.access_key
        if role in self.open_keys:
            return self.inner(environ, start_response)
        operation, wanted = requests_of(call)
        if not self._admits(role, operation, wanted, call):
            return _denied(start_response, f"{role or 'nobody'} may not {operation or call.method} {call.path}")
        return self._passed(environ, start_response, role, operation, wanted)

    def _elsewhere(self, environ: WSGIEnvironment, start_response: StartResponse, service: str) -> Iterable[bytes]:
        """A request to another service than S3."""
        call = _read(environ)
        asked = asked_of(call, service)
        role = call.access_key
        if role not in self.open_keys and not self._admits_elsewhere(role, asked):
            message = f"{role or 'nobody'} may not {service}:{asked.operation or call.path}"
            return _answered(start_response, *refusal(call, message))
        if self.beyond is None:
            return _answered(start_response, "501 Not Implemented", {}, f"{service} is not here".encode())
        beyond = self.beyond()
        if role in self.open_keys:
            beyond.uses(service)
        else:
            beyond.ready(asked)
        return beyond(environ, start_response)

    def _admits_elsewhere(self, role: str, asked: Asked) -> bool:
        known = bool(rows_of(asked.service).get(asked.operation))
        wanted = requests_to(asked)
        if not wanted and not (known and asks_for_nothing(asked)):
            wanted = (Request(f"unknown:{asked.service}:{asked.operation}", "*"),)
        return self._judged(role, asked.operation, wanted)

    def take(self) -> list[Seen]:
        """What was seen since it was last asked."""
        with self._lock:
            taken, self.seen = self.seen, []
        return taken

    @contextmanager
    def under(self, role: str, policy: Policy) -> Iterator[None]:
        """Another policy for a role, for as long as the block runs."""
        before = self.roles.get(role)
        self.roles[role] = policy
        try:
            yield
        finally:
            if before is None:
                del self.roles[role]
            else:
                self.roles[role] = before

    def _admits(self, role: str, operation: str, wanted: tuple[Request, ...], call: Call) -> bool:
        every = (*wanted, *self._keys(operation, wanted))
        return self._judged(role, operation, every or (Request(f"unknown:{operation or call.method}", call.path),))

    def _judged(self, role: str, operation: str, every: tuple[Request, ...]) -> bool:
        policy = self.roles.get(role)
        allowed = [policy is not None and _is_known(each) and decide([policy], each).allowed for each in every]
        with self._lock:
            self.seen += [Seen(role, operation, each, may) for each, may in zip(every, allowed, strict=True)]
        return all(allowed)

    def _keys(self, operation: str, wanted: tuple[Request, ...]) -> Iterator[Request]:
        """What the encryption asks for beside."""
        if not self.key or not wanted or wanted[0].action == LIST:
            return
        context = {"kms:viaservice": (f"s3.{self.region}.amazonaws.com",)}
        if operation in ("GetObject", *_PARTS, "CopyObject"):
            yield Request("kms:Decrypt", self.key, context)
        if operation in ("PutObject", *_PARTS, "CopyObject"):
            yield Request("kms:GenerateDataKey", self.key, context)

    def _passed(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        role: str,
        operation: str,
        wanted: tuple[Request, ...],
    ) -> Iterable[bytes]:
        if wanted[0].action != READ:
            return self.inner(environ, start_response)
        answer = Answer()
        body = self.inner(environ, answer)
        if answer.status.startswith("404") and not self._may_know(role, wanted[0]):
            with self._lock:
                self.seen.append(Seen(role, operation, wanted[0], True, hidden=True))
            _close(body)
            return _denied(start_response, f"{role} may not know whether {wanted[0].resource} is there")
        answer.send(start_response)
        return body

    def _may_know(self, role: str, wanted: Request) -> bool:
        bucket = wanted.resource.partition("/")[0]
        return decide([self.roles[role]], Request(LIST, bucket)).allowed


class Answer:
    """A WSGI answer held back until it is known whether it may be given."""

    def __init__(self) -> None:
        self.status = ""
        self._rest: tuple[Any, ...] = ()

    def __call__(self, status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
        self.status, self._rest = status, (headers, error)
        return lambda data: None

    def send(self, start_response: StartResponse) -> None:
        start_response(self.status, *self._rest)


def _is_known(wanted: Request) -> bool:
    """Also who may do everything may not do what nobody here knows."""
    return not wanted.action.startswith("unknown:")


def _with_body(environ: WSGIEnvironment) -> Call:
    call = call_of(environ)
    several = call.method == "POST" and _BODY_MATTERS in call.query and operation_of(call) == "DeleteObjects"
    return _read(environ) if several else call


def _read(environ: WSGIEnvironment) -> Call:
    """The request with its body, which can be read again."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    return replace(call_of(environ), body=body)


def _answered(start_response: StartResponse, status: str, headers: Mapping[str, str], body: bytes) -> list[bytes]:
    start_response(status, [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]


def _denied(start_response: StartResponse, message: str) -> list[bytes]:
    text = f"<Error><Code>AccessDenied</Code><Message>{_escaped(message)}</Message></Error>".encode()
    return _answered(start_response, "403 Forbidden", {"Content-Type": "application/xml"}, text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()
