"""Streamlit with a slow desk behind it: taking what people answer and type lasts two seconds more than it does."""

from __future__ import annotations

import sys
import time
from typing import Any

from packyak.engine.teaching import Teaching
from packyak.studio.components.records import grid
from streamlit.web.cli import main

SECONDS = 2.0
decide = Teaching.decide
take = grid.take


def slow(self: Teaching, *given: Any, **named: Any) -> Any:
    time.sleep(SECONDS)
    return decide(self, *given, **named)


def take_slowly(*given: Any) -> Any:
    time.sleep(SECONDS)
    return take(*given)


if __name__ == "__main__":
    Teaching.decide = slow  # type: ignore[method-assign]
    grid.take = take_slowly
    sys.argv[0] = "streamlit"
    main()
