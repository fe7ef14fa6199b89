"""What is said of a record that an address or a page still names and that is not there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from packyak.engine.errors import PackyakError

if TYPE_CHECKING:
    from packyak.engine.project import Project

GONE = "It was deleted or erased since, or the address is mistyped."


def why_not(project: Project, asset: str, key: str, error: PackyakError) -> str:
    """Why a record cannot be shown, for somebody who looks at a page: the error has a command as its next step."""
    with suppress(PackyakError):
        if not project.page(asset, limit=0, columns=(), keys=(key,)).total:
            return f"{error.message}. {GONE}"
    return str(error)
