"""The object that a worker serves, made anew when the user's files changed.

Reads share it; a run waits until it sees the newest code. While something uses the object it is not replaced, so that a
module never changes under a running function.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from packyak.engine.run.worker.reload import Sources


class Target:
    """What `make` makes, remade when the sources changed or when it could not be made the last time."""

    def __init__(self, make: Callable[[], Any], sources: Sources | None = None) -> None:
        self._make = make
        self._sources = sources
        self._object: Any = None
        self._made = False
        self._users = 0
        self._change = threading.Condition()

    @contextlib.contextmanager
    def use(self, newest: bool = False) -> Iterator[Any]:
        """The object, for as long as the block runs. newest: wait for other users to finish when it must be remade.

        Raises what making it raises, such as the syntax error in the user's file.
        """
        with self._change:
            while self._is_stale():
                if not self._users:
                    self._remake()
                elif newest:
                    self._change.wait(1.0)
                else:
                    break
            self._users += 1
            found = self._object
        try:
            yield found
        finally:
            with self._change:
                self._users -= 1
                self._change.notify_all()

    def _is_stale(self) -> bool:
        return not self._made or (self._sources is not None and self._sources.changed())

    def _remake(self) -> None:
        """The old object first lets go of what it holds; nothing uses it any more."""
        if self._made and callable(close := getattr(self._object, "close", None)):
            with contextlib.suppress(Exception):
                close()
        self._object, self._made = None, False
        if self._sources is not None:
            self._sources.purge()
        self._object = self._make()
        self._made = True
