"""Where in the user's code something was declared: the nearest caller that is not Packyak itself."""

from __future__ import annotations

import sys
from types import CodeType

from packyak.engine.declare.nodes import Origin

OWN = "packyak.engine."


def here() -> Origin:
    """The line of the user's code that is running now."""
    return caller()[0]


def caller() -> tuple[Origin, str]:
    """The line of the user's code that is running now, and the name of its module."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(OWN):
        frame = frame.f_back
    return Origin(frame.f_code.co_filename, frame.f_lineno), str(frame.f_globals.get("__name__", ""))


def of_code(code: CodeType) -> Origin:
    return Origin(code.co_filename, code.co_firstlineno)
