"""A local S3 server (moto) for tests, with one empty bucket: `home-bucket`."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@contextmanager
def local_s3() -> Iterator[str]:
    """Its address, for as long as the block runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with suppress(OSError):
                urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=1).close()
                break
            time.sleep(0.2)
        urllib.request.urlopen(urllib.request.Request(f"{url}/home-bucket", method="PUT"), timeout=10).close()
        yield url
    finally:
        process.terminate()
        process.wait()
