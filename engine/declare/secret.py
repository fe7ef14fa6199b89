"""Secrets by name: `Secret("openai").value()`. What is declared is the name; the value is read where it is used.

Here the value comes from the environment or from a file of the home that only its owner may read; where the home is in
the cloud, from Secrets Manager. It is never part of what a declaration shows, of a fingerprint, an event or an error.
"""

from __future__ import annotations

import re

from packyak.engine.declare.active import current
from packyak.engine.declare.origin import here
from packyak.engine.errors import DeclarationError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/+=.@-]{0,255}")


class Secret:
    """A secret.

    name: as Secrets Manager has it: letters, digits and `/_+=.@-`.

    >>> Secret("openai")
    Secret('openai')
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not NAME.fullmatch(name) or ".." in name:
            origin = here()
            raise DeclarationError(
                f"{name!r} cannot name a secret",
                next_step="use letters, digits and /_+=.@-, at most 256, starting with a letter or digit",
                file=origin.file,
                line=origin.line,
            )
        self.name = name

    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.name == self.name

    def __hash__(self) -> int:
        return hash((Secret, self.name))

    def value(self) -> str:
        """The value, of the active project. Raises SettingError, with every place looked at, where there is none."""
        return current().secret_value(self.name)
