"""Serving the studio to a team at an address of its own: nobody sees anything before they signed in.

TLS ends before it, at a load balancer or another proxy; people sign in with the organisation's OpenID provider. What
Streamlit wants to know for that is written to a file that only this user may read, and taken away at the end.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from packyak.cli.place import Place
from packyak.engine.errors import MissingExtra, SettingError

NEEDED = ("--issuer", "--client-id", "--client-secret")
LOCAL = ("127.0.0.1", "localhost")
KEY_OF_COOKIES = b"packyak studio: cookies"  # so that the client's secret itself signs none


@dataclass(frozen=True)
class Team:
    """What serving a team takes. site: the address in people's browsers; issuer: of the provider; secret: the name of
    the `Secret` with the client's secret."""

    site: str
    issuer: str
    client: str
    secret: str

    @property
    def host(self) -> str:
        return urlsplit(self.site).hostname or ""

    @property
    def address(self) -> str:
        """Where it answers: to whoever ends TLS, or to this machine alone where the site is this machine."""
        return LOCAL[0] if self.host in LOCAL else "0.0.0.0"

    @property
    def variable(self) -> str:
        """The environment variable that may hold the client's secret."""
        from packyak.engine.store.secret import variable_of

        return variable_of(self.secret)


def team_of(site: str, issuer: str | None, client: str | None, secret: str | None) -> Team:
    """The options, checked. Raises SettingError for what would leave the studio open or cannot work."""
    given = zip(NEEDED, (issuer, client, secret), strict=True)
    missing = [name for name, value in given if not value]
    if missing:
        raise SettingError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: a team signs in",
            next_step=f"give {', '.join(NEEDED)}, as your OpenID provider has them",
        )
    for word, url in (("--site", site), ("--issuer", issuer or "")):
        parts = urlsplit(url)
        ours = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
        if not ours or not parts.hostname or parts.query or parts.fragment:
            raise SettingError(
                f"{word} = {url!r} is no address to sign in at",
                next_step="write it like https://studio.example.com (http is for this machine alone)",
            )
    if urlsplit(site).path.strip("/"):
        raise SettingError(f"--site = {site!r} has a path", next_step="give the studio a host name of its own")
    return Team(site.rstrip("/"), (issuer or "").rstrip("/"), client or "", secret or "")


@contextmanager
def told(team: Team, place: Place) -> Iterator[Path]:
    """The file with what Streamlit has to know, for as long as the block runs."""
    from packyak.engine.store.home import open_home
    from packyak.engine.store.secret import secret_value

    if importlib.util.find_spec("authlib") is None:
        raise MissingExtra.of("team", why="to sign in")
    if not place.roles:
        raise SettingError(
            "packyak.toml gives nobody a role, so whoever the provider knows would be its admin",
            next_step="name people in [roles]; `packyak roles` tells what each may do",
        )
    secret = secret_value(open_home(place.home), team.secret)
    facts = {
        "redirect_uri": f"{team.site}/oauth2callback",
        "cookie_secret": hmac.new(secret.encode(), KEY_OF_COOKIES, hashlib.sha256).hexdigest(),
        "client_id": team.client,
        "client_secret": secret,
        "server_metadata_url": f"{team.issuer}/.well-known/openid-configuration",
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items()]
    with tempfile.TemporaryDirectory(prefix="packyak-") as folder:  # its owner's alone
        file = Path(folder, "secrets.toml")
        file.write_text("\n".join(["[auth]", *lines, ""]), encoding="utf-8")
        yield file
