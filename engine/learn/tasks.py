"""What there is to learn in a learned transform, from its declaration alone. Standard library only."""

from __future__ import annotations

import hashlib

from ..declare.nodes import Column, LearnedNode


def tasks_of(node: LearnedNode) -> list[tuple[str, tuple[Column, ...]]]:
    """(task, columns) in the order of the declaration: "classification", "regression" or "repair". Columns that are
    repaired are learned together; a text that replaces no input has no task: its first rule answers."""
    replaced = {p.of for p in node.parameters if p.takes == "column"}
    replaced |= {name for p in node.parameters if p.takes == "record" for name in p.fields}
    tasks: dict[str, tuple[str, tuple[Column, ...]]] = {}
    for column in node.columns or ():
        if column.choices is not None or column.type == "bool":
            tasks[column.name] = ("classification", (column,))
        elif column.name in replaced:
            tasks[""] = ("repair", (*tasks.get("", ("repair", ()))[1], column))
        elif column.type in ("int64", "float64"):
            tasks[column.name] = ("regression", (column,))
    return list(tasks.values())


def signature_of(node: LearnedNode) -> str:
    """A hash of what a declaration answers and reads: a model answers only under the signature it was trained for."""
    answers = [(c.name, c.type, c.choices) for c in node.columns or ()]
    read = [(p.name, p.takes, p.of, p.fields, p.by) for p in node.parameters]
    return hashlib.blake2b(repr((answers, read, node.has_rule)).encode(), digest_size=8).hexdigest()
