"""The text of one declaration, read from its file as it stands now."""

from __future__ import annotations

import ast
from pathlib import Path

MOST_LINES = 200


def source_at(file: str, line: int) -> str:
    """The statement around a line, decorators included; nothing where the file cannot be read or understood."""
    try:
        text = Path(file).read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError):
        return ""
    for node in tree.body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        if first <= line <= (node.end_lineno or first):
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno][:MOST_LINES])
    return ""
