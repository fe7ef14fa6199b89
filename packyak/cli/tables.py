"""Rows as a table: drawn to fit on a terminal, in plain aligned columns and uncut in a pipe.

Widths count what a terminal shows: a wide (Chinese, Japanese, Korean) letter takes two cells, a combining accent none.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from packyak.cli.say import on_terminal, plain, say

STYLES: Mapping[str, str] = {
    "fresh": "green", "done": "green", "ok": "green", "stale": "yellow", "never": "yellow", "warn": "yellow",
    "blocked": "yellow", "cancelled": "yellow", "failed": "red", "fail": "red", "crashed": "red", "running": "cyan",
}  # fmt: skip
_BREAKS = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})


def show_table(
    headers: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[str] = (), state: str = ""
) -> None:
    """Prints rows under their headers. right: columns set to the right; state: the column whose words have a colour."""
    texts = [[cell(value) for value in row] for row in rows]
    if on_terminal(sys.stdout):
        _show_rich(headers, texts, right, state)
    else:
        for line in lines(headers, texts, right):
            say(line)


def lines(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> list[str]:
    """The table as aligned lines."""
    widths = [max([cells(head), *(cells(row[place]) for row in rows)]) for place, head in enumerate(headers)]
    return [_line(row, headers, widths, right) for row in [headers, *rows]]


def _line(row: Sequence[str], headers: Sequence[str], widths: Sequence[int], right: Sequence[str]) -> str:
    parts = []
    for text, head, width in zip(row, headers, widths, strict=True):
        space = " " * (width - cells(text))
        parts.append(f"{space}{text}" if head in right else f"{text}{space}")
    return "  ".join(parts).rstrip()


def _show_rich(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str], state: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for head in headers:
        short = head in right or head == state
        table.add_column(
            head, justify="right" if head in right else "left", no_wrap=short or len(headers) > 3, overflow="ellipsis"
        )
    for row in rows:
        table.add_row(
            *(
                Text(text, style=STYLES.get(text, "") if head == state else "")
                for text, head in zip(row, headers, strict=True)
            )
        )
    Console().print(table)


def cell(value: Any) -> str:
    """A value in one line: nothing for null, JSON for nested values."""
    if value is None:
        return ""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict | bytes):
        return printable(json.dumps(plain(value), ensure_ascii=False))
    if hasattr(value, "isoformat"):
        return (
            str(value.isoformat(sep=" "))
            if hasattr(value, "hour") and hasattr(value, "year")
            else str(value.isoformat())
        )
    return printable(str(value))


def printable(text: str) -> str:
    """Text without line breaks and without letters that would steer the terminal."""
    text = text.translate(_BREAKS)
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or unicodedata.category(each) == "Zs" else f"\\x{ord(each):02x}" for each in text
    )


def cells(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(each) for each in text)


def _cells(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
