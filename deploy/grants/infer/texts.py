"""Strings that are known in part: put together, cut at what is not known, matched against names."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import lru_cache, reduce
from itertools import product
from re import Pattern, compile, escape

from packyak.deploy.grants.infer.atoms import Atom, Hole, Live, Text, Unknown, Value, one

MOST = 24  # alternatives of one string, beyond which only what they have in common is kept
OPEN = Text((Hole(),))
PLAIN = (
    "lower",
    "upper",
    "strip",
    "lstrip",
    "rstrip",
    "title",
    "capitalize",
    "replace",
    "removeprefix",
    "removesuffix",
)


def text(*parts: str | Hole) -> Text:
    """A text of parts, neighbours joined."""
    joined: list[str | Hole] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(last, str):
            joined[-1] = last + part
        elif part != "" and not (isinstance(part, Hole) and last == part == Hole()):
            joined.append(part)
    return Text(tuple(joined))


def literal(value: str) -> Value:
    return one(text(value))


def shown(atom: Atom, spec: str = "") -> Text:
    """What an atom is as a string, in an f-string."""
    if isinstance(atom, Text):
        return atom if not spec else _formatted(atom.known, spec)
    if isinstance(atom, Live) and isinstance(atom.value, int | float | None):
        return _formatted(atom.value, spec)
    return OPEN


def _formatted(value: object, spec: str) -> Text:
    try:
        return OPEN if value is None and spec else text(format(value, spec))
    except (ValueError, TypeError):
        return OPEN


def joined(*values: Value, between: str = "") -> Value:
    """Every way of writing values one after another."""
    options = [sorted({shown(each) for each in value}, key=repr) for value in values]
    if reduce(lambda count, each: count * max(len(each), 1), options, 1) > MOST:
        options = [[shared_start(each)] for each in options]
    made = set()
    for chosen in product(*options):
        parts: list[str | Hole] = []
        for number, each in enumerate(chosen):
            parts += [between, *each.parts] if number else each.parts
        made.add(text(*parts))
    return frozenset(made)


def shared_start(texts: Iterable[Text]) -> Text:
    """What several texts begin with, and a hole."""
    several = list(dict.fromkeys(texts))
    if len(several) == 1:
        return several[0]
    starts = [each.parts[0] if each.parts and isinstance(each.parts[0], str) else "" for each in several]
    shortest = min(starts, key=len)
    size = next((at for at, letter in enumerate(shortest) if any(each[at] != letter for each in starts)), len(shortest))
    return text(shortest[:size], Hole())


def narrowed(value: Value) -> Value:
    """A value whose many strings are one with a hole."""
    texts = [each for each in value if isinstance(each, Text)]
    return value if len(texts) <= MOST else value - set(texts) | {shared_start(sorted(texts, key=repr))}


def path_joined(values: Iterable[Value]) -> Value:
    """What `os.path.join` makes: a later part that begins with a slash starts anew."""
    result: Value | None = None
    for value in values:
        if result is None:
            result = value
            continue
        made: set[Atom] = set()
        for left, right in product(map(shown, result), map(shown, value)):
            start = right.parts[0] if right.parts else ""
            slash = "" if not left.parts or (isinstance(left.parts[-1], str) and left.parts[-1].endswith("/")) else "/"
            if isinstance(start, str) and start.startswith("/"):
                made.add(right)
            else:
                made.add(text(*left.parts, slash, *right.parts))
                if isinstance(start, Hole) and not start.pattern:
                    made.add(text(*left.parts, slash, Hole()))
        result = narrowed(frozenset(made))
    return result or one(OPEN)


def format_fields(template: str) -> Iterator[tuple[str, str | None, str]]:
    """(text, field, spec) of a `str.format` template."""
    for before, field, spec, _ in string.Formatter().parse(template):
        yield before, field, spec or ""


def percent(template: Text, values: list[Value] | None) -> Value:
    """`template % values`; None: what is filled in is not known."""
    pieces: list[Value] = []
    given = iter(values or ())
    for part in template.parts:
        if isinstance(part, Hole):
            pieces.append(one(text(part)))
            continue
        rest = part
        while "%" in rest:
            before, _, rest = rest.partition("%")
            pieces.append(literal(before))
            if rest.startswith("%"):
                pieces.append(literal("%"))
                rest = rest[1:]
                continue
            if rest.startswith("("):
                rest = rest.partition(")")[2]
                value: Value = one(OPEN)
            else:
                value = next(given, one(OPEN)) if values is not None else one(OPEN)
            flags = rest[: len(rest) - len(rest.lstrip("#0- +123456789."))]
            kind, rest = rest[len(flags) : len(flags) + 1], rest[len(flags) + 1 :]
            pieces.append(value if kind == "s" and not flags else one(_each(value, flags, kind)))
        pieces.append(literal(rest))
    return joined(*pieces)


def _each(value: Value, flags: str, kind: str) -> Text:
    known = [each.value for each in value if isinstance(each, Live) and isinstance(each.value, int | float)]
    if len(known) == len(value) == 1 and kind:
        try:
            return text(f"%{flags}{kind}" % known[0])
        except (ValueError, TypeError):
            return OPEN
    return OPEN


@lru_cache(maxsize=1024)
def matching(atom: Text) -> Pattern[str]:
    """What strings a text may be."""
    return compile(
        "".join(
            escape(part) if isinstance(part, str) else translate(part.pattern)[4:-3] if part.pattern else ".*"
            for part in atom.parts
        )
    )


def pattern_of(atom: Text) -> str:
    """As IAM writes it: up to the first hole that no declaration describes, and `*`."""
    made = ""
    for part in atom.parts:
        if isinstance(part, str):
            made += part
        elif part.pattern:
            made += part.pattern
        else:
            made += "*"
            break
    while "**" in made:
        made = made.replace("**", "*")
    return made


def has_wildcards(atom: Text) -> bool:
    """Whether what is written out would be taken for a wildcard by IAM, or for a variable."""
    return any(isinstance(part, str) and any(sign in part for sign in "*?$") for part in atom.parts)


def texts_of(value: Value) -> list[Text] | None:
    """The strings that a value may be; None where it may be something that is not known."""
    found: list[Text] = []
    for each in value:
        if isinstance(each, Text):
            found.append(each)
        elif isinstance(each, Unknown) or not (isinstance(each, Live) and each.value is None):
            return None
    return sorted(found, key=repr)


def shown_node(node: ast.AST) -> str:
    """Code as it is written, not too long."""
    said = ast.unparse(node) if not isinstance(node, ast.pattern) else "case"
    return said if len(said) <= 80 else f"{said[:77]}..."
