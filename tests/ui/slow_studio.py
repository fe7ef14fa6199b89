"""Streamlit with a slow desk behind it: taking the answers of a review lasts two seconds more than it does."""

from __future__ import annotations

import sys
import time
from typing import Any

from packyak.engine.teaching import Teaching
from streamlit.web.cli import main

SECONDS = 2.0
decide = Teaching.decide


def slow(self: Teaching, *given: Any, **named: Any) -> Any:
    time.sleep(SECONDS)
    return decide(self, *given, **named)


if __name__ == "__main__":
    Teaching.decide = slow  # type: ignore[method-assign]
    sys.argv[0] = "streamlit"
    main()
