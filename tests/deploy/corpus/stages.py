"""Settings of other modules of a project."""

import os

STAGE = os.environ.get("STAGE", "dev")
BUCKET = f"data-{STAGE}"


def base():
    return os.environ.get("BASE_BUCKET", "base-dev")
