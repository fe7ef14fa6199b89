"""What is kept of the last publication in the project's home, so that the next can be compared without an account.

AWS says what stands there; this only remembers which plan it was made from and where. A record that cannot be read, or
was written by another version, counts as none: then the next publication says that it compares with nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from packyak.deploy.plan import CloudPlan
from packyak.deploy.publish.records import Output
from packyak.engine.store.home import Home

NAME = "cloud/published.json"


@dataclass(frozen=True)
class Published:
    """The last publication. stacks: their names in the order in which they were made; templates: their digests;
    image: the tag of the images."""

    plan: CloudPlan
    at: str
    account: str
    region: str
    profile: str
    stacks: tuple[str, ...]
    outputs: tuple[Output, ...] = ()
    templates: Mapping[str, str] = field(default_factory=dict)
    image: str = ""


def keep(made: Published, home: Home) -> None:
    """Writes it down."""
    home.write(NAME, written(made))


def written(made: Published) -> bytes:
    """A publication as it is kept."""
    return json.dumps(asdict(made), sort_keys=True).encode()


def digest_of(template: Mapping[str, Any]) -> str:
    """A name for a template, however it is written down."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()


def forget(home: Home) -> None:
    """Nothing is published any more."""
    home.remove(NAME)


def last_published(home: Home) -> Published | None:
    """What was published last from here."""
    return read(home.read(NAME))


def read(data: bytes | None) -> Published | None:
    """A publication that was kept; None for what is none."""
    try:
        facts = json.loads(data) if data else None
        if not facts:
            return None
        found: Published = _made(Published, facts)
        return found
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def plan_from(facts: Mapping[str, Any]) -> CloudPlan:
    """A plan from its JSON; what is not known here is left out."""
    made: CloudPlan = _made(CloudPlan, facts)
    return made


def _made(kind: Any, facts: Any) -> Any:
    """A value of a type from plain values: records from what they have, tuples from lists."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        known = [each.name for each in fields(kind) if each.name in facts]
        return kind(**{name: _made(hints[name], facts[name]) for name in known})  # type: ignore[operator]
    if get_origin(kind) is UnionType:  # a record, or none
        one = next(each for each in get_args(kind) if each is not NoneType)
        return None if facts is None else _made(one, facts)
    if get_origin(kind) is tuple:
        return tuple(_made(get_args(kind)[0], each) for each in facts)
    return facts
