"""An S3 server on this machine behind the gate, which can be put back to an earlier moment.

The server is moto's, in a thread of this process; moto itself looks at neither resources nor conditions. Every write
that passes is noted with what was there before, so that going back costs as much as was written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.gate import Gate
from packyak.engine.errors import MissingExtra, PackyakError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADMIN = "AKIAADMIN"
_ADDRESS = "http://127.0.0.1"
_SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={ADMIN}/20260101/us-east-1/s3/aws4_request, Signature=none"}


class Rewind:
    """Notes, for each object written, its content before. A WSGI application around another."""

    def __init__(self, inner: WSGIApplication) -> None:
        from werkzeug.test import Client

        self._inner = inner
        self._client = Client(inner)
        self._before: dict[str, bytes | None] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE") and path.count("/") > 1:
            with self._lock:
                if path not in self._before:
                    self._before[path] = self._read(path)
        return self._inner(environ, start_response)

    def put(self, path: str, data: bytes = b"") -> None:
        """Puts an object (`/bucket/key`), or makes a bucket."""
        answer = self._client.put(path, data=data, base_url=_ADDRESS, headers=_SIGNED)
        if answer.status_code != 200:
            raise PackyakError(f"the S3 server of this machine refused {path}: {answer.text[:300]}")

    def clear(self) -> None:
        """Forgets everything: moto keeps one state for its whole process."""
        self._client.post("/moto-api/reset", base_url=_ADDRESS)
        self._before = {}

    def mark(self) -> None:
        """From here on it can be gone back to this moment."""
        self._before = {}

    def back(self) -> None:
        """Everything written since the mark is as it was."""
        for path, data in self._before.items():
            address = path.encode("latin-1").decode()
            if data is None:
                self._client.delete(address, base_url=_ADDRESS, headers=_SIGNED)
            else:
                self.put(address, data)
        self._before = {}

    def _read(self, path: str) -> bytes | None:
        found = self._client.get(path.encode("latin-1").decode(), base_url=_ADDRESS, headers=_SIGNED)
        if found.status_code not in (200, 404):
            raise PackyakError(f"the S3 server of this machine refused {path}: {found.text[:300]}")
        return found.data if found.status_code == 200 else None


class LocalS3:
    """The server with its gate. url: its address."""

    def __init__(self, gate: Gate, rewind: Rewind, url: str) -> None:
        self.gate = gate
        self.rewind = rewind
        self.url = url

    def environment(self, access_key: str = ADMIN) -> dict[str, str]:
        """The variables under which a process uses it as a role."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": "unused-on-this-machine",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def make_bucket(self, name: str) -> None:
        self.rewind.put(f"/{name}")

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Puts an object there, past the gate."""
        self.rewind.put(f"/{bucket}/{key}", data)

    def latest(self, bucket: str, prefix: str) -> bytes | None:
        """The object whose name is the last one under a prefix."""
        import re

        listed = self.rewind._client.get(
            f"/{bucket}", query_string={"list-type": "2", "prefix": prefix}, base_url=_ADDRESS, headers=_SIGNED
        )
        names = re.findall(r"<Key>([^<]+)</Key>", listed.text)
        return self.rewind._read(f"/{bucket}/{max(names)}") if names else None


@contextmanager
def local_s3(*, key: str = "") -> Iterator[LocalS3]:
    """A server for as long as the block runs. key: the ARN of a KMS key that everything counts as encrypted with."""
    inner = _moto()
    rewind = Rewind(inner)
    rewind.clear()
    gate = Gate(rewind, open_keys=frozenset({ADMIN}), key=key)
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, gate, threaded=True, request_handler=_quiet())
    thread = threading.Thread(target=server.serve_forever, name="local-s3", daemon=True)
    thread.start()
    try:
        yield LocalS3(gate, rewind, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _moto() -> Any:
    try:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    except ImportError as error:
        raise MissingExtra(
            "the S3 server that runs on this machine is not installed", next_step="pip install 'packyak-studio[prove]'"
        ) from error
    return DomainDispatcherApplication(create_backend_app)


def _quiet() -> Any:
    from werkzeug.serving import WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        """One connection serves many requests, and nothing is printed."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else every small answer waits 40 ms for its acknowledgement

        def log_request(self, *arguments: Any, **more: Any) -> None:
            return

    return Quiet
