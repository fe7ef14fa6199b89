"""From an operation and its parameters to needs, by the table of `rows`.

Parameters come through one small interface, so that the same table serves values known in part (code that is read) and
plain values (a call that was seen).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from packyak.deploy.grants.infer.atoms import Hole, Text
from packyak.deploy.grants.infer.forms import FORMS
from packyak.deploy.grants.infer.found import UNSCOPED, Need, NotKnown
from packyak.deploy.grants.infer.rows import SERVICES
from packyak.deploy.grants.infer.texts import has_wildcards, pattern_of, text

Texts = list[Text]
Look = Callable[[str], Texts | None]
PLACE = re.compile(r"\{([A-Za-z0-9.\[\]]+(?:\{\})?)(\*?)(?::(\w+))?\}")
_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
_NO_BUCKET = re.compile(r"arn:|.*(--x-s3|-s3alias|--ol-s3|\.mrap)(/|$)")  # an access point, or a directory bucket
_LATER = ("region", "account")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    operation: str
    action: str
    resource: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Parameters:
    """What an operation is called with. look: the texts at a path, None where they are not known; given: whether there
    is anything at a path, None where that is not known. region: of the client, "" for its own."""

    look: Look
    given: Callable[[str], bool | None]
    region: str = ""


@cache
def rows_of(service: str) -> Mapping[str, tuple[Row, ...]]:
    """The lines of a service, by operation."""
    found: dict[str, tuple[Row, ...]] = {}
    for line in SERVICES.get(service, "").strip().splitlines():
        operation, action, resource, *options = line.split()
        row = Row(operation, action, resource, dict(each.split("=", 1) for each in options))
        found[operation] = (*found.get(operation, ()), row)
    return found


def needs_of(service: str, operation: str, given: Parameters) -> tuple[Need, ...]:
    """Everything that an operation asks for. Raises NotKnown for one that has no line, or a resource that is open."""
    rows = rows_of(service).get(operation)
    if rows is None:
        raise NotKnown(f"what {service}.{operation} asks for is in no table")
    if given.region.startswith(_OTHER_PARTITIONS):
        raise NotKnown(f"the region {given.region} is of another partition of AWS, whose ARNs begin in another way")
    return tuple(need for row in rows if _holds(row, given) for need in _of_row(row, given))


def _holds(row: Row, given: Parameters) -> bool:
    """Whether a row applies. Where a parameter may be there or not, it does."""
    wanted, unwanted = row.options.get("if"), row.options.get("unless")
    if wanted is not None and given.given(wanted) is False:
        return False
    return unwanted is None or given.given(unwanted) is not True


def _of_row(row: Row, given: Parameters) -> Iterator[Need]:
    if row.action == "-":
        return
    if row.resource == UNSCOPED:
        yield Need(row.action, UNSCOPED)
        return
    via = row.options.get("via", "")
    for resource in _resources(row, given):
        for prefix in _prefixes(row, given):
            yield Need(row.action, resource, prefix, via)


def _prefixes(row: Row, given: Parameters) -> list[str | None]:
    name = row.options.get("prefix")
    there = given.given(name) if name else False
    if name is None or there is False:
        return [None]
    texts = given.look(name)
    if texts is None or there is None:
        raise NotKnown("the prefix of the listing is not known", name)
    for each in texts:
        _plain(each, name)
    if any(isinstance(each.parts[0] if each.parts else "", Hole) for each in texts):
        raise NotKnown("the prefix of the listing is not known", name)
    return [pattern_of(each) for each in texts]


def _resources(row: Row, given: Parameters) -> Iterator[str]:
    pieces: list[Texts] = []
    at = 0
    for found in PLACE.finditer(row.resource):
        pieces.append([text(row.resource[at : found.start()])])
        pieces.append(_placed(row, found, given))
        at = found.end()
    pieces.append([text(row.resource[at:])])
    made: dict[str, None] = {}
    for chosen in product(*pieces):
        whole = text(*(part for each in chosen for part in each.parts))
        made[pattern_of(whole)] = None
    yield from made


def _placed(row: Row, found: re.Match[str], given: Parameters) -> Texts:
    path, may_be_open, form = found[1], found[2], found[3]
    if path in _LATER:
        return [text(given.region if path == "region" and given.region else "{" + path + "}")]
    texts = given.look(path)
    if form == "bus" and given.given(path) is not True:
        texts = [*(texts or []), text("default")] if texts is not None or given.given(path) is False else None
    if not texts:
        raise NotKnown(f"its {_word(path)} is not known", path)
    made = [FORMS[form](each, given.region) for each in texts] if form else texts
    if "Bucket" in path or form == "source":
        for each in made:
            if _NO_BUCKET.match("".join(part for part in each.parts[:1] if isinstance(part, str))):
                raise NotKnown(f"its {_word(path)} names an access point or a directory bucket", path)
    for plain in made if form == "source" else texts:
        _plain(plain, path)
    for was in texts:
        if any(isinstance(part, Hole) for part in was.parts) and not (may_be_open and _within(row, path, was)):
            how = "known only in part" if isinstance(was.parts[0], str) else "not known"
            raise NotKnown(f"its {_word(path)} is {how}", path)
        if not was.parts:
            raise NotKnown(f"its {_word(path)} is empty", path)
    return list(made)


def _within(row: Row, path: str, given: Text) -> bool:
    """Whether an open end stays within one place: the objects of a bucket, or what is named below a path."""
    if row.resource.startswith("arn:aws:s3:::{"):
        if not path.startswith("CopySource"):
            return True
        first = given.parts[0]
        return isinstance(first, str) and bool(first.partition("/")[0]) and "/" in first
    first = given.parts[0]
    return isinstance(first, str) and "/" in first.strip("/") + first[-1:]


def _plain(given: Text, path: str) -> None:
    if has_wildcards(given):
        raise NotKnown(f"its {_word(path)} has a sign that IAM would take for a wildcard", path)


def _word(path: str) -> str:
    return path.replace("[]", "").replace("{}", "")
