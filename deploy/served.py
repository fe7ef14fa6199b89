"""What `[cloud.studio]` asks for: the studio in the account, for people who sign in.

    [cloud.studio]
    domain = "studio.example.com"
    certificate = "arn:aws:acm:eu-central-1:123456789012:certificate/..."   # for that domain, in the project's region
    issuer = "https://login.example.com"                                   # the OpenID provider
    client_id = "packyak"
    client_secret = "studio/oidc"       # the name of the secret in Secrets Manager
    zone = "Z0123456789"                # the domain's hosted zone in Route 53; without it the domain is yours to point
    reach = ["203.0.113.0/24"]          # from where; default everywhere
    memory_mb = 4096

Without such a section there is none. The first five are the organisation's to give; nothing is guessed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packyak.deploy.fargate import MOST_MB, fitting
from packyak.engine.declare.secret import NAME
from packyak.engine.errors import SettingError, nearest

EVERYWHERE = ("0.0.0.0/0",)
MEMORY_MB, LEAST = 4096, 1024
NEEDED = {
    "domain": "the host name of the studio, such as studio.example.com",
    "certificate": "the ARN of its certificate in ACM, in the project's region",
    "issuer": "the address of your OpenID provider",
    "client_id": "what the provider calls the studio",
    "client_secret": "the name of the secret in Secrets Manager that holds what they share",
}
OPTIONAL = ("zone", "reach", "memory_mb")


@dataclass(frozen=True)
class Served:
    """The studio in the account. zone: "" where the domain is not in Route 53; reach: address ranges from which it is
    reached; cpu: units on Fargate that go with the memory."""

    domain: str
    certificate: str
    issuer: str
    client_id: str
    client_secret: str
    zone: str = ""
    reach: tuple[str, ...] = EVERYWHERE
    memory_mb: int = MEMORY_MB
    cpu: int = 512

    @property
    def site(self) -> str:
        return f"https://{self.domain}"


def read_served(table: Mapping[str, Any], region: str, has_roles: bool, file: str) -> Served:
    """The section, checked. Raises SettingError for what is missing, unknown or would leave the studio open."""
    known = (*NEEDED, *OPTIONAL)
    for word in table:
        if word not in known:
            meant = nearest(word, known)
            raise SettingError(
                f"There is no `{word}` in [cloud.studio], which is about the studio in the account",
                choices=known,
                next_step=f"did you mean `{meant}`?" if meant else "take it away",
                file=file,
            )
    missing = [word for word in NEEDED if not table.get(word)]
    if missing:
        raise SettingError(
            f"[cloud.studio] does not say {', '.join(missing)}",
            next_step="; ".join(f"{word}: {NEEDED[word]}" for word in missing),
            file=file,
        )
    if not has_roles:
        raise SettingError(
            "[cloud.studio] is there and [roles] is not, so whoever the provider knows would be an admin",
            next_step="name people in [roles]; docs/settings.md tells what each role may do",
            file=file,
        )
    cpu, memory_mb = _sized(table.get("memory_mb", MEMORY_MB), file)
    return Served(
        domain=_like("domain", table, r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", "studio.example.com", file),
        certificate=_certificate(table, region, file),
        issuer=_like("issuer", table, r"https://[\w.-]+(:\d+)?(/[^\s?#]*)?", "https://login.example.com", file).rstrip(
            "/"
        ),
        client_id=_like("client_id", table, r"\S{1,256}", "packyak", file),
        client_secret=_like("client_secret", table, NAME.pattern, "studio/oidc", file),
        zone=_like("zone", table, r"Z[A-Z0-9]{1,31}", "Z0123456789", file) if table.get("zone") else "",
        reach=_reach(table.get("reach", list(EVERYWHERE)), file),
        memory_mb=memory_mb,
        cpu=cpu,
    )


def _like(word: str, table: Mapping[str, Any], pattern: str, example: str, file: str) -> str:
    value = table[word]
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return value
    raise SettingError(
        f"{word} = {value!r} in [cloud.studio] is not understood", next_step=f'write it like "{example}"', file=file
    )


def _certificate(table: Mapping[str, Any], region: str, file: str) -> str:
    example = f"arn:aws:acm:{region}:123456789012:certificate/0123abcd-..."
    arn = _like("certificate", table, r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[A-Za-z0-9-]+", example, file)
    if arn.split(":")[3] != region:
        raise SettingError(
            f"the certificate of [cloud.studio] is in {arn.split(':')[3]}, and the project is in {region}",
            next_step=f"ask for one in {region}: a load balancer takes those of its own region only",
            file=file,
        )
    return arn


def _reach(value: Any, file: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    try:
        if not isinstance(listed, list) or not listed:
            raise ValueError("nothing is listed")
        return tuple(sorted({str(ipaddress.IPv4Network(each)) for each in listed}))
    except ValueError as error:
        raise SettingError(
            f"reach = {value!r} in [cloud.studio] is no list of address ranges: {error}",
            next_step='write it like ["203.0.113.0/24"]',
            file=file,
        ) from None


def _sized(value: Any, file: str) -> tuple[int, int]:
    """CPU units and memory."""
    if isinstance(value, int) and not isinstance(value, bool) and LEAST <= value <= MOST_MB:
        return fitting(value)
    raise SettingError(
        f"memory_mb = {value!r} in [cloud.studio] is not offered",
        next_step=f"give a whole number from {LEAST:,} to {MOST_MB:,}",
        file=file,
    )
