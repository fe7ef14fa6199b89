"""Rules that hold for nodes of every kind, each refused with file, line and the valid choices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from packyak.engine.declare.declared import Declared
from packyak.engine.declare.nodes import Column, Node, SqlNode, TableNode
from packyak.engine.declare.options import refuse
from packyak.engine.declare.parameters import Reader, View
from packyak.engine.errors import nearest


def keyed(reader: Reader, does: str, above: Node, sql_keys_known: bool) -> None:
    """Refuses an input whose records have no key."""
    if not isinstance(above, TableNode) or above.key is not None:
        return
    if isinstance(above, SqlNode) and not sql_keys_known:
        return
    raise refuse(
        reader.origin,
        f"{reader.kind} `{reader.name}` {does} `{above.name}`, which has no key ({above.origin})",
        f'give `{above.name}` a key to know its records by: `key="id"`',
        [column.name for column in above.columns] if above.columns else None,
    )


def names_field(thing: Declared[..., object], option: str, name: str, columns: Sequence[Column]) -> None:
    """Refuses an option that names none of the fields."""
    names = [column.name for column in columns]
    if name not in names:
        what = f"{thing.kind} `{thing.__name__}` has {option}={name!r}, which is none of its fields"
        raise refuse(thing.origin, what, meant_or(name, names, "name one of its fields"), names)


def marks_name_columns(node: TableNode, columns: Iterable[str]) -> None:
    """Refuses personal= and subject= that name no column."""
    known = set(columns)
    marked = [("personal=", name) for name in node.marks.personal]
    marked += [("subject=", node.marks.subject)] if node.marks.subject else []
    for option, name in marked:
        if name not in known:
            what = f"{option} of `{node.name}` names `{name}`, which is no column of it"
            raise refuse(node.origin, what, meant_or(name, known, "name one of its columns"), sorted(known))


def no_twins(node: TableNode, view: View) -> None:
    """Refuses a column whose name differs by case only from one above: they are one name in SQL."""
    folded = {name.casefold(): name for name in view}
    for column in node.columns or ():
        twin = folded.get(column.name.casefold(), column.name)
        if twin != column.name:
            raise refuse(
                node.origin,
                f"`{node.name}` writes `{column.name}` beside `{twin}`, which differs by case only",
                f"rename it, or write `{twin}` to replace that column",
            )


def meant_or(word: str, choices: Iterable[str], otherwise: str) -> str:
    """The next step after a wrong word."""
    meant = nearest(word, choices)
    return f"did you mean `{meant}`?" if meant else otherwise
