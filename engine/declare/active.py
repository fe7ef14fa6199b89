"""The project that verbs act on: `inbox.put(...)` and `search.find(...)` need one, declarations do not.

A context variable, so that threads started with a copied context, tasks and nested projects each see their own. Outside
of `activate` there is no project, and asking for one says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol

from packyak.engine.declare.nodes import Graph
from packyak.engine.errors import ProjectNotFound


class ActiveProject(Protocol):
    """What the verbs of declared objects need from a project."""

    @property
    def graph(self) -> Graph: ...

    def put_bytes(self, bucket: str, key: str, data: bytes) -> None: ...

    def get_bytes(self, bucket: str, key: str) -> bytes: ...

    def list_keys(self, bucket: str) -> Sequence[str]: ...

    def delete_key(self, bucket: str, key: str) -> None: ...

    def secret_value(self, name: str) -> str: ...

    def find(
        self,
        index: str,
        text: str = "",
        k: int = 5,
        where: str | None = None,
        *,
        how: Literal["hybrid", "vector", "text"] = "hybrid",
        like: str | None = None,
    ) -> Any: ...


_ACTIVE: ContextVar[ActiveProject | None] = ContextVar("packyak_project", default=None)


def current() -> ActiveProject:
    """The active project. Raises ProjectNotFound when there is none."""
    project = _ACTIVE.get()
    if project is None:
        raise ProjectNotFound(
            "No project is active, so there is no data to act on",
            next_step="inside a run this is set for you; elsewhere write `with Project.open(): ...`",
        )
    return project


@contextmanager
def activate(project: ActiveProject) -> Iterator[ActiveProject]:
    """Makes `project` the active one inside the block."""
    token = _ACTIVE.set(project)
    try:
        yield project
    finally:
        _ACTIVE.reset(token)
