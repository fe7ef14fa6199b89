"""An S3 server on this machine behind the gate, which can be put back to an earlier moment; other services beside it.

It answers from the memory of this process, in threads of it. Any other WSGI application that is an S3 server can take
its place; then there is no way back. What answers for other services is loaded when one is first asked.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.beyond import Beyond
from packyak.deploy.grants.gate import Gate
from packyak.deploy.grants.memory_s3 import MemoryS3
from packyak.engine.errors import MissingExtra, PackyakError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ADMIN = "AKIAADMIN"
_ADDRESS = "http://127.0.0.1"
_SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={ADMIN}/20260101/us-east-1/s3/aws4_request, Signature=none"}


class LocalS3:
    """The server with its gate. url: its address. inner: what answers behind the gate."""

    def __init__(self, gate: Gate, inner: WSGIApplication, url: str) -> None:
        from werkzeug.test import Client

        self.gate = gate
        self.inner = inner
        self.url = url
        self._client = Client(inner)
        self._beyond: Beyond | None = None
        self._loading = threading.Lock()
        gate.beyond = self.beyond

    def beyond(self) -> Beyond:
        """What answers for other services than S3."""
        with self._loading:
            if self._beyond is None:
                self._beyond = Beyond()
                self._beyond.mark()
            return self._beyond

    def environment(self, access_key: str = ADMIN) -> dict[str, str]:
        """The variables under which a process uses it as a role."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": "unused-on-this-machine",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def mark(self) -> None:
        """From here on it can be gone back to this moment."""
        self._memory().mark()
        if self._beyond is not None:
            self._beyond.mark()

    def back(self) -> None:
        """Everything is as it was at the mark."""
        self._memory().back()
        if self._beyond is not None:
            self._beyond.back()

    def take_away(self, bucket: str, prefix: str) -> None:
        """Removes every object under a prefix, past the gate."""
        self._memory().take_away(bucket, prefix)

    def make_bucket(self, name: str) -> None:
        self._put(f"/{name}", b"")

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Puts an object there, past the gate."""
        self._put(f"/{bucket}/{key}", data)

    def get(self, bucket: str, key: str) -> bytes | None:
        """An object, past the gate; None where there is none."""
        found = self._client.get(f"/{bucket}/{key}", base_url=_ADDRESS, headers=_SIGNED)
        if found.status_code not in (200, 404):
            raise PackyakError(f"the S3 server of this machine refused /{bucket}/{key}: {found.text[:300]}")
        return found.data if found.status_code == 200 else None

    def names(self, bucket: str, prefix: str) -> list[str]:
        """The keys under a prefix, the first thousand, past the gate."""
        query = {"list-type": "2", "prefix": prefix}
        listed = self._client.get(f"/{bucket}", query_string=query, base_url=_ADDRESS, headers=_SIGNED)
        return sorted(re.findall(r"<Key>([^<]+)</Key>", listed.text))

    def latest(self, bucket: str, prefix: str) -> bytes | None:
        """The object whose name is the last one under a prefix."""
        names = self.names(bucket, prefix)
        return self.get(bucket, names[-1]) if names else None

    def count(self, bucket: str, prefix: str) -> int:
        """How many objects there are under a prefix."""
        return sum(key.startswith(prefix) for key in self._memory().buckets.get(bucket, ()))

    def _put(self, path: str, data: bytes) -> None:
        answer = self._client.put(path, data=data, base_url=_ADDRESS, headers=_SIGNED)
        if answer.status_code != 200:
            raise PackyakError(f"the S3 server of this machine refused {path}: {answer.text[:300]}")

    def _memory(self) -> MemoryS3:
        if not isinstance(self.inner, MemoryS3):
            raise PackyakError("this S3 server cannot be put back to an earlier moment")
        return self.inner


@contextmanager
def local_s3(*, key: str = "", inner: WSGIApplication | None = None) -> Iterator[LocalS3]:
    """A server for as long as the block runs. key: the ARN of a KMS key that everything counts as encrypted with.
    inner: what answers behind the gate; default: memory."""
    try:
        from werkzeug.serving import make_server
    except ImportError as error:
        raise MissingExtra(
            "the S3 server that runs on this machine is not installed", next_step="pip install 'packyak-studio[prove]'"
        ) from error
    behind = MemoryS3() if inner is None else inner
    gate = Gate(behind, open_keys=frozenset({ADMIN}), key=key)
    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=_quiet())
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="local-s3", daemon=True)
    thread.start()
    try:
        yield LocalS3(gate, behind, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _quiet() -> Any:
    from werkzeug.serving import WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        """One connection serves many requests, and nothing is printed."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else every small answer waits 40 ms for its acknowledgement

        def log_request(self, *arguments: Any, **more: Any) -> None:
            return

    return Quiet
