"""The command that searches an index: find."""

from __future__ import annotations

from typing import Annotated

import typer

from packyak.cli.asking import Desk
from packyak.cli.options import HomeUri, Json, ProjectFolder, Verbose, command
from packyak.cli.place import find_place
from packyak.cli.say import note, say_json
from packyak.cli.tables import cell, show_table
from packyak.cli.words import counted
from packyak.engine.errors import PackyakError

LETTERS = 72


@command(
    "find",
    ('packyak find "charged twice for one order"', "by meaning and by words together"),
    ("packyak find refund --how text", "by words alone"),
    ('packyak find "where is it" --how vector --limit 20', "by meaning alone"),
    ("packyak find --like T-10042", "records like this one"),
    ("packyak find refund --index search --where \"topic = 'billing'\" --json", "one of several indexes, filtered"),
)
def find(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.", show_default=False)] = "",
    like: Annotated[
        str | None, typer.Option("--like", metavar="KEY", help="Instead of a text: records like this one.")
    ] = None,
    how: Annotated[
        str, typer.Option("--how", metavar="hybrid|vector|text", help="By meaning, by words, or both.")
    ] = "hybrid",
    index: Annotated[
        str | None, typer.Option("--index", metavar="INDEX", help="An index by name; default: the first.")
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="An SQL condition on the index's filter columns.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many records.")] = 5,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Find the records of an index nearest to a text, or to another record."""
    if bool(text.strip()) == (like is not None):
        raise PackyakError("nothing to look for", next_step="give a text or --like KEY, one of them")
    desk = Desk(find_place(project, home))
    rows = desk.ask("find", index, text, limit, where, how=how, like=like).to_pylist()
    if as_json:
        say_json({"index": index, "how": "like" if like else how, "rows": rows})
        return
    names = [name for name in (rows[0] if rows else {}) if name not in ("_key", "_score")]
    show_table(["key", *names], [[row["_key"], *(_short(row[name]) for name in names)] for row in rows])
    note(f"{counted(len(rows), 'record')}, the nearest first")


def _short(value: object) -> str:
    text = cell(value)
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
