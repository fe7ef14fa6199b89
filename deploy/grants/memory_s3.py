"""An S3 server's answers, from memory: the verbs that Lance, Arrow and boto3 use of one, as a WSGI application.

It is here because a proof asks hundreds of thousands of times: it answers in a tenth of the time that moto takes, and
can be put back to an earlier moment at once. It answers as moto does to the same requests (`tests/deploy` replays them
to both). It checks no permission and keeps no versions, access lists or tags: a verb that it does not know is 501.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from packyak.deploy.grants.requests import Call, call_of, operation_of, source_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n<{0} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{1}</{0}>'
_KEPT = "x-amz-meta-"


@dataclass(frozen=True)
class Stored:
    """One object."""

    data: bytes
    etag: str
    changed: datetime
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class _Upload:
    bucket: str
    key: str
    headers: tuple[tuple[str, str], ...]
    parts: dict[int, Stored] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """An answer: status, body, and headers beside its length."""

    status: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer that is an error: its status, S3's name for it, and words."""

    def __init__(self, status: str, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.status, self.code = status, code


class MemoryS3:
    """The server. buckets: by name, objects by key."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, Stored]] = {}
        self._uploads: dict[str, _Upload] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._kept: dict[str, dict[str, Stored]] = {}

    def mark(self) -> None:
        """From here on it can be gone back to this moment."""
        with self._lock:
            self._kept = {name: dict(objects) for name, objects in self.buckets.items()}

    def back(self) -> None:
        """Everything is as it was at the mark."""
        with self._lock:
            self.buckets = {name: dict(objects) for name, objects in self._kept.items()}
            self._uploads = {}

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Puts an object there, past every rule."""
        with self._lock:
            self.buckets.setdefault(bucket, {})[key] = _stored(data)

    def take_away(self, bucket: str, prefix: str) -> None:
        """Removes every object under a prefix, past every rule."""
        with self._lock:
            objects = self.buckets.get(bucket, {})
            self.buckets[bucket] = {key: each for key, each in objects.items() if not key.startswith(prefix)}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = call_of(environ)
        body = _body(environ, call) if call.method in ("PUT", "POST") else b""
        try:
            with self._lock:
                reply = self._answer(operation_of(call), call, body)
        except Refusal as refusal:
            text = f"<Error><Code>{refusal.code}</Code><Message>{escape(str(refusal))}</Message></Error>"
            reply = Reply(refusal.status, text.encode(), {"Content-Type": "application/xml"})
        headers = {"Content-Length": str(len(reply.body)), **reply.headers}
        start_response(reply.status, list(headers.items()))
        return [b"" if call.method == "HEAD" else reply.body]

    def _answer(self, operation: str, call: Call, body: bytes) -> Reply:
        verb = _VERBS.get(operation)
        if verb is None:
            raise Refusal("501 Not Implemented", "NotImplemented", f"{call.method} {call.path} {operation}")
        if operation != "CreateBucket" and call.bucket not in self.buckets:
            raise Refusal("404 Not Found", "NoSuchBucket", call.bucket)
        return verb(self, call, body)

    def _found(self, call: Call) -> Stored:
        found = self.buckets[call.bucket].get(call.key)
        if found is None:
            raise Refusal("404 Not Found", "NoSuchKey", call.key)
        return found

    def _make_bucket(self, call: Call, body: bytes) -> Reply:
        self.buckets.setdefault(call.bucket, {})
        return Reply("200 OK")

    def _head_bucket(self, call: Call, body: bytes) -> Reply:
        return Reply("200 OK")

    def _get(self, call: Call, body: bytes) -> Reply:
        found = self._found(call)
        wanted = call.headers.get("if-match"), call.headers.get("if-none-match")
        if wanted[0] not in (None, "*", found.etag):
            raise Refusal("412 Precondition Failed", "PreconditionFailed")
        if wanted[1] == found.etag:
            return Reply("304 Not Modified", headers=_facts(found))
        span = _range(call.headers.get("range", ""), len(found.data))
        if span is None:
            return Reply("200 OK", found.data, _facts(found))
        first, last = span
        shown = {**_facts(found), "Content-Range": f"bytes {first}-{last}/{len(found.data)}"}
        return Reply("206 Partial Content", found.data[first : last + 1], shown)

    def _put(self, call: Call, body: bytes) -> Reply:
        return Reply("200 OK", headers={"ETag": self._store(call, _stored(body, _kept(call))).etag})

    def _store(self, call: Call, made: Stored) -> Stored:
        objects, there = self.buckets[call.bucket], self.buckets[call.bucket].get(call.key)
        match = call.headers.get("if-match")
        if (call.headers.get("if-none-match") == "*" and there) or (match and (not there or there.etag != match)):
            raise Refusal("412 Precondition Failed", "PreconditionFailed", "a condition of the write does not hold")
        objects[call.key] = made
        return made

    def _copy(self, call: Call, body: bytes) -> Reply:
        bucket, _, key = source_of(call)[0].partition("/")
        source = self.buckets.get(bucket, {}).get(key)
        if source is None:
            raise Refusal("404 Not Found", "NoSuchKey", key)
        made = self._store(call, _stored(source.data, source.headers))
        return _xml("CopyObjectResult", f"<ETag>{escape(made.etag)}</ETag><LastModified>{_iso(made)}</LastModified>")

    def _delete(self, call: Call, body: bytes) -> Reply:
        self.buckets[call.bucket].pop(call.key, None)
        return Reply("204 No Content")

    def _delete_many(self, call: Call, body: bytes) -> Reply:
        keys = [each.text or "" for each in ElementTree.fromstring(body).iter() if each.tag.rpartition("}")[2] == "Key"]
        for key in keys:
            self.buckets[call.bucket].pop(key, None)
        return _xml("DeleteResult", "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys))

    def _list(self, call: Call, body: bytes) -> Reply:
        second = call.query.get("list-type") == "2"
        prefix, cut = call.query.get("prefix", ""), call.query.get("delimiter", "")
        most = min(int(call.query.get("max-keys", 1000)), 1000)
        after = call.query.get("continuation-token") or call.query.get("start-after") or call.query.get("marker", "")
        shown = _shown(sorted(key for key in self.buckets[call.bucket] if key.startswith(prefix)), prefix, cut, after)
        page, more = shown[:most], len(shown) > most
        told = quote if call.query.get("encoding-type") == "url" else escape
        objects = self.buckets[call.bucket]
        parts = [f"<Name>{call.bucket}</Name><Prefix>{told(prefix)}</Prefix><MaxKeys>{most}</MaxKeys>"]
        parts += [f"<Delimiter>{told(cut)}</Delimiter>"] if cut else []
        parts += ["<EncodingType>url</EncodingType>"] if told is quote else []
        parts += [f"<IsTruncated>{str(more).lower()}</IsTruncated>"]
        parts += [f"<KeyCount>{len(page)}</KeyCount>"] if second else []
        if more and page:
            name = "NextContinuationToken" if second else "NextMarker"
            parts.append(f"<{name}>{escape(page[-1][0])}</{name}>")
        for name, folder in page:
            parts.append(
                f"<CommonPrefixes><Prefix>{told(name)}</Prefix></CommonPrefixes>"
                if folder
                else _entry(told(name), objects[name])
            )
        return _xml("ListBucketResult", "".join(parts))

    def _begin_parts(self, call: Call, body: bytes) -> Reply:
        name = f"upload-{next(self._numbers)}"
        self._uploads[name] = _Upload(call.bucket, call.key, _kept(call))
        told = f"<Bucket>{call.bucket}</Bucket><Key>{escape(call.key)}</Key><UploadId>{name}</UploadId>"
        return _xml("InitiateMultipartUploadResult", told)

    def _upload(self, call: Call) -> _Upload:
        found = self._uploads.get(call.query["uploadId"])
        if found is None or (found.bucket, found.key) != (call.bucket, call.key):
            raise Refusal("404 Not Found", "NoSuchUpload", call.query["uploadId"])
        return found

    def _put_part(self, call: Call, body: bytes) -> Reply:
        made = self._upload(call).parts[int(call.query["partNumber"])] = _stored(body)
        return Reply("200 OK", headers={"ETag": made.etag})

    def _end_parts(self, call: Call, body: bytes) -> Reply:
        upload = self._upload(call)
        numbers = [
            int(each.text or 0) for each in ElementTree.fromstring(body).iter() if each.tag.endswith("PartNumber")
        ]
        if not numbers or any(number not in upload.parts for number in numbers):
            raise Refusal("400 Bad Request", "InvalidPart", "a part that is named was not uploaded")
        parts = [upload.parts[number] for number in numbers]
        digest = hashlib.md5(b"".join(bytes.fromhex(each.etag.strip('"')) for each in parts), usedforsecurity=False)
        whole = _stored(b"".join(each.data for each in parts), upload.headers, f'"{digest.hexdigest()}-{len(parts)}"')
        made = self._store(call, whole)
        del self._uploads[call.query["uploadId"]]
        told = f"<Bucket>{call.bucket}</Bucket><Key>{escape(call.key)}</Key><ETag>{escape(made.etag)}</ETag>"
        return _xml("CompleteMultipartUploadResult", told)

    def _abort_parts(self, call: Call, body: bytes) -> Reply:
        self._uploads.pop(call.query["uploadId"], None)
        return Reply("204 No Content")


_VERBS: Mapping[str, Callable[[MemoryS3, Call, bytes], Reply]] = {
    "CreateBucket": MemoryS3._make_bucket,
    "HeadBucket": MemoryS3._head_bucket,
    "GetObject": MemoryS3._get,
    "HeadObject": MemoryS3._get,
    "PutObject": MemoryS3._put,
    "CopyObject": MemoryS3._copy,
    "DeleteObject": MemoryS3._delete,
    "DeleteObjects": MemoryS3._delete_many,
    "ListObjects": MemoryS3._list,
    "ListObjectsV2": MemoryS3._list,
    "CreateMultipartUpload": MemoryS3._begin_parts,
    "UploadPart": MemoryS3._put_part,
    "CompleteMultipartUpload": MemoryS3._end_parts,
    "AbortMultipartUpload": MemoryS3._abort_parts,
}


def _stored(data: bytes, headers: tuple[tuple[str, str], ...] = (), etag: str = "") -> Stored:
    digest = etag or f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    return Stored(data, digest, datetime.now(UTC), headers)


def _kept(call: Call) -> tuple[tuple[str, str], ...]:
    kind = call.headers.get("content-type") or "binary/octet-stream"
    return (("Content-Type", kind), *((name, each) for name, each in call.headers.items() if name.startswith(_KEPT)))


def _facts(found: Stored) -> dict[str, str]:
    changed = format_datetime(found.changed, usegmt=True)
    return {"ETag": found.etag, "Last-Modified": changed, "Accept-Ranges": "bytes", **dict(found.headers)}


def _iso(found: Stored) -> str:
    return found.changed.strftime("%Y-%m-%dT%H:%M:%S.") + f"{found.changed.microsecond // 1000:03d}Z"


def _entry(name: str, found: Stored) -> str:
    return (
        f"<Contents><Key>{name}</Key><LastModified>{_iso(found)}</LastModified><ETag>{escape(found.etag)}</ETag>"
        f"<Size>{len(found.data)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


def _shown(keys: Iterable[str], prefix: str, cut: str, after: str) -> list[tuple[str, bool]]:
    """What a listing shows after a name: keys, and the folders that it does not look into, in order."""
    found: dict[tuple[str, bool], None] = {}
    for key in keys:
        rest = key[len(prefix) :]
        folder = bool(cut) and cut in rest
        name = prefix + rest.partition(cut)[0] + cut if folder else key
        if name > after:
            found[name, folder] = None
    return list(found)


def _range(said: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that a header asks for; None for all."""
    if not said.startswith("bytes="):
        return None
    first, _, last = said.removeprefix("bytes=").partition("-")
    if not first:
        return max(size - int(last), 0), size - 1
    if int(first) >= size:
        raise Refusal("416 Requested Range Not Satisfiable", "InvalidRange", said)
    return int(first), min(int(last), size - 1) if last else size - 1


def _xml(name: str, inner: str) -> Reply:
    return Reply("200 OK", _XML.format(name, inner).encode(), {"Content-Type": "application/xml"})


def _body(environ: WSGIEnvironment, call: Call) -> bytes:
    """What a request carries, without the frames that some clients put around it."""
    length = environ.get("CONTENT_LENGTH")
    data: bytes = environ["wsgi.input"].read(int(length)) if length else b""
    if not length and environ.get("wsgi.input_terminated"):
        data = environ["wsgi.input"].read()
    framed = call.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
    return _unframed(data) if framed else data


def _unframed(data: bytes) -> bytes:
    """The content of `aws-chunked`: each frame is its length in hexadecimal, then the bytes; the last is empty."""
    made = bytearray()
    at = 0
    while at < len(data):
        end = data.index(b"\r\n", at)
        size = int(data[at:end].partition(b";")[0], 16)
        if not size:
            break
        made += data[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return bytes(made)
