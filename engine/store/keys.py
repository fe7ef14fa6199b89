"""A key of several values is one text: each value with its length before it, nulls as a dash. "2:ab|-|1:c"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def encode_key(parts: Sequence[Any]) -> str:
    """Several key values as one text, nulls allowed."""
    return "|".join("-" if part is None else f"{len(str(part))}:{part}" for part in parts)


def key_sql(texts: Sequence[str]) -> str:
    """The same in SQL. texts: expressions of type varchar."""
    return " || '|' || ".join(f"coalesce(length({text}) || ':' || {text}, '-')" for text in texts)


def decode_key(key: str) -> tuple[str | None, ...] | None:
    """The values of a key of several; None for a text that is not one, which is then a key of its own."""
    parts: list[str | None] = []
    at = 0
    while at <= len(key):
        if key[at : at + 1] == "-":
            parts.append(None)
            at += 1
        else:
            digits, colon, _ = key[at:].partition(":")
            if not colon or not digits.isdecimal():
                return None
            start = at + len(digits) + 1
            at = start + int(digits)
            if at > len(key):
                return None
            parts.append(key[start:at])
        if at == len(key):
            return tuple(parts) if len(parts) > 1 else None
        if key[at] != "|":
            return None
        at += 1
    return None
