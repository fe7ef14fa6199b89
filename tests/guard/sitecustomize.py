"""Refuses every socket that would leave this machine, in the tests and in every Python process that they start.

Python imports a module of this name at its start when it finds one; `conftest.py` puts this folder on PYTHONPATH. An
audit hook sees each connection, whichever library asks for it, and cannot be taken off again. A refused attempt is also
noted in the file that TEST_ATTEMPTS_OUTSIDE names, so that code which swallows the error is caught as well. Native code
that opens sockets without Python is not seen.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import sys
from typing import Any

SENDING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
ASKING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
NAMES_HERE = {"localhost", "localhost.localdomain", "ip6-localhost", ""}


class OutsideError(OSError):
    """Something tried to reach another machine."""


def is_here(host: Any) -> bool:
    """Whether a host name or address means this machine."""
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in NAMES_HERE:
        return True
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _target(event: str, args: tuple[Any, ...]) -> Any:
    """The host that an audited call is about; None for sockets that have no host, such as AF_UNIX."""
    if event in ASKING:
        return args[0]
    address = args[1] if len(args) > 1 else None
    return address[0] if isinstance(address, tuple) and address else None


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if SENDING is None or (event not in SENDING and event not in ASKING):  # None: the interpreter is ending
        return
    host = _target(event, args)
    if is_here(host):
        return
    note = os.environ.get("TEST_ATTEMPTS_OUTSIDE")
    if note:
        with contextlib.suppress(OSError), open(note, "a", encoding="utf-8") as lines:  # noqa: PTH123 - pathlib is slow here
            lines.write(f"{event} {host} from {_caller()}\n")
    raise OutsideError(f"{event} to {host}: nothing may leave this machine in a test")


def _caller() -> str:
    """The nearest place outside the standard library's socket code."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.endswith(
        ("socket.py", "sitecustomize.py", "selector_events.py")
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "?"


sys.addaudithook(_refuse)
