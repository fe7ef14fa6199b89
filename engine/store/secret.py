"""Where the values of secrets come from, and how they are kept out of what is written down.

The environment first, so that a test or a container can give one; then, with a home in a folder, a file that only its
owner may read; with a home in S3, Secrets Manager. A value that was read is known from then on, and `hidden` puts stars
in its place in any text that is kept: the errors of a person's own code may quote it.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

from packyak.engine.errors import MissingExtra, SettingError
from packyak.engine.store.home import Home

FOLDER = "secrets"
ENVIRONMENT = "PACKYAK_SECRET_"
STARS = "***"
SHORTEST = 4  # shorter ones would be found in every other word
_known: set[str] = set()


def secret_value(home: Home, name: str) -> str:
    """The value of a secret. Raises SettingError where there is none, or where others could read it."""
    value = os.environ.get(variable_of(name))
    if value is None:
        value = _in_file(home.local / FOLDER / name, name) if home.local is not None else _in_the_cloud(name)
    _known.add(value)
    return value


def variable_of(name: str) -> str:
    """The environment variable that gives a secret."""
    return ENVIRONMENT + re.sub(r"[^A-Z0-9]", "_", name.upper())


def hidden(text: str) -> str:
    """A text with stars for every secret that was read in this process."""
    for value in sorted(_known, key=len, reverse=True):
        if len(value) >= SHORTEST:
            text = text.replace(value, STARS)
    return text


def _in_file(file: Path, name: str) -> str:
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingError(
            f"there is no secret {name!r}: neither {variable_of(name)} in the environment nor {file}",
            next_step=f"(umask 077; mkdir -p {file.parent}; cat > {file}), then type it and end with Ctrl-D",
        ) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise SettingError(f"others can read the secret in {file}", next_step=f"chmod 600 {file}")
    return text.removesuffix("\n")


def _in_the_cloud(name: str) -> str:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise MissingExtra.of("aws", why=f"to read the secret {name!r} from Secrets Manager") from None
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    try:
        client: Any = boto3.client("secretsmanager", region_name=region)
        return str(client.get_secret_value(SecretId=name)["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise SettingError(
            f"Secrets Manager gives no secret {name!r} ({type(error).__name__}), and {variable_of(name)} is not set",
            next_step=f"aws secretsmanager create-secret --name {name} --secret-string ...",
        ) from None
