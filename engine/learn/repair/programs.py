"""Small string programs, as data: a family's name and its arguments, which JSON can hold.

A program turns a cell into another text or says nothing (None). Templates rebuild a value from its own tokens and
from other columns of the record; the other families edit the value in place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[int, str]
_TOKEN = re.compile(r"[A-Za-zÀ-ɏ]+|[0-9]+|[^A-Za-zÀ-ɏ0-9]")
_NUMBER = re.compile(r"^(\s*)([-+]?\d[\d,]*\.?\d*)(.*)$", re.DOTALL)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True)
class Program:
    """One program for one column. `reads` are the other columns that it needs."""

    column: int
    family: str
    args: tuple[Any, ...] = ()
    reads: tuple[int, ...] = ()

    def run(self, value: str, row: Row) -> str | None:
        """What the program makes of the value, or None."""
        return _FAMILIES[self.family](value, self.args, row)

    def words(self, names: tuple[str, ...]) -> str:
        """The program for a person to read."""
        if self.family == "template":
            return "rebuild as " + "".join(_piece_words(piece, names) for piece in self.args[1])
        return _WORDS[self.family].format(*(_quoted(arg) for arg in self.args))

    def to_json(self) -> list[Any]:
        """As JSON."""
        return [self.column, self.family, list(self.args), list(self.reads)]

    @staticmethod
    def from_json(data: list[Any]) -> Program:
        """From JSON."""
        column, family, args, reads = data
        return Program(column, family, _frozen(args), tuple(reads))


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _quoted(value: Any) -> str:
    return f"“{value}”" if isinstance(value, str) else str(value)


def tokens(value: str) -> list[str]:
    """Runs of letters, runs of digits, and every other letter by itself."""
    return _TOKEN.findall(value)


def outline(parts: list[str]) -> str:
    """The kinds of the tokens: A letters, 9 digits, others as they are."""
    return "".join("A" if part[0].isalpha() else "9" if part[0].isdigit() else part for part in parts)


def _month_number(text: str) -> int | None:
    low = text.lower()
    found = [i for i, name in enumerate(_MONTHS, 1) if len(low) >= 3 and name.startswith(low)]
    return found[0] if len(found) == 1 else None


def _month_name(text: str, letters: int) -> str | None:
    if not text.isdigit() or not 1 <= int(text) <= 12:
        return None
    name = _MONTHS[int(text) - 1].title()
    return name[:letters] if letters else name


def _month_digits(text: str, width: int) -> str | None:
    number = _month_number(text)
    return None if number is None else str(number).zfill(width)


def _long_year(text: str) -> str | None:
    if len(text) != 2 or not text.isdigit():
        return None
    return ("20" if int(text) < 50 else "19") + text


def _digits(change: Callable[[str], str]) -> Callable[[str], str | None]:
    return lambda text: change(text) if text.isdigit() else None


HOW: dict[str, Callable[[str], str | None]] = {
    "same": lambda text: text,
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "no zeros": _digits(lambda text: text.lstrip("0") or "0"),
    "pad 2": _digits(lambda text: text.zfill(2)),
    "pad 3": _digits(lambda text: text.zfill(3)),
    "pad 4": _digits(lambda text: text.zfill(4)),
    "pad 5": _digits(lambda text: text.zfill(5)),
    "month 02": lambda text: _month_digits(text, 2),
    "month 2": lambda text: _month_digits(text, 1),
    "month Feb": lambda text: _month_name(text, 3),
    "month February": lambda text: _month_name(text, 0),
    "year 4": _long_year,
    "year 2": lambda text: text[2:] if text.isdigit() and len(text) == 4 else None,
    "first": lambda text: text[:1],
}


def _piece_words(piece: tuple[Any, ...], names: tuple[str, ...]) -> str:
    if piece[0] == "text":
        return str(piece[1])
    how = "" if piece[2] == "same" else f" {piece[2]}"
    return f"⟨part {piece[1] + 1}{how}⟩" if piece[0] == "token" else f"⟨{names[piece[1]]}{how}⟩"


def _template(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    shape, pieces = args
    parts = tokens(value)
    if shape is not None and outline(parts) != shape:
        return None
    out: list[str] = []
    for kind, what, *how in pieces:
        if kind == "text":
            out.append(what)
            continue
        source = parts[what] if kind == "token" else row.get(what, "")
        made = HOW[how[0]](source) if source else None
        if made is None:
            return None
        out.append(made)
    return "".join(out)


def _replace(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    return value.replace(args[0], args[1]) if args[0] in value else None


def _prefix(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    return str(args[1]) + value[len(args[0]) :] if value.startswith(args[0]) and value != args[0] else None


def _suffix(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    return value[: len(value) - len(args[0])] + str(args[1]) if value.endswith(args[0]) and value != args[0] else None


def _add(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    before, after, shape = args
    return before + value + after if outline(tokens(value)) == shape else None


def _word(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    parts = tokens(value)
    return "".join(args[1] if part == args[0] else part for part in parts) if args[0] in parts else None


def _map(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    return str(args[1]) if value == args[0] else None


def _constant(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    return str(args[1]) if value and outline(tokens(value)) == args[0] else None


def _scale(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    parsed = number(value)
    if parsed is None or parsed[1] != args[1]:
        return None
    return shown(parsed[0] * args[0]) + str(args[2])


def number(value: str) -> tuple[float, str] | None:
    """A number and what follows it."""
    match = _NUMBER.match(value)
    if not match:
        return None
    try:
        return float(match.group(2).replace(",", "")), match.group(3)
    except ValueError:
        return None


def shown(value: float) -> str:
    """A number as people write it."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _keep(test: Callable[[str], bool]) -> Callable[[str, tuple[Any, ...], Row], str | None]:
    return lambda value, args, row: "".join(letter for letter in value if test(letter)) or None


def _plain(value: str, args: tuple[Any, ...], row: Row) -> str | None:
    folded = unicodedata.normalize("NFKD", value)
    return "".join(letter for letter in folded if not unicodedata.combining(letter))


_FAMILIES: dict[str, Callable[[str, tuple[Any, ...], Row], str | None]] = {
    "map": _map,
    "lower": lambda value, args, row: value.lower(),
    "upper": lambda value, args, row: value.upper(),
    "title": lambda value, args, row: value.title(),
    "sentence": lambda value, args, row: value[:1].upper() + value[1:].lower(),
    "spaces": lambda value, args, row: " ".join(value.split()),
    "ascii": _keep(str.isascii),
    "plain": _plain,
    "digits": _keep(str.isdigit),
    "alphanumeric": _keep(lambda letter: letter.isalnum() or letter.isspace()),
    "template": _template,
    "scale": _scale,
    "word": _word,
    "replace": _replace,
    "prefix": _prefix,
    "suffix": _suffix,
    "add": _add,
    "constant": _constant,
}

FAMILIES = tuple(_FAMILIES)

_WORDS = {
    "map": "{0} becomes {1}",
    "lower": "lower case",
    "upper": "upper case",
    "title": "title case",
    "sentence": "sentence case",
    "spaces": "single spaces",
    "ascii": "drop letters outside ASCII",
    "plain": "drop accents",
    "digits": "keep digits only",
    "alphanumeric": "drop punctuation",
    "scale": "times {0}, {1} becomes {2}",
    "word": "word {0} becomes {1}",
    "replace": "{0} becomes {1}",
    "prefix": "leading {0} becomes {1}",
    "suffix": "trailing {0} becomes {1}",
    "add": "put {0} before and {1} after",
    "constant": "shape {0} becomes {1}",
}
