"""A grant: one action that one role may do on one resource, and why. Policies are written from grants and nothing else.

A grant is the smallest thing that can be taken away again, which is how it is proven to be needed: it has one action,
one resource and, for a listing, one prefix. Roles have no wildcard in an action, and in a resource only at its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

VERSION = "2012-10-17"  # the version of IAM's policy language, not a date of ours
LIST = "s3:ListBucket"
Source = Literal["graph", "engine", "code", "declaration"]


@dataclass(frozen=True)
class Evidence:
    """Why a grant exists. source: the declared graph, what the engine does for any asset, a call that was read in code,
    or a person's declaration.
    place: `file:line` in the project, "" where it is the engine."""

    why: str
    source: Source
    place: str = ""


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource (an ARN, `*` only at its end). prefix: for a listing, what `s3:prefix` must be like.
    via: for a key, the service through which alone it may be used."""

    role: str
    action: str
    resource: str
    prefix: str = ""
    via: str = ""
    evidence: tuple[Evidence, ...] = ()

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}" + (f" where prefix is {self.prefix}" if self.prefix else "")

    @property
    def target(self) -> tuple[str, str, str, str]:
        """What it allows, without the reasons."""
        return self.action, self.resource, self.prefix, self.via


def merged(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Each allowance of each role once, with all its reasons, in a stable order. One that lies within another is not
    there beside it: the wider one has its reasons too."""
    alike: dict[tuple[str, str, str], dict[tuple[str, str], dict[Evidence, None]]] = {}
    for each in grants:
        places = alike.setdefault((each.role, each.action, each.via), {})
        places.setdefault((each.resource, each.prefix), {}).update(dict.fromkeys(each.evidence))
    found = []
    for (role, action, via), places in alike.items():
        tops = [place for place in places if not any(_within(place, other) for other in places)]
        widest: dict[tuple[str, str], dict[Evidence, None]] = {}
        for place, reasons in places.items():
            top = place if place in tops else next((each for each in tops if _within(place, each)), place)
            widest.setdefault(top, {}).update(reasons)
        found += [Grant(role, action, *place, via, tuple(reasons)) for place, reasons in widest.items()]
    return tuple(sorted(found))


def _within(place: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a resource and a prefix lie within others that are not the same. No prefix at all is any."""
    (resource, prefix), (wide, wide_prefix) = place, other
    return (
        place != other
        and _lies_in(resource, wide)
        and (not wide_prefix or (bool(prefix) and _lies_in(prefix, wide_prefix)))
    )


def _lies_in(narrow: str, wide: str) -> bool:
    """Whether all that one pattern is like, another is like too. Of `?` only what is the same."""
    if narrow == wide or "*" not in wide or "?" in wide or not narrow.startswith(wide.partition("*")[0]):
        return narrow == wide
    return re.fullmatch(".*".join(map(re.escape, wide.split("*"))), narrow, re.DOTALL) is not None


def document_of(grants: Iterable[Grant]) -> dict[str, Any]:
    """The IAM policy document that allows exactly these grants: one statement for each action and condition."""
    together: dict[tuple[str, str, str], list[Grant]] = {}
    for each in sorted(grants):
        listing = each.resource if each.prefix else ""
        together.setdefault((each.action, listing, each.via), []).append(each)
    return {"Version": VERSION, "Statement": [_statement(key, group) for key, group in sorted(together.items())]}


def _statement(key: tuple[str, str, str], grants: list[Grant]) -> Mapping[str, Any]:
    action, _, via = key
    made: dict[str, Any] = {
        "Effect": "Allow",
        "Action": action,
        "Resource": sorted({each.resource for each in grants}),
    }
    prefixes = sorted({each.prefix for each in grants if each.prefix})
    if prefixes:
        made["Condition"] = {"StringLike": {"s3:prefix": prefixes}}
    if via:
        made["Condition"] = {"StringEquals": {"kms:ViaService": via}}
    return made
