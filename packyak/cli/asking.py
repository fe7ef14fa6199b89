"""How a command asks the project: through its warm worker where one runs, else in this process.

The worker has everything loaded, which saves a second of imports; nothing is started only to be asked once.
"""

from __future__ import annotations

import contextlib
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packyak.cli.place import Place
from packyak.engine.errors import NoWorker

if TYPE_CHECKING:
    from packyak.engine.project import Project
    from packyak.engine.run.worker.client import Client


class Desk:
    """The project of one command."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def ask(self, method: str, *args: Any, **named: Any) -> Any:
        """What the project's method answers. Raises what it raises."""
        if self.worker is not None:
            try:
                return self.worker.call(method, *args, **named)
            except NoWorker:
                self.worker = None
        with contextlib.redirect_stdout(sys.stderr):  # what the user's code prints is no part of the answer
            return getattr(self.project, method)(*args, **named)

    @property
    def person(self) -> str:
        """Who is asking."""
        return str(self.place.settings["person"])

    @cached_property
    def worker(self) -> Client | None:
        """The warm worker, None where none runs."""
        from packyak.engine.run.worker.client import connect

        if not self.place.uses_worker:
            return None
        with contextlib.suppress(NoWorker):
            found = connect(self.place.home)
            found.person = self.person
            return found
        return None

    @cached_property
    def project(self) -> Project:
        """The project in this process."""
        from packyak.engine.project import Project

        return Project.open(self.place.root, home=self.place.given)
