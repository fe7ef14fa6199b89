"""The studio's entry: `streamlit run studio` finds `app` here and serves it.

An `st.App` around `shell/main.py` rather than a plain script: its folder has no `pages/` beside it, so that a deep link
such as `/records` runs inside the shell, every answer carries the security headers, a foreign Host or
Origin is refused, and a launch that has a token asks for it everywhere.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).resolve().parent


def load_from_checkout(root: Path) -> None:
    """Make `packyak` and its rooms importable in a clone that was never installed."""
    places = [str(root / "packyak"), str(root)]
    spec = importlib.util.spec_from_file_location(
        "packyak", root / "packyak" / "__init__.py", submodule_search_locations=places
    )
    assert spec is not None and spec.loader is not None
    sys.path.insert(0, str(root))
    sys.modules["packyak"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if importlib.util.find_spec("packyak") is None:
    load_from_checkout(HERE.parent)

from packyak.studio.shell.address import welcome  # noqa: E402
from packyak.studio.shell.below import BelowPath, front_path  # noqa: E402
from packyak.studio.shell.headers import SecurityHeaders  # noqa: E402
from packyak.studio.shell.launch_token import Token, of_launch  # noqa: E402
from packyak.studio.shell.layouts import ROUTE as MAP_ROUTE  # noqa: E402
from packyak.studio.shell.origins import OwnHost, OwnOrigin  # noqa: E402
from packyak.studio.shell.pulse import ROUTE  # noqa: E402
from packyak.studio.shell.quick import QuickStart  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402

HOSTS = st.get_option("server.allowedHosts") or []
print(welcome(st.get_option), file=sys.stderr)

app = st.App(
    HERE / "shell" / "main.py",
    routes=(ROUTE, MAP_ROUTE),
    middleware=(
        Middleware(SecurityHeaders),
        Middleware(BelowPath, base=front_path()),
        Middleware(OwnHost, allowed_hosts=HOSTS or ["*"]),
        Middleware(OwnOrigin, hosts=HOSTS),
        Middleware(Token, token=of_launch()),
        Middleware(QuickStart),
    ),
)
