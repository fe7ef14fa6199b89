"""How two texts differ, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from packyak.studio.views.words import literal

LONG = 48
AROUND = 60
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Part:
    """A stretch of text that is in both, in the old one alone, or in the new one alone."""

    kind: Literal["same", "gone", "new"]
    text: str


def worth_showing(was: object, now: object) -> bool:
    """Whether two values are texts too long to be compared at a glance."""
    return isinstance(was, str) and isinstance(now, str) and max(len(was), len(now)) > LONG


def difference(was: str, now: str) -> list[Part]:
    """The parts in order: what goes before what comes."""
    old, new = _WORDS.findall(was), _WORDS.findall(now)
    return list(_parts(old, new))


def _parts(old: list[str], new: list[str]) -> Iterator[Part]:
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Part("same", "".join(old[a:b]))
            continue
        if b > a:
            yield Part("gone", "".join(old[a:b]))
        if d > c:
            yield Part("new", "".join(new[c:d]))


def as_markdown(parts: list[Part]) -> str:
    """The parts as Streamlit shows them: what goes struck out in red, what comes in green; long equal stretches cut."""
    last = len(parts) - 1
    return "".join(_shown(part, place == 0, place == last) for place, part in enumerate(parts))


def _shown(part: Part, first: bool, last: bool) -> str:
    if part.kind == "same":
        return literal(_cut(part.text, first, last))
    inner, before, after = part.text.strip(), part.text[:1].isspace(), part.text[-1:].isspace()
    inner = literal(inner) or "\N{OPEN BOX}"
    marked = f":red-background[~~{inner}~~]" if part.kind == "gone" else f":green-background[{inner}]"
    return f"{' ' if before else ''}{marked}{' ' if after else ''}"


def _cut(text: str, first: bool, last: bool) -> str:
    """The ends of a stretch that are next to a change."""
    if len(text) <= 2 * AROUND:
        return text
    head = "" if first else text[:AROUND]
    tail = "" if last else text[-AROUND:]
    return f"{head} \N{HORIZONTAL ELLIPSIS} {tail}"
