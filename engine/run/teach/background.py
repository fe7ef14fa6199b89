"""Learning beside the work: while a project's worker is idle, what people said is learned from as soon as it is due.

Only models and decisions are written, so nothing waits for it and nothing is locked; records change in the next run,
which anybody may start meanwhile. A failure is told once and tried again when something more was said.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from packyak.engine.store.home import Home

SECONDS = 2.0


class Background:
    """A thread that looks every few seconds whether something new was said.

    use: gives the project, or whatever is served; it learns where it has a method `learn_due`. busy: whether a run is
    on. counted: held while learning, so that the process does not end for want of work.
    """

    def __init__(
        self,
        home: str,
        use: Callable[[], AbstractContextManager[Any]],
        busy: Callable[[], bool],
        counted: Callable[[], AbstractContextManager[Any]],
        seconds: float = SECONDS,
    ) -> None:
        self._home = Home(home)
        self._use, self._busy, self._counted = use, busy, counted
        self._seconds = seconds
        self._seen: str | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Looks from now on, until `stop`."""
        threading.Thread(target=self._loop, name="packyak-learn", daemon=True).start()

    def stop(self) -> None:
        """Ends after what it is doing."""
        self._stopping.set()

    def _loop(self) -> None:
        while not self._stopping.wait(self._seconds):
            with contextlib.suppress(OSError):
                self.look()

    def look(self) -> None:
        """Learns what is due, if anything was said since the last look and no run is on."""
        said = "\n".join(self._home.names("corrections", ".jsonl"))
        if said == self._seen or not said or self._busy():
            return
        try:
            with self._counted(), self._use() as served:
                learn = getattr(served, "learn_due", None)
                for lesson in learn() if callable(learn) else ():
                    print(f"{lesson.asset}: {lesson.words}", file=sys.stderr)
        except Exception as error:
            print(f"learning failed: {error}", file=sys.stderr)
        self._seen = said
