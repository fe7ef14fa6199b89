"""What runs in the studio's container: the command, the user, and the one folder that it may write to.

The image is made to fit (`deploy/publish/image.py`). Standard library only.
"""

from __future__ import annotations

import re

from packyak.deploy.stacks.blueprint import StudioDrawing

PORT = 8501
PLACE = "/studio"  # the image makes it, for the user below
USER = "10001:10001"
HEALTH = "/_stcore/health"
ASKS = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{PORT}{HEALTH}', timeout=4)"


def command(studio: StudioDrawing, home: str) -> list[str]:
    """As it is typed after `packyak`."""
    return [
        "studio", "--no-browser", "--port", str(PORT), "--home", home, "--site", f"https://{studio.domain}",
        "--issuer", studio.issuer, "--client-id", studio.client_id, "--client-secret", studio.secret,
    ]  # fmt: skip


def variable_of(secret: str) -> str:
    """The environment variable in which `Secret` looks first."""
    return "PACKYAK_SECRET_" + re.sub(r"[^A-Z0-9]", "_", secret.upper())
